// Keys are hashed for every question, so eight octets at a time: Array's own way feeds the hasher one by one.

extension Array where Element == UInt8 {
    /// Feeds the octets and, so that no two arrays run together, their count.
    func hashWords(into hasher: inout Hasher) {
        hasher.combine(count)
        let bytes = span
        var index = 0
        while index + 8 <= bytes.count {
            var word: UInt64 = 0
            for offset in 0..<8 { word |= UInt64(bytes[index + offset]) << UInt64(8 * offset) }
            hasher.combine(word)
            index += 8
        }
        guard index < bytes.count else { return }
        var word: UInt64 = 0
        while index < bytes.count {
            word = word << 8 | UInt64(bytes[index])
            index += 1
        }
        hasher.combine(word)
    }
}
