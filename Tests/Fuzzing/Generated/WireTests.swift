// Lookup wires from a seeded generator; and what was found, one row each.

import LookupProtocols
import Testing

struct WireTests {
    static let netstringPieces: [String] = [
        "0:,", "3:m k,", "14:mailboxes a@b.,", "10001:", "10000:", "999999999:", "1234567890", "00:", "05:", ",", ":",
        "12:", "1", "9", "m ", "k", " ", "\n", "\u{0}", "20:aliases fred@b.exam,", "2:m ,", "1:m,", "4:", "5:abcde,",
    ]

    static func octets(_ pieces: [String], _ numbers: inout Numbers, most: Int) -> [UInt8] {
        var octets: [UInt8] = []
        for _ in 0..<(1 + numbers.next(most)) {
            switch numbers.next(40) {
            case 0: octets.append(UInt8(numbers.next(256)))
            case 1: octets += [UInt8](repeating: UInt8(97 + numbers.next(26)), count: numbers.next(11_000))
            default: octets += Array(pieces[numbers.next(pieces.count)].utf8)
            }
        }
        return octets
    }

    static let policyPieces: [String] = [
        "request=smtpd_access_policy\n", "protocol_state=RCPT\n", "protocol_state=VRFY\n", "recipient=a@b.example\n",
        "client_address=192.0.2.1\n", "\n", "\n\n", "=", "recipient", "recipient=\n", "x=y\n", "\r\n", "\u{0}", " ",
        "request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient=fred@example.org\n\n",
    ]

    @Test(arguments: 0..<4)
    func policy(part: Int) {
        for index in 0..<3000 {
            let seed = UInt64(part * 1_000_000 + index)
            var numbers = Numbers(state: seed)
            let octets = Self.octets(Self.policyPieces, &numbers, most: 16)
            if let fault = WireProbe.fault(octets, by: PolicyWire(), seed: seed, limit: 65_545) {
                Issue.record("seed \(seed): \(fault)")
            }
        }
    }

    static let linePieces: [String] = [
        "get ", "get fred@example.org\n", "get a%20b%25\n", "put a b\n", "%", "%4", "%zz", "\n", "\r\n", "\r", " ",
        "\u{0}",
    ]

    @Test(arguments: 0..<4)
    func tcpTable(part: Int) {
        for index in 0..<3000 {
            let seed = UInt64(part * 1_000_000 + index)
            var numbers = Numbers(state: seed)
            let octets = Self.octets(Self.linePieces, &numbers, most: 16)
            if let fault = WireProbe.fault(octets, by: TCPTableWire(map: [109]), seed: seed, limit: 10_001) {
                Issue.record("seed \(seed): \(fault)")
            }
        }
    }

    static let questionPieces: [String] = [
        "rcpt ", "rcpt fred@example.org", "client=192.0.2.1 ", "client=", "vrfy fred", "mailboxes a b@c", "\n", "\r\n",
        "\r",
        " ", "\u{0}",
    ]

    @Test(arguments: 0..<4)
    func readsocket(part: Int) {
        for index in 0..<3000 {
            let seed = UInt64(part * 1_000_000 + index)
            var numbers = Numbers(state: seed)
            let octets = Self.octets(Self.questionPieces, &numbers, most: 16)
            if let fault = WireProbe.fault(octets, by: ReadsocketWire(), seed: seed, limit: 10_001) {
                Issue.record("seed \(seed): \(fault)")
            }
        }
    }

    @Test(arguments: 0..<4)
    func socketmap(part: Int) {
        for index in 0..<3000 {
            let seed = UInt64(part * 1_000_000 + index)
            var numbers = Numbers(state: seed)
            let octets = Self.octets(Self.netstringPieces, &numbers, most: 12)
            if let fault = WireProbe.fault(octets, by: SocketmapWire(), seed: seed, limit: 10_008) {
                Issue.record("seed \(seed): \(fault)")
            }
        }
    }

    static let qmailPieces: [String] = [
        "/qd1/deliverable?a%40b.example", "/qd1/deliverable?", "/qd1/deliverable?", "%4", "%40", "%zz", "%", "\n",
        "close",
        " ", "?", "\u{0}", "fred@example.org", "%ff", "ü", "http://", "*",
    ]

    /// What is said of a request holds together, and an address comes from octets that were there.
    @Test(arguments: 0..<4)
    func qmailDeliverable(part: Int) {
        for index in 0..<3000 {
            var numbers = Numbers(state: UInt64(part * 1_000_000 + index))
            let target = String(decoding: Self.octets(Self.qmailPieces, &numbers, most: 8), as: UTF8.self)
            switch QmailDeliverableRequest(method: "GET", target: target) {
            case .deliverable(let address): #expect(target.utf8.count >= address.count + 17, "\(target)")
            case .refused(let answer): #expect([400, 404].contains(answer.status), "\(target)")
            }
            #expect(QmailDeliverableRequest(method: "POST", target: target) == .refused(.noSuchMethod))
        }
    }

    static let tablePieces: [String] = [
        "table|0.1|1.2|t|lookup|alias|1|a@b.example\n", "table|", "0.1|", "1.2|t|", "lookup|", "check|", "update|",
        "fetch|", "alias|", "source|", "12ab|", "12ab", "|", "\n", "\r\n", "config|ready\n", "config|tablename|t\n",
        "config|", "\u{0}", "ü",
    ]

    @Test(arguments: 0..<4)
    func tableProc(part: Int) {
        for index in 0..<3000 {
            let seed = UInt64(part * 1_000_000 + index)
            var numbers = Numbers(state: seed)
            let octets = Self.octets(Self.tablePieces, &numbers, most: 16)
            if let fault = WireProbe.fault(octets, by: TableProcWire(), seed: seed, limit: 10_001) {
                Issue.record("seed \(seed): \(fault)")
            }
        }
    }

    static let replies = [
        "220 ", "250 ", "250-", "354 ", "421 ", "550 5.1.1 ", "\r\n", "\n", "\r", "ready", "PIPELINING", "STARTTLS",
        "SIZE 10", "x", "\0",
        "999", "4:OK a,", "9:NOTFOUND ,", "200 a%20", "500 ", "\u{FC}",
    ]

    @Test(arguments: 0..<4)
    func servers(part: Int) {
        for index in 0..<200 {
            let seed = UInt64(part * 1_000_000 + index)
            var numbers = Numbers(state: seed)
            let octets = Self.octets(Self.replies, &numbers, most: 24)
            if let fault = ServerProbe.handover(octets, seed: seed) ?? ServerProbe.map(octets, seed: seed) {
                Issue.record("seed \(seed): \(fault)")
            }
        }
    }

    static func packet(_ text: String) -> [UInt8] {
        let count = text.utf8.count
        return [0, 0, UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count)] + Array(text.utf8)
    }

    /// Octets that are no text, too; so they are not for `octets`.
    static let milterPieces: [[UInt8]] =
        [
            "R<fred@example.org>\0", "R<a@b>\0X=Y\0", "R", "Rx", "M<>\0", "M<a@b>\0SMTPUTF8\0", "M", "DCj\0x\0", "D",
            "A", "K",
            "Q", "E", "T", "N", "Hx\0", "LSubject\0x\0", "Bx", "UX\0", "Z", "Chost\04\u{1}\u{2}192.0.2.1\0", "Chost\0U",
            "Chost\0",
            "Chost\06\u{1}\u{2}IPv6:::1\0", "O", "\0",
        ].map(packet) + [
            [0, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 1], [255, 255, 255, 255], [0], [0, 0, 0, 5], [0, 0, 0],
        ]

    @Test(arguments: 0..<4)
    func milter(part: Int) {
        let open = Self.packet("O\0\0\0\u{6}\0\0\u{1}\0\0\u{1F}\u{7F}\u{7F}")
        for index in 0..<3000 {
            let seed = UInt64(part * 1_000_000 + index)
            var numbers = Numbers(state: seed)
            var octets = numbers.next(8) == 0 ? [] : open
            for _ in 0..<(1 + numbers.next(16)) {
                switch numbers.next(40) {
                case 0: octets.append(UInt8(numbers.next(256)))
                case 1:
                    let size = numbers.next(70_000) + 1
                    octets += [0, UInt8(size >> 16), UInt8(size >> 8 & 255), UInt8(size & 255), UInt8(ascii: "B")]
                    octets += [UInt8](repeating: UInt8(numbers.next(256)), count: size - numbers.next(2))
                case 2: octets += open
                default: octets += Self.milterPieces[numbers.next(Self.milterPieces.count)]
                }
            }
            if let fault = WireProbe.fault(octets, by: MilterWire(), seed: seed, limit: 65_540) {
                Issue.record("seed \(seed): \(fault)")
            }
        }
    }
}
