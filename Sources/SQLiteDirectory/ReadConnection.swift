// One read-only connection for questions, with its statements. It is used by one thread at a time: by its owner while he has a
// view of the directory; between two views any thread may close it.

import AddresseeSchema
import CSQLiteSettings
import GRDBSQLite
import MailboxDirectory
import Synchronization

/// `@unchecked Sendable` is safe because what changes is touched only by the thread that has turned `use` away from idle.
final class ReadConnection: @unchecked Sendable {
    /// Memory for pages of the file, in KiB. The inner pages of every index fit, and two readers of ten million addresses
    /// stay under 150 MB together with what the server remembers.
    static let cacheKiB = 12 * 1024
    /// How long a question may wait for a lock, in milliseconds: it holds up an event loop. In WAL mode readers wait
    /// only while another program recovers the log or removes it.
    static let lockPatience: Int32 = 20

    /// The connection itself; its statements go before it.
    private struct Open {
        let pointer: OpaquePointer
        let questions: Questions
        let dataVersion: PreparedStatement
        let userVersion: PreparedStatement
        /// Whether it has a wal-index.
        let isInWALMode: Bool
    }

    private enum Use {
        static let idle = 0
        static let inView = 1
        static let closed = 2
    }

    private let use = Atomic(Use.idle)
    private var open: Open?
    private let path: String
    /// Where nothing is locked: how the file was.
    private let unchanging: UnchangingFile?
    /// The files that it has open; set before it is used.
    var generation: OpenDirectory.Generation?
    /// What `PRAGMA data_version` told last: another number whenever another connection has changed the file.
    private(set) var seenVersion: Int64 = -1
    /// The wal-index while there is a snapshot, and what stood in its header no later than the snapshot began.
    private var walIndex: UnsafeRawPointer?
    private var walHeader = sqlite_wal_index_header()

    /// - Throws: why the file can't be read.
    init(_ paths: DirectoryPaths, _ access: FileAccess) throws(SQLiteFailure) {
        path = paths.database
        unchanging = access == .unchanging ? try UnchangingFile(paths) : nil
        var pointer: OpaquePointer?
        let flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI
        let code = sqlite3_open_v2(access.name(path), &pointer, flags, nil)
        guard let pointer else { throw SQLiteFailure(code: code, connection: nil) }
        do throws(SQLiteFailure) {
            guard code == SQLITE_OK else { throw SQLiteFailure(code: code, connection: pointer) }
            open = try Self.prepare(pointer, path)
        } catch {
            sqlite3_close_v2(pointer)
            throw error
        }
    }

    deinit { close() }

    private static func prepare(_ pointer: OpaquePointer, _ path: String) throws(SQLiteFailure) -> Open {
        sqlite3_extended_result_codes(pointer, 1)
        sqlite3_busy_timeout(pointer, Self.lockPatience)
        // No memory map: a file that is cut short while it is mapped would end the process, and mapped pages count as
        // the server's memory.
        for pragma in ["cache_size = -\(Self.cacheKiB)", "mmap_size = 0", "trusted_schema = OFF"] {
            try PreparedStatement(pointer, "PRAGMA \(pragma)").run()
        }
        let userVersion = try PreparedStatement(pointer, QuestionSQL.userVersion)
        try Self.checkVersion(userVersion, pointer, path)
        let mode = try PreparedStatement(pointer, "PRAGMA journal_mode")
        let isInWALMode = try mode.step() && mode.octets(0) == Array("wal".utf8)
        return Open(
            pointer: pointer, questions: try Questions(pointer, tellsParts: true),
            dataVersion: try PreparedStatement(pointer, QuestionSQL.dataVersion), userVersion: userVersion,
            isInWALMode: isInWALMode)
    }

    var isClosed: Bool { use.load(ordering: .sequentiallyConsistent) == Use.closed }

    /// Closes it, unless its owner has a view just now.
    func close() {
        guard use.compareExchange(expected: Use.idle, desired: Use.closed, ordering: .sequentiallyConsistent).exchanged
        else { return }
        let pointer = open?.pointer
        open = nil
        sqlite3_close_v2(pointer)
    }

    /// Whether nothing has been committed since the snapshot was begun, by whomever: the header of the wal-index, which
    /// every commit changes, tells for the price of a comparison in memory. False where that can't be told.
    var isCurrent: Bool {
        guard let walIndex else { return false }
        return sqlite_wal_index_is(walIndex, &walHeader) != 0
    }

    /// Begins a read transaction, and forgets what is remembered when the file has changed since the last one.
    ///
    /// - Returns: whether there is one; not where somebody has closed the connection.
    func beginSnapshot() throws(SQLiteFailure) -> Bool {
        guard use.compareExchange(expected: Use.idle, desired: Use.inView, ordering: .sequentiallyConsistent).exchanged
        else { return false }
        do throws(SQLiteFailure) {
            try unchanging?.check()
            try beginTransaction()
            return true
        } catch {
            endSnapshot()
            throw error
        }
    }

    /// A statement at rest on its row holds the transaction open: one call instead of BEGIN, the check and COMMIT.
    private func beginTransaction() throws(SQLiteFailure) {
        guard let open else { throw .wrong("\(path) is closed") }
        guard try open.dataVersion.step() else { throw .wrong("\(path) tells no data version") }
        // The header has to be older than the snapshot, and may be read only within one; so the snapshot is begun anew.
        if open.isInWALMode, let index = sqlite_wal_index(UnsafeMutableRawPointer(open.pointer)) {
            sqlite_wal_index_copy(index, &walHeader)
            open.dataVersion.reset()
            guard try open.dataVersion.step() else { throw .wrong("\(path) tells no data version") }
            walIndex = sqlite_wal_index(UnsafeMutableRawPointer(open.pointer))
        }
        let version = open.dataVersion.int(0)
        if version == seenVersion { return }
        open.questions.forgetDomains()
        try Self.checkVersion(open.userVersion, open.pointer, path)
        seenVersion = version
    }

    /// Closes the connection if that was asked for meanwhile.
    func endSnapshot() {
        walIndex = nil
        open?.dataVersion.reset()
        use.store(Use.idle, ordering: .sequentiallyConsistent)
        if generation?.isStale.load(ordering: .sequentiallyConsistent) == true { close() }
    }

    /// To be called within a snapshot.
    /// - Throws: what keeps the answer from being known.
    func answer(_ lookup: Lookup) throws(SQLiteFailure) -> Answer {
        guard let open else { throw .wrong("\(path) is closed") }
        let answer = try open.questions.answer(lookup)
        // What has been read meanwhile may be of another time.
        try unchanging?.check()
        if let generation, sqlite_lost_mappings() != generation.lostMappings {
            throw .otherFiles("\(generation.paths.index) was cut short, and \(path) is opened anew; ask again")
        }
        return answer
    }

    /// Has a small file examined, once.
    func examine(_ soundness: Soundness) throws(SQLiteFailure) {
        guard let open else { throw .wrong("\(path) is closed") }
        try soundness.examineSmallFile(open.pointer)
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
