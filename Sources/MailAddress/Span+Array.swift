// Octets leave the wire's Span here, and nowhere else.

extension Span where Element == UInt8 {
    /// A copy of the octets of `range`, which must be in bounds.
    func array(_ range: Range<Int>) -> [UInt8] {
        let part = extracting(range)
        return [UInt8](capacity: part.count) { output in
            for index in part.indices { output.append(part[index]) }
        }
    }
}
