// `addressee verify`

import AddresseeConfiguration
import ArgumentParser
import SMTPProtocol
import Verification

/// Says what VRFY would answer.
struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what VRFY would answer.",
        discussion: """
            The reply is that for a trusted client to whom all may be told, in UTF-8; --as asks as another client. Where there \
            are next hops, 251 is said only for what they take.

            Example: addressee verify "Fred Claude"
            """)

    @Argument(help: "A local-part, a login, a full name or a word of one, or an address.")
    var name: NameText

    @OptionGroup var options: QuestionOptions

    func run() throws {
        try options.tell(name) { directory, subject, client in
            try directory.answer(.verify(subject, utf8: true), by: client ?? .trusted)
        }
    }
}
