// What a reader sees of changes, alone and in a batch, and what it forgets.

import Foundation
import GRDB
import GRDBSQLite
import MailAddress
import MailboxDirectory
import Testing

@testable import SQLiteDirectory

@Suite struct ReaderTests {
    @Test func aChangeIsSeenByTheNextQuestion() throws {
        let file = try TemporaryFile()
        let store = try file.store()
        let (reader, second) = (file.reader(), try Domain("second.example"))
        let fred = try mailbox("fred@second.example")
        for _ in 0..<3 {
            #expect(reader.answer(.domain(second)) == .absent)
            try store.write {
                try $0.insert(.domain(DomainRecord(domain: second)))
                try $0.insert(.user(user("fred@second.example")))
            }
            #expect(reader.answer(.domain(second)) == .domain(DomainRecord(domain: second)))
            #expect(reader.answer(.entries([fred])) != .absent)
            // The row gets the same number again, so the old record must be forgotten too.
            try store.write {
                try $0.replace(.domain(DomainRecord(domain: second, kind: .relay)))
            }
            #expect(reader.answer(.domain(second)) == .domain(DomainRecord(domain: second, kind: .relay)))
            try store.write {
                try $0.remove(.user, at: fred)
                try $0.removeDomain(second)
            }
        }
    }

    @Test func aBatchSeesOneState() throws {
        let file = try TemporaryFile()
        let store = try file.store()
        let reader = file.reader()
        let fred = try mailbox("fred@example.org")
        reader.beginBatch()
        #expect(reader.answer(.entries([fred])) == .absent)
        try store.write { try $0.insert(.user(user("fred@example.org"))) }
        #expect(reader.answer(.entries([fred])) == .absent)
        reader.endBatch()
        reader.beginBatch()
        #expect(reader.answer(.entries([fred])) != .absent)
        reader.endBatch()
        // An empty one costs nothing and harms nothing.
        reader.beginBatch()
        reader.endBatch()
        reader.endBatch()
    }

    /// Batch after batch without an end: whatever is written between two of them, by whomever, is seen by the second.
    @Test func batchAfterBatchSeesEachChange() throws {
        let file = try TemporaryFile()
        let store = try file.store()
        let reader = file.reader()
        for index in 0..<50 {
            let next = try mailbox("u\(index)@example.org")
            reader.beginBatch()
            #expect(reader.answer(.entries([next])) == .absent)
            let before = try #require(reader.version())
            reader.beginBatch()
            #expect(reader.version() == before)
            if index.isMultiple(of: 2) {
                try store.write { try $0.insert(.user(user("u\(index)@example.org"))) }
            } else {
                try file.sql("INSERT INTO entry (key, domain_id, kind) VALUES ('u\(index)', 1, 'user')")
            }
            // What the log holds may move into the file meanwhile.
            if index.isMultiple(of: 5) { try store.queue.writeWithoutTransaction { _ = try $0.checkpoint(.passive) } }
            reader.beginBatch()
            #expect(reader.answer(.entries([next])) != .absent)
            #expect(try #require(reader.version()) > before)
        }
        reader.endBatch()
        try store.queue.writeWithoutTransaction { database in
            let row = try Row.fetchOne(database, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
            #expect(row?[0] == 0)
        }
    }

    @Test func aReaderAtRestHoldsNoTransaction() throws {
        let file = try TemporaryFile()
        let store = try file.store([.user(try user("fred@example.org", "Fred Claude"))])
        let reader = file.reader()
        let fred = try mailbox("fred@example.org")
        _ = reader.answer(.entries([fred]))
        _ = reader.answer(.name(NameQuery(localPart: nil, folded: Array("fred".utf8), limit: 1)))
        reader.beginBatch()
        _ = reader.answer(.entries([fred]))
        reader.endBatch()
        // A checkpoint that truncates needs every reader out of the log.
        try store.write { try $0.insert(.user(user("anna@example.org"))) }
        try store.queue.writeWithoutTransaction { database in
            let row = try Row.fetchOne(database, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
            #expect(row?[0] == 0)
        }
    }

    @Test func rememberedDomainsAreBounded() throws {
        let file = try TemporaryFile()
        _ = try file.store()
        let reader = file.reader()
        for index in 0..<(Questions.knownDomainLimit * 2 + 10) {
            #expect(reader.answer(.domain(try Domain("d\(index).example"))) == .absent)
        }
        #expect(reader.answer(.domain(try Domain("example.org"))) != .absent)
    }

    @Test func twoReadersOnOneFile() throws {
        let file = try TemporaryFile()
        let store = try file.store()
        let readers = [file.reader(), file.reader()]
        for index in 0..<50 {
            try store.write { try $0.insert(.user(user("u\(index)@example.org"))) }
            for reader in readers {
                #expect(reader.answer(.entries([try mailbox("u\(index)@example.org")])) != .absent)
            }
        }
    }
}

struct VersionTests {
    /// Whoever remembers answers has to hear of every change, by whomever.
    @Test func isAnotherOneAfterEachChange() throws {
        let file = try TemporaryFile()
        let store = try file.store()
        let reader = file.reader()
        func version() throws -> UInt64 {
            reader.beginBatch()
            defer { reader.endBatch() }
            return try #require(reader.version())
        }
        var last = try version()
        #expect(try version() == last)
        for number in 0..<20 {
            if number.isMultiple(of: 2) {
                try store.write { try $0.insert(.user(try user("user\(number)@example.org"))) }
            } else {
                try file.sql("UPDATE entry SET full_name = 'Nr \(number)'")
            }
            let next = try version()
            #expect(next > last)
            #expect(try version() == next)
            last = next
        }
    }

    /// What was not found tells nothing from then on, and again when the doubt has ended.
    @Test func isAnotherOneWithEachDoubt() throws {
        let file = try TemporaryFile()
        _ = try file.store()
        let reader = file.reader()
        let soundness = OpenDirectory.at(file.path).soundness
        var versions: [UInt64] = []
        for doubt in [nil, "it is damaged", "it is damaged", "it is another", nil, nil] as [String?] {
            soundness.set(doubt)
            reader.beginBatch()
            versions.append(try #require(reader.version()))
            #expect(reason(reader.answer(.domain(try Domain("nowhere.example")))) == doubt)
            reader.endBatch()
        }
        #expect(versions[1] > versions[0] && versions[2] == versions[1] && versions[3] > versions[2])
        #expect(versions[4] > versions[3] && versions[5] == versions[4])
    }

    @Test func thereIsNoneWithoutAFile() throws {
        let file = try TemporaryFile()
        let reader = file.reader()
        reader.beginBatch()
        #expect(reader.version() == nil)
        reader.endBatch()
    }

    @Test func isAnotherOneForAnotherFile() throws {
        let file = try TemporaryFile()
        _ = try file.store()
        let reader = file.reader()
        reader.beginBatch()
        let before = try #require(reader.version())
        reader.endBatch()
        let other = try TemporaryFile()
        _ = try other.store()
        try FileManager.default.removeItem(atPath: file.path)
        try FileManager.default.moveItem(atPath: other.path, toPath: file.path)
        usleep(5000)
        reader.beginBatch()
        #expect(reader.version() != before)
        reader.endBatch()
    }
}
