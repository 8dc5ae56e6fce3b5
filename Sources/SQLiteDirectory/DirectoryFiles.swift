// The files that make up a directory: the database, and the two that SQLite keeps beside it, its log and the log's index.
// One that was put in the place of another is noticed by its identity. Only stat() looks at them.

import CSQLiteSettings

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where the files of a directory are.
struct DirectoryPaths: Hashable, Sendable {
    /// As it is configured; it may be a symbolic link.
    let database: String
    let log: String
    let index: String

    /// SQLite keeps the two beside the file that a symbolic link leads to.
    init(_ path: String) {
        database = path
        var real = path
        if let resolved = realpath(path, nil) {
            real = String(cString: resolved)
            free(resolved)
        }
        log = "\(real)-wal"
        index = "\(real)-shm"
    }

    /// Which other processes use them. To be called only while this one has nothing open there.
    func lockHolders() -> sqlite_lock_holders? {
        var holders = sqlite_lock_holders()
        return sqlite_find_lock_holders(database, index, &holders) == 0 ? holders : nil
    }
}

/// Which files stand at these places.
struct DirectoryFiles: Hashable, Sendable {
    var database: DirectoryFile.Identity
    /// Nil where there is none.
    var log: DirectoryFile.Identity?
    var index: DirectoryFile.Identity?

    /// - Throws: when there is no database, and what to do.
    init(_ paths: DirectoryPaths) throws(SQLiteFailure) {
        database = try DirectoryFile.identity(paths.database)
        log = FileStamp(paths.log)?.identity
        index = FileStamp(paths.index)?.identity
    }

    /// How these differ from those that were there; nil when they don't.
    func difference(from former: DirectoryFiles, _ paths: DirectoryPaths) -> String? {
        if database != former.database { return "another file stands at \(paths.database)" }
        for (now, then, path) in [(log, former.log, paths.log), (index, former.index, paths.index)] where now != then {
            return now == nil ? "\(path) was removed" : "another file stands at \(path)"
        }
        return nil
    }
}

/// A file as it stood at its path at one time.
struct FileStamp: Hashable, Sendable {
    let identity: DirectoryFile.Identity
    let size: Int64
    /// When it was last written, in nanoseconds.
    let written: Int64

    /// Nil when there is none, or it can't be reached.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        identity = DirectoryFile.Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
        size = Int64(status.st_size)
        #if canImport(Darwin)
            let time = status.st_mtimespec
        #else
            let time = status.st_mtim
        #endif
        written = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
