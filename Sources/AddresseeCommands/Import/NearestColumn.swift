// The word that was probably meant.

enum NearestColumn {
    /// The nearest of `words`, or nil when none is near.
    static func of(_ word: String, among words: [String]) -> String? {
        let given = Array(word.lowercased().utf8.prefix(64)).filter { $0 != UInt8(ascii: " ") }
        let ranked = words.map { (word: $0, distance: distance(given, Array($0.utf8))) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }), best.distance <= max(1, given.count / 3) else {
            return nil
        }
        return best.word
    }

    /// Insertions, deletions and substitutions that turn one into the other (Levenshtein).
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var last = Array(0...right.count)
        for row in left.indices {
            var current = [row + 1]
            for column in right.indices {
                let change = last[column] + (left[row] == right[column] ? 0 : 1)
                current.append(min(change, last[column + 1] + 1, current[column] + 1))
            }
            last = current
        }
        return last[right.count]
    }
}
