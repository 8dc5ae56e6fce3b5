// Octets on the wire: they leave its Span here, and nowhere else, and here it is searched.

extension Span where Element == UInt8 {
    /// A copy of the octets of `range`, which must be in bounds.
    public func array(_ range: Range<Int>) -> [UInt8] {
        extracting(range).withUnsafeBufferPointer { Array($0) }
    }

    /// Where the first of these octets stands, at `start` or later, which is at most `count`; nil where none does.
    ///
    /// Eight octets at a time: those that are equal are zero after XOR, and of those a borrow sets the highest bit. The
    /// lowest bit that is set so is always right.
    @inlinable @inline(__always) public func index(of octet: UInt8, from start: Int) -> Int? {
        withUnsafeBytes { bytes in
            let pattern = 0x0101_0101_0101_0101 &* UInt64(octet)
            var index = start
            while index + 8 <= bytes.count {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)) ^ pattern
                let found = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
                if found != 0 { return index + found.trailingZeroBitCount / 8 }
                index += 8
            }
            while index < bytes.count {
                if bytes[index] == octet { return index }
                index += 1
            }
            return nil
        }
    }
}
