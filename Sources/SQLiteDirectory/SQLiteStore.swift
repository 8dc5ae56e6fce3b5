// The administrator's way to the directory: whole records, read and written in transactions, through GRDB.

import AddresseeSchema
import GRDB
import GRDBSQLite
public import MailboxDirectory

/// An SQLite directory that can be written to.
///
/// What `write` has done is on disk when it returns. Other programs may write too: a transaction waits up to
/// `lockPatience` for its turn. `read` and `write` may not be nested. All errors are `StoreError`, but for those that the
/// given body throws itself.
public final class SQLiteStore: RecordStore, Sendable {
    public let name: String
    public let path: String
    let queue: DatabaseQueue

    /// Seconds that a transaction waits for another program's to end.
    public static let lockPatience = 10.0
    /// Seconds after which somebody is told of the waiting.
    static let silentPatience = 1.0

    /// Opens a directory, and brings an older one up to date.
    ///
    /// - Parameters:
    ///   - path: the file, which must be there.
    ///   - name: the name of the source in the configuration.
    ///   - waiting: told what is waited for, once a lock is not to be had within a second.
    /// - Throws: `.trouble`, with what to do.
    public convenience init(
        path: String, name: String, waiting: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(StoreError) {
        try self.init(path: path, name: name, migrations: Schema.migrations, waiting: waiting)
    }

    init(
        path: String, name: String, migrations: [(version: Int, name: String, sql: String)],
        waiting: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(StoreError) {
        self.path = path
        self.name = name
        do throws(SQLiteFailure) {
            _ = try DirectoryFile.identity(path)
            queue = try Self.open(path, waiting: waiting)
            try Self.migrate(queue, path: path, migrations)
        } catch {
            throw .trouble(Trouble(source: name, reason: error.reason(path: path)))
        }
    }

    /// Makes a new, empty directory.
    ///
    /// - Parameter path: the file, which must not be there; its directory must.
    /// - Throws: `.trouble`, with what to do.
    public static func create(path: String) throws(StoreError) {
        do throws(SQLiteFailure) {
            try DirectoryFile.checkVacant(path)
            try DirectoryFile.make(path)
            do throws(SQLiteFailure) {
                try fill(path)
            } catch {
                // Half a directory would be in the way of the next attempt.
                DirectoryFile.remove(path)
                throw error
            }
        } catch {
            throw .trouble(Trouble(source: path, reason: error.reason(path: path)))
        }
    }

    private static func fill(_ path: String) throws(SQLiteFailure) {
        let queue = try open(path)
        try SQLiteFailure.catching {
            try queue.writeWithoutTransaction { database in
                // Both are for good, and outside of any transaction.
                try database.execute(sql: "PRAGMA page_size = \(pageSize)")
                try database.execute(sql: "PRAGMA journal_mode = WAL")
            }
        }
        try apply(Schema.migrations[...], to: queue)
    }

    /// Octets a page of a new file. Of 4096, 8192 and 16384 the one with which ten million addresses are found fastest:
    /// the inner pages stay in memory, and one small leaf is read for a question.
    static let pageSize = 4096

    public func read<Result>(_ body: (any RecordReading) throws -> Result) throws -> Result {
        try StoreError.clearly(name: name, path: path) {
            try queue.read { try body(StoreView($0, name: name, path: path)) }
        }
    }

    public func write<Result>(_ body: (any RecordWriting) throws -> Result) throws -> Result {
        try StoreError.clearly(name: name, path: path) {
            try queue.write { try body(StoreView($0, name: name, path: path)) }
        }
    }
}

extension SQLiteFailure {
    init(_ error: DatabaseError) {
        self.init(
            code: error.extendedResultCode.rawValue, message: error.message ?? error.resultCode.description)
    }

    /// Runs what throws GRDB's errors.
    static func catching<Result>(_ body: () throws -> Result) throws(SQLiteFailure) -> Result {
        do {
            return try body()
        } catch let error as SQLiteFailure {
            throw error
        } catch let error as DatabaseError {
            throw SQLiteFailure(error)
        } catch {
            throw .wrong("\(error)")
        }
    }
}
