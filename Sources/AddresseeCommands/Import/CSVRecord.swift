// Where one record of CSV ends and where its fields are (RFC 4180 2). It works on octets that are all there.

/// What is wrong with the form of a record.
enum CSVFault: Error, Hashable {
    case unterminatedQuote
    /// A quote inside a field that does not begin with one, or something after a closing quote.
    case strayQuote
    case tooLong
    case notUTF8
}

extension CSVFault: CustomStringConvertible {
    /// For a person, who sees the line's number before it.
    var description: String {
        switch self {
        case .unterminatedQuote: "a field begins with a quote that is not closed"
        case .strayQuote: "a quote stands inside a field; put the whole field in quotes, and double those in it"
        case .tooLong: "the line is longer than \(CSVReader.recordLimit) octets"
        case .notUTF8: "the line is not UTF-8; save the file in that encoding"
        }
    }
}

/// One record, in the reader's buffer.
struct CSVRecord {
    /// Without the quotes around them; doubled quotes in them are still doubled.
    private(set) var fields: [Range<Int>] = []
    /// Which of the fields hold doubled quotes.
    private(set) var doubled: [Int] = []
    /// After the line end.
    private(set) var end = 0
    /// How many lines it has.
    private(set) var lines = 0
    private(set) var isASCII = true

    private static let quote = UInt8(ascii: "\"")
    private static let comma = UInt8(ascii: ",")
    private static let newline = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    /// `record = field *("," field)`, then a line end or the end of the file     (RFC 4180 2)
    ///
    /// - Parameter isWhole: the octets go on to the end of the file; otherwise, to the longest that a record may be.
    mutating func read(_ bytes: Span<UInt8>, from start: Int, isWhole: Bool) throws(CSVFault) {
        fields.removeAll(keepingCapacity: true)
        doubled.removeAll(keepingCapacity: true)
        lines = 1
        var index = start
        var union: UInt8 = 0
        repeat {
            if index < bytes.count, bytes[index] == Self.quote {
                try readQuoted(bytes, from: &index, &union)
            } else {
                try readPlain(bytes, from: &index, &union)
            }
        } while Self.isComma(bytes, &index)
        if index < bytes.count, bytes[index] == Self.carriageReturn { index += 1 }
        if index < bytes.count {
            guard bytes[index] == Self.newline else { throw .strayQuote }
            index += 1
        } else if !isWhole {
            throw .tooLong
        }
        end = index
        isASCII = union < 0x80
    }

    private static func isComma(_ bytes: Span<UInt8>, _ index: inout Int) -> Bool {
        guard index < bytes.count, bytes[index] == comma else { return false }
        index += 1
        return true
    }

    private mutating func readPlain(
        _ bytes: Span<UInt8>, from index: inout Int, _ union: inout UInt8
    ) throws(CSVFault) {
        let start = index
        var next = index
        while next < bytes.count {
            let octet = bytes[next]
            if octet == Self.comma || octet == Self.newline { break }
            if octet == Self.quote { throw .strayQuote }
            union |= octet
            next += 1
        }
        let isLast = next == bytes.count || bytes[next] == Self.newline
        if isLast, next > start, bytes[next - 1] == Self.carriageReturn { next -= 1 }
        fields.append(start..<next)
        index = next
    }

    private mutating func readQuoted(
        _ bytes: Span<UInt8>, from index: inout Int, _ union: inout UInt8
    ) throws(CSVFault) {
        let start = index + 1
        var next = start
        var hasDoubled = false
        while next < bytes.count {
            let octet = bytes[next]
            union |= octet
            if octet == Self.newline { lines += 1 }
            next += 1
            if octet != Self.quote { continue }
            if next < bytes.count, bytes[next] == Self.quote {
                hasDoubled = true
                next += 1
                continue
            }
            if hasDoubled { doubled.append(fields.count) }
            fields.append(start..<(next - 1))
            index = next
            return
        }
        throw .unterminatedQuote
    }

    /// Makes doubled quotes single ones, in the buffer that was read.
    mutating func undouble(in bytes: inout [UInt8]) {
        for field in doubled {
            let range = fields[field]
            var (from, to) = (range.lowerBound, range.lowerBound)
            while from < range.upperBound {
                bytes[to] = bytes[from]
                from += bytes[from] == Self.quote ? 2 : 1
                to += 1
            }
            fields[field] = range.lowerBound..<to
        }
    }
}
