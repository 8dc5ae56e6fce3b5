// `addressee domain …`

import ArgumentParser
import MailAddress
import MailboxDirectory
import Verification

/// The domains that are served here.
struct DomainCommand: RecordCommand {
    static let kind = RecordKind.domain
    static let example = "example.org"

    static let configuration = CommandConfiguration(
        commandName: "domain", abstract: "Keep the domains that are served here.",
        subcommands: [
            AddDomain.self, ShowRecord<Self>.self, ListRecords<Self>.self, SetDomain.self, RemoveRecord<Self>.self,
        ])

    static func spelledOut(_ text: String, in directory: ConfiguredDirectory, forWriting: Bool) -> String { text }

    static func find(_ text: String, in reading: any RecordReading) throws -> Record? {
        switch reading.answer(.domain(try DomainText(argument: text).domain())) {
        case .domain(let record): return .domain(record)
        case .absent: return nil
        case let answer: throw reading.trouble(in: answer)
        }
    }

    /// Nothing can be forced: records can't stand in a domain that is not there.
    static func remove(_ text: String, with editor: RecordEditor, isForced: Bool) throws {
        try editor.removeDomain(try DomainText(argument: text).domain())
    }

    static func absence(of text: String, in directory: ConfiguredDirectory, source: String?) throws -> CommandFailure {
        let domain = try DomainText(argument: text).domain()
        return directory.absence(of: domain, in: source, advice: "add it with: addressee domain add \(domain)")
    }
}
