// readsocket questions over a socket: one a connection, in pieces, and from a directory that has to be waited for.

import AddresseeConfiguration
import DialogueTesting
import Testing

struct ReadsocketServerTests {
    static let rows: [(question: String, answer: String)] = [
        ("rcpt fred@example.org", "ok 250 2.1.5 OK"), ("rcpt nobody@example.org", "no 550 5.1.1 No such user here"),
        ("rcpt x@elsewhere.example", "elsewhere 550 5.7.1 Relaying denied: not a domain of this server"),
        ("mailboxes claude@example.org", "ok fred@example.org"), ("mailboxes nobody@example.org", "no"),
        ("vrfy claude", "ok 250 2.1.5 Fred Claude <fred@example.org>"),
        ("rcpt", "defer 5.5.2 A question is a word, a space, and a key"),
    ]

    /// The server closes after its answer, whatever else has come in.
    @Test(arguments: [false, true], [1, 100_000])
    func one(isLate: Bool, size: Int) async throws {
        try await ServedDirectory.serve(
            try DialogueFiles.dialogue("table-alias"), wire: .readsocket, isLate: isLate
        ) { port in
            for row in Self.rows {
                // Without an end of line, as Exim asks: the question ends where the client closes its side.
                for end in ["\n", "\r\n", "\nrcpt nobody@example.org\nrcpt fred@example.org\n", ""] {
                    let octets = Array((row.question + end).utf8)
                    let reply = try await SocketPeer.connected(port: port) { peer in
                        for start in stride(from: 0, to: octets.count, by: size) {
                            try? await peer.send(Array(octets[start..<min(start + size, octets.count)]))
                        }
                        if end.isEmpty { peer.end() }
                        var held: [UInt8] = []
                        while true {
                            let more = try await peer.receive()
                            if more.isEmpty { return held }
                            held += more
                        }
                    }
                    #expect(String(decoding: reply, as: UTF8.self) == row.answer, "\(row.question)")
                }
            }
        }
    }
}
