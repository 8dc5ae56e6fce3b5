// Files that are no directory, not yet, no longer, or of another time. A reader says "could not tell", a store throws,
// and both say what to do.

import AddresseeSchema
import Foundation
import GRDB
import GRDBSQLite
import MailAddress
import MailboxDirectory
import Synchronization
import Testing

@testable import SQLiteDirectory

@Suite struct FileTroubleTests {
    private func openingTrouble(_ path: String) -> String? {
        guard case .trouble(let trouble)? = storeError({ _ = try SQLiteStore(path: path, name: "local") }) else {
            return nil
        }
        #expect(trouble.source == "local")
        return trouble.reason
    }

    private func creatingTrouble(_ path: String) -> String? {
        guard case .trouble(let trouble)? = storeError({ try SQLiteStore.create(path: path) }) else { return nil }
        return trouble.reason
    }

    /// Both a reader and a store give this reason.
    private func expect(_ path: String, _ part: String) throws {
        let reader = SQLiteReader(path: path, name: "local")
        #expect(reader.check()?.reason.contains(part) == true)
        for lookup in [Lookup.domain(try Domain("example.org")), .entries([try mailbox("fred@example.org")])] {
            let reason = reason(reader.answer(lookup))
            #expect(reason?.contains(part) == true, "\(reason ?? "an answer")")
        }
        let opening = openingTrouble(path)
        #expect(opening?.contains(part) == true, "\(opening ?? "opened")")
    }

    @Test func missing() throws {
        let file = try TemporaryFile()
        try expect(file.path, "addressee init")
        try expect(file.path + "/x", "there is no file")
        #expect(creatingTrouble(file.directory.path + "/no/x.sqlite")?.contains("mkdir -p") == true)
        try Data().write(to: URL(filePath: file.path))
        try expect(file.path + "/x", "no directory")
        #expect(creatingTrouble(file.path)?.contains("already") == true)
        try expect(file.directory.path, "not a file")
    }

    @Test func notADatabase() throws {
        let file = try TemporaryFile()
        try Data(repeating: 0x41, count: 10_000).write(to: URL(filePath: file.path))
        try expect(file.path, "is not an SQLite database")
    }

    @Test func foreign() throws {
        let file = try TemporaryFile()
        try file.sql("CREATE TABLE cookies (a); PRAGMA user_version = 1")
        try expect(file.path, "some other program")
        let empty = try TemporaryFile()
        try Data().write(to: URL(filePath: empty.path))
        try expect(empty.path, "is empty; restore it from a backup")
    }

    @Test func newer() throws {
        let file = try TemporaryFile()
        _ = try file.store()
        try file.sql("PRAGMA user_version = 7")
        try expect(file.path, "is of version 7, and this program knows version \(Schema.version); install")
    }

    @Test func aTransportThatIsNone() throws {
        let file = try TemporaryFile()
        _ = try file.store()
        try file.sql("UPDATE domain SET transport = 'smtp:a b'")
        let answer = file.reader().answer(.domain(try Domain("example.org")))
        #expect(reason(answer)?.contains("example.org has a transport that is not TRANSPORT:NEXTHOP") == true)
    }

    @Test func othersMayNotRead() throws {
        let file = try TemporaryFile()
        _ = try file.store([.user(try user("fred@example.org"))])
        for part in ["", "-wal"] where FileManager.default.fileExists(atPath: file.path + part) {
            let attributes = try FileManager.default.attributesOfItem(atPath: file.path + part)
            let mode = try #require(attributes[.posixPermissions] as? Int)
            #expect(mode & 0o7 == 0)
        }
    }

    @Test func becomesNewerWhileOpen() throws {
        let file = try TemporaryFile()
        _ = try file.store()
        let reader = file.reader()
        #expect(reader.check() == nil)
        try file.sql("PRAGMA user_version = 7")
        #expect(reader.check()?.reason.contains("version 7") == true)
        try file.sql("PRAGMA user_version = \(Schema.version)")
        Thread.sleep(forTimeInterval: 0.1)
        #expect(reader.check() == nil)
    }

    @Test func olderIsBroughtUpToDate() throws {
        let file = try TemporaryFile()
        try file.store([.user(try user("fred@example.org"))]).queue.close()
        let next = Schema.migrations + [(3, "0003-note", "CREATE TABLE note (a TEXT) STRICT")]
        let broken = Schema.migrations + [(3, "0003-note", "CREATE TABLE note (a TEXT) STRICT; SELECT nonsense")]
        #expect(throws: StoreError.self) { try SQLiteStore(path: file.path, name: "local", migrations: broken) }
        #expect(openingTrouble(file.path) == nil)
        _ = try SQLiteStore(path: file.path, name: "local", migrations: next)
        try file.sql("INSERT INTO note VALUES ('x')")
        try expect(file.path, "is of version 3")
    }

    /// Of two who bring a file up to date at once the second finds nothing to do.
    @Test func nothingIsAppliedTwice() throws {
        let file = try TemporaryFile()
        let store = try file.store()
        for start in Schema.migrations.indices { try SQLiteStore.apply(Schema.migrations[start...], to: store.queue) }
        #expect(try store.queue.read { try Int.fetchOne($0, sql: "PRAGMA user_version") } == Schema.version)
        let next = Schema.migrations + [(Schema.version + 1, "note", "CREATE TABLE note (a TEXT) STRICT")]
        for _ in 0..<2 { try SQLiteStore.apply(next[...], to: store.queue) }
        #expect(try store.queue.read { try Int.fetchOne($0, sql: "PRAGMA user_version") } == Schema.version + 1)
    }

    @Test func corruptPage() throws {
        let file = try TemporaryFile()
        try file.store(try (0..<2000).map { .user(try user("u\($0)@example.org", "Claude \($0)")) }).queue.close()
        let handle = try FileHandle(forUpdating: URL(filePath: file.path))
        let size = try handle.seekToEnd()
        // All but the header and the schema.
        try handle.seek(toOffset: 5 * 4096)
        try handle.write(contentsOf: Data(repeating: 0xA5, count: Int(size) - 5 * 4096))
        try handle.close()
        let reader = file.reader()
        var troubles = 0
        for index in 0..<2000 {
            let answer = reader.answer(.entries([try mailbox("u\(index)@example.org")]))
            if let reason = reason(answer) {
                #expect(reason.contains("damaged"))
                troubles += 1
            } else {
                #expect(answer != .absent)
            }
        }
        #expect(troubles > 1000)
    }

    @Test func rowsThatCannotBeRead() throws {
        let file = try TemporaryFile()
        let alias = Alias(address: try mailbox("a@example.org"), targets: [try mailbox("b@example.org")])
        _ = try file.store([
            .user(try user("u@example.org", "Fred")), .alias(alias), .user(try user("good@example.org")),
        ])
        try file.sql(
            """
            DELETE FROM reference;
            UPDATE entry SET full_name = CAST(x'46ff' AS TEXT) WHERE key = 'u';
            """)
        let reader = file.reader()
        reader.beginBatch()
        #expect(reason(reader.answer(.entries([alias.address])))?.contains("a@example.org leads nowhere") == true)
        #expect(reason(reader.answer(.entries([try mailbox("u@example.org")])))?.contains("UTF-8") == true)
        // The connection is as good as before.
        #expect(reason(reader.answer(.entries([try mailbox("good@example.org")]))) == nil)
        reader.endBatch()
    }

    /// A table that somebody has dropped is no reason to say that nobody is there: to whom had the file open and to whom
    /// opens it, in a store and in an examination.
    @Test(arguments: ["domain", "entry", "reference", "name"])
    func aTableThatIsGone(table: String) throws {
        let file = try TemporaryFile()
        let (list, nobody) = (try mailbox("list@example.org"), try mailbox("nobody@example.org"))
        _ = try file.store([.list(MailingList(address: list), members: [ListMember(mailbox: nobody)])])
        let reader = file.reader()
        let lookups: [String: Lookup] = [
            "domain": .domain(try Domain("nowhere.example")), "entry": .entries([nobody]),
            "reference": .members(of: list),
            "name": .name(NameQuery(localPart: nil, folded: Array("nobody".utf8), limit: 1)),
        ]
        let lookup = try #require(lookups[table])
        #expect(reason(reader.answer(lookup)) == nil)
        try file.sql("PRAGMA foreign_keys = OFF; DROP TABLE \(table)")
        let told = reason(reader.answer(lookup))
        #expect(told?.contains("no such table: \(table)") == true, "\(told ?? "an answer")")
        for lookup in lookups.values {
            let told = reason(file.reader().answer(lookup))
            #expect(told?.contains("no such table: \(table)") == true, "\(told ?? "an answer")")
        }
        let error = storeError {
            let store = try SQLiteStore(path: file.path, name: "local")
            _ = try store.read { try $0.record(.user, at: nobody) }
        }
        #expect("\(String(describing: error))".contains("no such table: \(table)"))
        // It is no fault of one record that the others could be listed beside.
        let listing = storeError {
            try SQLiteStore(path: file.path, name: "local").read { reading in
                try reading.forEach(.list, in: nil, faulty: { Issue.record("\($0)") }) { _ in }
            }
        }
        #expect("\(String(describing: listing))".contains("no such table: \(table)"))
        let records = RecordCheck(defaultDomain: try Domain("example.org"))
        let findings = SQLiteCheck(path: file.path, name: "local").findings(records)
        #expect(findings.contains { $0.severity == .error && $0.text.contains("no such table: \(table)") })
    }

    @Test func goneAndReplacedWhileOpen() throws {
        let (file, other) = (try TemporaryFile(), try TemporaryFile())
        try file.store([.user(try user("fred@example.org"))]).queue.close()
        try other.store([.user(try user("anna@example.org"))]).queue.close()
        let reader = file.reader()
        let (fred, anna) = (try mailbox("fred@example.org"), try mailbox("anna@example.org"))
        #expect(reader.answer(.entries([anna])) == .absent)
        for part in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: file.path + part) }
        Thread.sleep(forTimeInterval: 1.1)
        #expect(reason(reader.answer(.entries([fred])))?.contains("there is no file") == true)
        #expect(reason(reader.answer(.entries([anna])))?.contains("there is no file") == true)
        try FileManager.default.moveItem(atPath: other.path, toPath: file.path)
        Thread.sleep(forTimeInterval: 1.1)
        #expect(reader.answer(.entries([fred])) == .absent)
        #expect(reason(reader.answer(.entries([anna]))) == nil)
        // Replaced in one go, as rename() does it.
        try FileManager.default.removeItem(at: other.directory)
        let third = try TemporaryFile()
        try third.store([.user(try user("fred@example.org"))]).queue.close()
        #expect(rename(third.path, file.path) == 0)
        Thread.sleep(forTimeInterval: 1.1)
        #expect(reader.answer(.entries([anna])) == .absent)
    }

    @Test func lockedStoreAndReader() throws {
        let file = try TemporaryFile()
        let store = try file.store([.user(try user("fred@example.org"))])
        let reader = file.reader()
        // A writer's transaction is nothing to a reader.
        try store.write { transaction in
            try transaction.insert(.user(user("anna@example.org")))
            #expect(reader.answer(.entries([try mailbox("anna@example.org")])) == .absent)
        }
        #expect(reason(reader.answer(.entries([try mailbox("anna@example.org")]))) == nil)
        #expect(SQLiteFailure(code: SQLITE_BUSY, message: "").reason(path: "x").contains("locked"))
    }

    /// SQLite does not tell which disk is full: it sorts and stages elsewhere.
    @Test func fullDisk() {
        let reason = SQLiteFailure(code: SQLITE_FULL, message: "").reason(path: "x.sqlite")
        for part in ["x.sqlite", "temporary files", "SQLITE_TMPDIR"] { #expect(reason.contains(part)) }
    }

    /// With these a reply could be given a second line.
    @Test(arguments: [
        ("UPDATE entry SET local_part = 'fred' || char(13, 10) || '250 x' WHERE key = 'fred'", "fred@example.org"),
        ("UPDATE entry SET local_part = 'fred' || char(0) WHERE key = 'fred'", "fred@example.org"),
        ("UPDATE domain SET name = 'EXAMPLE' || char(10) || '.org'", "fred@example.org"),
        ("UPDATE domain SET catch_all_key = 'x' || char(13), catch_all_domain_key = 'a'", "fred@example.org"),
        ("UPDATE reference SET to_key = 'x' || char(13)", "info@example.org"),
        ("UPDATE reference SET to_local_part = 'x' || char(127)", "info@example.org"),
        ("UPDATE reference SET to_domain_key = 'x' || char(13)", "info@example.org"),
        ("UPDATE reference SET to_domain = 'x' || char(10)", "info@example.org"),
    ])
    func controlCharacters(sql: String, address: String) throws {
        let file = try TemporaryFile()
        _ = try file.store([
            .user(try user("fred@example.org", "Fred Claude")),
            .alias(Alias(address: try mailbox("info@example.org"), targets: [try mailbox("x@a")])),
        ])
        let query = NameQuery(localPart: nil, folded: Array("claude".utf8), limit: 21)
        #expect(reason(file.reader().answer(.name(query))) == nil)
        try file.sql(sql)
        let told = reason(file.reader().answer(.entries([try mailbox(address)])))
        #expect(told?.contains("control character") == true, "\(told ?? "an answer")")
        #expect(told?.utf8.allSatisfy { $0 >= 32 } == true)
        guard sql.contains("UPDATE entry") else { return }
        #expect(reason(file.reader().answer(.name(query)))?.contains("control character") == true)
    }

    /// Found by a name, an address has its key from the row too.
    @Test func controlCharacterInAKey() throws {
        let file = try TemporaryFile()
        _ = try file.store([.user(try user("fred@example.org", login: "fc"))])
        try file.sql("UPDATE entry SET key = 'fred' || char(13, 10) || '250 x'")
        let query = NameQuery(localPart: nil, folded: Array("fc".utf8), limit: 21)
        #expect(reason(file.reader().answer(.name(query)))?.contains("control character") == true)
    }

    /// Nobody is sent to a command that is not there.
    @Test func whatToDoAboutRows() throws {
        let file = try TemporaryFile()
        let alias = Alias(address: try mailbox("a@example.org"), targets: [try mailbox("b@example.org")])
        let forward = Forward(address: try mailbox("f@example.org"), targets: [try mailbox("b@example.org")])
        _ = try file.store([.alias(alias), .forward(forward)])
        try file.sql(
            """
            PRAGMA ignore_check_constraints = ON;
            UPDATE reference SET to_key = '' WHERE key = 'a';
            UPDATE entry SET forward = 'loud' WHERE key = 'f';
            """)
        let reader = file.reader()
        for (address, part) in [(alias.address, "points nowhere"), (forward.address, "unknown reply")] {
            let told = reason(reader.answer(.entries([address]))) ?? ""
            #expect(told.contains(part) && told.contains("sqlite3") && !told.contains("addressee check"))
        }
    }

    @Test(.enabled(if: geteuid() != 0, "root may read and write anything"))
    func permissions() throws {
        let file = try TemporaryFile()
        try file.store().queue.close()
        try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: file.path)
        try expect(file.path, "let this user read it")
    }

    /// Once what is wrong is tried again at once: the file may just have been put there.
    @Test func theSecondAttemptIsAtOnce() throws {
        let (file, other) = (try TemporaryFile(), try TemporaryFile())
        try other.store([.user(try user("fred@example.org"))]).queue.close()
        let (reader, fred) = (file.reader(), Lookup.entries([try mailbox("fred@example.org")]))
        for _ in 0..<2 {
            #expect(reason(reader.answer(fred))?.contains("there is no file") == true)
            #expect(rename(other.path, file.path) == 0)
            #expect(reason(reader.answer(fred)) == nil)
            reader.release()
            #expect(rename(file.path, other.path) == 0)
        }
    }

    /// A file that is wrong again and again is looked at ever more seldom: not for each question.
    @Test func whatFailsIsNotTriedForEachQuestion() throws {
        let file = try TemporaryFile()
        let reader = file.reader()
        var (last, attempts) = ("", 0)
        for number in 0..<200 {
            // Whoever looks finds something else than who looked before.
            #expect((number.isMultiple(of: 2) ? mkdir(file.path, 0o700) : rmdir(file.path)) == 0)
            let told = reason(reader.answer(.entries([try mailbox("fred@example.org")]))) ?? "an answer"
            if told != last { attempts += 1 }
            last = told
        }
        #expect((2..<60).contains(attempts), "\(attempts)")
    }

    /// A command waits for a lock ten seconds, and says so once, after the first.
    @Test func waitingForALock() throws {
        let told = Mutex<[String]>([])
        let mode = LockWait.mode("/d.sqlite") { text in told.withLock { $0.append(text) } }
        guard case .callback(let wait) = mode else {
            Issue.record("no steps")
            return
        }
        // By then 0.94, 0.99 and 1.04 seconds have gone.
        for attempts in [0, 23, 24, 25] { #expect(wait(attempts)) }
        #expect(
            told.withLock { $0 } == ["/d.sqlite is locked by another program; waiting for it, at most 10 s"])
        #expect(wait(204))
        #expect(!wait(205))
        #expect(!wait(100_000))
        #expect(told.withLock { $0.count } == 1)
    }

    /// A file that was made and can't be filled is taken away again.
    @Test func aFileThatCanNotBeFilledIsNotLeft() throws {
        let file = try TemporaryFile()
        #expect(mkdir(file.path + "-wal", 0o700) == 0)
        #expect(storeError { try SQLiteStore.create(path: file.path) } != nil)
        #expect(access(file.path, F_OK) != 0)
        #expect(rmdir(file.path + "-wal") == 0)
        try SQLiteStore.create(path: file.path)
        #expect(storeError { try SQLiteStore.create(path: file.path) } != nil)
        #expect(access(file.path, F_OK) == 0)
    }
}
