// Policy requests over a socket: pipelined, in pieces, and from a directory that has to be waited for.

import AddresseeConfiguration
import DialogueTesting
import Testing

struct PolicyServerTests {
    /// What is asked, and what is answered while the directory can tell.
    static let rows: [(state: String, recipient: String, action: String)] = [
        ("RCPT", "fred@example.org", "DUNNO"), ("RCPT", "nobody@example.org", "550 5.1.1 No such user here"),
        ("RCPT", "both@example.org", "DUNNO"), ("RCPT", "postmaster@example.org", "DUNNO"), ("RCPT", "x", "DUNNO"),
        ("RCPT", "fred@elsewhere.example", "DUNNO"), ("DATA", "nobody@example.org", "DUNNO"),
        // What can be nobody's address.
        ("RCPT", String(repeating: "x", count: 65) + "@example.org", "550 5.1.1 No such user here"),
        ("RCPT", String(repeating: "x", count: 65) + "@elsewhere.example", "DUNNO"),
    ]

    @Test(arguments: [false, true], [1, 7, 100_000])
    func pipelined(isLate: Bool, size: Int) async throws {
        let rows = (0..<20).flatMap { _ in Self.rows }
        let octets = rows.flatMap { row in
            Array("recipient=\(row.recipient)\nrequest=smtpd_access_policy\nprotocol_state=\(row.state)\n\n".utf8)
        }
        let wanted = rows.map { "action=\($0.action)\n\n" }.joined()
        try await ServedDirectory.serve(
            try DialogueFiles.dialogue("table-alias"), wire: .policy, isLate: isLate
        ) { port in
            let reply = try await SocketPeer.connected(port: port) { peer in
                for start in stride(from: 0, to: octets.count, by: size) {
                    try await peer.send(Array(octets[start..<min(start + size, octets.count)]))
                }
                var held: [UInt8] = []
                while held.count < wanted.utf8.count {
                    let more = try await peer.receive()
                    if more.isEmpty { break }
                    held += more
                }
                return held
            }
            #expect(String(decoding: reply, as: UTF8.self) == wanted)
        }
    }
}
