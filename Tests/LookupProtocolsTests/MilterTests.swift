// Milter packets from octets, whole and in pieces; replies to octets.

import LookupProtocols
import Testing

/// A packet: its length, its command, and its data.
func packet(_ command: Character, _ data: String = "") -> [UInt8] { packet(command, Array(data.utf8)) }

func packet(_ command: Character, _ data: [UInt8]) -> [UInt8] {
    let count = data.count + 1
    let length = [count >> 24, count >> 16, count >> 8, count].map { UInt8(truncatingIfNeeded: $0) }
    return length + [command.asciiValue ?? 0] + data
}

private func numbers(_ numbers: UInt32...) -> [UInt8] {
    numbers.flatMap { number in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) } }
}

private func offer(_ version: UInt32 = 6, steps: UInt32 = 0x1F_FFFF) -> [UInt8] {
    packet("O", numbers(version, 0x1FF, steps))
}

private func connect(_ address: String, _ family: String = "4") -> [UInt8] {
    packet("C", Array("client.example\0\(family)".utf8) + [0x12, 0x34] + Array("\(address)\0".utf8))
}

struct MilterTests {
    enum Found: Hashable, Sendable {
        case negotiate(UInt32, UInt32)
        case recipient(String, MilterClient, utf8: Bool)
        case step, quit, closed
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var octets: [UInt8]
        var found: [Found]

        init(_ octets: [UInt8], _ found: [Found]) {
            self.octets = octets
            self.found = found
        }

        var testDescription: String { String(decoding: octets.prefix(80), as: UTF8.self).debugDescription }
    }

    static func asked(_ path: String, _ address: String? = nil, utf8: Bool = false) -> Found {
        .recipient(path, address.map { .internet(Array($0.utf8)) } ?? .unknown, utf8: utf8)
    }

    static let open = offer()
    static let opened = Found.negotiate(6, 0x1F_FFFF)
    static let rcpt = packet("R", "<a@b>\0")

    static let rows: [Row] = [
        Row(open, [opened]), Row(offer(2, steps: 0x7F), [.negotiate(2, 0x7F)]),
        Row(offer(9), [.negotiate(9, 0x1F_FFFF)]),
        // What more there is belongs to later versions.
        Row(packet("O", numbers(6, 1, 2, 3)), [.negotiate(6, 2)]),
        // A session, with macros on the way.
        Row(
            open + packet("D", "Cj\0mail.example\0") + connect("192.0.2.1") + packet("H", "client.example\0")
                + packet("D", "M") + packet("M", "<>\0") + rcpt + packet("R", "<c@d>\0NOTIFY=NEVER\0") + packet("T")
                + packet("L", "Subject\0x\0") + packet("N") + packet("B", "text\r\n") + packet("E") + packet("Q"),
            [
                opened, .step, .step, .step, asked("<a@b>", "192.0.2.1"), asked("<c@d>", "192.0.2.1"), .step, .step,
                .step,
                .step, .step, .quit,
            ]),
        // SMTPUTF8 holds for one message, however it ends.
        Row(
            open + packet("M", "<a@b>\0SIZE=1\0smtpUTF8\0") + rcpt + packet("A") + rcpt,
            [opened, .step, asked("<a@b>", utf8: true), asked("<a@b>")]),
        Row(
            open + packet("M", "<a@b>\0SMTPUTF8\0") + rcpt + packet("E") + rcpt,
            [opened, .step, asked("<a@b>", utf8: true), .step, asked("<a@b>")]),
        Row(
            open + packet("M", "<a@b>\0SMTPUTF8\0") + packet("M", "<SMTPUTF8>\0") + rcpt,
            [opened, .step, .step, asked("<a@b>")]),
        Row(open + packet("M", "SMTPUTF8\0") + rcpt, [opened, .step, asked("<a@b>")]),
        // The client holds for one session, however it ends.
        Row(
            open + connect("192.0.2.1") + packet("A") + rcpt + packet("K") + rcpt + connect("192.0.2.2") + rcpt,
            [opened, .step, asked("<a@b>", "192.0.2.1"), asked("<a@b>"), .step, asked("<a@b>", "192.0.2.2")]),
        Row(open + connect("192.0.2.1") + open + rcpt, [opened, .step, opened, asked("<a@b>")]),
        Row(open + connect("IPv6:2001:db8::1", "6") + rcpt, [opened, .step, asked("<a@b>", "2001:db8::1")]),
        Row(open + connect("2001:db8::1", "6") + rcpt, [opened, .step, asked("<a@b>", "2001:db8::1")]),
        Row(open + connect("/run/socket", "L") + rcpt, [opened, .step, .recipient("<a@b>", .local, utf8: false)]),
        Row(open + packet("C", "localhost\0U") + rcpt, [opened, .step, asked("<a@b>")]),
        Row(open + connect("", "4") + rcpt, [opened, .step, asked("<a@b>", "")]),
        // What is no path is not looked at here; nor is what a header or a macro holds.
        Row(open + packet("R", "\0") + packet("R", "x\0\0"), [opened, asked(""), asked("x")]),
        Row(open + packet("L", "no NUL") + packet("D") + packet("U", "XYZZY"), [opened, .step, .step]),
        // A quit may be the first.
        Row(packet("Q"), [.quit]),
        // At the limit, and over it.
        Row(open + packet("B", [UInt8](repeating: 0, count: 65_535)) + rcpt, [opened, .step, asked("<a@b>")]),
        Row(open + packet("B", [UInt8](repeating: 0, count: 65_536)) + rcpt, [opened, .closed]),
        // No packet, or none that may come there.
        Row(numbers(0), [.closed]), Row(open + numbers(0) + rcpt, [opened, .closed]),
        Row(numbers(0xFFFF_FFFF), [.closed]),
        Row(Array("GET / HTTP/1.1\r\n\r\n".utf8), [.closed]), Row(Array("EHLO client\r\n".utf8), [.closed]),
        Row(rcpt, [.closed]), Row(connect("192.0.2.1"), [.closed]), Row(packet("D", "C"), [.closed]),
        Row(packet("K"), [.closed]), Row(open + packet("Z"), [opened, .closed]),
        Row(open + packet("\0"), [opened, .closed]),
        Row(packet("O"), [.closed]), Row(packet("O", numbers(6, 1)), [.closed]), Row(offer(1), [.closed]),
        Row(offer(0), [.closed]),
        Row(open + packet("R"), [opened, .closed]), Row(open + packet("R", "<a@b>"), [opened, .closed]),
        Row(open + packet("M"), [opened, .closed]), Row(open + packet("M", "<>\0SIZE"), [opened, .closed]),
        Row(open + packet("C"), [opened, .closed]), Row(open + packet("C", "host"), [opened, .closed]),
        Row(open + packet("C", "host\0"), [opened, .closed]), Row(open + packet("C", "host\04"), [opened, .closed]),
        Row(open + packet("C", "host\04\u{1}\u{2}"), [opened, .closed]),
        Row(open + packet("C", "host\04\u{1}\u{2}192.0.2.1"), [opened, .closed]),
        Row(open + connect("192.0.2.1", "5"), [opened, .closed]),
        // Not whole.
        Row(open + rcpt.dropLast(), [opened]), Row([0, 0], []), Row(open + packet("D", "C") + [0], [opened]),
    ]

    @Test(arguments: rows, [1, 2, 5, 100_000])
    func read(row: Row, size: Int) {
        let found = steps(of: row.octets, by: MilterWire(), pieces: size).map { step -> Found in
            switch step {
            case .ask(.negotiate(let offer), _): .negotiate(offer.version, offer.steps.rawValue)
            case .ask(.recipient(let recipient), _):
                .recipient(String(decoding: recipient.path, as: UTF8.self), recipient.client, utf8: recipient.utf8)
            case .ask(.step, _): .step
            case .ask(.quit, _): .quit
            case .answer, .incomplete, .fail: .closed
            }
        }
        #expect(found == row.found)
    }

    /// Macros hold for one recipient.
    @Test func macros() {
        let octets =
            Self.open + packet("D", "M{rcpt_addr}\0m@d\0") + packet("D", "Ri\0ID\0{rcpt_addr}\0a@b\0{rcpt_host}\0b\0")
            + Self.rcpt
            + Self.rcpt + packet("D", "R{rcpt_addr}\0x@y\0") + packet("D", "R") + packet("D", "R{rcpt_addr}\0")
            + Self.rcpt
            + packet("D", "R{rcpt_addr}\0c@d") + Self.rcpt + packet("D", "R{rcpt_addr}\0\0") + Self.rcpt
        let found = steps(of: octets, by: MilterWire(), pieces: 1).compactMap { step -> String? in
            guard case .ask(.recipient(let recipient), _) = step else { return nil }
            return recipient.address.map { String(decoding: $0, as: UTF8.self) } ?? "none"
        }
        #expect(found == ["a@b", "none", "none", "none", ""])
    }

    /// The lower version, and no step but CONNECT, MAIL and RCPT; nothing that the other side does not have.
    @Test(
        arguments: [
            (6, 0x1F_FFFF, 6, 0x372), (7, 0xFFFF_FFFF, 6, 0x372), (6, 0x7F, 6, 0x72), (4, 0x3FF, 4, 0x372),
            (3, 0x1FF, 3, 0x172),
            (2, 0x7F, 2, 0x72), (6, 0, 6, 0), (2, 0x10, 2, 0x10),
        ] as [(UInt32, UInt32, UInt32, UInt32)])
    func negotiate(version: UInt32, steps: UInt32, wanted: UInt32, off: UInt32) throws {
        let request = MilterRequest.negotiate(MilterOffer(version: version, steps: MilterSteps(rawValue: steps)))
        #expect(MilterWire.reply(try #require(request.answer)) == packet("O", numbers(wanted, 0, off)))
    }

    @Test(arguments: [
        (MilterAnswer.proceed, packet("c")), (.silence, []),
        (.reply(Array("550 5.1.1 No such user here".utf8)), packet("y", "550 5.1.1 No such user here\0")),
        (.reply(Array("551 5.1.6 try <a%b%%c@d>".utf8)), packet("y", "551 5.1.6 try <a%%b%%%%c@d>\0")),
    ])
    func reply(answer: MilterAnswer, octets: [UInt8]) {
        #expect(MilterWire.reply(answer) == octets)
    }

    @Test func answersThatNeedNoDirectory() {
        #expect(MilterRequest.step.answer == .proceed)
        #expect(MilterRequest.quit.answer == .silence)
        #expect(MilterRequest.recipient(MilterRecipient(path: [], client: .unknown)).answer == nil)
    }

    /// A length is nothing to make room for, and what has no reply is let go of.
    @Test func whatIsHeld() {
        var wire = MilterWire()
        #expect(wire.next((Self.open + packet("D", "C") + [0, 0]).span) == .ask(Self.request, next: Self.open.count))
        #expect(wire.next((packet("D", "C") + packet("A") + [0, 0]).span) == .incomplete(consumed: 11))
    }

    static let request = MilterRequest.negotiate(MilterOffer(version: 6, steps: MilterSteps(rawValue: 0x1F_FFFF)))
}
