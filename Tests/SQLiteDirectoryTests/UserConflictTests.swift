// What an import makes of users who are on record, of every fault at once, and of a lock that another program holds.

import Foundation
import GRDB
import MailAddress
import MailboxDirectory
import Synchronization
import Testing

@testable import SQLiteDirectory

@Suite struct UserConflictTests {
    private static func place() throws -> (TemporaryFile, SQLiteStore) {
        let file = try TemporaryFile()
        let store = try file.store([
            .user(try user("fred@example.org", "Fred Claude", login: "fc", status: .suspended)),
            .user(try user("wilma@example.org", "Wilma Stone", login: "ws")),
            .user(try user("bare@example.org")),
            .forward(Forward(address: try mailbox("wilma@example.org"), targets: [try mailbox("w@x.example")])),
            .forward(Forward(address: try mailbox("alone@example.org"), targets: [try mailbox("a@x.example")])),
            .alias(Alias(address: try mailbox("info@example.org"), targets: [try mailbox("fred@example.org")])),
        ])
        return (file, store)
    }

    private func importing(
        _ users: [User], _ conflict: BulkConflict, into store: SQLiteStore
    ) throws -> (result: BulkResult?, faults: [BulkError]) {
        var rest = users[...]
        var faults: [BulkError] = []
        do {
            let result = try store.importUsers(
                next: { rest.popFirst() }, onConflict: conflict, fault: { faults.append($0) }, progress: { _ in })
            return (result, faults)
        } catch is BulkRefused {
            return (nil, faults.sorted { $0.index < $1.index })
        }
    }

    @Test func areKept() throws {
        let (file, store) = try Self.place()
        let users = [
            try user("FRED@example.org", "Other", login: "new"), try user("new@example.org", "New Man", login: "nm"),
            try user("alone@example.org", "Alone"), try user("bare@example.org", "Bare"),
        ]
        let done = try importing(users, .keep, into: store)
        #expect(done.result == BulkResult(added: 2, kept: 2))
        #expect(done.faults == [])
        let before = try user("fred@example.org", "Fred Claude", login: "fc", status: .suspended)
        #expect(file.reader().answer(.entries([before.address])) == .entry(.user(before, forward: nil), key: 0))
        for (word, rank) in [("new", NameRank.localPart), ("nm", .login), ("alone", .localPart)] {
            #expect(found(word, rank, in: file))
        }
        // The login of one who is kept is not taken.
        #expect(!found("new", .login, in: file))
        #expect(!found("other", .fullName, in: file) && !found("bare", .fullName, in: file))
    }

    @Test func areReplaced() throws {
        let (file, store) = try Self.place()
        // They swap their logins, which the schema lets nobody share.
        let users = [
            try user("Fred@example.org", "Frederic", login: "ws"), try user("wilma@example.org", login: "fc"),
            try user("bare@example.org", "Bare Bones", login: "bb"), try user("new@example.org", "New Man"),
        ]
        let done = try importing(users, .replace([.fullName, .login]), into: store)
        #expect(done.result == BulkResult(added: 1, replaced: 3))
        // A status that was not given stays, and so does a forward.
        let fred = try user("Fred@example.org", "Frederic", login: "ws", status: .suspended)
        #expect(file.reader().answer(.entries([fred.address])) == .entry(.user(fred, forward: nil), key: 0))
        guard case .entry(.user(let wilma, let forward?), _) = file.reader().answer(.entries([users[1].address])) else {
            Issue.record("no wilma with a forward")
            return
        }
        #expect(wilma == users[1] && forward.targets.count == 1)
        #expect(found("frederic", .fullName, in: file) && found("bones", .fullName, in: file))
        #expect(!found("claude", .fullName, in: file) && !found("stone", .fullName, in: file))
        #expect(
            SQLiteCheck(path: file.path, name: "local").findings(RecordCheck(defaultDomain: users[0].address.domain))
                == [])
    }

    /// A field that is not replaced stays, whatever the user of the import has there.
    @Test func areReplacedInPart() throws {
        let (file, store) = try Self.place()
        let done = try importing(
            [try user("fred@example.org", "Other", login: "ws", status: .full)], .replace([.status]), into: store)
        #expect(done.result == BulkResult(added: 0, replaced: 1))
        let fred = try user("fred@example.org", "Fred Claude", login: "fc", status: .full)
        #expect(file.reader().answer(.entries([fred.address])) == .entry(.user(fred, forward: nil), key: 0))
        #expect(found("claude", .fullName, in: file) && !found("other", .fullName, in: file))
    }

    @Test(arguments: [BulkConflict.refuse, .keep, .replace([.fullName, .login])])
    func everyFaultIsTold(_ conflict: BulkConflict) throws {
        let (file, store) = try Self.place()
        let users = [
            try user("fred@example.org"), try user("x@else.example"), try user("info@example.org"),
            try user("a@example.org", login: "ws"), try user("b@example.org"), try user("b@example.org"),
            try user("y@else.example"), try user("c@example.org", login: "l"), try user("d@example.org", login: "L"),
        ]
        let done = try importing(users, conflict, into: store)
        #expect(done.result == nil)
        var expected: [Int: StoreError] = [
            0: .addressTaken(users[0].address, by: .user), 1: .noSuchDomain(users[1].address.domain),
            2: .addressTaken(users[2].address, by: .alias), 3: .loginTaken("ws"),
            5: .addressTaken(users[5].address, by: .user), 6: .noSuchDomain(users[1].address.domain),
            8: .loginTaken("L"),
        ]
        if conflict != .refuse { expected[0] = nil }
        #expect(Dictionary(uniqueKeysWithValues: done.faults.map { ($0.index, $0.reason) }) == expected)
        #expect(file.reader().answer(.entries([try mailbox("b@example.org")])) == .absent)
        // Whoever gives up on his side hears of them, too.
        struct Stop: Error {}
        var rest = users[...]
        var told = 0
        #expect(throws: Stop.self) {
            try store.importUsers(
                next: {
                    if let next = rest.popFirst() { return next }
                    throw Stop()
                }, onConflict: conflict, fault: { _ in told += 1 }, progress: { _ in })
        }
        #expect(told == expected.count)
    }

    /// Once for each wait, and the work is done when the lock is free.
    @Test func aLockIsToldOf() throws {
        let file = try TemporaryFile()
        _ = try file.store()
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: file.path, configuration: configuration)
        try other.writeWithoutTransaction { try $0.beginTransaction(.immediate) }
        let told = Mutex<[String]>([])
        let store = try SQLiteStore(path: file.path, name: "local") { text in
            told.withLock { $0.append(text) }
            try? other.writeWithoutTransaction { try $0.commit() }
        }
        try store.write { try $0.insert(.moved(Moved(address: try mailbox("x@example.org")))) }
        #expect(told.withLock { $0 } == ["\(file.path) is locked by another program; waiting for it, at most 10 s"])
        try store.write { try $0.insert(.moved(Moved(address: try mailbox("y@example.org")))) }
        #expect(told.withLock { $0.count } == 1)
    }

    private func found(_ word: String, _ rank: NameRank, in file: TemporaryFile) -> Bool {
        let query = NameQuery(
            localPart: try? LocalPart(octets: Array(word.utf8)), folded: NameFolding.fold(Array(word.utf8)), limit: 5)
        if case .matches(_, rank) = file.reader().answer(.name(query)) { return true }
        return false
    }
}
