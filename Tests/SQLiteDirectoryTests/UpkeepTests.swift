// What a server does for a file: it empties the log, examines the file, and lets former files go. And what nobody is told of
// a damaged one.

import Foundation
import GRDB
import GRDBSQLite
import MailAddress
import MailboxDirectory
import Synchronization
import Testing

@testable import SQLiteDirectory

@Suite struct UpkeepTests {
    /// What an upkeep has told.
    private final class Told: Sendable {
        private let events = Mutex<[SQLiteUpkeep.Event]>([])

        func add(_ event: SQLiteUpkeep.Event) { events.withLock { $0.append(event) } }

        func first(_ isIt: (SQLiteUpkeep.Event) -> Bool) -> SQLiteUpkeep.Event? {
            for _ in 0..<2000 {
                if let event = events.withLock({ $0.first(where: isIt) }) { return event }
                usleep(5000)
            }
            return nil
        }
    }

    private func upkeep(_ file: TemporaryFile) -> (SQLiteUpkeep, Told) {
        let told = Told()
        let upkeep = SQLiteUpkeep(path: file.path, name: "local") { told.add($0) }
        upkeep.waitForFirstExamination()
        return (upkeep, told)
    }

    private func eventually(_ condition: () -> Bool) -> Bool {
        for _ in 0..<2000 {
            if condition() { return true }
            usleep(5000)
        }
        return false
    }

    /// Of one key in the table its middle octet is another one; the index still has it as it was.
    private func damage(_ file: TemporaryFile, _ key: String, _ name: String) throws {
        let url = URL(filePath: file.path)
        var data = try Data(contentsOf: url)
        let place = try #require(data.range(of: Data("\(key)user\(name)".utf8)))
        data[place.lowerBound + 1] ^= 1
        try data.write(to: url)
    }

    @Test func whatIsNotFoundInADamagedFileIsNotKnown() throws {
        let file = try TemporaryFile()
        _ = try file.store([
            .user(try user("fred@example.org", "Fred Claude")), .user(try user("anna@example.org", "Anna Claude")),
            .list(
                MailingList(address: try mailbox("all@example.org")),
                members: [ListMember(mailbox: try mailbox("anna@example.org"))]),
            .alias(Alias(address: try mailbox("team@example.org"), targets: [try mailbox("anna@example.org")])),
            .forward(Forward(address: try mailbox("away@example.org"), targets: [try mailbox("a@far.example")])),
            .moved(Moved(address: try mailbox("gone@example.org"), newAddress: nil)),
        ])
        try damage(file, "fred", "Fred Claude")
        let (upkeep, told) = upkeep(file)
        let reader = SQLiteReader(name: "local", upkeep: upkeep)
        let (fred, anna, nobody) = (
            try mailbox("fred@example.org"), try mailbox("anna@example.org"), try mailbox("nobody@example.org")
        )
        let claude = NameQuery(localPart: nil, folded: Array("claude".utf8), limit: 20)
        for lookup in [
            Lookup.entries([fred]), .entries([nobody]), .entries([nobody, anna]), .name(claude),
            .domain(try Domain("elsewhere.example")), .members(of: try mailbox("all@example.org")),
            // Where these lead stands in rows of another table, which may be lost.
            .entries([try mailbox("team@example.org")]), .entries([try mailbox("away@example.org")]),
            .entries([try mailbox("gone@example.org")]),
        ] {
            #expect(reason(reader.answer(lookup))?.contains("is damaged") == true, "\(lookup)")
        }
        #expect(reason(reader.answer(.entries([anna]))) == nil)
        #expect(reason(reader.answer(.domain(try Domain("example.org")))) == nil)
        let event = told.first { if case .examined = $0 { true } else { false } }
        guard case .examined(let findings)? = event else {
            Issue.record("nothing was told")
            return
        }
        #expect(findings.first?.advice.contains("restore a backup") == true)
        // A command that examines finds the same, and so does the check.
        let alone = SQLiteReader(path: file.path, name: "local", mayWait: true)
        #expect(reason(alone.answer(.entries([nobody])))?.contains("is damaged") == true)
        // A list of records is not the whole of it.
        let store = try SQLiteStore(path: file.path, name: "local")
        #expect(throws: StoreError.self) { try store.read { try $0.forEach(.user, in: nil) { _ in } } }
        let check = SQLiteCheck(path: file.path, name: "local")
            .findings(RecordCheck(defaultDomain: try Domain("example.org")))
        #expect(check.contains { $0.text.contains("is damaged") })
        #expect(!check.contains { $0.advice.contains("user set") })
    }

    /// Who is added may be on record where damage hides him, and who is removed may be there.
    @Test func nothingIsWrittenIntoADamagedFile() throws {
        let file = try TemporaryFile()
        _ = try file.store([.user(try user("fred@example.org", "Fred Claude"))])
        try damage(file, "fred", "Fred Claude")
        let before = try Data(contentsOf: URL(filePath: file.path))
        let store = try SQLiteStore(path: file.path, name: "local")
        let editor = RecordEditor(store: store, defaultDomain: try Domain("example.org"))
        let fred = try user("fred@example.org", "Fred")
        let changes: [() throws -> Void] = [
            { try editor.add(.user(fred)) }, { try editor.remove(.user, at: fred.address) },
            { try editor.set(.user, at: fred.address) { $0 } },
        ]
        for change in changes {
            do {
                try change()
                Issue.record("it was written")
            } catch EditError.couldNotTell(let trouble) {
                #expect(trouble.reason.contains("is damaged") && trouble.reason.contains("restore a backup"))
            }
        }
        #expect(throws: StoreError.self) { try store.importUsers([try user("barney@example.org", "B")]) }
        #expect(try Data(contentsOf: URL(filePath: file.path)) == before)
    }

    @Test func aNewFileEndsTheDoubt() throws {
        let (file, other) = (try TemporaryFile(), try TemporaryFile())
        _ = try file.store([.user(try user("fred@example.org", "Fred Claude"))])
        _ = try other.store([.user(try user("fred@example.org", "Fred Claude"))])
        try damage(file, "fred", "Fred Claude")
        let (upkeep, told) = upkeep(file)
        let reader = SQLiteReader(name: "local", upkeep: upkeep)
        let nobody = Lookup.entries([try mailbox("nobody@example.org")])
        reader.beginBatch()
        #expect(reason(reader.answer(nobody)) != nil)
        let before = try #require(reader.version())
        reader.endBatch()
        #expect(rename(other.path, file.path) == 0)
        #expect(eventually { reader.answer(nobody) == .absent })
        reader.beginBatch()
        // So remembered answers are forgotten.
        #expect(reader.version() != before)
        reader.endBatch()
        #expect(told.first { if case .reopened = $0 { true } else { false } } != nil)
    }

    /// By another name a file has its log in another place, where whoever opens it looks for it.
    @Test func aFileThatIsReachedByALinkNow() throws {
        let file = try TemporaryFile()
        _ = try file.store([.user(try user("anna@example.org"))])
        let (upkeep, told) = upkeep(file)
        let reader = SQLiteReader(name: "local", upkeep: upkeep)
        #expect(reader.check() == nil)
        #expect(rename(file.path, file.path + ".real") == 0)
        #expect(symlink(file.path + ".real", file.path) == 0)
        #expect(told.first { if case .reopened = $0 { true } else { false } } != nil)
        let store = try SQLiteStore(path: file.path, name: "local")
        let fred = try user("fred@example.org")
        try store.write { try $0.insert(.user(fred)) }
        #expect(eventually { reader.answer(.entries([fred.address])) == .entry(.user(fred, forward: nil), key: 0) })
        #expect(FileStamp(file.path + "-wal") == nil)
    }

    @Test func theLogIsEmptiedAndGoesAtTheEnd() throws {
        let file = try TemporaryFile()
        _ = try file.store()
        var (upkeep, _): (SQLiteUpkeep?, Told) = upkeep(file)
        let reader = SQLiteReader(name: "local", upkeep: try #require(upkeep))
        upkeep = nil
        #expect(reader.check() == nil)
        try file.sql("INSERT INTO entry (key, domain_id, kind) VALUES ('anna', 1, 'user')")
        #expect(eventually { FileStamp(file.path + "-wal")?.size == 0 })
        #expect(reader.answer(.entries([try mailbox("anna@example.org")])) != .absent)
        reader.release()
        #expect(eventually { FileStamp(file.path + "-wal") == nil && FileStamp(file.path + "-shm") == nil })
    }

    /// A file is examined in the order of its tables, with rests; the rest may end it.
    @Test func anExaminationRestsAndCanBeGivenUp() throws {
        let file = try TemporaryFile()
        _ = try file.store(try (0..<5000).map { .user(try user("u\($0)@example.org", "Claude \($0)")) })
        var pointer: OpaquePointer?
        #expect(sqlite3_open_v2(file.path, &pointer, SQLITE_OPEN_READONLY, nil) == SQLITE_OK)
        defer { sqlite3_close_v2(pointer) }
        let connection = try #require(pointer)
        let rests = Atomic(0)
        // At each look at the clock, however fast this machine is.
        let whole = Examination(slice: 0) { _ in
            rests.add(1, ordering: .relaxed)
            return false
        }
        #expect(try whole.run(connection, isUrgent: false) == [])
        #expect(rests.load(ordering: .relaxed) > 0)
        #expect(try Examination(slice: 0) { _ in true }.run(connection, isUrgent: false) == nil)
        #expect(try Examination(slice: 0) { _ in true }.run(connection, isUrgent: true) == [])
    }

    /// Where this user may not write, a file is read as one that doesn't change, and what is read while it does is of no use.
    @Test func aFileThatIsReadWithoutTheRightToWrite() throws {
        let file = try TemporaryFile()
        _ = try file.store([.user(try user("anna@example.org"))])
        let paths = DirectoryPaths(file.path)
        usleep(30_000)
        let connection = try ReadConnection(paths, .unchanging)
        let anna = Lookup.entries([try mailbox("anna@example.org")])
        #expect(try connection.beginSnapshot())
        #expect(try connection.answer(anna) != .absent)
        #expect(FileStamp(paths.index) == nil)
        let store = try SQLiteStore(path: file.path, name: "local")
        try store.write { try $0.remove(.user, at: mailbox("anna@example.org")) }
        let error = #expect(throws: SQLiteFailure.self) { try connection.answer(anna) }
        #expect(error?.message.contains("is being written") == true)
        connection.endSnapshot()
    }

    @Test func namesOfFilesAsURIs() {
        #expect(FileAccess.shared.name("/a b/c?d") == "/a b/c?d")
        #expect(FileAccess.unchanging.name("/a b/100%?#ü") == "file:/a b/100%25%3f%23%c3%bc?immutable=1")
    }
}
