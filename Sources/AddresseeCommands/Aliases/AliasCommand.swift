// `addressee alias …`

import ArgumentParser
import MailboxDirectory

/// The names that stand for other mailboxes.
struct AliasCommand: RecordCommand {
    static let kind = RecordKind.alias
    static let example = "info@example.org"

    static let configuration = CommandConfiguration(
        commandName: "alias", abstract: "Keep the aliases: names that stand for mailboxes.",
        subcommands: [
            AddAlias.self, ShowRecord<Self>.self, ListRecords<Self>.self, SetAlias.self, RemoveRecord<Self>.self,
        ])
}
