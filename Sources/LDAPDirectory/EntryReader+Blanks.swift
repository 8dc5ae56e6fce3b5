// Blanks around a value, which mean nothing: a server compares values without them (RFC 4518 2.6.1).

extension EntryReader {
    /// The value without blanks at its ends: spaces, and what RFC 4518 2.2 makes a space or nothing.
    static func trimmed(_ value: [UInt8]) -> [UInt8] {
        guard let first = value.first, let last = value.last, mayBeBlank(first) || mayBeBlank(last) else {
            return value
        }
        var rest = value[...]
        while let blank = blanks.first(where: { rest.starts(with: $0) }) { rest = rest.dropFirst(blank.count) }
        while let blank = blanks.first(where: { rest.count >= $0.count && rest.suffix($0.count).elementsEqual($0) }) {
            rest = rest.dropLast(blank.count)
        }
        return Array(rest)
    }

    private static func mayBeBlank(_ octet: UInt8) -> Bool { octet <= 0x20 || octet >= 0x80 }

    private static let blanks: [[UInt8]] = {
        var scalars: [UInt32] = [0x20, 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0x200B, 0xFEFF]
        scalars += 0x09...0x0D
        scalars += 0x2000...0x200A
        return scalars.compactMap { Unicode.Scalar($0) }.map { Array(String(Character($0)).utf8) }
    }()
}
