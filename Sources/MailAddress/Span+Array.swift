// Octets leave the wire's Span here, and nowhere else.

extension Span where Element == UInt8 {
    /// A copy of the octets of `range`, which must be in bounds.
    public func array(_ range: Range<Int>) -> [UInt8] {
        extracting(range).withUnsafeBufferPointer { Array($0) }
    }
}
