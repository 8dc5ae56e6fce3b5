// `addressee expand`

import AddresseeConfiguration
import ArgumentParser
import MailboxDirectory
import SMTPProtocol
import Verification

/// Says what EXPN would answer.
struct Expand: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what EXPN would answer.",
        discussion: """
            The administrator sees the members of every list; --as asks as a client.

            Example: addressee expand staff@example.org
            """)

    @Argument(help: "A list, or any name that VRFY takes.")
    var name: NameText

    @Option(help: ArgumentHelp("Answer as for a client of this class.", valueName: "class"))
    var `as`: String?

    @OptionGroup var configuration: ConfigurationOption
    @OptionGroup var json: JSONOption

    func run() throws {
        let subject = try name.subject()
        let directory = try configuration.directory()
        let answer: DirectoryAnswer
        if let `as` {
            answer = try directory.answer(.expand(subject, utf8: true), by: try directory.client(`as`))
        } else {
            let resolution = try directory.resolution(Question(subject), purpose: .expand(.administrator))
            let judgement = Judgement(wire: .expand, disclosure: .full, utf8: true)
            answer = DirectoryAnswer(wire: .expand, verdict: judgement.verdict(on: resolution), resolution: resolution)
        }
        try answer.tell(name: name.text, asJSON: json.isWanted)
    }
}
