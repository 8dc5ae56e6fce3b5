// The word that was probably meant, for diagnostics.

/// Finds the word of a list that a person probably meant.
public enum NearestWord {
    /// The nearest of `words`, or nil when none is near. Case, `_` for `-`, and a swap of neighbours count little. A word is
    /// never taken for its opposite, such as `inactive` for `active`.
    public static func of(_ word: String, among words: [String]) -> String? {
        let given = plain(word)
        let ranked = words.filter { !areOpposite(given, plain($0)) }.map {
            (word: $0, distance: distance(given, plain($0)))
        }
        if let best = ranked.min(by: { $0.distance < $1.distance }),
            best.distance <= max(1, given.count / 3), best.distance < given.count
        {
            return best.word
        }
        let longer = words.filter { given.count >= 3 && $0.utf8.starts(with: given) }
        return longer.count == 1 ? longer[0] : nil
    }

    /// The one of `names` that a person probably meant to write: it differs by one or two slips of the keys. For names of which
    /// there may be many more, so that one that is merely like it is another one.
    public static func misspelled(_ name: String, among names: [String]) -> String? {
        let given = plain(name)
        let limit = given.count < 8 ? 1 : 2
        let near = names.map { (name: $0, octets: plain($0)) }
            // The distance is never less than the difference in length.
            .filter { abs($0.octets.count - given.count) <= limit }
            .map { (name: $0.name, distance: distance(given, $0.octets)) }
            .min { $0.distance < $1.distance }
        guard let near, near.distance > 0, near.distance <= limit else { return nil }
        return near.name
    }

    /// `; did you mean "word"?`, or nothing.
    static func hint(_ word: String, among words: [String]) -> String {
        of(word, among: words).map { "; did you mean \($0.quoted)?" } ?? ""
    }

    /// The prefixes that turn a word into its opposite.
    private static let negations = ["in", "un", "dis", "de", "non", "no", "not"].map { Array($0.utf8) }

    /// Whether one of the two without its negation is nearer to the other than it is with it.
    private static func areOpposite(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        let distance = distance(left, right)
        return negates(left, right, distance) || negates(right, left, distance)
    }

    private static func negates(_ word: [UInt8], _ other: [UInt8], _ distance: Int) -> Bool {
        negations.contains { negation in
            guard word.starts(with: negation) else { return false }
            let rest = Array(word.dropFirst(negation.count).drop { $0 == UInt8(ascii: "-") })
            return rest.count >= 3 && self.distance(rest, other) < distance
        }
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
