// `addressee user …`

import ArgumentParser
import MailboxDirectory

/// The people with a mailbox here.
struct UserCommand: RecordCommand {
    static let kind = RecordKind.user
    static let example = "fred@example.org"

    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Keep the users: people with a mailbox here.",
        subcommands: [
            AddUser.self, ShowRecord<Self>.self, ListRecords<Self>.self, SetUser.self, RemoveRecord<Self>.self,
        ])
}
