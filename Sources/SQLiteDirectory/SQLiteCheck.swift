// Whether an SQLite directory is sound: the file and who may touch it, the pages, the rows, and what rows say of each
// other. Nothing is written.

import AddresseeSchema
import GRDB
import GRDBSQLite
public import MailboxDirectory

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Examines one SQLite directory.
///
/// It reads in one transaction, so that a server may go on and what is seen hangs together; while that lasts, SQLite
/// can't begin its log anew.
public struct SQLiteCheck {
    let path: String
    let name: String
    private let waiting: @Sendable (String) -> Void

    /// - Parameters:
    ///   - path: the file.
    ///   - name: the name of the source in the configuration.
    ///   - waiting: told what is waited for, once a lock is not to be had within a second.
    public init(path: String, name: String, waiting: @escaping @Sendable (String) -> Void = { _ in }) {
        self.path = path
        self.name = name
        self.waiting = waiting
    }

    /// - Parameter records: examines the records, among those of the other sources, and is told the progress.
    public func findings(_ records: RecordCheck) -> [Finding] {
        var list = FindingList()
        do throws(SQLiteFailure) {
            _ = try DirectoryFile.identity(path)
            list.add(FilePermissions.findings(path))
            let directory = OpenDirectory.at(path)
            var opened: (queue: DatabaseQueue, unchanging: UnchangingFile?)?
            let hold = try directory.join { paths, access throws(SQLiteFailure) in
                let unchanging = access == .unchanging ? try UnchangingFile(paths) : nil
                let queue = try open(access)
                opened = (queue, unchanging)
                // The first look at the file opens its log too.
                _ = try SQLiteFailure.catching { try queue.read { try Int.fetchOne($0, sql: "PRAGMA user_version") } }
            }
            defer { withExtendedLifetime(hold) { try? opened?.queue.close() } }
            guard let opened else { return list.all }
            var found = list
            try SQLiteFailure.catching {
                try opened.queue.read { try examine($0, records, tellsMode: hold.files.access == .shared, &found) }
            }
            // What changes while it is read looks like damage.
            try opened.unchanging?.check()
            list = found
        } catch {
            list.add(Finding(.error, error.cause, reason: error.reason(path: path)))
        }
        return list.all
    }

    /// Without the right to write, so that an older directory is not brought up to date by being looked at.
    private func open(_ access: FileAccess) throws(SQLiteFailure) -> DatabaseQueue {
        SQLiteEngine.setUp()
        var configuration = Configuration()
        configuration.label = "check"
        configuration.readonly = true
        configuration.busyMode = LockWait.mode(path, waiting: waiting)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA trusted_schema = OFF")
        }
        return try SQLiteFailure.catching { try DatabaseQueue(path: access.name(path), configuration: configuration) }
    }

    /// - Parameter tellsMode: whether SQLite tells the mode of the file: of one that doesn't change it does not.
    private func examine(
        _ database: Database, _ records: RecordCheck, tellsMode: Bool, _ list: inout FindingList
    ) throws {
        let version = try DirectoryFile.checkHeader(
            path, applicationID: Int64.fetchOne(database, sql: "PRAGMA application_id") ?? 0,
            version: Int64.fetchOne(database, sql: "PRAGMA user_version") ?? 0)
        guard version == Schema.version else {
            list.add(
                Finding(
                    .error, .directory,
                    "\(path) is of version \(version), older than the \(Schema.version) of this"
                        + " program, and can't be asked",
                    advice: "bring it up to date: addressee domain ls"))
            return
        }
        if tellsMode, try String.fetchOne(database, sql: "PRAGMA journal_mode") != "wal" {
            list.add(
                Finding(
                    .warning, .directory, "\(path) is not in WAL mode, so that who writes holds up who asks",
                    advice: "sqlite3 \(path) 'PRAGMA journal_mode = WAL'"))
        }
        // The quick check would not find a name that is in an index and not in its table, or only in the table.
        // A row that was written past the schema's checks is told with the records.
        guard let connection = database.sqliteConnection else { throw SQLiteFailure.wrong("\(path) is closed") }
        let damages = try Examination.damages(connection, limit: FindingList.namedOfATopic)
        if !damages.isEmpty {
            for damage in damages {
                let failure = SQLiteFailure(code: SQLITE_CORRUPT, message: damage)
                list.add(Finding(.error, .directory, reason: failure.reason(path: path)))
            }
            // What damaged pages say of each other is of no use, and no command mends it.
            return
        }
        try examineKeys(database, &list)
        try NameIndexCheck(view: StoreView(database, name: name, path: path), path: path, progress: records.progress)
            .examine(&list)
        let steps = try Int.fetchOne(database, sql: "SELECT count(*) FROM reference")
        list.add(records.findings(in: StoreView(database, name: name, path: path), total: steps))
    }

    /// Rows that belong to none, as somebody leaves them who writes with foreign keys off.
    private func examineKeys(_ database: Database, _ list: inout FindingList) throws {
        let rows = try Row.fetchCursor(database, sql: "PRAGMA foreign_key_check")
        while let row = try rows.next() {
            let (table, parent): (String?, String?) = (row["table"], row["parent"])
            list.add(
                Finding(
                    .error, .directory,
                    "the table \"\(table ?? "")\" has rows that belong to none of the table \"\(parent ?? "")\"",
                    advice: "see them with: sqlite3 \(path) 'PRAGMA foreign_key_check', and remove them"))
        }
    }
}

extension SQLiteFailure {
    /// Who can mend it.
    fileprivate var cause: Finding.Cause {
        switch code & 0xFF {
        case SQLITE_NOTADB: .configuration
        case SQLITE_CORRUPT: .directory
        default: .unreachable
        }
    }
}
