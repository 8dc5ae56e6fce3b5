// A folder of this process alone.

import Foundation
import Verification

/// A new, empty folder.
struct TemporaryFolder {
    let path: String

    /// - Parameter name: what its name begins with.
    init(named name: String) throws(CommandFailure) {
        // What mkdtemp(3) puts a name in place of.
        let unique = String(repeating: "X", count: 6)
        let place = FileManager.default.temporaryDirectory.path
        var template = Array("\(place)/\(name)-\(unique)".utf8CString)
        guard mkdtemp(&template) != nil else {
            let reason = String(cString: strerror(errno))
            throw CommandFailure(
                .temporary, "no folder can be made in \(place): \(reason); set TMPDIR to another place")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Removes it with all that is in it.
    func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }
}
