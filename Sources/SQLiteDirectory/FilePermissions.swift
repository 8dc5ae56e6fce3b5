// Who else may read or change the file of a directory. Only stat() looks at it.

import MailboxDirectory

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

enum FilePermissions {
    /// Of the file, of the two that SQLite keeps beside it, and of their folder.
    static func findings(_ path: String) -> [Finding] {
        var findings: [Finding] = []
        var seen: mode_t = 0
        // SQLite gives the two beside it the rights of the file, which may have been changed since.
        for file in [path, "\(path)-wal", "\(path)-shm"] {
            guard let mode = mode(file), mode & (S_IROTH | S_IWOTH) & ~seen != 0 else { continue }
            seen |= mode
            let what = mode & S_IWOTH != 0 ? "written" : "read"
            findings.append(
                Finding(
                    .warning, .directory, "\(file) may be \(what) by every user of this machine",
                    advice: "chmod o-rwx \(path)*"))
        }
        let folder = DirectoryFile.parent(of: path)
        if let mode = mode(folder), mode & S_IWOTH != 0, mode & S_ISVTX == 0 {
            findings.append(
                Finding(
                    .warning, .directory, "every user of this machine may put another file in the place of \(path)",
                    advice: "chmod o-w \(folder)"))
        }
        return findings
    }

    private static func mode(_ path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode : nil
    }
}
