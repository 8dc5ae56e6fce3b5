// The folder for all files of these tests. It goes when this process ends, however that ends.

import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// A temporary folder that a child removes: the child waits for the end of its input, which ends with this process.
enum Scratch {
    static let folder: Result<URL, any Error> = Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: "addressee-ldap-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "cat >/dev/null; rm -rf \"$1\"", "sweeper", folder.path]
        let input = Pipe()
        process.standardInput = input
        try process.runUnblocked()
        // Kept open by a number of its own, for the pipe goes with this scope.
        _ = fcntl(dup(input.fileHandleForWriting.fileDescriptor), F_SETFD, FD_CLOEXEC)
        return folder
    }

    /// A path that nothing has yet.
    static func path(_ name: String) throws -> URL {
        try folder.get().appending(path: "\(name)-\(UUID().uuidString)")
    }
}
