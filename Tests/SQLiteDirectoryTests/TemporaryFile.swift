// A directory file of a test's own, which goes with the test.

import AddresseeSchema
import Foundation
import GRDB
import GRDBSQLite
import MailAddress
import MailboxDirectory
import SQLiteDirectory
import Testing

final class TemporaryFile {
    let directory: URL
    var path: String { directory.appending(path: "directory.sqlite").path }

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "addressee-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    /// A new store in which `example.org` is local, and more as given.
    func store(_ records: [Record] = []) throws -> SQLiteStore {
        try SQLiteStore.create(path: path)
        let store = try SQLiteStore(path: path, name: "local")
        try store.write { transaction in
            try transaction.insert(.domain(DomainRecord(domain: try Domain("example.org"))))
            for record in records { try transaction.insert(record) }
        }
        return store
    }

    func reader() -> SQLiteReader { SQLiteReader(path: path, name: "local") }

    /// Runs SQL as an administrator would with sqlite3.
    func sql(_ sql: String, file: String? = nil) throws {
        let queue = try DatabaseQueue(path: file ?? path)
        try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        try queue.close()
    }
}

/// GRDB has a class of this name.
typealias Record = MailboxDirectory.Record

func mailbox(_ string: String) throws -> Mailbox { try Mailbox(string) }

func user(
    _ address: String, _ name: String = "", login: String? = nil, status: AccountStatus = .active
) throws -> User {
    User(address: try Mailbox(address), fullName: name, login: login, status: status)
}

/// What was thrown, when it is a `StoreError`.
func storeError(_ body: () throws -> Void) -> StoreError? {
    do {
        try body()
        return nil
    } catch {
        return error as? StoreError
    }
}

/// Why an answer could not tell; nil when it could.
func reason(_ answer: Answer) -> String? {
    guard case .couldNotTell(let trouble) = answer else { return nil }
    return trouble.reason
}
