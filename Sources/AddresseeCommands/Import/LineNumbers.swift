// From a user's index to its line in the file.

/// The lines of the users that were handed out. Only where lines and users part company is anything kept.
struct LineNumbers {
    private var count = 0
    private var breaks: [(index: Int, line: Int)] = []

    mutating func append(_ line: Int) {
        let last = breaks.last
        if last.map({ $0.line + count - $0.index != line }) ?? true { breaks.append((count, line)) }
        count += 1
    }

    /// 0 for a user that was not handed out.
    subscript(index: Int) -> Int {
        guard (0..<count).contains(index) else { return 0 }
        var (low, high) = (0, breaks.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if breaks[middle].index <= index { low = middle } else { high = middle }
        }
        return breaks[low].line + index - breaks[low].index
    }
}
