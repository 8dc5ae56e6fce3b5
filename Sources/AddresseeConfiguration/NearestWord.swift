// The word that was probably meant, for diagnostics.

/// Finds the word of a list that a person probably meant.
public enum NearestWord {
    /// The nearest of `words`, or nil when none is near. Case, `_` for `-`, and a swap of neighbours count little.
    public static func of(_ word: String, among words: [String]) -> String? {
        let given = plain(word)
        let ranked = words.map { (word: $0, distance: distance(given, plain($0))) }
        if let best = ranked.min(by: { $0.distance < $1.distance }),
            best.distance <= max(1, given.count / 3), best.distance < given.count
        {
            return best.word
        }
        let longer = words.filter { given.count >= 3 && $0.utf8.starts(with: given) }
        return longer.count == 1 ? longer[0] : nil
    }

    /// `; did you mean "word"?`, or nothing.
    static func hint(_ word: String, among words: [String]) -> String {
        of(word, among: words).map { "; did you mean \($0.quoted)?" } ?? ""
    }

    private static func plain(_ word: String) -> [UInt8] {
        Array(word.lowercased().utf8.prefix(64)).map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 }
    }

    /// Insertions, deletions, substitutions and swaps of neighbours that turn one into the other (optimal string
    /// alignment).
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in 0..<left.count {
            var current = [row + 1]
            for column in 0..<right.count {
                let same = left[row] == right[column]
                var cost = min(last[column] + (same ? 0 : 1), last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
