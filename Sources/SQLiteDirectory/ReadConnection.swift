// One read-only connection for questions, with its statements. Whoever owns it closes it by letting it go.

import AddresseeSchema
import CSQLiteSettings
import GRDBSQLite

final class ReadConnection {
    /// Memory for pages of the file, in KiB. The inner pages of every index fit, and two readers of ten million addresses
    /// stay under 150 MB together with what the server remembers.
    static let cacheKiB = 12 * 1024
    /// How long a question may wait for a lock, in milliseconds: it holds up an event loop. In WAL mode readers wait
    /// only while another program recovers the log or removes it.
    static let lockPatience: Int32 = 20

    let questions: Questions
    let identity: DirectoryFile.Identity
    private let handle: Handle
    private let dataVersion: PreparedStatement
    private let userVersion: PreparedStatement
    /// What `PRAGMA data_version` told last: another number whenever another connection has changed the file.
    private(set) var seenVersion: Int64 = -1
    private let path: String
    /// The wal-index while there is a snapshot, and what stood in its header no later than the snapshot began.
    private var walIndex: UnsafeRawPointer?
    private var walHeader = sqlite_wal_index_header()

    /// The C handle; statements that outlive it are finalized by SQLite's zombie rule (sqlite3_close_v2).
    private final class Handle {
        let pointer: OpaquePointer
        init(_ pointer: OpaquePointer) { self.pointer = pointer }
        deinit { sqlite3_close_v2(pointer) }
    }

    /// - Throws: why the file can't be read.
    init(path: String) throws(SQLiteFailure) {
        SQLiteEngine.setUp()
        self.path = path
        identity = try DirectoryFile.identity(path)
        var pointer: OpaquePointer?
        let code = sqlite3_open_v2(path, &pointer, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nil)
        guard let pointer else { throw SQLiteFailure(code: code, connection: nil) }
        handle = Handle(pointer)
        guard code == SQLITE_OK else { throw SQLiteFailure(code: code, connection: pointer) }
        sqlite3_extended_result_codes(pointer, 1)
        sqlite3_busy_timeout(pointer, Self.lockPatience)
        // No memory map: a file that is cut short while it is mapped would end the process, and mapped pages count as
        // the server's memory.
        for pragma in ["cache_size = -\(Self.cacheKiB)", "mmap_size = 0", "trusted_schema = OFF"] {
            try PreparedStatement(pointer, "PRAGMA \(pragma)").run()
        }
        userVersion = try PreparedStatement(pointer, QuestionSQL.userVersion)
        try Self.checkVersion(userVersion, pointer, path)
        dataVersion = try PreparedStatement(pointer, QuestionSQL.dataVersion)
        questions = try Questions(pointer)
    }

    /// Whether nothing has been committed since the snapshot was begun, by whomever: the header of the wal-index, which
    /// every commit changes, tells for the price of a comparison in memory. False where that can't be told.
    var isCurrent: Bool {
        guard let walIndex else { return false }
        return sqlite_wal_index_is(walIndex, &walHeader) != 0
    }

    /// Begins a read transaction, and forgets what is remembered when the file has changed since the last one.
    ///
    /// A statement at rest on its row holds the transaction open: one call instead of BEGIN, the check and COMMIT.
    func beginSnapshot() throws(SQLiteFailure) {
        guard try dataVersion.step() else { throw .wrong("\(path) tells no data version") }
        // The header has to be older than the snapshot, and may be read only within one; so the snapshot is begun anew.
        if let index = sqlite_wal_index(UnsafeMutableRawPointer(handle.pointer)) {
            sqlite_wal_index_copy(index, &walHeader)
            dataVersion.reset()
            guard try dataVersion.step() else { throw .wrong("\(path) tells no data version") }
            walIndex = sqlite_wal_index(UnsafeMutableRawPointer(handle.pointer))
        }
        let version = dataVersion.int(0)
        if version == seenVersion { return }
        questions.forgetDomains()
        try Self.checkVersion(userVersion, handle.pointer, path)
        seenVersion = version
    }

    func endSnapshot() {
        walIndex = nil
        dataVersion.reset()
    }

    private static func checkVersion(
        _ statement: PreparedStatement, _ pointer: OpaquePointer, _ path: String
    ) throws(SQLiteFailure) {
        let application = try PreparedStatement(pointer, "PRAGMA application_id")
        defer {
            statement.reset()
            application.reset()
        }
        guard try statement.step(), try application.step() else { throw .wrong("\(path) has no header") }
        let version = try DirectoryFile.checkHeader(
            path, applicationID: application.int(0), version: statement.int(0))
        guard version == Schema.version else {
            throw .wrong(
                "\(path) is of version \(version), older than the \(Schema.version) of this program; any command of"
                    + " addressee that writes brings it up to date, and so does \"addressee domain ls\"")
        }
    }
}
