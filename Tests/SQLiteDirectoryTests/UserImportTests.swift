// Users by the thousand: all or none, and who is at fault.

import GRDB
import GRDBSQLite
import MailAddress
import MailboxDirectory
import Testing

@testable import SQLiteDirectory

@Suite struct UserImportTests {
    private func users(_ count: Int) throws -> [User] {
        try (0..<count).map { index in
            try user(
                "User\(index &* 7919 % count)@example.org", "Claude Ünal\(index)", login: "Log\(index)",
                status: index == 5 ? .suspended : .active)
        }
    }

    @Test func importsAreAsWritten() throws {
        let (file, other) = (try TemporaryFile(), try TemporaryFile())
        let users = try users(2500)
        let store = try file.store()
        var seen: [Int] = []
        #expect(try store.importUsers(users, progress: { seen.append($0) }) == 2500)
        #expect(seen == [])
        _ = try other.store(users.map { .user($0) })
        for table in ["entry", "name"] {
            var rows: [[Row]] = []
            for path in [file.path, other.path] {
                try DatabaseQueue(path: path).read {
                    rows.append(try Row.fetchAll($0, sql: "SELECT * FROM \(table) ORDER BY 1, 2, 3"))
                }
            }
            #expect(rows[0] == rows[1])
            #expect(!rows[0].isEmpty)
        }
        // The checks of the schema are back.
        #expect(throws: DatabaseError.self) {
            try store.queue.write { try $0.execute(sql: "UPDATE entry SET kind = 'person'") }
        }
        #expect(try store.importUsers([]) == 0)
    }

    @Test func progressIsTold() throws {
        let file = try TemporaryFile()
        var seen: [Int] = []
        try file.store().importUsers(users(25_000), progress: { seen.append($0) })
        #expect(seen == [10_000, 20_000])
    }

    @Test func aUserJoinsAForward() throws {
        let file = try TemporaryFile()
        let user = try user("Fred@example.org", "Fred")
        let forward = Forward(address: user.address, targets: [try mailbox("f@x.example")], keepsCopy: true)
        let store = try file.store([.forward(forward)])
        #expect(try store.importUsers([user]) == 1)
        #expect(file.reader().answer(.entries([user.address])) == .entry(.user(user, forward: forward), key: 0))
    }

    @Test func whoIsAtFault() throws {
        let moved = Record.moved(Moved(address: try mailbox("gone@example.org")))
        let held = Record.user(try user("held@example.org", login: "held"))
        let forward = Record.forward(
            Forward(address: try mailbox("fw@example.org"), targets: [try mailbox("f@x.example")]))
        let good = try users(100)
        let twin = try user("USER7@example.org")
        let cases: [([User], StoreError)] = [
            ([try user("gone@example.org")], .addressTaken(try mailbox("gone@example.org"), by: .moved)),
            ([try user("held@example.org")], .addressTaken(try mailbox("held@example.org"), by: .user)),
            ([twin], .addressTaken(twin.address, by: .user)),
            (
                [try user("gone@example.org"), try user("held@example.org")],
                .addressTaken(try mailbox("gone@example.org"), by: .moved)
            ),
            ([try user("x@example.org", login: "LOG3")], .loginTaken("LOG3")),
            ([try user("x@example.org", login: "Held")], .loginTaken("Held")),
            ([try user("x@else.example")], .noSuchDomain(try Domain("else.example"))),
            ([try user("x@example.org", login: "held"), twin], .loginTaken("held")),
        ]
        for (bad, expected) in cases {
            let file = try TemporaryFile()
            let store = try file.store([moved, held, forward])
            #expect(throws: BulkError(index: good.count, reason: expected)) { try store.importUsers(good + bad) }
            #expect(file.reader().answer(.entries([good[0].address])) == .absent)
            // Nothing is left in the way of the next one.
            #expect(try store.importUsers(good) == 100)
        }
        let file = try TemporaryFile()
        let store = try file.store([forward])
        let pair = [try user("fw@example.org"), try user("FW@example.org")]
        #expect(throws: BulkError(index: 1, reason: .addressTaken(pair[1].address, by: .user))) {
            try store.importUsers(pair)
        }
    }

    /// However slowly an import is read, others write meanwhile, at once.
    @Test func othersWriteWhileAnImportIsRead() throws {
        let file = try TemporaryFile()
        let store = try file.store([.domain(DomainRecord(domain: try Domain("b.example")))])
        let other = try SQLiteStore(path: file.path, name: "local")
        var rest = [try user("one@example.org"), try user("two@b.example"), try user("three@example.org")]
        let added = try store.importUsers {
            let address = try mailbox("other\(rest.count)@example.org")
            let clock = ContinuousClock()
            let began = clock.now
            try other.write { try $0.insert(.moved(Moved(address: address))) }
            // Far less than the patience with a lock that is held.
            #expect(clock.now - began < .seconds(SQLiteStore.lockPatience / 2))
            #expect(file.reader().answer(.entries([try mailbox("three@example.org")])) == .absent)
            return rest.popLast()
        }
        #expect(added == 3)
        for name in ["one@example.org", "two@b.example", "three@example.org", "other0@example.org"] {
            #expect(file.reader().answer(.entries([try mailbox(name)])) != .absent)
        }
    }

    @Test func whatOthersDoMeanwhileCounts() throws {
        let file = try TemporaryFile()
        let gone = try Domain("gone.example")
        let store = try file.store([.domain(DomainRecord(domain: gone))])
        let other = try SQLiteStore(path: file.path, name: "local")
        func importing(_ users: [User], meanwhile: (any RecordWriting) throws -> Void) throws {
            var rest = users[...]
            try store.importUsers {
                if rest.isEmpty { try other.write(meanwhile) }
                return rest.popFirst()
            }
        }
        let users = [try user("a@example.org", "Fred"), try user("b@example.org"), try user("x@gone.example")]
        let taken = StoreError.addressTaken(users[1].address, by: .moved)
        #expect(throws: BulkError(index: 1, reason: taken)) {
            try importing(users) { try $0.insert(.moved(Moved(address: users[1].address))) }
        }
        try other.write { try $0.remove(.moved, at: users[1].address) }
        #expect(throws: BulkError(index: 2, reason: .noSuchDomain(gone))) {
            try importing(users) { try $0.removeDomain(gone) }
        }
        // The number of a domain that was removed may be given to another.
        try other.write { try $0.insert(.domain(DomainRecord(domain: gone))) }
        let error = storeError {
            try importing(users) { writing in
                try writing.removeDomain(gone)
                try writing.insert(.domain(DomainRecord(domain: try Domain("new.example"))))
                try writing.insert(.domain(DomainRecord(domain: gone)))
            }
        }
        guard case .trouble(let trouble)? = error else {
            Issue.record("imported into another domain: \(String(describing: error))")
            return
        }
        #expect(trouble.reason.contains("import once more"))
        #expect(file.reader().answer(.entries([users[0].address])) == .absent)
        #expect(try store.importUsers(users) == 3)
        #expect(file.reader().answer(.entries([try mailbox("x@new.example")])) == .absent)
    }

    @Test func aRowOfNoKnownKindIsNotTakenForAUser() throws {
        let file = try TemporaryFile()
        let store = try file.store([.moved(Moved(address: try mailbox("x@example.org")))])
        try file.sql("PRAGMA ignore_check_constraints = ON; UPDATE entry SET kind = 'person'")
        guard case .trouble(let trouble)? = storeError({ try store.importUsers([try user("x@example.org")]) }) else {
            Issue.record("no trouble")
            return
        }
        #expect(trouble.reason.contains("no known kind"))
    }

    @Test func whatTheGiverThrowsIsPassedOn() throws {
        struct Stop: Error {}
        let file = try TemporaryFile()
        let store = try file.store()
        var rest = try users(10)
        #expect(throws: Stop.self) {
            try store.importUsers {
                guard let next = rest.popLast() else { throw Stop() }
                return next
            }
        }
        #expect(file.reader().answer(.entries([try mailbox("user1@example.org")])) == .absent)
    }
}
