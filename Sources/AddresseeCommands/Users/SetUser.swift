// `addressee user set`

import ArgumentParser
import MailboxDirectory

/// Changes a user.
struct SetUser: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change a user.",
        discussion: """
            What is not named stays as it is.

            Example: addressee user set fred@example.org --status disabled
            """)

    @Argument(help: "The user's mailbox.")
    var address: AddressText

    @Option(help: ArgumentHelp("The full name; empty for none.", valueName: "full name"))
    var name: String?

    @Option(help: "The login name.")
    var login: String?

    @Flag(help: "Take the login name away.")
    var noLogin = false

    @Option(help: "active takes mail; disabled takes none; suspended takes none for now; full has no room.")
    var status: AccountStatus?

    @OptionGroup var options: WriteOptions

    func validate() throws {
        if login != nil, noLogin { throw ValidationError("Give --login or --no-login, not both.") }
        if name == nil, login == nil, !noLogin, status == nil {
            throw ValidationError("Say what to change: --name, --login, --no-login or --status.")
        }
    }

    func run() throws {
        try options.set(.user, at: address) { record in
            guard case .user(var user) = record else { return record }
            if let name { user.fullName = name }
            if let login { user.login = login }
            if noLogin { user.login = nil }
            if let status { user.status = status }
            return .user(user)
        }
    }
}
