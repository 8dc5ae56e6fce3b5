// Why SQLite did not answer, and in one sentence what the administrator can do about it.

import GRDBSQLite

/// A failure of SQLite, or a row that does not say what it must.
struct SQLiteFailure: Error, Hashable, Sendable {
    /// The extended result code; `SQLITE_OK` when SQLite itself found nothing wrong.
    var code: Int32
    /// SQLite's own words, or what is wrong with the row or the file.
    var message: String
    /// Whether waiting may help: another program has former files open.
    private(set) var isOfOtherFiles = false

    init(code: Int32, message: String) {
        self.code = code
        self.message = message
    }

    /// What the last call on this connection failed with.
    init(code: Int32, connection: OpaquePointer?) {
        self.code = code
        message = String(cString: connection.map { sqlite3_errmsg($0) } ?? sqlite3_errstr(code))
    }

    /// A row or a file that SQLite read well, and that is wrong all the same.
    static func wrong(_ message: String) -> SQLiteFailure { SQLiteFailure(code: SQLITE_OK, message: message) }

    /// The file that is open is not, or not the only one, that stands there.
    static func otherFiles(_ message: String) -> SQLiteFailure {
        var failure = wrong(message)
        failure.isOfOtherFiles = true
        return failure
    }

    /// One sentence that says what to do, without a full stop.
    func reason(path: String) -> String {
        switch code & 0xFF {
        case SQLITE_OK: message
        case SQLITE_NOTADB:
            "\(path) is not an SQLite database; name the file that \"addressee init\" made"
        case SQLITE_CORRUPT:
            "\(path) is damaged (\(message)); look with \"sqlite3 \(path) 'PRAGMA integrity_check'\" and restore a backup"
        case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL:
            "\(path) is locked by another program; try again when that has finished"
        case SQLITE_CANTOPEN:
            "\(path) cannot be opened; let this user read it and write in its directory, where SQLite keeps two files"
                + " beside it"
        case SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH:
            "\(path) may not be written by this user; give the right to write it and its directory, or ask a user who has it"
        case SQLITE_FULL:
            "the disk of \(path) is full, or that of SQLite's temporary files; free some space, or name another"
                + " directory for these in the environment variable SQLITE_TMPDIR, and try again"
        case SQLITE_IOERR:
            "\(path) cannot be read or written (\(message), code \(code)); look for disk errors in the kernel's log"
        case SQLITE_NOMEM: "there is no memory left to read \(path)"
        default: "SQLite failed on \(path): \(message) (code \(code))"
        }
    }
}

extension SQLiteFailure {
    /// Whether the connection is as good as before.
    var isOfOneRow: Bool { code == SQLITE_OK && !isOfOtherFiles }
    /// Whether the file is damaged.
    var isDamage: Bool { code & 0xFF == SQLITE_CORRUPT }
}
