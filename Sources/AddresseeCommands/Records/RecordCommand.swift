// What the six nouns have in common, so that `show`, `ls` and `rm` are written once.

import ArgumentParser
import MailAddress
import MailboxDirectory

/// A noun of the command line: one kind of record.
protocol RecordCommand: ParsableCommand {
    static var kind: RecordKind { get }
    /// An argument for an example.
    static var example: String { get }

    /// The address or the domain that a name stands for, where the default domain and the directory say so.
    static func spelledOut(_ text: String, in directory: ConfiguredDirectory, forWriting: Bool) throws -> String
    /// The record that an argument names; nil when there is none.
    static func find(_ text: String, in reading: any RecordReading) throws -> Record?
    static func remove(_ text: String, with editor: RecordEditor, isForced: Bool) throws
    /// What to say when there is none.
    static func absence(of text: String, in directory: ConfiguredDirectory, source: String?) throws -> CommandFailure
}

extension RecordCommand {
    /// Whoever reads may give any name that VRFY takes. What is written is named by its address, or by its local-part in the
    /// default domain: never by a name that may be somebody else's tomorrow.
    static func spelledOut(_ text: String, in directory: ConfiguredDirectory, forWriting: Bool) throws -> String {
        let address = AddressText(argument: text)
        if forWriting { return "\(try address.mailbox(in: directory.defaultDomain))" }
        return "\(try directory.mailbox(named: text))"
    }

    static func find(_ text: String, in reading: any RecordReading) throws -> Record? {
        try reading.record(kind, at: try AddressText(argument: text).mailbox())
    }

    static func remove(_ text: String, with editor: RecordEditor, isForced: Bool) throws {
        try editor.remove(kind, at: try AddressText(argument: text).mailbox(), isForced: isForced)
    }

    static func absence(of text: String, in directory: ConfiguredDirectory, source: String?) throws -> CommandFailure {
        try directory.absence(of: kind, at: try AddressText(argument: text).mailbox(), in: source)
    }
}
