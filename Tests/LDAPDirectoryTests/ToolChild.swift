// The tools of Tests/LDAP as children: a relay with faults, a site, certificates. Each ends when its input closes.

import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// A child that answers a line with a line of JSON.
final class ToolChild {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var buffer = Data()
    /// What it said last.
    private(set) var said: [String: Any] = [:]

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../LDAP")
        .standardizedFileURL

    init(_ tool: String, _ arguments: [String]) throws {
        process.executableURL = URL(filePath: "/usr/bin/python3")
        process.arguments = [Self.folder.appending(path: tool).path] + arguments
        process.standardInput = input
        process.standardOutput = output
        try process.runUnblocked()
        try hear()
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    var uri: String { said["uri"] as? String ?? "" }

    func tell(_ line: String) throws {
        try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
        try hear()
    }

    private func hear() throws {
        while !buffer.contains(0x0A) {
            let piece = output.fileHandleForReading.availableData
            if piece.isEmpty { throw LDAPTestError("\(process.arguments ?? []) has ended") }
            buffer.append(piece)
        }
        let end = buffer.firstIndex(of: 0x0A) ?? buffer.endIndex
        said = try JSONSerialization.jsonObject(with: buffer[..<end]) as? [String: Any] ?? [:]
        buffer = Data(buffer[(end + 1)...])
        if let error = said["error"] { throw LDAPTestError("\(error)") }
    }
}

extension Process {
    /// Runs the child with no signal blocked. The threads of tests block most, a child inherits that, and would end by
    /// SIGKILL only.
    func runUnblocked() throws {
        var (none, before) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try run()
    }
}

/// Makes certificates, once.
let certificates: Result<URL, any Error> = Result {
    let folder = try Scratch.path("certificates")
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/python3")
    process.arguments = [ToolChild.folder.appending(path: "certificates.py").path, folder.path]
    process.standardOutput = FileHandle.nullDevice
    try process.runUnblocked()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw LDAPTestError("no certificates") }
    return folder
}
