// Sessions and lines from a seeded generator, with the invariants of the fuzzers; and what was found, one row each.

import MailAddress
import SMTPProtocol
import Testing

struct GeneratedTests {
    static let pieces: [String] = [
        "EHLO c.example", "HELO c", "MAIL FROM:<>", "MAIL FROM:<a@b.example> SIZE=1 BODY=8BITMIME", "RCPT TO:<",
        "RCPT TO:<a@b.example>", "RCPT TO:<Postmaster>", "RCPT TO:<@c.example:a@b.example>", "DATA", "RSET", "NOOP",
        "QUIT", "VRFY ", "VRFY a b", "EXPN \"a b\"", "HELP", "STARTTLS", "XSTARTTLS", "SMTPUTF8", " SMTPUTF8",
        "\"", "\\", "<", ">", "@", ".", ":", ",", " ", "\t", "\r", "\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n",
        "\u{0}", "\u{7F}", "\u{E9}", "\u{4E2D}", "a", "b.example", "[192.0.2.1]", "[IPv6:::1]", "-", "x@y.example",
        "=", "\r\nVRFY fred\r\nRCPT TO:<q@b.example>\r\nEXPN all\r\nNOOP\r\n",
        "\r\nMAIL FROM:<>\r\nRCPT TO:<r@b.example>\r\n", "\r\n.\r\n", "\r\n.\r\n", "\n.\n", "\r.\r", "\r\n.\r",
        "\r\n..\r\n", "\r\nReceived: x\r\n", "\r\nDelivered-To: a@b.example\r\n",
        "MAIL FROM:<>\r\nRCPT TO:<r@b.example>\r\nDATA\r\n",
    ]

    static func octets(_ numbers: inout Numbers, most: Int) -> [UInt8] {
        var octets: [UInt8] = []
        for _ in 0..<(1 + numbers.next(most)) {
            switch numbers.next(40) {
            case 0: octets.append(UInt8(numbers.next(256)))
            case 1: octets += [UInt8](repeating: UInt8(97 + numbers.next(26)), count: numbers.next(700))
            default: octets += Array(pieces[numbers.next(pieces.count)].utf8)
            }
        }
        return octets
    }

    @Test(arguments: 0..<8)
    func sessions(part: Int) {
        for index in 0..<4000 {
            let seed = UInt64(part * 1_000_000 + index)
            var numbers = Numbers(state: seed)
            let probe = SessionProbe(Standing(rawValue: UInt8(index % 6)) ?? .fresh, seed: seed)
            probe.play(Self.octets(&numbers, most: 25))
            if let fault = probe.fault { Issue.record("seed \(seed): \(fault)") }
        }
    }

    @Test(arguments: 0..<8)
    func lines(part: Int) {
        for index in 0..<9000 {
            let seed = UInt64(part * 1_000_000 + index)
            var numbers = Numbers(state: seed)
            let line = Array(Self.octets(&numbers, most: 6).split(separator: 10).first ?? [])
            if let fault = LineChecks.line(line) ?? LineChecks.address(line) { Issue.record("seed \(seed): \(fault)") }
        }
    }

    /// What once went wrong. A row is the state, the seed and the octets.
    @Test(arguments: [
        // Nine octets whose last eight are a verb were that verb.
        (Standing.greeted, UInt64(0), "XSTARTTLS\r\n"),
        // The end of an overlong line that had to wait was taken for a command.
        (.awaitingAnswers, 3, String(repeating: "x", count: 700) + "\r\nNOOP\r\n"),
        (.awaitingAnswers, 8, String(repeating: "x", count: 1200) + "RSET\r\nVRFY a\r\n"),
        (.fresh, 0, "EHLO [192.0.2.1] some laptop\r\n"),
    ])
    func found(standing: Standing, seed: UInt64, octets: String) {
        let probe = SessionProbe(standing, seed: seed)
        probe.play(Array(octets.utf8))
        #expect(probe.fault == nil)
    }
}
