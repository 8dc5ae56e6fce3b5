// How the administrator's connection is set up, and how a file is brought up to date.

import AddresseeSchema
import GRDB
import GRDBSQLite

extension SQLiteStore {
    typealias Migration = (version: Int, name: String, sql: String)

    static func open(
        _ path: String, _ access: FileAccess = .shared, waiting: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(SQLiteFailure) -> DatabaseQueue {
        SQLiteEngine.setUp()
        var configuration = Configuration()
        configuration.label = "directory"
        // Asked to write, SQLite would make its two files beside one that this user can't write.
        configuration.readonly = !FileAccess.mayWrite(path)
        configuration.busyMode = LockWait.mode(path, waiting: waiting)
        configuration.foreignKeysEnabled = true
        configuration.prepareDatabase { database in
            // What was acknowledged outlives a power failure: in WAL mode NORMAL does not promise that.
            try database.execute(sql: "PRAGMA synchronous = FULL")
            try database.execute(sql: "PRAGMA trusted_schema = OFF")
        }
        return try SQLiteFailure.catching { try DatabaseQueue(path: access.name(path), configuration: configuration) }
    }

    /// How long emptying the log waits for those who read or write, in milliseconds: somebody waits for the command.
    private static let logPatience = 250

    /// Puts what is in the log into the file. Where somebody reads all that time the rest is left to the next command.
    func emptyLog() {
        _ = try? queue.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA busy_timeout = \(Self.logPatience)")
            try database.checkpoint(.truncate)
        }
    }

    static func migrate(
        _ queue: DatabaseQueue, path: String, _ migrations: [Migration]
    ) throws(SQLiteFailure) {
        let latest = migrations.last?.version ?? 0
        let version = try SQLiteFailure.catching {
            try queue.read { database in try self.version(of: database, path: path, known: latest) }
        }
        if version == latest { return }
        try apply(migrations.drop { $0.version <= version }, to: queue)
    }

    private static func version(of database: Database, path: String, known: Int) throws -> Int {
        try DirectoryFile.checkHeader(
            path, applicationID: Int64.fetchOne(database, sql: "PRAGMA application_id") ?? 0,
            version: Int64.fetchOne(database, sql: "PRAGMA user_version") ?? 0, known: known)
    }

    /// Each in a transaction of its own. Somebody else may have been quicker, so each looks first.
    static func apply(_ migrations: ArraySlice<Migration>, to queue: DatabaseQueue) throws(SQLiteFailure) {
        for migration in migrations {
            try SQLiteFailure.catching {
                try queue.write { database in
                    let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
                    if version >= migration.version { return }
                    try database.execute(sql: migration.sql)
                    try database.execute(sql: "PRAGMA user_version = \(migration.version)")
                }
            }
        }
    }
}
