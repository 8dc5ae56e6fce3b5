// Rows for people and for programs. Aligned: columns under a header, their widths taken from the first rows, so that any
// number of rows can follow; no line is longer than the terminal. Else: cells with a tab between them, whole, and no header.

/// Writes rows as they come.
struct Table {
    /// Rows that are kept until the widths are known.
    static let sample = 200
    /// Cells that a column keeps when the others need room.
    static let narrowest = 8
    /// Cells that a column keeps while the first one is wider than half of the line.
    static let readable = 16
    private static let gap = 2
    private static let gapText = String(repeating: " ", count: gap)

    private let headers: [String]
    private let output: Output
    private let isAligned: Bool
    private var lines: Lines
    private var waiting: [[String]] = []
    private var widths: [Int]?
    /// Whether columns are less wide than what stands in them.
    private var isNarrowed = false

    /// - Parameter isAligned: also where no terminal shows it.
    init(_ headers: [String], to output: Output, isAligned: Bool = false) {
        self.headers = headers
        self.output = output
        self.isAligned = isAligned || output.isTerminal
        lines = Lines(to: output)
    }

    mutating func add(_ cells: [String]) throws {
        let cells = cells.map(\.printable)
        if !isAligned { return try lines.write(cells.joined(separator: "\t") + "\n") }
        if let widths { return try lines.write(line(cells, widths)) }
        waiting.append(cells)
        if waiting.count == Self.sample { try begin() }
    }

    /// Writes what is left. A table without rows has no header.
    mutating func finish() throws {
        if isAligned, widths == nil, !waiting.isEmpty { try begin() }
        try lines.finish()
    }

    private mutating func begin() throws {
        let natural = headers.indices.map { column in
            waiting.reduce(headers[column].columns) { max($0, $1[column].columns) }
        }
        let widths = output.width.map { Self.fitted(natural, to: $0) } ?? natural
        self.widths = widths
        isNarrowed = widths != natural
        let header = line(headers, widths)
        try lines.write(output.isColoured ? "\u{1B}[1m\(header.dropLast())\u{1B}[0m\n" : header)
        for cells in waiting { try lines.write(line(cells, widths)) }
        waiting = []
    }

    /// Narrows columns until a line fits, the widest first. The first column, which says what the row is about, keeps half
    /// of the line, and more while the others have enough to be read.
    static func fitted(_ natural: [Int], to limit: Int) -> [Int] {
        var widths = natural.map { min($0, max(limit, 1)) }
        var excess = widths.reduce(0, +) + gap * (widths.count - 1) - limit
        let (first, others) = (widths.indices.prefix(1), widths.indices.dropFirst())
        let steps = [
            (others, readable), (first, max(limit / 2, narrowest)), (others, narrowest), (first, narrowest),
            (others, 1), (first, 1),
        ]
        for (columns, least) in steps {
            while excess > 0, let widest = columns.max(by: { widths[$0] < widths[$1] }), widths[widest] > least {
                widths[widest] -= 1
                excess -= 1
            }
        }
        return widths
    }

    /// One line. A row that is wider than those before it may leave its columns, but not the terminal.
    private func line(_ cells: [String], _ widths: [Int]) -> String {
        let whole = Self.aligned(cells, widths)
        guard let limit = output.width, isNarrowed || whole.dropLast().columns > limit else { return whole }
        var widths = widths
        let last = widths.count - 1
        widths[last] = max(1, limit - widths.dropLast().reduce(0) { $0 + $1 + Self.gap })
        return Self.aligned(zip(cells, widths).map { $0.cut(to: $1) }, widths)
    }

    /// The last cell with anything in it is not padded, so that no line ends in blanks.
    private static func aligned(_ cells: [String], _ widths: [Int]) -> String {
        var line = ""
        let last = cells.lastIndex { !$0.isEmpty } ?? 0
        for column in 0...last {
            line += column < last ? cells[column].padded(to: widths[column]) + gapText : cells[column]
        }
        return line + "\n"
    }
}

extension Substring {
    fileprivate var columns: Int { String(self).columns }
}
