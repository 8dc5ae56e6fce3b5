// Mailboxes that are read, those that are refused, and those that are equal.

import MailAddress
import Testing

@Suite struct MailboxTests {
    static let accepted: [Spelling] = [
        Spelling("a@b"),
        Spelling("A.B.C@D.E.F"),
        Spelling("!#$%&'*+-/=?^_`{|}~@example.com"),
        Spelling("1@2"),
        Spelling("user@1.2.3.4"),
        Spelling("user@a-b--c.example"),
        Spelling("user@xn--bcher-kva.example"),
        Spelling("bücher@bücher.example"),
        Spelling("δοκιμή@παράδειγμα.δοκιμή"),
        Spelling("用户@例え.テスト"),
        Spelling("😀@example.com"),
        Spelling("\"bücher\"@example.com", "bücher@example.com"),
        Spelling("\"b ü\"@example.com"),
        Spelling(#""a"@b"#, "a@b"),
        Spelling(#""a.b"@c"#, "a.b@c"),
        Spelling(#""a..b"@c"#),
        Spelling(#"".a"@c"#),
        Spelling(#""a."@c"#),
        Spelling("a..b@c", #""a..b"@c"#),
        Spelling(".a@c", #"".a"@c"#),
        Spelling("a.@c", #""a."@c"#),
        Spelling("..@c", #"".."@c"#),
        Spelling("ü..ü@c", #""ü..ü"@c"#),
        Spelling("www@web_01.example.net"),
        Spelling("a@_b_"),
        Spelling(#"" "@c"#),
        Spelling(#""a@b"@c"#),
        Spelling(#""a\@b"@c"#, #""a@b"@c"#),
        Spelling(#""\a\b"@c"#, "ab@c"),
        Spelling(#""\"\\"@c"#),
        Spelling(#""<>"@c"#),
        Spelling("user@[192.0.2.1]"),
        Spelling("user@[IPv6:::1]"),
        Spelling("user@[x-test:a=b]"),
    ]

    @Test(arguments: accepted) func mailboxIsReadAndSaid(_ spelling: Spelling) throws {
        let mailbox = try Mailbox(spelling.given)
        #expect(mailbox.description == spelling.least)
        #expect(try Mailbox(spelling.least) == mailbox)
        #expect(try forwardPath("<\(spelling.given)>") == .mailbox(mailbox))
    }

    static let refused: [Fault] = [
        Fault("", .empty),
        Fault("@", .empty),
        Fault("@b", .empty),
        Fault("a", .missingAtSign),
        Fault("a@", .empty),
        Fault("a@@b", .unexpectedOctet(at: 2)),
        Fault("a@b@c", .unexpectedOctet(at: 3)),
        Fault("a b@c", .unexpectedOctet(at: 1)),
        Fault("a @c", .unexpectedOctet(at: 1)),
        Fault("a@ c", .unexpectedOctet(at: 2)),
        Fault("a@c ", .unexpectedOctet(at: 3)),
        Fault(" a@c", .unexpectedOctet(at: 0)),
        Fault("<a@c>", .unexpectedOctet(at: 0)),
        Fault("a,b@c", .unexpectedOctet(at: 1)),
        Fault("a(b)@c", .unexpectedOctet(at: 1)),
        Fault(#"Joe\,Smith@c"#, .unexpectedOctet(at: 3)),
        Fault("a@.b", .misplacedDot(at: 2)),
        Fault("a@b.", .misplacedDot(at: 3)),
        Fault("a@b..c", .misplacedDot(at: 3)),
        Fault("a@-b", .misplacedHyphen(at: 2)),
        Fault("a@b-", .misplacedHyphen(at: 3)),
        Fault("a@b-.c", .misplacedHyphen(at: 3)),
        Fault("a@b.-c", .misplacedDot(at: 3)),
        Fault("a@b-_c-", .misplacedHyphen(at: 6)),
        Fault("a@#123", .unexpectedOctet(at: 2)),
        Fault("a\u{0}@c", .controlCharacter(at: 1)),
        Fault("a@c\u{0}", .controlCharacter(at: 3)),
        Fault("a@c\r\n", .controlCharacter(at: 3)),
        Fault("\u{7F}@c", .controlCharacter(at: 0)),
        Fault("\"\"@c", .empty),
        Fault("\"a@c", .unterminatedQuote),
        Fault("\"a\\", .unterminatedQuote),
        Fault("\"a\\\"", .unterminatedQuote),
        Fault("\"", .unterminatedQuote),
        Fault("\"a\tb\"@c", .controlCharacter(at: 2)),
        Fault("\"a\\\nb\"@c", .controlCharacter(at: 3)),
        Fault("\"a\\ü\"@c", .unexpectedOctet(at: 3)),
        Fault("\"a\"b@c", .unexpectedOctet(at: 3)),
        Fault("\"a\".b@c", .misplacedDot(at: 3)),
        Fault("a.\"b\"@c", .unexpectedOctet(at: 2)),
        Fault("a\"b\"@c", .unexpectedOctet(at: 1)),
        Fault("a@[]", .badLiteral),
        Fault("a@[1.2.3.4", .badLiteral),
        Fault("a@[1.2.3.4]x", .unexpectedOctet(at: 11)),
        Fault("a@[1.2.3.4].", .misplacedDot(at: 11)),
        Fault("a@b\u{AD}\u{200D}c", .badInternationalName),
    ]

    @Test(arguments: refused) func refusedMailboxes(_ fault: Fault) {
        #expect(throws: fault.error) { try mailbox(fault.given) }
    }

    static let equal: [(String, String)] = [
        ("Fred@Example.COM", "fred@example.com"),
        ("\"Fred\"@example.com", "fred@example.com"),
        (#""\F\r\e\d"@example.com"#, "fred@example.com"),
        (#""a\ b"@c"#, #""A b"@C"#),
        ("BÜCHER@bücher.example", "bücher@xn--bcher-kva.example"),
        ("bu\u{308}cher@c", "b\u{FC}cher@c"),
        ("a@BÜCHER.Example", "a@XN--BCHER-KVA.example"),
        ("a@bu\u{308}cher.example", "a@bücher.example"),
        ("a@[IPv6:2001:DB8::1]", "a@[ipv6:2001:db8:0:0:0:0:0:1]"),
        ("a@[192.0.2.1]", "a@[192.000.002.001]"),
    ]

    @Test(arguments: equal) func spellingsAreEqual(_ left: String, _ right: String) throws {
        let (left, right) = (try Mailbox(left), try Mailbox(right))
        #expect(left == right)
        #expect(left.hashValue == right.hashValue)
        #expect(Set([left, right]).count == 1)
    }

    static let different: [(String, String)] = [
        ("a@b", "a@c"), ("a@b", "b@b"), ("a.b@c", "ab@c"), ("a+b@c", "a@c"), (#"" a"@c"#, "a@c"),
        ("a@[192.0.2.1]", "a@192.0.2.1"), ("a@[IPv6:::ffff:192.0.2.1]", "a@[192.0.2.1]"), ("ü@c", "u@c"),
    ]

    @Test(arguments: different) func mailboxesDiffer(_ left: String, _ right: String) throws {
        #expect(try Mailbox(left) != Mailbox(right))
    }

    static let isASCII: [(String, Bool)] = [
        ("a@b", true), ("ü@b", false), ("a@ü.b", false), ("\"ü\"@b", false), ("a@xn--tda.b", true),
        ("a@[1.2.3.4]", true),
    ]

    @Test(arguments: isASCII) func asksForSMTPUTF8(_ given: String, _ isASCII: Bool) throws {
        #expect(try Mailbox(given).isASCII == isASCII)
    }

    /// Where the longest mailbox ends, as a count of octets.
    static let longest: [(String, Int)] = [
        ("a@b", 3), ("a@b>", 3), ("a@b c", 3), ("a@b.", 3), ("a@b..c", 3), ("a@b-", 3), ("a@b--.c", 3), ("a@b.c.-d", 5),
        ("a@[1.2.3.4].b", 11), ("\"a b\"@c\r\n", 7), ("a@b,c@d", 3), ("a@ü.b ü", 6),
    ]

    @Test(arguments: longest) func parseStopsAfterLongest(_ given: String, _ count: Int) throws {
        for offset in 0...2 {
            let bytes = Array(repeating: UInt8(ascii: "@"), count: offset) + Array(given.utf8)
            var index = offset
            let mailbox = try Mailbox.parse(bytes.span, from: &index)
            #expect(index == offset + count)
            #expect(spelled(mailbox) == Array(given.utf8.prefix(count)))
        }
    }

    @Test(arguments: [-1, Int.min, 4, 5, Int.max]) func indexOutOfBoundsIsRefused(_ start: Int) {
        let bytes = Array("<a@b".utf8)
        var index = start
        #expect(throws: AddressSyntaxError.empty) { try Mailbox.parse(bytes.span, from: &index) }
        #expect(throws: AddressSyntaxError.empty) { try Domain.parse(bytes.span, from: &index) }
        #expect(throws: AddressSyntaxError.missingAngleBracket) { try ForwardPath.parse(bytes.span, from: &index) }
        #expect(throws: AddressSyntaxError.missingAngleBracket) { try ReversePath.parse(bytes.span, from: &index) }
        #expect(index == start)
    }
}
