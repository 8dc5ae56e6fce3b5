// The file that is imported, or standard input.

import Foundation
import Verification

/// An open file, or standard input when it is called `-`.
final class ImportFile {
    /// For messages.
    let name: String
    /// Octets; nil when that can't be told.
    let size: Int?
    /// Whether it can be read once more.
    var isRepeatable: Bool { size != nil }
    private let descriptor: Int32

    init(_ path: String) throws(CommandFailure) {
        let isInput = path == "-"
        name = isInput ? "stdin" : path
        descriptor = isInput ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CommandFailure(.usage, "can't read \(path): \(String(cString: strerror(errno)))")
        }
        var status = stat()
        fstat(descriptor, &status)
        if status.st_mode & S_IFMT == S_IFDIR {
            close(descriptor)
            throw CommandFailure(.usage, "can't read \(path): it is a folder; name a file in it")
        }
        size = status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
    }

    deinit {
        if descriptor != STDIN_FILENO { close(descriptor) }
    }

    /// Reads what there is; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            let got = Foundation.read(descriptor, buffer.baseAddress, buffer.count)
            if got >= 0 { return got }
            if errno == EINTR { continue }
            throw CommandFailure(.temporary, "can't read \(name): \(String(cString: strerror(errno)))")
        }
    }

    /// Where the next octets are read, from the beginning; only of a file that is repeatable.
    var position: Int {
        get { lseek(descriptor, 0, SEEK_CUR) }
        set { lseek(descriptor, newValue, SEEK_SET) }
    }
}
