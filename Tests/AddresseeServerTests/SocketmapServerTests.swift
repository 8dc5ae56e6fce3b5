// Maps over a socket: pipelined, in pieces, and from a directory that has to be waited for.

import AddresseeConfiguration
import DialogueTesting
import LookupProtocols
import Testing

struct SocketmapServerTests {
    static let keys = [
        "fred@example.org", "nobody@example.org", "both@example.org", "postmaster@example.org", "x",
        "fred@elsewhere.example",
    ]

    static let requests: [(map: String, key: String)] = (0..<20).flatMap { _ in
        ["mailboxes", "aliases", "relocated", "senders", "nomap"].flatMap { map in keys.map { (map, $0) } }
    }

    static func octets(_ requests: [(map: String, key: String)]) -> [UInt8] {
        var octets: [UInt8] = []
        for request in requests { NetstringFraming.append("\(request.map) \(request.key)".utf8, to: &octets) }
        return octets
    }

    /// The netstrings that are received, until there are so many.
    static func replies(_ count: Int, from peer: SocketPeer) async throws -> [String] {
        var framing = NetstringFraming(limit: 200_000)
        var held: [UInt8] = []
        var replies: [String] = []
        while replies.count < count {
            guard case .netstring(let start, let end, let next) = framing.next(held.span) else {
                let more = try await peer.receive()
                if more.isEmpty { return replies }
                held += more
                continue
            }
            replies.append(String(decoding: held[start..<end], as: UTF8.self))
            held.removeFirst(next)
        }
        return replies
    }

    /// Each answer in its place, whenever it comes, and the same whatever is in one write.
    @Test(arguments: ["table-alias", "table-could-not-tell"], [1, 7, 100_000])
    func pipelined(name: String, size: Int) async throws {
        let dialogue = try DialogueFiles.dialogue(name)
        let requests = Self.requests
        let octets = Self.octets(requests)
        let single = Mailbag()
        for isLate in [false, true] {
            try await ServedDirectory.serve(dialogue, wire: .socketmap, isLate: isLate) { port in
                if await single.replies.isEmpty {
                    // One by one, each on a connection of its own.
                    var replies: [String] = []
                    for request in requests.prefix(Self.keys.count * 5) {
                        replies += try await SocketPeer.connected(port: port) { peer in
                            try await peer.send(Self.octets([request]))
                            return try await Self.replies(1, from: peer)
                        }
                    }
                    await single.keep(replies)
                }
                let replies = try await SocketPeer.connected(port: port) { peer in
                    for start in stride(from: 0, to: octets.count, by: size) {
                        try await peer.send(Array(octets[start..<min(start + size, octets.count)]))
                    }
                    return try await Self.replies(requests.count, from: peer)
                }
                let wanted = await single.replies
                #expect(replies.count == requests.count)
                for (index, reply) in replies.enumerated() {
                    #expect(reply == wanted[index % wanted.count], "\(requests[index])")
                }
            }
        }
    }

    /// What comes before a fault is answered, however many requests came together, and nothing after it is.
    @Test(arguments: [0, 1, 7, 8, 9, 16, 30], [1, 100_000])
    func faultAmongRequests(count: Int, size: Int) async throws {
        let requests = Array(Self.requests.prefix(count))
        let octets = Self.octets(requests) + Array("x:".utf8) + Self.octets(Array(Self.requests.prefix(20)))
        for isLate in [false, true] {
            try await ServedDirectory.serve(try DialogueFiles.dialogue("table-alias"), wire: .socketmap, isLate: isLate)
            { port in
                let replies = try await SocketPeer.connected(port: port) { peer in
                    for start in stride(from: 0, to: octets.count, by: size) {
                        try await peer.send(Array(octets[start..<min(start + size, octets.count)]))
                    }
                    return try await Self.replies(count + 2, from: peer)
                }
                #expect(replies.count == count + 1)
                #expect(replies.last == "PERM 5.5.2 Malformed netstring")
                #expect(!replies.dropLast().contains { $0.contains("5.5.2") })
            }
        }
    }

    actor Mailbag {
        private(set) var replies: [String] = []

        func keep(_ replies: [String]) { self.replies = replies }
    }
}
