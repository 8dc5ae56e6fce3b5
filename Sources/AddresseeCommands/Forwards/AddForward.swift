// `addressee forward add`

import ArgumentParser
import MailboxDirectory

/// Adds a forward.
struct AddForward: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a forward.",
        discussion: "Example: addressee forward add fred@example.org --to fred@example.net --keep-copy")

    @Argument(help: "Whose mail is sent on.")
    var address: AddressText

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Where it is sent.", valueName: "target"))
    var to: [AddressText]

    @Flag(inversion: .prefixedNo, help: "Keep a copy in the mailbox here.")
    var keepCopy = false

    @Option(help: "auto: 251 for one target elsewhere, else 250; 250: say nothing of it; 251: name the target.")
    var reply = ForwardReply.auto

    @OptionGroup var force: ForceOption
    @OptionGroup var options: WriteOptions

    func run() throws {
        let forward = Forward(
            address: try address.ofNewRecord(options), targets: try to.mailboxes(), keepsCopy: keepCopy, reply: reply)
        try options.add(.forward(forward), isForced: force.isGiven)
    }
}
