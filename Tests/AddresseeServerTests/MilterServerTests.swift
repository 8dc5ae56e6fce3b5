// The milter protocol over a socket: pipelined, in pieces, and from a directory that has to be waited for.

import AddresseeConfiguration
import DialogueTesting
import LookupProtocols
import Testing

struct MilterServerTests {
    static func packet(_ text: String) -> [UInt8] {
        let count = text.utf8.count
        return [0, 0, UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count)] + Array(text.utf8)
    }

    static let open = packet("O\0\0\0\u{6}\0\0\u{1}\0\0\u{1F}\u{7F}\u{7F}")

    /// Steps of many sessions on one connection, each with the letter that it is answered with where that is always the same.
    static let steps: [(octets: [UInt8], letter: String)] = (0..<20).flatMap { _ in
        [
            ("Cclient\04\u{1}\u{2}127.0.0.1\0", "c"), ("M<>\0", "c"), ("DRx\0y\0", ""), ("R<fred@example.org>\0", "?"),
            ("R<nobody@example.org>\0", "y"), ("A", ""), ("M<a@b>\0", "c"), ("R<postmaster>\0", "?"),
            ("R<both@example.org>\0", "?"), ("R<fred@elsewhere.example>\0", "?"), ("E", "c"), ("K", ""),
        ].map { (packet($0.0), $0.1) }
    }

    /// The packets that are received, until there are so many or the server closes.
    static func replies(_ count: Int, from peer: SocketPeer) async throws -> [String] {
        var held: [UInt8] = []
        var replies: [String] = []
        while replies.count < count {
            let length = held.count < 4 ? nil : held[..<4].reduce(0) { $0 << 8 | Int($1) }
            guard let length, held.count >= 4 + length else {
                let more = try await peer.receive()
                if more.isEmpty { return replies }
                held += more
                continue
            }
            replies.append(String(decoding: held[4..<4 + length], as: UTF8.self))
            held.removeFirst(4 + length)
        }
        return replies
    }

    /// Each answer in its place, whenever it comes and whatever comes with it: the same at once, later, and in pieces.
    @Test(arguments: ["table-alias", "table-could-not-tell"])
    func pipelined(name: String) async throws {
        let dialogue = try DialogueFiles.dialogue(name)
        let octets = Self.open + Self.steps.flatMap(\.octets) + Self.packet("Q")
        let letters = ["O"] + Self.steps.map(\.letter).filter { !$0.isEmpty }
        let found = Mailbag()
        for isLate in [false, true] {
            try await ServedDirectory.serve(dialogue, wire: .milter, isLate: isLate) { port in
                for size in [1, 7, 100_000] {
                    let replies = try await SocketPeer.connected(port: port) { peer in
                        for start in stride(from: 0, to: octets.count, by: size) {
                            try await peer.send(Array(octets[start..<min(start + size, octets.count)]))
                        }
                        // And no more than these: the server closes after the last.
                        return try await Self.replies(letters.count + 1, from: peer)
                    }
                    #expect(replies.count == letters.count)
                    for (reply, letter) in zip(replies, letters) where letter != "?" {
                        #expect(reply.hasPrefix(letter))
                    }
                    await found.keep(replies)
                }
            }
        }
        #expect(await found.kept.count == 1)
    }

    actor Mailbag {
        private(set) var kept: Set<[String]> = []

        func keep(_ replies: [String]) { kept.insert(replies) }
    }
}
