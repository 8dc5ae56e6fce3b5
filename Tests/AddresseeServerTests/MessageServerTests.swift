// Messages over a socket into Maildirs: each once, whole and with its fields, or refused and nowhere.

import AddresseeConfiguration
import DialogueTesting
import Foundation
import Testing
import Verification

struct MessageServerTests {
    /// A place for Maildirs, and what is in it.
    struct Place: Sendable {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("addressee-\(UUID())").path

        /// The messages that have been delivered to a mailbox, and whatever else lies in its Maildir.
        func messages(_ mailbox: String) -> [String] {
            let path = "\(folder)/\(mailbox)/new"
            let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
            return names.sorted().compactMap { try? String(contentsOfFile: "\(path)/\($0)", encoding: .isoLatin1) }
        }

        /// Every file, wherever it is.
        var files: [String] {
            let all = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
            return all.filter { path in
                var isFolder: ObjCBool = false
                _ = FileManager.default.fileExists(atPath: "\(folder)/\(path)", isDirectory: &isFolder)
                return !isFolder.boolValue
            }.sorted()
        }

        /// What is not delivered is removed after its reply.
        func isEmptySoon() async throws -> Bool {
            for _ in 0..<500 where !files.isEmpty { try await Task.sleep(for: .milliseconds(20)) }
            return files.isEmpty
        }

        func remove() { try? FileManager.default.removeItem(atPath: folder) }
    }

    static let dialogue = """
        directory: table
        client: open
        mail: taken
        """

    typealias Change = @Sendable (inout Configuration, Place) throws -> Void

    /// Serves the directory of the tables, with these next hops, while `body` talks to it.
    static func serve(
        takes places: Set<RecipientPlace> = Set(RecipientPlace.allCases), isLate: Bool = false,
        change: Change = { _, _ in },
        _ body: @escaping @Sendable (SocketPeer, Place) async throws -> Void
    ) async throws {
        let place = Place()
        defer { place.remove() }
        let dialogue = try Dialogue(name: "message", text: dialogue)
        var hops = try ServedDirectory.nextHops(in: place.folder)
        hops[0].route.places = places
        try await ServedDirectory.serve(
            dialogue, isLate: isLate,
            change: { [hops] in
                $0.nextHops = hops
                try? change(&$0, place)
            },
            { port in try await SocketPeer.connected(port: port) { peer in try await body(peer, place) } })
    }

    /// Sends lines and gives the replies, one for each of `count`.
    static func replies(_ count: Int, to text: String, over peer: SocketPeer) async throws -> [String] {
        try await peer.send(Array(text.utf8))
        var heard: [UInt8] = []
        while true {
            let lines = String(decoding: heard, as: UTF8.self).split(separator: "\r\n")
            let last = lines.filter { $0.dropFirst(3).first == " " }
            if last.count >= count, heard.last == 10 { return last.map(String.init) }
            let more = try await peer.receive()
            if more.isEmpty { return last.map(String.init) }
            heard += more
        }
    }

    static func transaction(_ recipients: String..., message: String) -> String {
        "MAIL FROM:<me@elsewhere.example>\r\n" + recipients.map { "RCPT TO:<\($0)>\r\n" }.joined() + "DATA\r\n"
            + message
            + "\r\n.\r\n"
    }

    @Test(arguments: [false, true])
    func oneMessageToEachOnce(isLate: Bool) async throws {
        try await Self.serve(isLate: isLate) { peer, place in
            let text = Self.transaction(
                "fred@example.org", "claude@example.org", "FRED@example.org", "both@example.org", "staff@example.org",
                message: "Subject: x\r\n\r\n..dots\r\n\u{E9}")
            let replies = try await Self.replies(10, to: "EHLO c.example\r\n" + text, over: peer)
            #expect(replies.suffix(2) == ["354 Start mail input; end with <CRLF>.<CRLF>", "250 2.0.0 OK"])
            let messages = place.messages("example.org/fred")
            #expect(messages.count == 1)
            let lines = messages.first?.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) ?? []
            #expect(lines.first == "Return-Path: <me@elsewhere.example>")
            // In the order, and of two spellings in the one, in which the directory answered.
            #expect(
                lines.dropFirst().prefix(4).map { $0.lowercased() }.sorted() == [
                    "x-original-to: both@example.org", "x-original-to: claude@example.org",
                    "x-original-to: fred@example.org", "x-original-to: staff@example.org",
                ])
            #expect(
                lines.dropFirst(5).prefix(2) == [
                    "Delivered-To: fred@example.org", "Received: from c.example ([127.0.0.1])",
                ])
            #expect(lines.count > 8 && lines[7].hasPrefix("\tby mx.example with ESMTP id "))
            #expect(Array(lines.dropFirst(8)) == ["Subject: x", "", ".dots", "Ã©", ""])
            // Nobody is told of what led to others.
            for (mailbox, original) in [
                ("example.org/ann", "both@example.org"), ("elsewhere.example/kay", "staff@example.org"),
            ] {
                let fields = place.messages(mailbox).joined().split(separator: "\n").filter {
                    $0.hasPrefix("X-Original-To")
                }
                #expect(fields == ["X-Original-To: \(original)"])
            }
            for file in place.files { #expect(file.contains("/new/")) }
            #expect(place.files.count == Set(place.files.map { $0.split(separator: "/")[1] }).count)
        }
    }

    /// Two messages, and all that goes with them, in one write, after which the client sends nothing more.
    @Test(arguments: [false, true])
    func severalInOneWrite(isLate: Bool) async throws {
        try await Self.serve(isLate: isLate) { peer, place in
            let first = Self.transaction("fred@example.org", message: "one")
            let second = Self.transaction("fred@example.org", "nobody@example.org", "ann@example.org", message: "two")
            try await peer.send(Array((first + second + "RCPT TO:<fred@example.org>\r\n").utf8))
            peer.end()
            var heard: [UInt8] = []
            while case let more = try await peer.receive(), !more.isEmpty { heard += more }
            let codes = String(decoding: heard, as: UTF8.self).split(separator: "\r\n").map { $0.prefix(3) }
            #expect(codes == ["220", "250", "250", "354", "250", "250", "250", "550", "250", "354", "250", "503"])
            #expect(place.messages("example.org/fred").count { $0.hasSuffix("\none\n") } == 1)
            #expect(place.messages("example.org/fred").count { $0.hasSuffix("\ntwo\n") } == 1)
            #expect(place.messages("example.org/ann").map { $0.hasSuffix("\ntwo\n") } == [true])
        }
    }

    /// A message as large as may be, in pieces of all sizes, is the same in every copy.
    @Test(arguments: [1_000, 300_000, 3_000_000])
    func large(size: Int) async throws {
        try await Self.serve { peer, place in
            var body = ""
            var number = 0
            while body.utf8.count < size {
                number += 1
                body += "y" + String(repeating: "x", count: number * 7 % 1500) + ".\r\n"
            }
            _ = try await Self.replies(
                6, to: Self.transaction("fred@example.org", "both@example.org", message: body), over: peer)
            let expected = body.replacingOccurrences(of: "\r\n", with: "\n") + "\n"
            #expect(place.files.count >= 2)
            for file in place.files {
                let text = try String(contentsOfFile: "\(place.folder)/\(file)", encoding: .utf8)
                let start = try #require(
                    text.firstRange(of: "+0000\n") ?? text.range(of: #"[+-]\d{4}\n"#, options: .regularExpression))
                // It has no header section.
                #expect(text[start.upperBound...] == "\n" + expected)
            }
        }
    }

    /// What stands under the fields that the server puts on top: what is no header section begins after an empty line.
    @Test(arguments: [
        ("Subject: x\r\n\r\na", "Subject: x\n\na\n"), ("Subject: x", "Subject: x\n"),
        ("subject \t: x", "subject \t: x\n"),
        ("X-1!~: x", "X-1!~: x\n"), ("\r\na", "\na\n"), ("", "\n"), ("a", "\na\n"), ("a\r\nb: c", "\na\nb: c\n"),
        (" Subject: x", "\n Subject: x\n"), ("\tx", "\n\tx\n"), (": x", "\n: x\n"), ("Dear all: x", "\nDear all: x\n"),
        ("\u{E9}: x", "\n\u{C3}\u{A9}: x\n"), ("..a: b", ".a: b\n"), ("..a b", "\n.a b\n"),
        (
            "From me@c.example Mon Nov 30 18:11:49 2026\r\nSubject: x",
            "X-Mailbox-Line: From me@c.example Mon Nov 30 18:11:49 2026\nSubject: x\n"
        ),
        (">From me Mon Nov 30 18:11:49 2026\r\n\r\na", "X-Mailbox-Line: >From me Mon Nov 30 18:11:49 2026\n\na\n"),
        ("From me Mon Nov 30 18:11:49 2026\r\na", "X-Mailbox-Line: From me Mon Nov 30 18:11:49 2026\n\na\n"),
        ("From now on all is well\r\nSubject: x", "\nFrom now on all is well\nSubject: x\n"),
        (String(repeating: "x", count: 2000) + ": y", "\n" + String(repeating: "x", count: 2000) + ": y\n"),
    ])
    func starts(message: String, stored: String) async throws {
        try await Self.serve { peer, place in
            let text = Self.transaction("fred@example.org", message: message)
            _ = try await Self.replies(5, to: text, over: peer)
            // The same in pieces, in the copies, and by BDAT.
            let head = "MAIL FROM:<me@elsewhere.example>\r\nRCPT TO:<both@example.org>\r\n"
            let stuffed = message.hasPrefix("..") ? String(message.dropFirst()) : message
            let octets = Array("\(stuffed)\r\n".utf8)
            let half = octets.count / 2
            let chunks = [octets[..<half], octets[half...]].flatMap { Array("BDAT \($0.count)\r\n".utf8) + $0 }
            _ = try await Self.replies(
                5, to: String(decoding: Array(head.utf8) + chunks + Array("BDAT 0 LAST\r\n".utf8), as: UTF8.self),
                over: peer)
            let messages = place.messages("example.org/fred") + place.messages("example.org/ann")
            #expect(messages.count == 3)
            for message in messages {
                let start = try #require(message.range(of: #"[+-]\d{4}\n"#, options: .regularExpression))
                #expect(message[start.upperBound...] == stored)
            }
        }
    }

    /// Nothing at all needs no empty line.
    @Test func noMessage() async throws {
        try await Self.serve { peer, place in
            let text = "MAIL FROM:<>\r\nRCPT TO:<fred@example.org>\r\nDATA\r\n.\r\n"
            _ = try await Self.replies(5, to: text, over: peer)
            #expect(place.messages("example.org/fred").allSatisfy { $0.firstMatch(of: #/[+-]\d{4}\n\z/#) != nil })
            #expect(place.files.count == 1)
        }
    }

    /// A message by BDAT need not end where a line does, and nothing of it is lost (RFC 3030 2).
    @Test(arguments: [
        ("Subject: x\r\n\r\nfirst\r\nlast", "\nSubject: x\n\nfirst\nlast"), ("Subject: all", "\nSubject: all"),
        ("no field", "\n\nno field"), ("F", "\n\nF"),
    ])
    func noEndOfLine(message: String, stored: String) async throws {
        try await Self.serve { peer, place in
            let text = "MAIL FROM:<>\r\nRCPT TO:<fred@example.org>\r\nBDAT \(message.utf8.count) LAST\r\n" + message
            let replies = try await Self.replies(4, to: text, over: peer)
            #expect(replies.last == "250 2.0.0 OK")
            #expect(place.messages("example.org/fred").joined().contains(stored))
        }
    }

    /// One mailbox is one folder; by which details it was reached is told in it.
    @Test func details() async throws {
        try await Self.serve { peer, place in
            let text = Self.transaction(
                "fred+a@example.org", "Fred+B@example.org", "claude+c@example.org", "fred+a@Example.ORG", "postmaster",
                message: "Subject: x")
            let replies = try await Self.replies(9, to: text, over: peer)
            #expect(replies.last == "250 2.0.0 OK")
            #expect(place.files.count == 2)
            let lines = place.messages("example.org/fred").joined().split(separator: "\n")
            #expect(
                lines.prefix(5).dropFirst() == [
                    "X-Original-To: fred+a@example.org", "X-Original-To: Fred+B@example.org",
                    "X-Original-To: claude+c@example.org", "Delivered-To: fred@example.org",
                ])
            #expect(place.messages("example.org/postmaster").joined().contains("\nX-Original-To: postmaster\n"))
        }
    }

    /// Without a next hop for elsewhere nothing that goes there is taken.
    @Test func elsewhereNeedsANextHop() async throws {
        try await Self.serve(takes: [.mailboxes]) { peer, place in
            let text = """
                MAIL FROM:<>
                RCPT TO:<far@example.org>
                RCPT TO:<staff@example.org>
                RCPT TO:<x@relay.example>
                RCPT TO:<x@elsewhere.example>
                DATA

                """
            let replies = try await Self.replies(7, to: text.replacingOccurrences(of: "\n", with: "\r\n"), over: peer)
            let noRoute = "550 5.4.4 No way is known to where mail for this recipient goes"
            #expect(
                replies.dropFirst(2) == [
                    "551 5.1.6 User not local; please try <fred@elsewhere.example>", noRoute, noRoute,
                    "550 5.7.1 Relaying denied: not a domain of this server", "554 5.5.1 No valid recipients",
                ])
            #expect(place.files.isEmpty)
        }
    }

    /// A name that no folder can bear.
    @Test func namesWithoutFolder() async throws {
        try await Self.serve { peer, place in
            let text = "MAIL FROM:<>\r\nRCPT TO:<\"a/b\"@relay.example>\r\nRCPT TO:<x@relay.example>\r\n"
            let replies = try await Self.replies(4, to: text, over: peer)
            #expect(
                replies.suffix(2) == ["553 5.1.3 Mailbox name not allowed: no folder can bear it", "250 2.1.5 OK"])
        }
    }

    @Test(arguments: [
        ("Received: a\r\nReceived: b\r\nReceived: c", "554 5.4.6 The message goes in a loop"),
        ("Delivered-To: FRED@example.org", "554 5.4.6 The message goes in a loop"),
        ("Delivered-To:\r\n\t(by us) <Fred@Example.ORG>", "554 5.4.6 The message goes in a loop"),
        ("Delivered-To: claude@example.org", "250 2.0.0 OK"),
        ("Hello\r\nDelivered-To: fred@example.org", "250 2.0.0 OK"),
        ("a\r\n\0.\r\nb", "550 5.5.2 A NUL is in the message: it has no place there"),
        ("a\n.\r\nb", "550 5.5.2 A bare CR or bare LF is in the message: lines end with CR LF"),
        ("a\r\n.\nMAIL FROM:<>", "550 5.5.2 A bare CR or bare LF is in the message: lines end with CR LF"),
        (String(repeating: "long line ", count: 200), "552 5.3.4 Message size exceeds the limit"),
    ])
    func refused(message: String, reply: String) async throws {
        let change: Change = { configuration, _ in
            configuration.limits.traceFields = 2
            configuration.limits.messageSize = 1000
        }
        try await Self.serve(change: change) { peer, place in
            let text = Self.transaction("fred@example.org", message: message) + "NOOP\r\n"
            let replies = try await Self.replies(6, to: text, over: peer)
            #expect(replies.dropFirst(4) == [reply, "250 2.0.0 OK"])
            if reply.hasPrefix("250") {
                #expect(place.files.count == 1)
            } else {
                #expect(try await place.isEmptySoon())
            }
        }
    }

    /// One folder that can't be written in: nobody gets the message, and the sender is told to come again.
    @Test func oneOfSeveralFails() async throws {
        let change: Change = { _, place in
            // Both have folders; of one a file stands where "new" should be.
            for folder in ["ann/tmp", "ann/cur"] {
                try FileManager.default.createDirectory(
                    atPath: "\(place.folder)/example.org/\(folder)", withIntermediateDirectories: true)
            }
            try Data().write(to: URL(fileURLWithPath: "\(place.folder)/example.org/ann/new"))
        }
        try await Self.serve(change: change) { peer, place in
            let text = Self.transaction("fred@example.org", "ann@example.org", message: "x")
            let replies = try await Self.replies(7, to: text + "NOOP\r\n", over: peer)
            #expect(
                replies.suffix(2) == ["451 4.3.0 The message can't be handed on now, try again later", "250 2.0.0 OK"])
            #expect(place.files == ["example.org/ann/new"])
        }
    }

    /// A client that goes amid its message leaves nothing.
    @Test func aClientThatGoesLeavesNothing() async throws {
        let place = Place()
        defer { place.remove() }
        let dialogue = try Dialogue(name: "message", text: Self.dialogue)
        let hops = try ServedDirectory.nextHops(in: place.folder)
        let change: @Sendable (inout Configuration) -> Void = { [hops] in $0.nextHops = hops }
        try await ServedDirectory.serve(dialogue, change: change) { port in
            for size in [0, 10, 500_000] {
                try await SocketPeer.connected(port: port) { peer in
                    let text = "MAIL FROM:<>\r\nRCPT TO:<fred@example.org>\r\nDATA\r\n"
                    _ = try await Self.replies(4, to: text, over: peer)
                    try await peer.send([UInt8](repeating: 97, count: size))
                }
                #expect(try await place.isEmptySoon())
            }
        }
    }
}
