// Whether a file is a directory of ours, and one that this program can read. Only stat() and SQLite ever touch it: to
// open and close the file by any other way would drop SQLite's locks on it (POSIX advisory locks).

import AddresseeSchema
import GRDBSQLite

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

enum DirectoryFile {
    /// Which file stands at a path. Another one has another identity.
    struct Identity: Hashable {
        var device: UInt64
        var inode: UInt64
    }

    /// - Throws: when nothing that can be a database is there, and what to do.
    static func identity(_ path: String) throws(SQLiteFailure) -> Identity {
        var status = stat()
        guard stat(path, &status) == 0 else {
            switch errno {
            case ENOENT:
                throw .wrong(
                    "there is no file \(path); put it back from a backup (\"addressee init\" makes an empty one, in which"
                        + " nobody is)")
            case ENOTDIR: throw .wrong("\(path) leads through something that is no directory; mend the path")
            case EACCES: throw .wrong("\(path) may not be reached; let this user enter its directory")
            default: throw .wrong("\(path) cannot be reached: \(String(cString: strerror(errno)))")
            }
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .wrong("\(path) is not a file; name the file that \"addressee init\" made")
        }
        return Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// Whether a file can be made at a path.
    static func checkVacant(_ path: String) throws(SQLiteFailure) {
        var status = stat()
        if stat(path, &status) == 0 {
            throw .wrong("\(path) is there already; open it, or name another file")
        }
        guard errno == ENOENT else {
            throw .wrong("\(path) cannot be made: \(String(cString: strerror(errno)))")
        }
        let parent = parent(of: path)
        guard stat(parent, &status) == 0 else {
            throw .wrong("the directory \(parent) is not there; make it with \"mkdir -p \(parent)\"")
        }
        guard access(parent, W_OK | X_OK) == 0 else {
            throw .wrong("\(path) cannot be made: this user may not write in \(parent)")
        }
    }

    /// Makes an empty file, which others than the owner and his group may not read: it holds everybody's names. SQLite gives
    /// the files beside it the same mode. Nobody has it open yet, so that no lock of SQLite's can be dropped.
    static func make(_ path: String) throws(SQLiteFailure) {
        let descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else {
            throw .wrong("\(path) cannot be made: \(String(cString: strerror(errno)))")
        }
        close(descriptor)
    }

    /// Removes a file that this process has just made, with the two that SQLite keeps beside it.
    static func remove(_ path: String) {
        for part in ["", "-wal", "-shm"] { unlink(path + part) }
    }

    static func parent(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.utf8.startIndex ? "/" : String(path[..<slash])
    }

    /// Judges the two numbers in a file's header.
    ///
    /// - Throws: when the file is foreign, or of a version that is newer than `known`.
    /// - Returns: the version, which may be older than `known`.
    static func checkHeader(
        _ path: String, applicationID: Int64, version: Int64, known: Int = Schema.version
    ) throws(SQLiteFailure) -> Int {
        guard applicationID == Int64(Schema.applicationID) else {
            if FileStamp(path)?.size == 0 { throw .wrong("\(path) is empty; restore it from a backup") }
            throw .wrong(
                "\(path) is an SQLite database of some other program; name the file that \"addressee init\" made")
        }
        guard version <= known else {
            throw .wrong(
                "\(path) is of version \(version), and this program knows version \(known); install the addressee"
                    + " that wrote it, or a newer one")
        }
        guard version > 0 else { throw .wrong("\(path) has no version; restore it from a backup") }
        return Int(version)
    }

}
