// `addressee moved add`

import ArgumentParser
import MailboxDirectory

/// Adds a moved address.
struct AddMoved: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add an address whose user has moved away.",
        discussion: "Example: addressee moved add fred@example.org --to fred@example.net")

    @Argument(help: "The old address; mail for it is refused.")
    var address: AddressText

    @Option(help: ArgumentHelp("The new address, where it is known.", valueName: "new address"))
    var to: AddressText?

    @OptionGroup var force: ForceOption
    @OptionGroup var options: WriteOptions

    func run() throws {
        try options.add(
            .moved(Moved(address: try address.ofNewRecord(options), newAddress: try to?.target())),
            isForced: force.isGiven)
    }
}
