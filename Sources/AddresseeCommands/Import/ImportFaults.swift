// What keeps a file from being imported.

import MailboxDirectory
import Verification

/// What is wrong in a file, by lines: the first of it, and how much more.
struct ImportFaults: Error {
    struct Fault {
        var line: Int
        var reason: Reason
    }

    enum Reason {
        case text(String)
        /// What the store refuses. Its words need a second look at the file.
        case refused(StoreError)
    }

    /// As many as a person wants to read at once.
    static let limit = 100

    /// The first, in the order of their lines.
    private(set) var shown: [Fault] = []
    /// How many there are in all.
    private(set) var count = 0

    mutating func add(line: Int, _ text: String) { add(line: line, .text(text)) }

    mutating func add(line: Int, _ reason: Reason) {
        count += 1
        if shown.count == Self.limit, let last = shown.last, last.line <= line { return }
        // What the store refuses is told after the whole file has been read.
        var place = shown.endIndex
        while place > 0, shown[place - 1].line > line { place -= 1 }
        shown.insert(Fault(line: line, reason: reason), at: place)
        if shown.count > Self.limit { shown.removeLast() }
    }

    /// The same faults for other reasons.
    func mapping(_ reason: (Fault) throws -> Reason) rethrows -> ImportFaults {
        var faults = self
        faults.shown = try shown.map { Fault(line: $0.line, reason: try reason($0)) }
        return faults
    }

    /// What the command ends with.
    var failure: CommandFailure {
        let what = count == 1 ? "correct this line" : "correct these \(count) lines"
        let more = count > shown.count ? " (\(count - shown.count) more are not shown)" : ""
        return CommandFailure(.data, "nothing was imported; \(what)\(more) and import the file again")
    }
}

extension ImportFaults.Fault: CustomStringConvertible {
    /// `3: the address "fred@" is wrong`
    var description: String {
        switch reason {
        case .text(let text): "\(line): \(text)"
        case .refused(let error): "\(line): \(EditError(error).line)"
        }
    }
}
