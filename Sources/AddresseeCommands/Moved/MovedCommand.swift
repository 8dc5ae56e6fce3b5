// `addressee moved …`

import ArgumentParser
import MailboxDirectory

/// The addresses whose users have gone.
struct MovedCommand: RecordCommand {
    static let kind = RecordKind.moved
    static let example = "fred@example.org"

    static let configuration = CommandConfiguration(
        commandName: "moved", abstract: "Keep the addresses whose users have moved away.",
        subcommands: [
            AddMoved.self, ShowRecord<Self>.self, ListRecords<Self>.self, SetMoved.self, RemoveRecord<Self>.self,
        ])
}
