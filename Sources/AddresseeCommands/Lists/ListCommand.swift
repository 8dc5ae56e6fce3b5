// `addressee list …`

import ArgumentParser
import MailboxDirectory

/// The mailing lists.
struct ListCommand: RecordCommand {
    static let kind = RecordKind.list
    static let example = "staff@example.org"

    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Keep the lists and their members.",
        subcommands: [
            AddList.self, ShowRecord<Self>.self, ListRecords<Self>.self, SetList.self, RemoveRecord<Self>.self,
            JoinList.self, LeaveList.self,
        ])
}
