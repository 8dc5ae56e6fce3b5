// Local-parts by themselves: quoting, keys, details and length.

import MailAddress
import Testing

@Suite struct LocalPartTests {
    /// Each graphic octet and the space: alone, within a name, and doubled with dots. 285 of them, and some by hand.
    static let contents: [String] =
        (32...126).flatMap { octet -> [String] in
            let text = String(UnicodeScalar(UInt8(octet)))
            return [text, "ab" + text + "cd", text + "." + text]
        } + [
            ".", "..", "a.", ".a", "a..b", "a.b", "\"\"", "\\\\", "\\\"", "\"\\", " ", "  ", "a b c", "Joe,Smith", "ü",
            "ü ü", "ü.ü", "\u{80}", "日本\\語",
        ]

    @Test(arguments: contents) func allSpellingsAreOne(_ content: String) throws {
        let octets = Array(content.utf8)
        let plain = try LocalPart(octets: octets)
        let tail = Array("@example.com".utf8)
        let quoteOctet = UInt8(ascii: "\"")
        let backslash = UInt8(ascii: "\\")
        func quoted(_ pair: (UInt8) -> Bool) -> [UInt8] {
            [quoteOctet] + octets.flatMap { pair($0) ? [backslash, $0] : [$0] } + [quoteOctet]
        }
        let least = quoted { $0 == quoteOctet || $0 == backslash }
        let most = quoted { $0 < 0x80 }
        for spelling in [least, most] {
            let parsed = try mailbox(spelling + tail)
            #expect(parsed.localPart == plain)
            #expect(parsed.localPart.octets == octets)
            #expect(parsed.localPart.hashValue == plain.hashValue)
        }
        // Without quotes dots are read anywhere, and written only between names.
        let isRead = (try? mailbox(octets + tail)).map(\.localPart.octets) == octets
        let isDotString = !content.split(separator: ".", omittingEmptySubsequences: false).contains("")
        let unquoted = isRead && isDotString
        #expect(plain.isReadWithoutQuotes == isRead)
        #expect(plain.needsQuotes == !unquoted)
        var said: [UInt8] = []
        plain.append(to: &said)
        #expect(said == (unquoted ? octets : least))
    }

    @Test func contentsAreMany() { #expect(Self.contents.count >= 300) }

    static let refused: [Fault] = [
        Fault("", .empty),
        Fault("a\u{0}", .controlCharacter(at: 1)),
        Fault("\u{1F}", .controlCharacter(at: 0)),
        Fault("ab\u{7F}", .controlCharacter(at: 2)),
        Fault([0x61, 0xFF], .malformedUTF8(at: 1)),
        Fault([0x61, 0xC3], .malformedUTF8(at: 1)),
        Fault(repeated("a", 256), .localPartTooLong),
    ]

    @Test(arguments: refused) func refusedOctets(_ fault: Fault) {
        #expect(throws: fault.error) { try LocalPart(octets: fault.given) }
    }

    /// What others have may be longer than the 64 octets of RFC 5321 4.5.3.1.1: 255, however they are spelled.
    @Test(arguments: [1, 2, 64, 65, 127, 128, 254, 255, 256, 257, 1000]) func length(_ count: Int) throws {
        let fits = count <= AddressLimits.localPart
        let spellings = [
            repeated("a", count), "\"" + repeated("a", count) + "\"", "\"" + repeated("\\a", count) + "\"",
            "\"" + repeated(" ", count) + "\"",
        ]
        for spelling in spellings {
            if fits {
                #expect(try Mailbox(spelling + "@b").localPart.octets.count == count)
            } else {
                #expect(throws: AddressSyntaxError.localPartTooLong) { try Mailbox(spelling + "@b") }
            }
        }
        #expect(((try? Mailbox(repeated("ü", count) + "@b")) != nil) == (2 * count <= 255))
        #expect(((try? Mailbox("\"" + repeated("ü", count) + "\"@b")) != nil) == (2 * count <= 255))
        #expect(((try? LocalPart(octets: Array(repeating: 0x61, count: count))) != nil) == fits)
    }

    static let keys: [(String, String)] = [
        ("fred", "fred"), ("Fred", "fred"), ("FRED.X", "fred.x"), ("@[`{", "@[`{"), ("ÜBER", "über"),
        ("U\u{308}", "\u{FC}"), ("\u{212A}", "k"), ("Σ", "σ"), ("\u{130}", "i\u{307}"), ("用户", "用户"),
    ]

    @Test(arguments: keys) func keyIsFolded(_ given: String, _ key: String) throws {
        #expect(try LocalPart(octets: Array(given.utf8)).key == Array(key.utf8))
    }

    @Test func lowerCaseSharesItsArray() throws {
        func isShared(_ octets: [UInt8], _ key: [UInt8]) -> Bool {
            octets.withUnsafeBufferPointer { octets in
                key.withUnsafeBufferPointer { octets.baseAddress == $0.baseAddress }
            }
        }
        let lower = try Mailbox("fred.claude@example.com")
        #expect(isShared(lower.localPart.octets, lower.localPart.key))
        #expect(isShared(lower.domain.octets, lower.domain.key))
        let upper = try Mailbox("Fred@Example.com")
        #expect(!isShared(upper.localPart.octets, upper.localPart.key))
        let literal = try Mailbox("fred@[192.0.2.1]")
        #expect(isShared(literal.domain.octets, literal.domain.key))
        let international = try Mailbox("bücher@b")
        #expect(isShared(international.localPart.octets, international.localPart.key))
        let made = try LocalPart(octets: [0x61])
        #expect(isShared(made.octets, made.key))
    }

    /// local-part, separators, and the bases with their details, the longest base first.
    static let details: [(String, String, [(String, String)])] = [
        ("ken+sieve", "+", [("ken", "sieve")]),
        ("5551212#123", "#", [("5551212", "123")]),
        ("ken+sieve", "-", []),
        ("ken", "+", []),
        ("ken+", "+", [("ken", "")]),
        ("+ken", "+", []),
        ("+", "+", []),
        ("++a", "+", [("+", "a")]),
        ("a+b+c", "+", [("a+b", "c"), ("a", "b+c")]),
        ("a-b+c", "+-", [("a-b", "c"), ("a", "b+c")]),
        ("a+b-c", "+-", [("a+b", "c"), ("a", "b-c")]),
        ("jean-luc+news", "+", [("jean-luc", "news")]),
        ("a++b", "+", [("a+", "b"), ("a", "+b")]),
        ("ken+sieve", "", []),
        ("Ken+Sieve", "+", [("Ken", "Sieve")]),
        ("bücher+ü", "+", [("bücher", "ü")]),
        ("a b+c", "+", [("a b", "c")]),
        ("ü", "¼", []),
    ]

    @Test(arguments: details)
    func detail(_ given: String, _ separators: String, _ expected: [(String, String)]) throws {
        let localPart = try LocalPart(octets: Array(given.utf8))
        let bases = localPart.bases(separators: Array(separators.utf8))
        #expect(bases.map(\.octets) == expected.map { Array($0.0.utf8) })
        #expect(
            bases.map { Array(localPart.octets.dropFirst($0.octets.count + 1)) } == expected.map { Array($0.1.utf8) })
        #expect(localPart.hasBase(separators: Array(separators.utf8)) == !expected.isEmpty)
        for base in bases { #expect(try base == LocalPart(octets: base.octets)) }
    }

    /// However many separators there are, no more is looked up: the shortest of all.
    @Test func basesAreCounted() throws {
        let bases = try LocalPart(octets: Array(repeated("a+", 60).utf8)).bases(separators: [UInt8(ascii: "+")])
        let lengths = bases.map(\.octets.count)
        #expect(lengths == (0..<AddressLimits.detailBases).map { 2 * $0 + 1 }.reversed())
    }

    @Test(arguments: ["postmaster", "Postmaster", "POSTMASTER", "pOsTmAsTeR"])
    func postmasterInAnyCase(_ given: String) throws {
        #expect(try LocalPart(octets: Array(given.utf8)).isPostmaster)
        #expect(try Mailbox("\"\(given)\"@b").localPart == .postmaster)
    }

    @Test(arguments: ["postmaster1", "postmaste", "post.master", "post master"])
    func notPostmaster(_ given: String) throws {
        #expect(try !LocalPart(octets: Array(given.utf8)).isPostmaster)
    }

    /// A local-part alone, as VRFY has it, and where it ends.
    @Test(arguments: [("claude", 6), ("\"a b\" c", 5), ("a@b", 1), ("a.b.", 4), ("a b", 1)])
    func aloneIsReadToItsEnd(_ given: String, _ end: Int) throws {
        var index = 0
        _ = try LocalPart.parse(Array(given.utf8).span, from: &index)
        #expect(index == end)
    }

    @Test func storedPairIsKept() {
        let stored = LocalPart(stored: [], key: [0x61])
        #expect(stored.description == "\"\"")
        #expect(stored == LocalPart(stored: [0x41], key: [0x61]))
    }
}
