// Rows for people and for programs. At a terminal: aligned columns under a header, their widths taken from the first
// rows, so that any number of rows can follow. In a pipe: cells with a tab between them, and no header.

/// Writes rows as they come.
struct Table {
    /// Rows that are kept until the widths are known.
    static let sample = 200

    private let headers: [String]
    private let output: Output
    private var lines: Lines
    private var waiting: [[String]] = []
    private var widths: [Int]?

    init(_ headers: [String], to output: Output) {
        self.headers = headers
        self.output = output
        lines = Lines(to: output)
    }

    mutating func add(_ cells: [String]) throws {
        let cells = cells.map(\.printable)
        if !output.isTerminal { return try lines.write(cells.joined(separator: "\t") + "\n") }
        if let widths { return try lines.write(Self.aligned(cells, widths)) }
        waiting.append(cells)
        if waiting.count == Self.sample { try begin() }
    }

    /// Writes what is left. A table without rows has no header.
    mutating func finish() throws {
        if output.isTerminal, widths == nil, !waiting.isEmpty { try begin() }
        try lines.finish()
    }

    private mutating func begin() throws {
        let widths = headers.indices.map { column in
            waiting.reduce(headers[column].columns) { max($0, $1[column].columns) }
        }
        self.widths = widths
        let header = Self.aligned(headers, widths)
        try lines.write(output.isColoured ? "\u{1B}[1m\(header.dropLast())\u{1B}[0m\n" : header)
        for cells in waiting { try lines.write(Self.aligned(cells, widths)) }
        waiting = []
    }

    /// The last cell with anything in it is not padded, so that no line ends in blanks.
    private static func aligned(_ cells: [String], _ widths: [Int]) -> String {
        var line = ""
        let last = cells.lastIndex { !$0.isEmpty } ?? 0
        for column in 0...last {
            line += column < last ? cells[column].padded(to: widths[column]) + "  " : cells[column]
        }
        return line + "\n"
    }
}
