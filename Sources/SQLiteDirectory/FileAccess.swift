// How a directory's file may be read: as SQLite reads a file that others write, or, where this user may not write beside it,
// as one that doesn't change. Whether it does is looked at before and after each answer then.

import CSQLiteSettings

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

enum FileAccess: Hashable, Sendable {
    /// By SQLite's locks, its log and its index.
    case shared
    /// Without any of them.
    case unchanging

    /// Files were written at least so long ago, in nanoseconds, that are taken not to change: a kernel's clock for files is
    /// no finer, and a later write could bear the same time.
    static let settling: Int64 = 20_000_000

    /// Whether this user may write the file, and beside it.
    static func mayWrite(_ path: String) -> Bool {
        access(path, W_OK) == 0 && access(DirectoryFile.parent(of: path), W_OK | X_OK) == 0
    }

    /// To be called while this process has nothing open there.
    /// - Throws: when the file can't be read without writing, and what to do.
    static func of(_ paths: DirectoryPaths) throws(SQLiteFailure) -> FileAccess {
        if mayWrite(paths.database) { return .shared }
        // A program that may write and has the file open keeps the index of the log in order.
        if FileStamp(paths.log) != nil, paths.lockHolders()?.uses_index == 1 { return .shared }
        guard (FileStamp(paths.log)?.size ?? 0) == 0 else {
            throw .wrong(
                "\(paths.log) holds changes that this user can't read without the right to write beside it; let a user"
                    + " who may write there run \"addressee domain ls\", which puts them into the file")
        }
        return .unchanging
    }

    /// The name by which SQLite opens the file so.
    func name(_ path: String) -> String {
        guard self == .unchanging else { return path }
        var name = "file:"
        for octet in path.utf8 {
            switch octet {
            case UInt8(ascii: "%"), UInt8(ascii: "?"), UInt8(ascii: "#"), 128...:
                name += "%" + String(octet, radix: 16)
            default: name.unicodeScalars.append(Unicode.Scalar(octet))
            }
        }
        return name + "?immutable=1"
    }
}

/// A file that nobody is expected to write, as it stood when it was opened.
struct UnchangingFile: Hashable, Sendable {
    private let paths: DirectoryPaths
    private let stamp: FileStamp

    /// Waits until the last write is long enough ago.
    /// - Throws: when it is being written.
    init(_ paths: DirectoryPaths) throws(SQLiteFailure) {
        for _ in 0..<20 {
            guard let stamp = FileStamp(paths.database) else { break }
            var now = timespec()
            clock_gettime(CLOCK_REALTIME, &now)
            let age = Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec) - stamp.written
            if !(0..<FileAccess.settling).contains(age) {
                self.paths = paths
                self.stamp = stamp
                return
            }
            usleep(5000)
        }
        throw Self.changed(paths.database)
    }

    /// Whether nobody has written: what is written goes into the log first.
    var isUnchanged: Bool { FileStamp(paths.database) == stamp && (FileStamp(paths.log)?.size ?? 0) == 0 }

    /// - Throws: when what has been read since may be of no use.
    func check() throws(SQLiteFailure) {
        if !isUnchanged { throw Self.changed(paths.database) }
    }

    private static func changed(_ path: String) -> SQLiteFailure {
        .wrong("\(path) is being written while it is read without the right to write beside it; ask again")
    }
}
