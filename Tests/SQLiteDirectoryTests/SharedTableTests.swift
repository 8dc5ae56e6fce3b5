// The tables that every store has to fulfil, on this one: through a transaction's view, and through the reader that
// answers questions; and again with a failure at each lookup.

import DirectoryTesting
import MailboxDirectory
import SQLiteDirectory
import Testing

/// Stores in files of their own, as many as a row wants.
private final class Stores {
    private(set) var files: [TemporaryFile] = []

    func make(name: String) throws -> any RecordStore {
        let file = try TemporaryFile()
        files.append(file)
        try SQLiteStore.create(path: file.path)
        return try SQLiteStore(path: file.path, name: name)
    }

    var readers: [any Source] { files.map { $0.reader() } }
}

struct SharedTableTests {
    @Test(arguments: resolveTable)
    func resolves(_ row: ResolveRow) throws {
        let stores = Stores()
        #expect(try row.answer { try stores.make(name: "local") }.text == row.expected)
        #expect(row.resolve(stores.readers).text == row.expected)
    }

    @Test(arguments: resolveTable)
    func failures(_ row: ResolveRow) throws {
        let stores = Stores()
        _ = try row.answer { try stores.make(name: "local") }
        let readers = stores.readers
        var lookups = 0
        _ = row.resolve(readers) { number, _, answer in
            lookups = number + 1
            return answer
        }
        let trouble = Trouble(source: "local", reason: "gone")
        for failing in 0..<lookups {
            let resolution = row.resolve(readers) { number, _, answer in
                number == failing ? .couldNotTell(trouble) : answer
            }
            #expect(resolution.outcome == .couldNotTell(trouble), "at lookup \(failing)")
        }
    }

    @Test(arguments: editTable)
    func edits(_ row: EditRow) throws {
        let stores = Stores()
        let (text, before, after) = try row.outcome { try stores.make(name: "other") }
        #expect(text == row.expected)
        if text != "done", !text.hasPrefix("added") {
            #expect(before == after, "a refused change was written")
        } else if text != "added 0" {
            #expect(before != after, "nothing was written")
        }
    }

    @Test(arguments: leavingTable)
    func leaves(_ directory: String, _ change: String, _ expected: [String]) throws {
        let stores = Stores()
        let (_, _, after) = try EditRow("domain a\n" + directory, change, "").outcome { try stores.make(name: "other") }
        #expect(Array(after.dropFirst()) == expected)
    }
}
