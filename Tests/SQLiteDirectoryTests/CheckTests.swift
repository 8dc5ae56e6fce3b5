// What an examination of a SQLite directory finds, one fault at a time; and that a sound one is in order.

import Foundation
import GRDB
import MailAddress
import MailboxDirectory
import Testing

@testable import SQLiteDirectory

@Suite struct CheckTests {
    private func file(_ records: [Record] = []) throws -> TemporaryFile {
        let file = try TemporaryFile()
        try file.store(records).queue.close()
        chmod(file.path, 0o600)
        return file
    }

    private func findings(_ file: TemporaryFile, others: [any Source] = []) throws -> [Finding] {
        let records = RecordCheck(otherSources: others, defaultDomain: try Domain("example.org"))
        return SQLiteCheck(path: file.path, name: "local").findings(records)
    }

    private static func people() throws -> [Record] {
        [
            .user(try user("fred@example.org", "Fred O'Brien Claude", login: "FC")),
            .user(try user("jane@example.org")),
            .user(try user("\"Fred X\"@example.org", "Ångström Fred")),
            .alias(Alias(address: try mailbox("info@example.org"), targets: [try mailbox("fred+x@example.org")])),
            .forward(
                Forward(
                    address: try mailbox("fred@example.org"), targets: [try mailbox("f@b.example")], keepsCopy: true)),
            .list(
                MailingList(address: try mailbox("all@example.org"), owner: try mailbox("jane@example.org")),
                members: [
                    ListMember(mailbox: try mailbox("info@example.org")),
                    ListMember(mailbox: try mailbox("x@c.example")),
                ]),
            .moved(Moved(address: try mailbox("old@example.org"), newAddress: try mailbox("jane@example.org"))),
        ]
    }

    /// Records behind one that can't be read are listed, and examined.
    @Test func behindAFaultyRow() throws {
        let file = try file(Self.people())
        try file.sql(
            "PRAGMA ignore_check_constraints = ON; UPDATE entry SET status = 'asleep' WHERE key = 'fred';"
                + " UPDATE entry SET expn = 'few' WHERE key = 'all'")
        chmod(file.path, 0o600)
        let store = try SQLiteStore(path: file.path, name: "x")
        for (kind, listed) in [(RecordKind.user, 2), (.list, 0), (.alias, 1)] {
            var (count, faults) = (0, [Trouble]())
            try store.read { reading in
                try reading.forEach(kind, in: nil, faulty: { faults.append($0) }) { _ in count += 1 }
            }
            #expect(count == listed, "\(kind)")
            #expect(faults.count == (kind == .alias ? 0 : 1), "\(faults)")
            if let fault = faults.first { #expect(fault.reason.contains("the row of ")) }
        }
        #expect(throws: StoreError.self) { try store.read { try $0.forEach(.user, in: nil) { _ in } } }
        #expect(try findings(file).contains { $0.severity == .error && $0.text.contains("all@example.org") })
    }

    @Test func sound() throws {
        #expect(try findings(file(Self.people())) == [])
    }

    struct Fault: CustomStringConvertible {
        var sql: String
        var severity: Finding.Severity
        var parts: [String]

        init(_ sql: String, _ severity: Finding.Severity = .error, _ parts: String...) {
            self.sql = sql
            self.severity = severity
            self.parts = parts
        }

        var description: String { sql }
    }

    @Test(arguments: [
        Fault("DELETE FROM entry WHERE key = 'jane'", .warning, "list all@example.org", "jane@example.org", "(owner)"),
        Fault("DELETE FROM entry WHERE key = 'jane'", .warning, "moved old@example.org", "jane@example.org"),
        Fault(
            "UPDATE reference SET to_key = 'nobody' WHERE key = 'info'", .error, "alias info@example.org",
            "nobody@example.org", "where nobody is"),
        Fault(
            "UPDATE reference SET to_key = 'nobody', to_domain_key = 'example.org', to_domain = NULL WHERE role = 'member'"
                + " AND position = 1", .error, "list all@example.org", "nobody@example.org"),
        Fault(
            "UPDATE domain SET catch_all_key = 'nobody2', catch_all_domain_key = 'example.org'", .error,
            "domain example.org", "nobody2@example.org", "where nobody is"),
        Fault(
            "UPDATE reference SET to_key = 'all', to_local_part = NULL WHERE key = 'info'", .error, "there is a loop",
            "info@example.org", "all@example.org"),
        Fault(
            "INSERT INTO domain (key, kind, target_key) VALUES ('c', 'alias', 'd')", .error, "alias of d",
            "no source has"),
        Fault(
            "INSERT INTO domain (key, kind, target_key) VALUES ('c', 'alias', 'e'), ('e', 'alias', 'example.org')",
            .error, "alias of e, which is an alias itself", "make it an alias of example.org"),
        Fault(
            "UPDATE entry SET kind = 'forward', login_key = NULL, login = NULL, full_name = NULL WHERE key = 'fred'",
            .warning, "fred@example.org keeps a copy"),
        Fault("DELETE FROM reference WHERE key = 'info'", .error, "info@example.org leads nowhere"),
        Fault("DELETE FROM name WHERE word = 'claude'", .error, "fred@example.org is not found by every word"),
        Fault(
            "UPDATE entry SET full_name = 'Jim' WHERE key = 'fred'", .error, "fred@example.org is found by \"claude\"",
            "\"Jim\""),
        Fault("INSERT INTO name VALUES ('ghost', 'ghost', 1)", .note, "1 rows of users who are gone"),
        Fault("UPDATE entry SET key = 'Jane' WHERE key = 'jane'", .error, "key \"Jane\"", "not its folded form"),
        Fault("UPDATE entry SET login_key = 'FC' WHERE key = 'fred'", .error, "login of fred@example.org", "\"FC\""),
        Fault(
            "UPDATE entry SET full_name = CAST(x'46ff' AS TEXT) WHERE key = 'jane'", .error, "jane@example.org",
            "not UTF-8"),
        Fault(
            "PRAGMA foreign_keys = OFF; DELETE FROM entry WHERE key = 'info'", .error, "\"reference\"", "belong to none"
        ),
        Fault(
            "PRAGMA ignore_check_constraints = ON; UPDATE entry SET status = 'asleep' WHERE key = 'jane'", .error,
            "the row of jane@example.org", "unknown status"),
        Fault("PRAGMA user_version = 7", .error, "is of version 7", "install"),
        Fault("PRAGMA application_id = 1", .error, "some other program"),
        Fault("PRAGMA journal_mode = DELETE", .warning, "not in WAL mode"),
    ])
    func faults(_ fault: Fault) throws {
        let file = try file(Self.people())
        try file.sql(fault.sql)
        chmod(file.path, 0o600)
        let found = try findings(file)
        #expect(
            found.contains { finding in
                finding.severity == fault.severity && fault.parts.allSatisfy { finding.line.contains($0) }
            }, "\(found)")
    }

    @Test func permissions() throws {
        let file = try file(Self.people())
        /// Of the two that SQLite keeps beside it too, as the advice has it.
        func chmodAll(_ mode: mode_t) {
            for name in ["", "-wal", "-shm"] { chmod(file.path + name, mode) }
        }
        chmod(file.path, 0o644)
        #expect(try findings(file).map(\.severity) == [.warning])
        #expect(try findings(file).first?.text.contains("may be read by every user") == true)
        chmod(file.path, 0o666)
        #expect(try findings(file).first?.text.contains("may be written by every user") == true)
        chmodAll(0o600)
        chmod(file.directory.path, 0o777)
        #expect(try findings(file).first?.text.contains("another file in the place") == true)
        chmod(file.directory.path, 0o1777)
        #expect(try findings(file) == [])
    }

    @Test func noFile() throws {
        let file = try TemporaryFile()
        #expect(try findings(file).map(\.cause) == [.unreachable])
        try Data(repeating: 0x41, count: 10_000).write(to: URL(filePath: file.path))
        #expect(try findings(file).contains { $0.severity == .error && $0.cause == .configuration })
    }

    @Test func damagedPages() throws {
        let file = try TemporaryFile()
        try file.store(try (0..<2000).map { .user(try user("u\($0)@example.org", "Claude \($0)")) }).queue.close()
        let handle = try FileHandle(forUpdating: URL(filePath: file.path))
        let size = try handle.seekToEnd()
        try handle.seek(toOffset: 8 * 4096)
        try handle.write(contentsOf: Data(repeating: 0xA5, count: Int(size) - 8 * 4096))
        try handle.close()
        let found = try findings(file).filter { $0.severity == .error }
        #expect(!found.isEmpty)
        for finding in found {
            #expect(finding.cause == .directory && finding.line.contains("damaged"), "\(finding)")
            #expect(finding.advice.contains("restore a backup"))
        }
    }

    /// A target that another source has is there; one that can't be asked tells nothing, and that is told.
    @Test func otherSources() throws {
        let alias = Alias(address: try mailbox("info@example.org"), targets: [try mailbox("sue@b.example")])
        let file = try file([.alias(alias)])
        func other(_ records: [Record]) throws -> MemoryStore {
            try MemoryStore(name: "other", [.domain(DomainRecord(domain: try Domain("b.example")))] + records)
        }
        #expect(try findings(file, others: [other([.user(try user("sue@b.example"))]).source]) == [])
        #expect(try findings(file, others: [other([]).source]).map(\.cause) == [.directory])
        let failing = try findings(file, others: [FailingSource()])
        #expect(failing.map(\.cause) == [.unreachable])
        #expect(failing.first?.text.contains("on fire") == true)
    }

    @Test func manyAreCounted() throws {
        let records = try (0..<50).map { index in
            Record.alias(
                Alias(address: try mailbox("a\(index)@example.org"), targets: [try mailbox("n\(index)@example.org")]))
        }
        let found = try findings(file(records))
        #expect(found.count == FindingList.namedOfATopic + 1)
        #expect(found.last?.text == "there are 30 more records that lead to nobody")
    }

    private struct FailingSource: Source {
        let name = "other"
        func answer(_ lookup: Lookup) -> Answer { .couldNotTell(Trouble(source: name, reason: "it is on fire")) }
    }
}
