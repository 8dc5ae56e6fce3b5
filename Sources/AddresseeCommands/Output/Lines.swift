// Many lines in few writes, so that a long listing is neither slow nor kept whole in memory.

/// Collects text and writes it in pieces.
struct Lines {
    /// Octets that are kept before they are written.
    private static let limit = 32 * 1024

    let output: Output
    private var text = ""

    init(to output: Output) {
        self.output = output
    }

    mutating func write(_ more: String) throws {
        text += more
        if text.utf8.count >= Self.limit { try finish() }
    }

    /// Writes what is left.
    mutating func finish() throws {
        if text.isEmpty { return }
        let whole = text
        text = ""
        try output.write(whole)
    }
}
