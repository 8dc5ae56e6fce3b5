// Well-formed UTF-8, octet by octet (RFC 3629 4): no overlong forms, no surrogates, nothing over U+10FFFF.

enum UTF8Sequence {
    /// The length in octets of the sequence at `index`; nil when it is malformed or cut short.
    ///
    /// `UTF8-octets = UTF8-1 / UTF8-2 / UTF8-3 / UTF8-4` (RFC 3629 4)
    static func length(in bytes: Span<UInt8>, at index: Int) -> Int? {
        let first = bytes[index]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch first {
        case 0x00...0x7F: return 1
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return nil
        }
        guard bytes.count - index >= length, second.contains(bytes[index + 1]) else { return nil }
        var tail = index + 2
        while tail < index + length {
            guard bytes[tail] & 0xC0 == 0x80 else { return nil }
            tail += 1
        }
        return length
    }
}
