// Files and folders that a command makes, so that it can take all of them back when it fails half-way.

import AddresseeConfiguration
import Foundation
import Verification

/// What has been made so far, in order.
struct NewFiles {
    private var made: [String] = []

    /// Makes the folders above a file that are not there.
    mutating func makeFolder(of file: String) throws(CommandFailure) {
        let folder = Self.folder(of: file)
        var missing: [String] = []
        var path = folder
        while !FileManager.default.fileExists(atPath: path), path != "/" {
            missing.append(path)
            path = Self.folder(of: path)
        }
        for path in missing.reversed() {
            do {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            } catch {
                throw Self.failure("the folder \(path) can't be made", error)
            }
            made.append(path)
        }
    }

    /// Writes a file that is not there yet.
    mutating func write(_ text: String, to file: String) throws(CommandFailure) {
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .withoutOverwriting)
        } catch {
            throw Self.failure("\(file) can't be written", error)
        }
        made.append(file)
    }

    /// Notes a file that somebody else is about to make, and that was not there.
    mutating func expect(_ file: String) { made.append(file) }

    /// Removes all of it; a folder only where nothing else has come into it.
    func undo() {
        for path in made.reversed() {
            var isFolder: ObjCBool = false
            if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
                rmdir(path)
            } else {
                unlink(path)
            }
        }
    }

    private static func folder(of path: String) -> String {
        URL(fileURLWithPath: path).deletingLastPathComponent().path
    }

    private static func failure(_ what: String, _ error: any Error) -> CommandFailure {
        switch (error as? CocoaError)?.code {
        case .fileWriteNoPermission?, .fileWriteVolumeReadOnly?:
            CommandFailure(.denied, "\(what): this user may not write there; name another place, or ask as root")
        case .fileWriteFileExists?: CommandFailure(.data, "\(what): something is there already; name another place")
        case .fileWriteOutOfSpace?: CommandFailure(.temporary, "\(what): the disk is full")
        default: CommandFailure(.temporary, "\(what): \(error.localizedDescription)")
        }
    }
}

extension String {
    /// As one word of a shell command.
    var shellWord: String {
        let isPlain = utf8.allSatisfy { octet in
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-_./:@+%,=".utf8.contains(octet)
            }
        }
        return isPlain && !isEmpty
            ? self : "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
