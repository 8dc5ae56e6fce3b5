// What the schema itself enforces, against raw SQL; and the plans of all statements that questions use.

import AddresseeSchema
import GRDB
import GRDBSQLite
import MailAddress
import MailboxDirectory
import Testing

@testable import SQLiteDirectory

@Suite struct SchemaTests {
    @Test(arguments: [
        // One address is one thing.
        "INSERT INTO entry (key, domain_id, kind) VALUES ('fred', 1, 'moved')",
        "INSERT INTO entry (key, domain_id, kind, expn) VALUES ('fred', 1, 'list', 'anyone')",
        "INSERT INTO entry (key, domain_id, kind) VALUES ('fred', 1, 'user')",
        "UPDATE entry SET kind = 'alias' WHERE key = 'fred'",
        "UPDATE entry SET forward = 'auto' WHERE key = 'gone'",
        "INSERT INTO entry (key, domain_id, kind) VALUES ('x', 1, 'forward')",
        "INSERT INTO entry (key, domain_id, kind) VALUES ('x', 1, 'list')",
        "INSERT INTO entry (key, domain_id, kind) VALUES ('x', 1, 'person')",
        "INSERT INTO entry (key, domain_id, kind, login_key) VALUES ('x', 1, 'moved', 'x')",
        "INSERT INTO entry (key, domain_id, kind, keep_copy) VALUES ('x', 1, 'user', 1)",
        "INSERT INTO entry (key, domain_id, kind, status) VALUES ('x', 1, 'user', 'asleep')",
        "INSERT INTO entry (key, domain_id, kind, full_name) VALUES ('x', 1, 'alias', 'Name')",
        "INSERT INTO entry (key, domain_id, kind, full_name) VALUES ('x', 1, 'user', '')",
        "INSERT INTO entry (key, domain_id, kind) VALUES ('', 1, 'user')",
        // One login is one user's.
        "INSERT INTO entry (key, domain_id, kind, login_key) VALUES ('x', 1, 'user', 'fc')",
        // Everything stands in a domain, and a domain with something in it stays.
        "INSERT INTO entry (key, domain_id, kind) VALUES ('x', 99, 'user')",
        "DELETE FROM domain",
        "INSERT INTO reference (key, domain_id, role, position, to_key, to_domain_key) VALUES ('no', 1, 'target', 0, 'a', 'b')",
        "INSERT INTO reference (key, domain_id, role, position, to_key, to_domain_key) VALUES ('gone', 1, 'friend', 0, 'a', 'b')",
        "INSERT INTO domain (key) VALUES ('example.org')",
        "INSERT INTO domain (key, kind) VALUES ('x.example', 'alias')",
        "INSERT INTO domain (key, target_key) VALUES ('x.example', 'y.example')",
        "INSERT INTO domain (key, catch_all_key) VALUES ('x.example', 'y')",
        // STRICT.
        "INSERT INTO entry (key, domain_id, kind) VALUES ('x', 'one', 'user')",
    ])
    func refused(sql: String) throws {
        let file = try TemporaryFile()
        _ = try file.store([
            .user(try user("fred@example.org", login: "fc")), .moved(Moved(address: try mailbox("gone@example.org"))),
        ])
        #expect(throws: DatabaseError.self) { try file.sql(sql) }
    }

    @Test func aForwardMaySitOnAUser() throws {
        let file = try TemporaryFile()
        _ = try file.store([.user(try user("fred@example.org", login: "fc"))])
        try file.sql(
            """
            UPDATE entry SET forward = '251', keep_copy = 1 WHERE key = 'fred';
            INSERT INTO reference (key, domain_id, role, position, to_key, to_domain_key)
            VALUES ('fred', 1, 'target', 0, 'f', 'x.example');
            """)
        let address = try mailbox("fred@example.org")
        let forward = Forward(
            address: address, targets: [try mailbox("f@x.example")], keepsCopy: true, reply: .announced)
        let answer = file.reader().answer(.entries([address]))
        #expect(answer == .entry(.user(try user("fred@example.org", login: "fc"), forward: forward), key: 0))
    }

    @Test(arguments: QuestionSQL.all)
    func noQuestionScans(sql: String) throws {
        let file = try TemporaryFile()
        let store = try file.store()
        let plan = try store.queue.read { database in
            let rows = try PreparedStatement(try #require(database.sqliteConnection), "EXPLAIN QUERY PLAN \(sql)")
            var plan: [String] = []
            while try rows.step() { plan.append(try rows.string(3)) }
            return plan
        }
        #expect(!plan.isEmpty)
        for step in plan { #expect(step.hasPrefix("SEARCH "), "\(step)") }
    }

    @Test func theFileIsOfWAL() throws {
        let file = try TemporaryFile()
        let store = try file.store()
        try store.queue.writeWithoutTransaction { (database: Database) throws in
            #expect(try String.fetchOne(database, sql: "PRAGMA journal_mode") == "wal")
            #expect(try Int.fetchOne(database, sql: "PRAGMA synchronous") == 2)
            #expect(try Int.fetchOne(database, sql: "PRAGMA foreign_keys") == 1)
            #expect(try Int.fetchOne(database, sql: "PRAGMA user_version") == Schema.version)
            #expect(try Int32.fetchOne(database, sql: "PRAGMA application_id") == Schema.applicationID)
            #expect(try String.fetchAll(database, sql: "PRAGMA integrity_check") == ["ok"])
        }
    }
}
