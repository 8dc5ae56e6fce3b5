// qmail-deliverable over HTTP: requests in one write and in pieces, what ends a connection, and what the log says.

import AddresseeConfiguration
import DialogueTesting
import Foundation
import Logging
import Testing
import Verification

@Suite(.timeLimit(.minutes(1))) struct HTTPTests {
    static func get(_ address: String, _ version: String = "1.1", _ fields: String = "") -> String {
        "GET /qd1/deliverable?\(address) HTTP/\(version)\r\nHost: x\r\n\(fields)\r\n"
    }

    /// Sends text, in pieces of a size, and gives all that comes until the server closes or there are so many responses.
    static func ask(
        _ text: String, responses: Int, pieces: Int = 100_000, log: LogBook? = nil,
        change: @escaping @Sendable (inout Configuration) -> Void = { _ in }
    ) async throws -> (heard: String, isClosed: Bool) {
        nonisolated(unsafe) var found = (heard: "", isClosed: false)
        let dialogue = try DialogueFiles.dialogue("table-alias")
        try await ServedDirectory.serve(dialogue, wire: .qmailDeliverable, log: log, change: change) { port in
            found = try await SocketPeer.connected(port: port) { peer in
                let octets = Array(text.utf8)
                for start in stride(from: 0, to: octets.count, by: pieces) {
                    try await peer.send(Array(octets[start..<min(start + pieces, octets.count)]))
                }
                var heard = ""
                while heard.components(separatedBy: "HTTP/1.").count <= responses || !heard.hasSuffix("\n") {
                    let more = try await peer.receive()
                    if more.isEmpty { return (heard, true) }
                    heard += String(decoding: more, as: UTF8.self)
                }
                return (heard, false)
            }
        }
        return found
    }

    /// The status and the content of each response.
    static func responses(_ heard: String) -> [String] {
        heard.components(separatedBy: "HTTP/1.").dropFirst().map { response in
            let parts = response.components(separatedBy: "\r\n\r\n")
            return "\(response.dropFirst(2).prefix(3)) \(parts.last?.trimmingCharacters(in: .newlines) ?? "")"
        }
    }

    @Test(arguments: [1, 100_000])
    func pipelined(pieces: Int) async throws {
        let addresses = [
            "fred@example.org", "nobody@example.org", "x@elsewhere.example", "claude%40example.org", "fat@example.org",
            "x",
        ]
        let (heard, isClosed) = try await Self.ask(
            addresses.map { Self.get($0) }.joined(), responses: addresses.count, pieces: pieces)
        #expect(Self.responses(heard) == ["200 241", "200 0", "200 255", "200 241", "503 34", "200 255"])
        #expect(!isClosed)
        #expect(heard.components(separatedBy: "Cache-Control: no-store").count == 7)
        #expect(heard.components(separatedBy: "Content-Type: text/plain; charset=utf-8").count == 7)
    }

    /// Requests for something else get what they ask for wrongly, and go on.
    @Test func others() async throws {
        let text =
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
            + "POST /qd1/deliverable?a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
            + "GET /qd1/deliverable?%4 HTTP/1.1\r\nHost: x\r\n\r\n" + Self.get("fred@example.org")
        let (heard, isClosed) = try await Self.ask(text, responses: 4)
        #expect(
            Self.responses(heard) == [
                "404 Ask /qd1/deliverable?ADDRESS", "405 Ask with GET",
                "400 This is no request for /qd1/deliverable?ADDRESS", "200 241",
            ])
        #expect(heard.contains("Allow: GET"))
        #expect(!isClosed)
    }

    /// No content follows the answer to HEAD, and the next request is answered.
    @Test func head() async throws {
        let text = "HEAD /qd1/deliverable?fred@example.org HTTP/1.1\r\nHost: x\r\n\r\n" + Self.get("fred@example.org")
        let (heard, _) = try await Self.ask(text, responses: 2)
        #expect(Self.responses(heard) == ["405 ", "200 241"])
    }

    /// After so many of them the connection ends.
    @Test func errors() async throws {
        let text = String(repeating: "GET / HTTP/1.1\r\nHost: x\r\n\r\n", count: 5)
        let (heard, isClosed) = try await Self.ask(text, responses: 5) { $0.limits.errors = 3 }
        #expect(Self.responses(heard).count == 3)
        #expect(isClosed)
    }

    /// HTTP/1.0 closes unless it is asked not to; `Connection: close` closes; nothing after it is answered.
    @Test(arguments: [
        ("1.0", "", true), ("1.0", "Connection: keep-alive\r\n", false), ("1.1", "Connection: close\r\n", true),
        ("1.1", "", false), ("1.1", "Upgrade: h2c\r\n", true),
    ])
    func lastRequests(version: String, fields: String, isLast: Bool) async throws {
        let request = Self.get("fred@example.org", version, fields)
        let (heard, isClosed) = try await Self.ask(request + request, responses: 2)
        #expect(Self.responses(heard).count == (isLast ? 1 : 2))
        #expect(isClosed == isLast)
        #expect(heard.hasPrefix("HTTP/\(version) 200"))
        let lower = heard.lowercased()
        #expect(lower.contains("connection: close") == isLast)
        #expect(lower.contains("connection: keep-alive") == (version == "1.0" && !isLast))
    }

    /// A body is read past and thrown away, that of each request by itself; longer than 65,536 octets it is refused.
    @Test(arguments: [(40_000, ["405", "405", "200"]), (65_536, ["405", "405", "200"]), (65_537, ["400"])])
    func bodies(length: Int, statuses: [String]) async throws {
        let body = String(repeating: "x", count: length)
        let request = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(length)\r\n\r\n" + body
        let text = request + request + Self.get("fred@example.org")
        let (heard, isClosed) = try await Self.ask(text, responses: 3)
        #expect(Self.responses(heard).map { String($0.prefix(3)) } == statuses)
        #expect(isClosed == (statuses == ["400"]))
    }

    /// What is no HTTP gets 400, and the connection ends; so does a body that has no end.
    @Test(arguments: [
        ("nonsense\r\n\r\n", ["400 "]),
        // RFC 9112 3.2: one Host, no more and no less.
        ("GET /qd1/deliverable?fred@example.org HTTP/1.1\r\n\r\n", ["400 "]),
        (get("fred@example.org", "1.1", "Host: y\r\n"), ["400 "]),
        (get("fred@example.org") + "x\r\n\r\n", ["200 241", "400 "]),
        (
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                + String(repeating: "1000\r\n" + String(repeating: "x", count: 4096) + "\r\n", count: 17), ["400 "]
        ),
    ])
    func malformed(text: String, expected: [String]) async throws {
        let log = LogBook()
        let (heard, isClosed) = try await Self.ask(text, responses: 5, log: log)
        #expect(Self.responses(heard).map { $0.hasPrefix("400") ? "400 " : $0 } == expected)
        #expect(isClosed)
        #expect(
            log.lines("malformed-request") == [
                "info malformed-request client=127.0.0.1 done=connection closed listener=qmail-deliverable "
                    + "on=127.0.0.1:0"
            ])
    }

    /// HTTP/1.0 has neither Host nor 100 (RFC 9110 10.1.1); HTTP/1.1 has both.
    @Test(arguments: [
        ("GET /qd1/deliverable?fred@example.org HTTP/1.0\r\n\r\n", 1, ["200 241"]),
        ("GET /qd1/deliverable?fred@example.org HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", 1, ["200 241"]),
        (get("fred@example.org", "1.1", "Expect: 100-continue\r\n"), 2, ["100 ", "200 241"]),
    ])
    func expectations(text: String, responses: Int, expected: [String]) async throws {
        let (heard, _) = try await Self.ask(text, responses: responses)
        #expect(Self.responses(heard) == expected)
    }

    /// A body as long as one may be.
    @Test func bodies() async throws {
        let text =
            "GET /qd1/deliverable?fred@example.org HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\n\r\n"
            + String(repeating: "x", count: 65_536) + Self.get("nobody@example.org")
        let (heard, _) = try await Self.ask(text, responses: 2)
        #expect(Self.responses(heard) == ["200 241", "200 0"])
    }

    /// So may the next one: each request is counted by itself.
    @Test func severalBodies() async throws {
        let text =
            "GET /qd1/deliverable?fred@example.org HTTP/1.1\r\nHost: x\r\nContent-Length: 40000\r\n\r\n"
            + String(repeating: "x", count: 40_000)
        let (heard, _) = try await Self.ask(text + text, responses: 2)
        #expect(Self.responses(heard) == ["200 241", "200 241"])
    }

    /// Each question is logged with its answer, where the level is that of debugging.
    @Test(arguments: [true, false])
    func theLog(isDebugging: Bool) async throws {
        let log = LogBook()
        if !isDebugging { log.setLevel(.info) }
        let text = ["fred@example.org", "nobody@example.org"].map { Self.get($0) }.joined()
        _ = try await Self.ask(text, responses: 2, log: log)
        let lines = ["fred@example.org answer=deliverable", "nobody@example.org answer=undeliverable"]
            .map { "debug asked about=\($0) client=127.0.0.1 command=deliverable" }
        #expect(log.lines("asked") == (isDebugging ? lines : []))
    }

    @Test func tooManyQuestions() async throws {
        let (heard, isClosed) = try await Self.ask(
            String(repeating: Self.get("nobody@example.org"), count: 30) + Self.get("postmaster@example.org"),
            responses: 31
        ) { $0.clients[0].questionsPerMinute = 2 }
        let all = Self.responses(heard)
        #expect(all.prefix(2) == ["200 0", "200 0"])
        // Refused until patience ends, with the answer to the one that ends it.
        #expect(Array(all.dropFirst(2)) == Array(repeating: "503 34", count: 21))
        #expect(isClosed)
    }

    @Test func postmasterIsNeverRefused() async throws {
        let (heard, _) = try await Self.ask(
            String(repeating: Self.get("postmaster@example.org"), count: 5), responses: 5
        ) { $0.clients[0].questionsPerMinute = 1 }
        #expect(Self.responses(heard) == Array(repeating: "200 241", count: 5))
    }
}
