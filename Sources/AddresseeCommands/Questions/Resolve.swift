// `addressee resolve`

import AddresseeConfiguration
import ArgumentParser
import MailboxDirectory
import SMTPProtocol
import Verification

/// Shows where mail for an address ends up.
struct Resolve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show every mailbox that mail for an address reaches.",
        discussion: """
            Prints the final recipients, one a line: lists are opened, and forwards followed. What takes no mail is said \
            on standard error.

            Example: addressee resolve staff@example.org --explain
            """)

    @Argument(help: "An address, or any name that VRFY takes.")
    var address: NameText

    @Flag(help: "Show every step, with its reason and the source that answered.")
    var explain = false

    @OptionGroup var configuration: ConfigurationOption
    @OptionGroup var json: JSONOption

    func run() throws {
        let subject = try address.subject()
        let directory = try configuration.directory()
        let resolution = try directory.resolution(
            Question(subject), purpose: .resolve, isTracing: explain)
        // The same judgement as on every wire, so that this exit status can't differ from what a server says.
        let status = Judgement(wire: .expand, disclosure: .full, utf8: true).verdict(on: resolution).exitStatus
        let output = Output.current
        try output.untilClosed {
            if json.isWanted {
                try output.json(JSON(resolution, asked: address.text, status: status))
            } else {
                if explain { for step in resolution.trace { try output.line(step.text) } }
                for recipient in explain ? resolution.recipients : resolution.recipientsByMailbox {
                    try output.line(explain ? recipient.text : "\(recipient.mailbox)")
                }
            }
        }
        for line in resolution.complaints(of: address.text, nearest: directory.nearest) { output.error(line) }
        if status != .yes { throw ExitCode(status.rawValue) }
    }
}
