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
}
