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

    @OptionGroup var options: QuestionOptions

    func run() throws {
        try options.tell(name) { directory, subject, client in
            if let client { return try directory.answer(.expand(subject, utf8: true), by: client) }
            let resolution = try directory.resolution(Question(subject), purpose: .expand(.administrator))
            let judgement = Judgement(wire: .expand, disclosure: .full, utf8: true)
            return DirectoryAnswer(wire: .expand, verdict: judgement.verdict(on: resolution), resolution: resolution)
        }
    }
}
