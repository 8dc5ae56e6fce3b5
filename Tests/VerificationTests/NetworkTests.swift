// Networks and client addresses: what is read, what is refused and with which words, and who is inside.

import Testing
import Verification

@Suite struct NetworkTests {
    struct Membership: Sendable {
        let network: String
        let client: String
        let isInside: Bool

        init(_ network: String, _ client: String, _ isInside: Bool) {
            self.network = network
            self.client = client
            self.isInside = isInside
        }
    }

    static let memberships: [Membership] = [
        Membership("10.0.0.0/8", "10.255.0.1", true), Membership("10.0.0.0/8", "11.0.0.0", false),
        Membership("192.0.2.128/25", "192.0.2.128", true), Membership("192.0.2.128/25", "192.0.2.127", false),
        Membership("192.0.2.7", "192.0.2.7", true), Membership("192.0.2.7", "192.0.2.8", false),
        Membership("192.0.2.6/31", "192.0.2.7", true), Membership("192.0.2.6/31", "192.0.2.8", false),
        Membership("0.0.0.0/0", "255.255.255.255", true), Membership("0.0.0.0/0", "::1", false),
        Membership("0.0.0.0/0", "unix", false), Membership("128.0.0.0/1", "127.255.255.255", false),
        Membership("2001:db8::/32", "2001:db8:ffff::1", true), Membership("2001:db8::/32", "2001:db9::1", false),
        Membership("2001:db8::/64", "2001:db8::ffff:0:0:1", true), Membership("2001:db8::/64", "2001:db8:0:1::", false),
        Membership("2001:db8::/65", "2001:db8::7fff:0:0:1", true),
        Membership("2001:db8::/65", "2001:db8::8000:0:0:1", false),
        Membership("2001:db8::/63", "2001:db8:0:1::1", true), Membership("2001:db8::/63", "2001:db8:0:2::1", false),
        Membership("::1", "::1", true), Membership("::1", "::2", false),
        Membership("::/0", "2001:db8::1", true), Membership("::/0", "192.0.2.1", false),
        Membership("::/0", "unix", false), Membership("unix", "unix", true), Membership("unix", "127.0.0.1", false),
        Membership("10.0.0.0/8", "::ffff:10.1.2.3", true), Membership("::ffff:10.0.0.0/104", "10.1.2.3", true),
        Membership("::ffff:192.0.2.1", "192.0.2.1", true), Membership("::ffff:0.0.0.0/96", "10.1.2.3", true),
    ]

    @Test(arguments: memberships)
    func holdsItsOwn(_ membership: Membership) throws {
        let client = try #require(ClientAddress(membership.client))
        #expect(try Network(membership.network).contains(client) == membership.isInside)
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.0.0.0/8"), ("192.0.2.1/32", "192.0.2.1"), ("192.0.2.1", "192.0.2.1"),
        ("0.0.0.0/0", "0.0.0.0/0"), ("unix", "unix"), ("::/0", "::/0"), ("::1/128", "::1"),
        ("2001:0DB8:0:0:0:0:0:0/32", "2001:db8::/32"), ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::fffe:0:0/96", "::fffe:0:0/96"),
    ])
    func isWrittenInOneWay(text: String, expected: String) throws {
        let network = try Network(text)
        #expect(network.description == expected)
        #expect(try Network(expected) == network)
    }

    static let refusals: [(String, NetworkSyntaxError)] = [
        ("", .notANetwork), ("/8", .notANetwork), ("10/8", .notANetwork), ("10.0.0.0.0/8", .notANetwork),
        ("010.0.0.0/8", .notANetwork), ("256.0.0.0/8", .notANetwork), ("10.0.0.0 /8", .notANetwork),
        ("example.org", .notANetwork), ("UNIX", .notANetwork), ("unix/8", .notANetwork), ("[::1]", .notANetwork),
        ("10.0.0.0/8/8", .notANetwork), ("fe80::%eth0/64", .notANetwork), (":::", .notANetwork),
        ("10.0.0.0/", .badPrefix(maximum: 32)), ("10.0.0.0/33", .badPrefix(maximum: 32)),
        ("10.0.0.0/08", .badPrefix(maximum: 32)), ("10.0.0.0/-1", .badPrefix(maximum: 32)),
        ("10.0.0.0/255.0.0.0", .badPrefix(maximum: 32)), ("::/129", .badPrefix(maximum: 128)),
        ("10.0.0.1/8", .hostBits(expected: "10.0.0.0/8")), ("192.0.2.255/25", .hostBits(expected: "192.0.2.128/25")),
        ("1.2.3.4/0", .hostBits(expected: "0.0.0.0/0")), ("::1/127", .hostBits(expected: "::/127")),
        ("2001:db8::1/32", .hostBits(expected: "2001:db8::/32")),
        ("2001:db8::1/64", .hostBits(expected: "2001:db8::/64")),
        ("::1/0", .hostBits(expected: "::/0")), ("::ffff:10.0.0.1/104", .hostBits(expected: "::ffff:a00:0/104")),
    ]

    @Test(arguments: refusals)
    func refuses(text: String, expected: NetworkSyntaxError) {
        #expect(throws: expected) { try Network(text) }
    }

    @Test func saysTheRightSpelling() {
        let error = NetworkSyntaxError.hostBits(expected: "10.0.0.0/8")
        #expect("\(error)" == "bits are set beyond the prefix; write 10.0.0.0/8")
        #expect("\(NetworkSyntaxError.badPrefix(maximum: 32))" == "expected a number from 0 to 32 after the slash")
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.255.255.254", true), ("::1", true), ("unix", true), ("::ffff:127.0.0.1", true),
        ("128.0.0.1", false), ("::2", false), ("0.0.0.0", false), ("::", false),
    ])
    func thisMachineIsLoopbackAndUnixSockets(client: String, expected: Bool) throws {
        let client = try #require(ClientAddress(client))
        #expect(Network.thisMachine.contains { $0.contains(client) } == expected)
    }
}

@Suite struct ClientAddressTests {
    @Test(arguments: [
        ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("192.0.2.1", "192.0.2.1"), ("unix", "unix"),
        ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:db8::1", "2001:db8::1"),
        // RFC 5952 4.2.2: one group of zeros is not shortened; 4.2.3: the first of the longest runs is.
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("2001:DB8::ABCD", "2001:db8::abcd"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
        ("1:2:3:4:5:6:192.0.2.33", "1:2:3:4:5:6:c000:221"),
        ("::ffff:192.0.2.1", "192.0.2.1"), ("::FFFF:c000:201", "192.0.2.1"), ("::fffe:192.0.2.1", "::fffe:c000:201"),
    ])
    func isReadAndWritten(text: String, expected: String) throws {
        let address = try #require(ClientAddress(text))
        #expect(address.description == expected)
        #expect(ClientAddress(expected) == address)
    }

    @Test(arguments: [
        "", ".", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "+1.2.3.4", "1..2.3", ":", ":::",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9", "1:2:3:4::5:6:7:8", "::1::2", ":1::", "1:::2", "12345::", "g::", "::1.2.3.4:5",
        "1.2.3.4::",
        "::1.2.3", "[::1]", "fe80::1%eth0", "Unix", "1:2:3:4:5:6:7:1.2.3.4", "::1/128", "١.٢.٣.٤",
    ])
    func refuses(text: String) {
        #expect(ClientAddress(text) == nil)
    }

    @Test func takesBytes() {
        #expect(ClientAddress(ipv4: (192, 0, 2, 1)) == ClientAddress("192.0.2.1"))
        #expect(ClientAddress(ipv6High: 0x2001_0db8 << 32, low: 1) == ClientAddress("2001:db8::1"))
        #expect(ClientAddress(ipv6High: 0, low: 0xFFFF_C000_0201) == .ipv4(0xC000_0201))
        #expect(ClientAddress(ipv6High: 0, low: 0xC000_0201) == .ipv6(0, 0xC000_0201))
    }
}
