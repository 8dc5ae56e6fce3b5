// Finds and reads the files in Tests/Dialogues.

import Foundation

/// The golden sessions and their directories.
public enum DialogueFiles {
    /// Tests/Dialogues, told from where this file is.
    public static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Dialogues").path

    /// The names of all sessions, in their order.
    public static func sessions() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".session") }
            .map { String($0.dropLast(".session".count)) }.sorted()
    }

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
