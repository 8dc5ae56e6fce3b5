// Domain names and address literals: spellings, keys, limits.

import MailAddress
import Testing

@Suite struct DomainTests {
    /// As given, and the key.
    static let keys: [(String, String)] = [
        ("USC-ISI.ARPA", "usc-isi.arpa"),
        ("example.com", "example.com"),
        ("a", "a"),
        ("3com.example", "3com.example"),
        ("web_01.Example.net", "web_01.example.net"),
        ("_a_._b.example", "_a_._b.example"),
        ("_", "_"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.EXAMPLE", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("www.Bücher.XN--TDA", "www.xn--bcher-kva.xn--tda"),
        ("ab--c.bücher.example", "ab--c.xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("παράδειγμα.δοκιμή", "xn--hxajbheg2az3al.xn--jxalpdlp"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("مثال.إختبار", "xn--mgbh0fb.xn--kgbechtv"),
        ("उदाहरण.परीक्षा", "xn--p1b6ci4b4b3a.xn--11b5bs3a9aj6g"),
        ("[192.0.2.1]", "[192.0.2.1]"),
        ("[123.255.37.2]", "[123.255.37.2]"),
        ("[001.02.3.000]", "[1.2.3.0]"),
        ("[0.0.0.0]", "[0.0.0.0]"),
        ("[255.255.255.255]", "[255.255.255.255]"),
        ("[IPv6:::]", "[ipv6:::]"),
        ("[IPv6:::1]", "[ipv6:::1]"),
        ("[IPv6:1::]", "[ipv6:1::]"),
        ("[IPv6:2001:DB8::1]", "[ipv6:2001:db8::1]"),
        ("[ipv6:2001:0db8:0000:0000:0000:0000:0000:0001]", "[ipv6:2001:db8::1]"),
        ("[IPV6:2001:db8::0:1]", "[ipv6:2001:db8::1]"),
        ("[IPv6:1:2:3:4:5:6:7:8]", "[ipv6:1:2:3:4:5:6:7:8]"),
        ("[IPv6:1:2:3:4:5:6:1.2.3.4]", "[ipv6:1:2:3:4:5:6:102:304]"),
        ("[IPv6:::ffff:192.0.2.1]", "[ipv6:::ffff:c000:201]"),
        ("[IPv6:::FFFF:c000:201]", "[ipv6:::ffff:c000:201]"),
        ("[IPv6:::192.0.2.1]", "[ipv6:::c000:201]"),
        ("[IPv6:1:2:3:4::1.2.3.4]", "[ipv6:1:2:3:4::102:304]"),
        ("[IPv6:1::2:3:4:1.2.3.4]", "[ipv6:1::2:3:4:102:304]"),
        ("[IPv6:1:0:0:2:0:0:0:3]", "[ipv6:1:0:0:2::3]"),
        ("[IPv6:1:0:0:2:3:0:0:4]", "[ipv6:1::2:3:0:0:4]"),
        ("[IPv6:1:0:2:3:4:5:6:7]", "[ipv6:1:0:2:3:4:5:6:7]"),
        ("[IPv6:1:2:3:4:5:6:0:0]", "[ipv6:1:2:3:4:5:6::]"),
        ("[X-Test:Content!]", "[x-test:content!]"),
        ("[a:b]", "[a:b]"),
    ]

    @Test(arguments: keys) func keyIsCanonical(_ given: String, _ key: String) throws {
        let domain = try Domain(given)
        #expect(domain.key == Array(key.utf8))
        #expect(domain.octets == Array(given.utf8))
        #expect(domain.description == given)
        #expect(domain.isLiteral == given.hasPrefix("["))
        let canonical = try Domain(key)
        #expect(canonical == domain)
        #expect(canonical.hashValue == domain.hashValue)
        #expect(canonical.isASCII)
        #expect(Domain(stored: domain.octets, key: domain.key) == domain)
    }

    /// As given, as shown, and the key: what IDNA makes of a label is what it is.
    static let mapped: [(String, String, String)] = [
        ("exam\u{200B}ple.org", "example.org", "example.org"),
        ("\u{FEFF}example.org", "example.org", "example.org"),
        ("ex\u{AD}ample.ORG", "example.ORG", "example.org"),
        ("ex\u{2060}ample.org", "example.org", "example.org"),
        ("\u{FF45}\u{FF58}ample.org", "example.org", "example.org"),
        ("\u{FF25}\u{FF38}AMPLE.org", "example.org", "example.org"),
        ("web\u{FF3F}01.example", "web_01.example", "web_01.example"),
        ("\u{2460}.example", "1.example", "1.example"),
        ("bu\u{308}cher.example", "bücher.example", "xn--bcher-kva.example"),
        ("b\u{FC}\u{200B}cher.example", "bücher.example", "xn--bcher-kva.example"),
        ("BÜ\u{AD}CHER.Example", "bücher.Example", "xn--bcher-kva.example"),
        ("BÜCHER.Example", "BÜCHER.Example", "xn--bcher-kva.example"),
        ("\u{FF58}\u{FF4E}\u{FF0D}\u{FF0D}bcher-kva.example", "bücher.example", "xn--bcher-kva.example"),
        ("ΠΣ.example", "ΠΣ.example", "xn--1xag.example"),
        ("bücher\u{3002}example\u{FF0E}Org", "bücher.example.Org", "xn--bcher-kva.example.org"),
        ("\u{FF45}\u{FF58}\u{FF0E}org", "ex.org", "ex.org"),
        ("web_01\u{FF61}example", "web_01.example", "web_01.example"),
        ("日本\u{200B}語.example", "日本語.example", "xn--wgv71a119e.example"),
    ]

    @Test(arguments: mapped) func mappingIsShown(_ given: String, _ shown: String, _ key: String) throws {
        let domain = try Domain(given)
        #expect(domain.octets == Array(shown.utf8))
        #expect(domain.key == Array(key.utf8))
        #expect(try Domain(shown).octets == domain.octets)
        #expect(try Mailbox("fred@\(given)").description == "fred@\(shown)")
    }

    @Test(arguments: [
        ("a_b.example", true), ("_.a", true), ("a-b.example", false), ("[x_y:z_]", false), ("ü.example", false),
    ])
    func underscoreIsTold(_ given: String, _ hasUnderscore: Bool) throws {
        // A tag of a literal holds none (RFC 5321 4.1.3), but its text may.
        let domain = try? Domain(given)
        #expect(domain?.hasUnderscore ?? false == hasUnderscore)
    }

    /// What the mapping makes of a label may be longer than the label.
    @Test func mappingIsMeasured() throws {
        let label = repeated("\u{337F}", 5) + "."
        #expect(try Domain(repeated(label, 4) + "b").octets.count == 4 * (5 * 12 + 1) + 1)
        #expect(throws: AddressSyntaxError.domainTooLong) { try Domain(repeated(label, 5) + "b") }
    }

    static let refused: [Fault] = [
        Fault("", .empty),
        Fault(".", .misplacedDot(at: 0)),
        Fault("-", .misplacedHyphen(at: 0)),
        Fault("a.", .misplacedDot(at: 1)),
        Fault("a b", .unexpectedOctet(at: 1)),
        Fault("a\u{0}", .controlCharacter(at: 1)),
        Fault("[", .badLiteral),
        Fault("]", .unexpectedOctet(at: 0)),
        Fault("[]", .badLiteral),
        Fault("[[1.2.3.4]]", .badLiteral),
        Fault("[1.2.3]", .badLiteral),
        Fault("[1.2.3.]", .badLiteral),
        Fault("[1.2.3.4.]", .badLiteral),
        Fault("[1.2.3.4.5]", .badLiteral),
        Fault("[1.2.3.256]", .badLiteral),
        Fault("[1.2.3.0004]", .badLiteral),
        Fault("[1.2.3.-4]", .badLiteral),
        Fault("[1..2.3]", .badLiteral),
        Fault("[ 1.2.3.4]", .badLiteral),
        Fault("[1.2.3.4\u{0}]", .badLiteral),
        Fault("[::1]", .badLiteral),
        Fault("[IPv6:]", .badLiteral),
        Fault("[IPv6::]", .badLiteral),
        Fault("[IPv6::::]", .badLiteral),
        Fault("[IPv6:1]", .badLiteral),
        Fault("[IPv6:1.2.3.4]", .badLiteral),
        Fault("[IPv6:1:2:3:4:5:6:7]", .badLiteral),
        Fault("[IPv6:1:2:3:4:5:6:7:8:9]", .badLiteral),
        Fault("[IPv6:1:2:3:4:5:6:7:]", .badLiteral),
        Fault("[IPv6::1:2:3:4:5:6:7]", .badLiteral),
        Fault("[IPv6:1:2:3:4:5:6:7::]", .badLiteral),
        Fault("[IPv6:1:2:3:4::5:6:7]", .badLiteral),
        Fault("[IPv6:1::2::3]", .badLiteral),
        Fault("[IPv6:1:::2]", .badLiteral),
        Fault("[IPv6:12345::]", .badLiteral),
        Fault("[IPv6:g::]", .badLiteral),
        Fault("[IPv6:fe80::1%eth0]", .badLiteral),
        Fault("[IPv6:1:2:3:4:5:6:7:1.2.3.4]", .badLiteral),
        Fault("[IPv6:1:2:3:4:5::1.2.3.4]", .badLiteral),
        Fault("[IPv6:::1.2.3.4:5]", .badLiteral),
        Fault("[IPv6:1.2.3.4::]", .badLiteral),
        Fault("[IPv6:::1.2.3]", .badLiteral),
        Fault("[x-:a]", .badLiteral),
        Fault("[x:]", .badLiteral),
        Fault("[:x]", .badLiteral),
        Fault("[x:a\\b]", .badLiteral),
        Fault("[x:a[b]", .badLiteral),
        Fault("[x:ü]", .badLiteral),
        Fault("-ü.example", .misplacedHyphen(at: 0)),
        Fault("ü-.example", .misplacedHyphen(at: 2)),
        Fault("ab--ü.example", .badInternationalName),
        Fault("xn--ü.example", .badInternationalName),
        Fault("a\u{200D}b.example", .badInternationalName),
        Fault("\u{301}a.example", .badInternationalName),
        Fault("שa.example", .badInternationalName),
        Fault("\u{378}.example", .badInternationalName),
        Fault("\u{AD}.example", .badInternationalName),
        Fault("\u{2100}.example", .badInternationalName),
        Fault("bücher.example\u{3002}", .badInternationalName),
        Fault("\u{FF0E}bücher.example", .badInternationalName),
        Fault("bücher.\u{FF61}example", .badInternationalName),
        Fault("bücher\u{2026}example", .badInternationalName),
        Fault("a-\u{3002}example", .badInternationalName),
        Fault("example\u{3002}-a", .badInternationalName),
        Fault(String(repeating: "a", count: 64) + "\u{3002}example", .labelTooLong),
        Fault("\u{2024}ü.example", .badInternationalName),
        Fault("\u{FF0D}a.example", .badInternationalName),
        Fault("\u{FF20}.example", .badInternationalName),
        Fault("a\u{FF05}2e.example", .badInternationalName),
    ]

    @Test(arguments: refused) func refusedDomains(_ fault: Fault) {
        #expect(throws: fault.error) { try Domain(octets: fault.given) }
    }

    @Test(arguments: [1, 62, 63, 64, 65, 200, 300]) func labelLength(_ count: Int) throws {
        let label = repeated("a", count)
        for name in [label, label + ".b", "b." + label, label + ".ü"] {
            if count <= AddressLimits.label {
                #expect(try Domain(name).octets.count == name.utf8.count)
            } else {
                #expect(throws: count > 255 ? AddressSyntaxError.domainTooLong : .labelTooLong) { try Domain(name) }
            }
        }
    }

    @Test(arguments: [253, 254, 255, 256, 257, 512, 100_000]) func length(_ count: Int) throws {
        let name = String((repeated("a.", count / 2) + "aa").prefix(count - 1)) + "b"
        #expect(name.utf8.count == count)
        let literal = "[x:" + repeated("a", count - 4) + "]"
        #expect(literal.utf8.count == count)
        if count <= AddressLimits.domain {
            #expect(try Domain(literal).octets.count == count)
        } else {
            #expect(throws: AddressSyntaxError.domainTooLong) { try Domain(literal) }
        }
        if name.hasSuffix(".b") || name.hasSuffix("ab") {
            #expect(((try? Domain(name)) != nil) == (count <= AddressLimits.domain))
        }
    }

    /// A U-label counts as its A-label: 40 times "ü" are 80 octets and a shorter A-label.
    @Test func internationalLabelIsMeasuredInASCII() throws {
        let long = repeated("ü", 40)
        #expect(try Domain(long + ".example").key.count < 40 + 8 + 63)
        #expect((try? Domain(repeated("üa", 40) + ".example")) == nil)
        #expect(try Domain(repeated("\u{FF41}", 63)).key.count == 63)
        #expect(throws: AddressSyntaxError.badInternationalName) { try Domain(repeated("\u{FF41}", 64)) }
        let names = repeated(repeated("漢", 10) + ".", 8) + "example"
        #expect(try Domain(names).octets.count == names.utf8.count)
        // Within 255 octets as spelled, and over them as A-labels.
        let wide = (0..<42).map { String(UnicodeScalar(UInt32(0x4E00 + $0 * 300)) ?? "x") + "a" }.joined(separator: ".")
        #expect(wide.utf8.count <= 255)
        #expect(throws: AddressSyntaxError.domainTooLong) { try Domain(wide) }
    }
}
