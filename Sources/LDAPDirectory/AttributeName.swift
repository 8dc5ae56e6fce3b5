// The name of an attribute or a class (RFC 4512). It is the one part of a filter that is not escaped, so
// what is no name never becomes one.

/// An attribute name, without options; compared without case.
public struct AttributeName: Hashable, Sendable, CustomStringConvertible {
    /// In lower case.
    public let key: String
    /// As given.
    public let description: String

    /// Longest name that is taken, in octets; no schema has such.
    private static let limit = 100

    /// `attributetype = oid`, `oid = descr / numericoid`, `descr = keystring`,
    /// `keystring = leadkeychar *keychar` (RFC 4512).
    /// - Returns: nil for anything else.
    public init?(_ text: String) {
        let octets = Array(text.utf8)
        guard let first = octets.first, octets.count <= Self.limit else { return nil }
        let isName = Self.isLetter(first) && octets.allSatisfy { Self.isLetter($0) || Self.isDigit($0) || $0 == 0x2D }
        guard isName || Self.isNumericOID(octets) else { return nil }
        description = text
        key = text.lowercased()
    }

    /// `numericoid = number 1*( DOT number )` (RFC 4512)
    private static func isNumericOID(_ octets: [UInt8]) -> Bool {
        let numbers = octets.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return numbers.count > 1
            && numbers.allSatisfy { number in
                !number.isEmpty && number.allSatisfy(isDigit) && (number.count == 1 || number.first != 0x30)
            }
    }

    private static func isLetter(_ octet: UInt8) -> Bool { (0x41...0x5A).contains(octet & 0xDF) && octet < 0x80 }

    private static func isDigit(_ octet: UInt8) -> Bool { (0x30...0x39).contains(octet) }

    public static func == (one: AttributeName, other: AttributeName) -> Bool { one.key == other.key }

    public func hash(into hasher: inout Hasher) { hasher.combine(key) }
}

extension AttributeName: ExpressibleByStringLiteral {
    /// For names that stand in source code, which a test checks. What is no name becomes an OID that no server has.
    public init(stringLiteral name: StaticString) {
        self = AttributeName(name.description) ?? AttributeName(unknown: "0.0")
    }

    private init(unknown text: String) {
        description = text
        key = text
    }
}
