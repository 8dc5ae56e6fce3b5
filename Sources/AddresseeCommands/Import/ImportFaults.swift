// What keeps a file from being imported.

import Verification

/// What is wrong in a file, by lines: the first of it, and how much more.
struct ImportFaults: Error, Hashable {
    struct Fault: Hashable, CustomStringConvertible {
        var line: Int
        var text: String

        var description: String { "\(line): \(text)" }
    }

    /// As many as a person wants to read at once.
    static let limit = 20

    /// The first, in the order of their lines.
    private(set) var shown: [Fault] = []
    /// How many there are in all.
    private(set) var count = 0

    mutating func add(line: Int, _ text: String) {
        count += 1
        // What the store refuses may be told after later lines were read.
        let place = shown.firstIndex { $0.line > line } ?? shown.endIndex
        shown.insert(Fault(line: line, text: text), at: place)
        if shown.count > Self.limit { shown.removeLast() }
    }

    /// What the command ends with.
    var failure: CommandFailure {
        let what = count == 1 ? "correct this line" : "correct these \(count) lines"
        let more = count > shown.count ? " (\(count - shown.count) more are not shown)" : ""
        return CommandFailure(.data, "nothing was imported; \(what)\(more) and import the file again")
    }
}
