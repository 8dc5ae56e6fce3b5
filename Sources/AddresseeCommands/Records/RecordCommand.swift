// What the six nouns have in common, so that `show`, `ls` and `rm` are written once.

import ArgumentParser
import MailAddress
import MailboxDirectory

/// A noun of the command line: one kind of record.
protocol RecordCommand: ParsableCommand {
    static var kind: RecordKind { get }
    /// An argument for an example.
    static var example: String { get }

    /// The record that an argument names; nil when there is none.
    static func find(_ text: String, in reading: any RecordReading) throws -> Record?
    static func remove(_ text: String, with editor: RecordEditor, isForced: Bool) throws
    /// What to say when there is none.
    static func absence(of text: String, in directory: ConfiguredDirectory, source: String?) throws -> CommandFailure
}

extension RecordCommand {
    static func find(_ text: String, in reading: any RecordReading) throws -> Record? {
        try reading.record(kind, at: try AddressText(argument: text).ofRecord())
    }

    static func remove(_ text: String, with editor: RecordEditor, isForced: Bool) throws {
        try editor.remove(kind, at: try AddressText(argument: text).ofRecord(), isForced: isForced)
    }

    static func absence(of text: String, in directory: ConfiguredDirectory, source: String?) throws -> CommandFailure {
        try directory.absence(of: kind, at: try AddressText(argument: text).ofRecord(), in: source)
    }
}
