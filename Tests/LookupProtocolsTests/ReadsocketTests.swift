// readsocket questions from octets, with a line feed or where the client closes; answers to octets.

import LookupProtocols
import Testing

struct ReadsocketTests {
    typealias Step = LookupStep<ReadsocketRequest, ReadsocketAnswer>

    static func asked(_ word: String, _ key: String, for client: String = "") -> ReadsocketRequest {
        ReadsocketRequest(word: Array(word.utf8), clientAddress: Array(client.utf8), key: Array(key.utf8))
    }

    static let long = String(repeating: "x", count: LookupLimits.readsocketRequest - 5)

    /// A question without its end, and what is asked; nil where that is none.
    static let rows: [(line: String, request: ReadsocketRequest?)] = [
        ("rcpt a@b", asked("rcpt", "a@b")), ("vrfy Fred Claude", asked("vrfy", "Fred Claude")),
        ("mailboxes a b@c", asked("mailboxes", "a b@c")), ("rcpt ", asked("rcpt", "")), ("x  y", asked("x", " y")),
        ("rcpt client=192.0.2.1 a@b", asked("rcpt", "a@b", for: "192.0.2.1")),
        ("rcpt client=2001:db8::1 \"a b\"@c", asked("rcpt", "\"a b\"@c", for: "2001:db8::1")),
        // A message that came from no other machine has no client.
        ("rcpt client= a@b", asked("rcpt", "a@b")),
        // An address that only looks so.
        ("rcpt client=a@b", asked("rcpt", "client=a@b")),
        ("rcpt client=192.0.2.1 client=a@b", asked("rcpt", "client=a@b", for: "192.0.2.1")),
        ("rcpt \(long)", asked("rcpt", long)),
        ("rcpt", nil), (" rcpt a@b", nil), (" ", nil), ("\0", nil),
    ]

    @Test(arguments: rows, [1, 5, 100_000])
    func read(row: (line: String, request: ReadsocketRequest?), size: Int) {
        for end in ["\n", "\r\n", "\nrcpt next@b\n"] {
            let found = steps(of: Array((row.line + end).utf8), by: ReadsocketWire(), pieces: size).first
            guard let request = row.request else {
                #expect(found == .fail(ReadsocketWire.malformed))
                continue
            }
            let length = row.line.utf8.count + (end == "\r\n" ? 2 : 1)
            #expect(found == .ask(request, next: length), "\(end.debugDescription)")
        }
        // Without an end, once the client has closed its side.
        var wire = ReadsocketWire()
        let octets = Array(row.line.utf8)
        #expect(wire.next(octets.span) == .incomplete(consumed: 0))
        wire.inputEnded()
        #expect(
            wire.next(octets.span) == row.request.map { .ask($0, next: octets.count) }
                ?? .fail(ReadsocketWire.malformed))
    }

    @Test func nothingIsNoQuestion() {
        var wire = ReadsocketWire()
        wire.inputEnded()
        #expect(wire.next([UInt8]().span) == .incomplete(consumed: 0))
        #expect(wire.next(Array("\n".utf8).span) == .fail(ReadsocketWire.malformed))
    }

    @Test(arguments: [1, 4096, 100_000], ["", "\n"])
    func overlong(size: Int, end: String) {
        let octets = Array(("rcpt x" + Self.long + "xx" + end).utf8)
        let found = steps(of: octets, by: ReadsocketWire(), pieces: size)
        #expect(found == [.fail(ReadsocketWire.overlong)])
    }

    @Test(arguments: [
        (ReadsocketAnswer.ok(Array("250 2.1.5 OK".utf8)), "ok 250 2.1.5 OK"), (.no([]), "no"),
        (.no(Array("550 5.1.1 No such user here".utf8)), "no 550 5.1.1 No such user here"),
        (.elsewhere(Array("550 5.7.1 why".utf8)), "elsewhere 550 5.7.1 why"),
        (.later(Array("451 4.4.3 why".utf8)), "defer 451 4.4.3 why"),
    ])
    func reply(answer: ReadsocketAnswer, octets: String) {
        #expect(String(decoding: ReadsocketWire.reply(answer), as: UTF8.self) == octets)
    }
}
