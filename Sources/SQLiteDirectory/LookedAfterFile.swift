// The connection by which a server looks after a directory's file. Unlike those for questions it may write, as long as this
// user may, and is closed after them: so SQLite puts the log into the file, and removes it.

import CSQLiteSettings
import GRDBSQLite

/// Confined to the thread of the upkeep.
final class LookedAfterFile {
    var generation: OpenDirectory.Generation { hold.files }
    private let hold: OpenDirectory.Hold
    private let directory: OpenDirectory
    private let pointer: OpaquePointer
    private let isWritable: Bool
    private let unchanging: UnchangingFile?
    /// As they were when last looked at.
    private var seen: (file: FileStamp?, log: FileStamp?)

    /// How long emptying the log waits for a view of the directory to end, in milliseconds; who writes waits with it.
    private static let logPatience: Int32 = 50

    /// - Throws: why it can't be opened, or is no directory.
    init(_ directory: OpenDirectory) throws(SQLiteFailure) {
        var opened: (pointer: OpaquePointer, isWritable: Bool, unchanging: UnchangingFile?)?
        do throws(SQLiteFailure) {
            hold = try directory.join { paths, access throws(SQLiteFailure) in
                opened = try Self.open(paths, access)
            }
        } catch {
            sqlite3_close_v2(opened?.pointer)
            throw error
        }
        guard let opened else { throw .wrong("\(directory.path) is closed") }
        (pointer, isWritable, unchanging) = opened
        self.directory = directory
        seen = (FileStamp(hold.files.paths.database), FileStamp(hold.files.paths.log))
    }

    private static func open(
        _ paths: DirectoryPaths, _ access: FileAccess
    ) throws(SQLiteFailure) -> (OpaquePointer, Bool, UnchangingFile?) {
        let isWritable = access == .shared && FileAccess.mayWrite(paths.database)
        let unchanging = access == .unchanging ? try UnchangingFile(paths) : nil
        var pointer: OpaquePointer?
        let flags = (isWritable ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI
        let code = sqlite3_open_v2(access.name(paths.database), &pointer, flags, nil)
        guard let pointer else { throw SQLiteFailure(code: code, connection: nil) }
        do throws(SQLiteFailure) {
            guard code == SQLITE_OK else { throw SQLiteFailure(code: code, connection: pointer) }
            sqlite3_extended_result_codes(pointer, 1)
            sqlite3_busy_timeout(pointer, logPatience)
            try PreparedStatement(pointer, "PRAGMA trusted_schema = OFF").run()
            // The first look at the file opens its log too.
            let (id, version) = (try number(pointer, "application_id"), try number(pointer, "user_version"))
            _ = try DirectoryFile.checkHeader(paths.database, applicationID: id, version: version)
        } catch {
            // What is no directory of ours is left as it is.
            _ = sqlite_keep_log_on_close(UnsafeMutableRawPointer(pointer))
            sqlite3_close_v2(pointer)
            throw error
        }
        return (pointer, isWritable, unchanging)
    }

    private static func number(_ pointer: OpaquePointer, _ pragma: String) throws(SQLiteFailure) -> Int64 {
        let statement = try PreparedStatement(pointer, "PRAGMA \(pragma)")
        return try statement.step() ? statement.int(0) : 0
    }

    /// Whether the files at the path are those that are open, and nobody but SQLite has written the database; lets them go
    /// where they are not.
    func isInPlace() -> Bool {
        if let fault = generation.fault() {
            directory.retire(generation, because: fault)
            return false
        }
        // The same file by another name has its log elsewhere, where all others who open it look for it.
        if DirectoryPaths(directory.path) != generation.paths {
            directory.retire(generation, because: "\(directory.path) has become a link, or leads elsewhere")
            return false
        }
        if let unchanging, !unchanging.isUnchanged {
            directory.retire(generation, because: "\(generation.paths.database) was written")
            directory.soundness.anotherFileStands()
            return false
        }
        let former = seen
        seen = (FileStamp(generation.paths.database), FileStamp(generation.paths.log))
        // What SQLite writes goes through the log, so that the log changes too.
        guard generation.access == .shared, let log = seen.log, log.size == 0, log == former.log,
            seen.file != former.file
        else { return true }
        directory.retire(
            generation, because: "\(generation.paths.database) was written by another program than SQLite")
        directory.soundness.anotherFileStands()
        return false
    }

    /// Puts what is in the log into the file, as far as nobody reads or writes just now.
    func emptyLog() {
        guard isWritable, (FileStamp(generation.paths.log)?.size ?? 0) > 0, generation.fault() == nil else { return }
        sqlite3_wal_checkpoint_v2(pointer, "main", SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
        seen = (FileStamp(generation.paths.database), FileStamp(generation.paths.log))
    }

    /// - Returns: what is damaged; nil when it was given up.
    func examine(_ examination: Examination, isUrgent: Bool) throws(SQLiteFailure) -> [String]? {
        let damages = try generation.runLong(pointer) { () throws(SQLiteFailure) in
            try examination.run(pointer, isUrgent: isUrgent)
        }
        // What changes while it is read looks like damage.
        if let unchanging, !unchanging.isUnchanged { return nil }
        return damages
    }

    /// Closes it, as its last act. What is in the log is put into the file that it belongs to, even where that has been moved.
    /// - Returns: why the files are let go; empty where they need not be.
    func close() -> String {
        let fault = generation.fault()
        if isWritable {
            let (paths, files) = (generation.paths, generation.files)
            let (log, index) = (FileStamp(paths.log)?.identity, FileStamp(paths.index)?.identity)
            let isOthers = (log != nil && log != files.log) || (index != nil && index != files.index)
            if isOthers || sqlite_lost_mappings() != generation.lostMappings {
                // Others use another log here, which is not ours to write over or to remove; or ours can't be read any more.
                _ = sqlite_keep_log_on_close(UnsafeMutableRawPointer(pointer))
            } else {
                sqlite3_wal_checkpoint_v2(pointer, "main", SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
            }
        }
        sqlite3_close_v2(pointer)
        return fault ?? ""
    }
}
