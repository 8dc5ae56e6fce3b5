// Folding and UTF-8, octet by octet.

import MailAddress
import Testing

@Suite struct FoldingTests {
    static let malformed: [[UInt8]] = [
        [0x80],
        [0xBF],
        [0xC0, 0x80],
        [0xC1, 0xBF],
        [0xC2],
        [0xC2, 0x7F],
        [0xC2, 0xC0],
        [0xC3, 0x28],
        [0xE0, 0x9F, 0xBF],
        [0xE0, 0xA0],
        [0xE1, 0x80],
        [0xE1, 0x80, 0x7F],
        [0xE1, 0x7F, 0x80],
        [0xED, 0xA0, 0x80],
        [0xED, 0xBF, 0xBF],
        [0xEF, 0xBF],
        [0xF0, 0x8F, 0xBF, 0xBF],
        [0xF0, 0x90, 0x80],
        [0xF1, 0x80, 0x80, 0xC0],
        [0xF4, 0x90, 0x80, 0x80],
        [0xF5, 0x80, 0x80, 0x80],
        [0xF8, 0x88, 0x80, 0x80, 0x80],
        [0xFE],
        [0xFF],
        [0xFF, 0xFE],
        [0xC3, 0xBC, 0xBC],
    ]

    @Test(arguments: malformed) func malformedUTF8IsRefused(_ octets: [UInt8]) {
        let isWellFormed = Folding.isWellFormedUTF8(octets.span)
        #expect(!isWellFormed)
        #expect(String(validating: octets, as: UTF8.self) == nil)
        let at = octets == [0xC3, 0xBC, 0xBC] ? 2 : 0
        let tail: [UInt8] = [0x40, 0x62]
        #expect(throws: AddressSyntaxError.malformedUTF8(at: at)) { try LocalPart(octets: octets) }
        #expect(throws: AddressSyntaxError.malformedUTF8(at: at)) { try mailbox(octets + tail) }
        #expect(throws: AddressSyntaxError.malformedUTF8(at: at + 1)) { try mailbox([0x22] + octets + [0x22] + tail) }
        #expect(throws: AddressSyntaxError.malformedUTF8(at: at)) { try Domain(octets: octets) }
        #expect(throws: AddressSyntaxError.malformedUTF8(at: at + 2)) { try mailbox([0x61, 0x40] + octets) }
        #expect(Folding.fold(octets + [0x41]) == octets + [0x61])
    }

    /// Every scalar's octets are well-formed, and each cut of them is not.
    @Test func allScalarsAreWellFormed() {
        for value in stride(from: UInt32(0x80), through: 0x10FFFF, by: 7) {
            guard let scalar = UnicodeScalar(value) else { continue }
            let octets = Array(String(scalar).utf8)
            let cut = Array(octets.dropLast())
            guard Folding.isWellFormedUTF8(octets.span), !Folding.isWellFormedUTF8(cut.span) else {
                Issue.record("U+\(String(value, radix: 16))")
                return
            }
        }
    }

    @Test func asciiFoldsOctetByOctet() {
        for octet in UInt8.min..<0x80 {
            let expected = (0x41...0x5A).contains(octet) ? octet + 0x20 : octet
            #expect(Folding.fold([octet]) == [expected])
        }
        #expect(Folding.fold([]) == [])
    }

    /// A key must be its own key, whatever the scalar, or what was stored would not be found.
    @Test func foldingTwiceChangesNothing() {
        var failed: [UInt32] = []
        for value in (0x80...0x10FFFF) as ClosedRange<UInt32> where value < 0x3_0000 || value % 97 == 0 {
            guard let scalar = UnicodeScalar(value) else { continue }
            let once = Folding.fold(Array(String(scalar).utf8))
            if Folding.fold(once) != once { failed.append(value) }
        }
        #expect(failed.isEmpty)
    }

    static let errors: [AddressSyntaxError] = [
        .empty, .missingAtSign, .missingAngleBracket, .localPartTooLong, .domainTooLong, .labelTooLong, .pathTooLong,
        .malformedUTF8(at: 0), .unterminatedQuote, .controlCharacter(at: 1), .misplacedDot(at: 2),
        .misplacedHyphen(at: 3), .unexpectedOctet(at: 4), .badLiteral, .badSourceRoute, .badInternationalName,
    ]

    @Test(arguments: errors) func errorIsOneSentence(_ error: AddressSyntaxError) {
        let text = error.description
        #expect(text.hasSuffix(".") && text.utf8.count < 100 && !text.contains("\n"))
        #expect(Set(Self.errors.map(\.description)).count == Self.errors.count)
    }
}
