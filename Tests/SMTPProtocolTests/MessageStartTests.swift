// Where the fields on top end and the message begins, however its octets are cut. MessageServerTests has the lines.

import SMTPProtocol
import Testing

struct MessageStartTests {
    @Test(arguments: [
        ("Subject: x\r\n\r\na\r\n", ""), ("a\r\n", "\r\n"), ("a", "\r\n"), ("Subject: x", ""), ("Subject", "\r\n"),
        ("", ""),
        ("\r\n", ""), ("\r\na", ""), ("\r", "\r\n"), ("\na: b\r\n", "\r\n"), (" a: b\r\n", "\r\n"),
        ("From a Mon Nov 30 1\r\na: b\r\n", "X-Mailbox-Line: "), ("From a Mon Nov 30 1", "\r\n"),
        ("From a Mon November 30\r\n", "\r\n"), ("From Mon Nov 30\r\n", "\r\n"),
        (String(repeating: "x", count: 996) + ": y\r\n", ""), (String(repeating: "x", count: 998) + ": y\r\n", "\r\n"),
    ])
    func everyCut(message: String, first: String) {
        let octets = Array(message.utf8)
        for cut in 0...octets.count {
            var start = MessageStart()
            var text: [UInt8] = []
            for piece in [octets[..<cut], octets[cut...]] {
                let piece = Array(piece)
                let (instead, taken) = start.take(piece.span)
                text += instead + piece[taken...]
            }
            text += start.end()
            #expect(text == Array(first.utf8) + octets, "cut at \(cut)")
            #expect(start.end().isEmpty)
        }
    }

    /// Who is refused for good, and who is one too many for this transaction.
    @Test(
        arguments: [
            (250, "ok", false), (450, "4.2.0 x", false), (550, "5.1.1 gone", true), (550, "gone", true),
            (501, "5.1.3 odd", true),
            (552, "5.2.2 full", true), (552, "too many", false), (552, "5.5.3 too many", false),
            (550, "5.5.3 too many", false),
            (354, "what", false),
        ] as [(UInt16, String, Bool)])
    func refusals(code: UInt16, text: String, isForGood: Bool) {
        #expect(HeardReply(code: code, lines: [Array(text.utf8)]).refusesRecipient == isForGood)
    }
}
