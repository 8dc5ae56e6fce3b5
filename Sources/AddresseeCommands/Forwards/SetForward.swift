// `addressee forward set`

import ArgumentParser
import MailboxDirectory

/// Changes a forward.
struct SetForward: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change a forward.",
        discussion: """
            What is not named stays as it is; targets given take the place of those it has.

            Example: addressee forward set fred@example.org --no-keep-copy
            """)

    @Argument(help: "Whose mail is sent on.")
    var address: AddressText

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Where it is sent.", valueName: "target"))
    var to: [AddressText] = []

    @Flag(inversion: .prefixedNo, help: "Keep a copy in the mailbox here.")
    var keepCopy: Bool?

    @Option(help: "auto: 251 for one target elsewhere, else 250; 250: say nothing of it; 251: name the target.")
    var reply: ForwardReply?

    @OptionGroup var force: ForceOption
    @OptionGroup var options: WriteOptions

    func validate() throws {
        if to.isEmpty, keepCopy == nil, reply == nil {
            throw ValidationError("Say what to change: --to, --keep-copy, --no-keep-copy or --reply.")
        }
    }

    func run() throws {
        let targets = try to.mailboxes()
        try options.set(.forward, at: address, isForced: force.isGiven) { record in
            guard case .forward(var forward) = record else { return record }
            if !targets.isEmpty { forward.targets = targets }
            if let keepCopy { forward.keepsCopy = keepCopy }
            if let reply { forward.reply = reply }
            return .forward(forward)
        }
    }
}
