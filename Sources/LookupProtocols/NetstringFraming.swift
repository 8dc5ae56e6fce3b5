// Netstrings: `length ":" octets ","`, the length in decimal digits without leading zeros
// (https://cr.yp.to/proto/netstrings.txt).

/// Where netstrings end. It keeps no bytes: the caller holds what has not been consumed.
public struct NetstringFraming: Hashable, Sendable {
    public enum Result: Hashable, Sendable {
        /// A netstring holds `start..<end`; the next begins at `next`.
        case netstring(start: Int, end: Int, next: Int)
        /// One that was longer than the limit is over; the next begins at `next`.
        case oversize(next: Int)
        /// No whole netstring; octets before `consumed` are done with, the rest must be kept.
        case incomplete(consumed: Int)
        /// This is no netstring, and so nobody can tell where the next begins.
        case malformed
    }

    private let limit: Int
    /// Of one too long: octets that are still to be thrown away, its comma included.
    private var unwanted = 0

    /// - Parameter limit: octets that a netstring may hold; a longer one is read past.
    public init(limit: Int) {
        self.limit = limit
    }

    /// The first netstring of what has not been consumed.
    public mutating func next(_ bytes: Span<UInt8>) -> Result {
        if unwanted > 0 { return skip(bytes, from: 0) }
        var length = 0
        var index = 0
        while index < bytes.count, bytes[index] != UInt8(ascii: ":") {
            let octet = bytes[index]
            guard octet >= UInt8(ascii: "0"), octet <= UInt8(ascii: "9"), index < LookupLimits.netstringDigits
            else { return .malformed }
            // "00" and "05" are none: a leading zero stands alone.
            if index == 1, bytes[0] == UInt8(ascii: "0") { return .malformed }
            length = length * 10 + Int(octet - UInt8(ascii: "0"))
            index += 1
        }
        if index == bytes.count { return .incomplete(consumed: 0) }
        if index == 0 { return .malformed }
        let start = index + 1
        if length > limit {
            unwanted = length + 1
            return skip(bytes, from: start)
        }
        let end = start + length
        guard end < bytes.count else { return .incomplete(consumed: 0) }
        return bytes[end] == UInt8(ascii: ",") ? .netstring(start: start, end: end, next: end + 1) : .malformed
    }

    private mutating func skip(_ bytes: Span<UInt8>, from start: Int) -> Result {
        let next = start + unwanted
        if next > bytes.count {
            unwanted = next - bytes.count
            return .incomplete(consumed: bytes.count)
        }
        unwanted = 0
        return bytes[next - 1] == UInt8(ascii: ",") ? .oversize(next: next) : .malformed
    }

    /// Appends a netstring that holds these octets.
    public static func append(_ octets: some Collection<UInt8>, to output: inout [UInt8]) {
        append(length: octets.count, to: &output)
        output.append(contentsOf: octets)
        output.append(UInt8(ascii: ","))
    }

    /// Appends a netstring that holds a word and octets after it.
    static func append(_ word: StaticString, _ octets: [UInt8], to output: inout [UInt8]) {
        append(length: word.utf8CodeUnitCount + octets.count, to: &output)
        word.withUTF8Buffer { output.append(contentsOf: $0) }
        output.append(contentsOf: octets)
        output.append(UInt8(ascii: ","))
    }

    private static func append(length: Int, to output: inout [UInt8]) {
        var divisor = 1
        while length / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            output.append(UInt8(ascii: "0") + UInt8(length / divisor % 10))
            divisor /= 10
        }
        output.append(UInt8(ascii: ":"))
    }
}
