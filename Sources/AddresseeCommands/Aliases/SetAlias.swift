// `addressee alias set`

import ArgumentParser
import MailboxDirectory

/// Changes an alias.
struct SetAlias: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change what an alias stands for.",
        discussion: """
            The targets given take the place of those it has.

            Example: addressee alias set info@example.org --to wilma@example.org
            """)

    @Argument(help: "The address that stands for others.")
    var address: AddressText

    @Option(parsing: .upToNextOption, help: ArgumentHelp("The mailboxes it stands for.", valueName: "target"))
    var to: [AddressText]

    @OptionGroup var force: ForceOption
    @OptionGroup var options: WriteOptions

    func run() throws {
        let targets = try to.mailboxes()
        try options.set(.alias, at: address, isForced: force.isGiven) { record in
            guard case .alias(var alias) = record else { return record }
            alias.targets = targets
            return .alias(alias)
        }
    }
}
