// The administrator's way to the directory: whole records, read and written in transactions, through GRDB.

import AddresseeSchema
import GRDB
import GRDBSQLite
public import MailboxDirectory
import Synchronization

/// An SQLite directory that can be written to.
///
/// What `write` has done is on disk when it returns. Other programs may write too: a transaction waits up to
/// `lockPatience` for its turn. `read` and `write` may not be nested. All errors are `StoreError`, but for those that the
/// given body throws itself. When the last owner lets it go, what was written goes from SQLite's log into the file, unless
/// somebody is reading the whole time.
///
/// A user who may not write the file, or beside it, can read it as well, as long as nobody is writing.
public final class SQLiteStore: RecordStore, Sendable {
    public let name: String
    public let path: String
    let queue: DatabaseQueue
    let hasWritten = Atomic(false)
    /// After the connection: what is released in this order is so closed before it is let go.
    private let hold: OpenDirectory.Hold
    /// Where nothing is locked: how the file was.
    private let unchanging: UnchangingFile?

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
        let directory = OpenDirectory.at(path)
        var opened: (queue: DatabaseQueue, unchanging: UnchangingFile?)?
        do throws(SQLiteFailure) {
            hold = try directory.join(patience: Self.lockPatience) { paths, access throws(SQLiteFailure) in
                let unchanging = access == .unchanging ? try UnchangingFile(paths) : nil
                let queue = try Self.open(path, access, waiting: waiting)
                opened = (queue, unchanging)
                try Self.migrate(queue, path: path, migrations)
            }
        } catch {
            if let opened { try? opened.queue.close() }
            throw .trouble(Trouble(source: name, reason: error.reason(path: path)))
        }
        guard let opened else { throw .trouble(Trouble(source: name, reason: "\(path) is closed")) }
        (queue, unchanging) = opened
    }

    deinit { if hasWritten.load(ordering: .relaxed) { emptyLog() } }

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
            let result = try queue.read { database in
                let result = try body(StoreView(database, name: name, path: path))
                try examine(database)
                return result
            }
            // What has been read meanwhile may be of two times.
            try unchanging?.check()
            try checkFiles()
            return result
        }
    }

    /// In a damaged file what is not found may be there all the same: a list is not the whole of it, and who is added may be
    /// on record already. A small file is examined for that, once.
    private func examine(_ database: Database) throws {
        let soundness = OpenDirectory.at(path).soundness
        if let connection = database.sqliteConnection { try soundness.examineSmallFile(connection) }
        if let reason = soundness.reason() { throw StoreError.trouble(Trouble(source: name, reason: reason)) }
    }

    /// Before anything is written.
    func examine() throws { try queue.read { try examine($0) } }

    public func write<Result>(_ body: (any RecordWriting) throws -> Result) throws -> Result {
        hasWritten.store(true, ordering: .relaxed)
        return try StoreError.clearly(name: name, path: path) {
            try examine()
            return try queue.write { database in
                let result = try body(StoreView(database, name: name, path: path))
                try checkFiles()
                return result
            }
        }
    }

    /// What is written into a file that stands there no longer would be lost.
    func checkFiles() throws(SQLiteFailure) {
        guard let fault = hold.files.fault() else { return }
        throw .otherFiles("\(fault) while \(path) was open, and nothing was written; try again")
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
