// `addressee alias add`

import ArgumentParser
import MailboxDirectory

/// Adds an alias.
struct AddAlias: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add an alias.",
        discussion: "Example: addressee alias add info@example.org --to fred@example.org wilma@example.org")

    @Argument(help: "The address that stands for others.")
    var address: AddressText

    @Option(parsing: .upToNextOption, help: ArgumentHelp("The mailboxes it stands for.", valueName: "target"))
    var to: [AddressText]

    @OptionGroup var force: ForceOption
    @OptionGroup var options: WriteOptions

    func run() throws {
        try options.add(
            .alias(Alias(address: try address.ofNewRecord(options), targets: try to.mailboxes())),
            isForced: force.isGiven)
    }
}
