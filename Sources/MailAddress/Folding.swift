// Names folded for comparing. ASCII is folded on its octets and never becomes a String: that is the way of nearly every
// address. What is not ASCII goes to UnicodeFolding.swift.

/// The one folding for names that are compared without case: ASCII lower case, else NFC and lower case.
public enum Folding {
    /// The folded octets; the same array, not a copy, when nothing changes. Octets that are no UTF-8 are only folded in
    /// their ASCII part.
    public static func fold(_ octets: [UInt8]) -> [UInt8] {
        // No early exit: so the loop is done many octets at a time.
        var union: UInt8 = 0
        var upper = false
        for octet in octets {
            union |= octet
            upper = upper || octet.isUpper
        }
        if union >= 0x80, let folded = foldUnicode(octets) { return folded == octets ? octets : folded }
        return upper ? lowerASCII(octets) : octets
    }

    /// Whether all of `bytes` is UTF-8 (RFC 3629). ASCII is.
    public static func isWellFormedUTF8(_ bytes: Span<UInt8>) -> Bool {
        var index = 0
        while index < bytes.count {
            guard let length = UTF8Sequence.length(in: bytes, at: index) else { return false }
            index += length
        }
        return true
    }

    /// `A`–`Z` lowered, every other octet as it is.
    static func lowerASCII(_ octets: [UInt8]) -> [UInt8] {
        octets.map { $0.isUpper ? $0 | 0x20 : $0 }
    }

    /// Whether every octet is under 128.
    static func isASCII(_ octets: [UInt8]) -> Bool {
        var union: UInt8 = 0
        for octet in octets { union |= octet }
        return union < 0x80
    }
}
