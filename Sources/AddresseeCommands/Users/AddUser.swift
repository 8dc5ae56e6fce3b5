// `addressee user add`

import ArgumentParser
import MailboxDirectory

/// Adds a user.
struct AddUser: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a user.",
        discussion: "Example: addressee user add fred@example.org --name \"Fred Claude\"")

    @Argument(help: "The user's mailbox.")
    var address: AddressText

    @Option(help: ArgumentHelp("The full name; each word of it finds the user.", valueName: "full name"))
    var name = ""

    @Option(help: "The login name; it finds the user too.")
    var login: String?

    @Option(help: "active takes mail; disabled takes none; suspended takes none for now; full has no room.")
    var status = AccountStatus.active

    @OptionGroup var options: WriteOptions

    func run() throws {
        try options.add(
            .user(User(address: try address.ofNewRecord(options), fullName: name, login: login, status: status)))
    }
}
