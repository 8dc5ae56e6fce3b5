// Files that are put in the place of those that are open: all that is open is let go first, and no log is read with a file
// that it was not made for.

import Foundation
import GRDB
import MailAddress
import MailboxDirectory
import Testing

@testable import SQLiteDirectory

@Suite struct ReplacedFileTests {
    private let anna: Mailbox
    private let fred: Mailbox

    init() throws {
        anna = try mailbox("anna@example.org")
        fred = try mailbox("fred@example.org")
    }

    /// Asks until the answer is another than "could not tell".
    private func answer(_ reader: SQLiteReader, _ address: Mailbox) -> Answer {
        var answer = Answer.absent
        for _ in 0..<2000 {
            answer = reader.answer(.entries([address]))
            if reason(answer) == nil { return answer }
            usleep(5000)
        }
        return answer
    }

    /// One reader notices, and the other, which nobody asks, lets the former file go all the same.
    @Test func everyReaderLetsTheFormerFileGo() throws {
        let (file, other) = (try TemporaryFile(), try TemporaryFile())
        _ = try file.store([.user(try user("fred@example.org"))])
        _ = try other.store([.user(try user("anna@example.org"))])
        let (one, idle, busy) = (file.reader(), file.reader(), file.reader())
        for reader in [one, idle] { #expect(answer(reader, anna) == .absent) }
        busy.beginBatch()
        #expect(answer(busy, anna) == .absent)
        #expect(rename(other.path, file.path) == 0)
        usleep(2000)
        // A view of the former file is open.
        #expect(reason(one.answer(.entries([anna])))?.contains("another file stands at") == true)
        #expect(busy.answer(.entries([anna])) == .absent)
        busy.endBatch()
        for reader in [one, idle, busy] { #expect(answer(reader, fred) == .absent) }
        #expect(answer(one, anna) != .absent)
    }

    /// From batch to batch a view is gone on with while nothing is written to its file; not when another stands there.
    @Test func aViewOfTheFormerFileEndsWithItsBatch() throws {
        let file = try TemporaryFile()
        _ = try file.store([.user(try user("fred@example.org"))])
        let reader = file.reader()
        reader.beginBatch()
        #expect(answer(reader, anna) == .absent)
        for address in ["anna@example.org", "fred@example.org"] {
            let other = try TemporaryFile()
            _ = try other.store([.user(try user(address))])
            #expect(rename(other.path, file.path) == 0)
            usleep(2000)
            reader.beginBatch()
            for one in [anna, fred] { #expect((answer(reader, one) == .absent) == (one.description != address)) }
        }
        reader.endBatch()
    }

    @Test(arguments: [["-wal", "-shm"], ["-wal"], ["-shm"]])
    func theLogIsRemoved(names: [String]) throws {
        let file = try TemporaryFile()
        _ = try file.store()
        let readers = [file.reader(), file.reader()]
        for reader in readers { #expect(answer(reader, anna) == .absent) }
        for name in names { try FileManager.default.removeItem(atPath: file.path + name) }
        usleep(2000)
        let store = try SQLiteStore(path: file.path, name: "local")
        try store.write { try $0.insert(.user(try user("anna@example.org"))) }
        for reader in readers { #expect(answer(reader, anna) != .absent) }
    }

    /// Each of the three files is told from another that stands in its place, and from none.
    @Test func eachFileIsKnown() throws {
        let file = try TemporaryFile()
        let paths = DirectoryPaths(file.path)
        let names = [paths.database, paths.log, paths.index]
        for name in names { try Data().write(to: URL(filePath: name)) }
        let before = try DirectoryFiles(paths)
        #expect(before.difference(from: before, paths) == nil)
        for name in names {
            // Kept, so that the other file is given another number.
            #expect(rename(name, name + ".former") == 0)
            if name != paths.database {
                #expect(try DirectoryFiles(paths).difference(from: before, paths) == "\(name) was removed")
            }
            try Data().write(to: URL(filePath: name))
            #expect(try DirectoryFiles(paths).difference(from: before, paths) == "another file stands at \(name)")
            #expect(rename(name + ".former", name) == 0)
            #expect(try DirectoryFiles(paths).difference(from: before, paths) == nil)
        }
    }

    /// A program that has the former file open makes the log beside the new one useless.
    @Test func anotherProgramHasTheFormerFile() throws {
        let (file, other) = (try TemporaryFile(), try TemporaryFile())
        _ = try file.store()
        _ = try other.store([.user(try user("anna@example.org"))])
        let holder = try Holder(file.path)
        #expect(rename(other.path, file.path) == 0)
        let reader = file.reader()
        let told = reason(reader.answer(.entries([anna])))
        #expect(told?.contains("process \(holder.number) still has open") == true, "\(told ?? "an answer")")
        holder.end()
        #expect(answer(reader, anna) != .absent)
    }

    @Test func anotherProgramHasTheFormerLog() throws {
        let file = try TemporaryFile()
        _ = try file.store([.user(try user("anna@example.org"))])
        let holder = try Holder(file.path)
        for name in ["-wal", "-shm"] { try FileManager.default.removeItem(atPath: file.path + name) }
        let reader = file.reader()
        let told = reason(reader.answer(.entries([anna])))
        #expect(told?.contains("was removed while process \(holder.number) has") == true, "\(told ?? "an answer")")
        let findings = SQLiteCheck(path: file.path, name: "local")
            .findings(RecordCheck(defaultDomain: try Domain("example.org")))
        #expect(findings.contains { $0.severity == .error && $0.text.contains("was removed while") })
        holder.end()
        #expect(answer(reader, anna) != .absent)
    }

    /// What is written into a file that stands there no longer would be lost.
    @Test func aStoreWritesIntoNoFormerFile() throws {
        let (file, other) = (try TemporaryFile(), try TemporaryFile())
        let store = try file.store()
        _ = try other.store()
        let error = storeError {
            try store.write { transaction in
                try transaction.insert(.user(try user("anna@example.org")))
                #expect(rename(other.path, file.path) == 0)
            }
        }
        guard case .trouble(let trouble)? = error else {
            Issue.record("it was written")
            return
        }
        #expect(trouble.reason.contains("nothing was written"))
    }

    /// What was read may be of two files.
    @Test func aStoreReadsNoFormerFile() throws {
        let (file, other) = (try TemporaryFile(), try TemporaryFile())
        let store = try file.store()
        _ = try other.store([.user(try user("anna@example.org"))])
        let error = storeError {
            _ = try store.read { reading in
                #expect(rename(other.path, file.path) == 0)
                return try reading.record(.user, at: anna)
            }
        }
        #expect("\(String(describing: error))".contains("another file stands at"))
    }

    /// What was written is in the file itself when the store is let go, beside a reader too.
    @Test func aStoreEmptiesTheLog() throws {
        let file = try TemporaryFile()
        _ = try file.store()
        let reader = file.reader()
        #expect(answer(reader, anna) == .absent)
        do {
            let store = try SQLiteStore(path: file.path, name: "local")
            try store.write { try $0.insert(.user(try user("anna@example.org"))) }
        }
        #expect(FileStamp(file.path + "-wal")?.size == 0)
        #expect(answer(reader, anna) != .absent)
        reader.release()
    }

    /// Another program with the file open, at rest.
    private final class Holder {
        private let process = Process()
        private let input = Pipe()
        let number: Int32

        init(_ path: String) throws {
            let output = Pipe()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = ["sqlite3", path]
            process.standardInput = input
            process.standardOutput = output
            try process.run()
            input.fileHandleForWriting.write(Data("SELECT count(*) FROM entry;\n".utf8))
            _ = output.fileHandleForReading.availableData
            number = process.processIdentifier
        }

        func end() {
            try? input.fileHandleForWriting.close()
            process.waitUntilExit()
        }

        deinit { if process.isRunning { process.terminate() } }
    }
}
