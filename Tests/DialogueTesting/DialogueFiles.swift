// Finds and reads the files in Tests/Dialogues.

import Foundation

/// The golden sessions and their directories.
public enum DialogueFiles {
    /// Tests/Dialogues, told from where this file is.
    public static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Dialogues").path

    /// The names of all sessions, in their order. Where there are none, one that can't be opened: a test of each name fails
    /// then, and would pass if it had none to try.
    public static let sessions: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let names = files.filter { $0.hasSuffix(".session") }.map { String($0.dropLast(".session".count)) }.sorted()
        return names.isEmpty ? ["(there are no sessions in \(folder))"] : names
    }()

    public static func dialogue(_ name: String) throws -> Dialogue {
        try Dialogue(name: "\(name).session", text: try text("\(name).session"))
    }

    public static func directory(_ name: String) throws -> DirectoryText {
        try DirectoryText(name: "\(name).directory", text: try text("\(name).directory"))
    }

    private static func text(_ file: String) throws -> String {
        try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
    }
}
