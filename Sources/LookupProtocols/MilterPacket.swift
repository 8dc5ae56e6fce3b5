// What is in the packets of the milter protocol.

import MailAddress

enum MilterPacket {
    /// Octets of a length.
    static let header = 4

    /// Four octets, highest first. There are so many from `index` on.
    static func number(_ bytes: Span<UInt8>, at index: Int) -> Int {
        Int(bytes[index]) << 24 | Int(bytes[index + 1]) << 16 | Int(bytes[index + 2]) << 8 | Int(bytes[index + 3])
    }

    static func octets(_ number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }

    static func packet(_ command: Unicode.Scalar, _ data: [UInt8]) -> [UInt8] {
        octets(UInt32(data.count + 1)) + [UInt8(ascii: command)] + data
    }

    /// One string or more, each with a NUL after it; nil when there is none, or no NUL at the end.
    static func strings(_ bytes: Span<UInt8>, _ data: Range<Int>) -> [[UInt8]]? {
        guard let last = data.last, bytes[last] == 0 else { return nil }
        return bytes.array(data.lowerBound..<last).split(separator: 0, omittingEmptySubsequences: false).map(Array.init)
    }

    /// The host's name and NUL, a letter for the family, and where the family is known a port (2 octets), the address as
    /// text, and NUL.
    static func client(_ bytes: Span<UInt8>, _ data: Range<Int>) -> MilterClient? {
        guard let end = data.first(where: { bytes[$0] == 0 }), end + 1 < data.upperBound else { return nil }
        let rest = end + 2..<data.upperBound
        let family = bytes[end + 1]
        if family == UInt8(ascii: "U") { return .unknown }
        guard rest.count > 2, let words = strings(bytes, rest.lowerBound + 2..<rest.upperBound) else { return nil }
        switch family {
        case UInt8(ascii: "4"): return .internet(words[0])
        // sendmail writes an address as SMTP does (RFC 5321 4.1.3).
        case UInt8(ascii: "6"): return .internet(withoutTag(words[0]))
        case UInt8(ascii: "L"): return .local
        default: return nil
        }
    }

    private static func withoutTag(_ address: [UInt8]) -> [UInt8] {
        isEqual(address.prefix(5), "ipv6:") ? Array(address.dropFirst(5)) : address
    }

    /// The parameter of MAIL (RFC 6531 3.4).
    static func isSMTPUTF8(_ word: [UInt8]) -> Bool { isEqual(word[...], "smtputf8") }

    private static func isEqual(_ word: ArraySlice<UInt8>, _ lowerCase: StaticString) -> Bool {
        let folded = word.map { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") ? $0 | 0x20 : $0 }
        return lowerCase.withUTF8Buffer { folded.elementsEqual($0) }
    }
}
