// `addressee forward …`

import ArgumentParser
import MailboxDirectory

/// People's redirections.
struct ForwardCommand: RecordCommand {
    static let kind = RecordKind.forward
    static let example = "fred@example.org"

    static let configuration = CommandConfiguration(
        commandName: "forward", abstract: "Keep the forwards: where people want their mail sent on to.",
        subcommands: [
            AddForward.self, ShowRecord<Self>.self, ListRecords<Self>.self, SetForward.self, RemoveRecord<Self>.self,
        ])
}
