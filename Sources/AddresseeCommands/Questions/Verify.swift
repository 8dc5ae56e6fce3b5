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
            The reply is that for a trusted client to whom all may be told, in UTF-8; --as asks as another client.

            Example: addressee verify "Fred Claude"
            """)

    @Argument(help: "A local-part, a login, a full name or a word of one, or an address.")
    var name: NameText

    @Option(help: ArgumentHelp("Answer as for a client of this class.", valueName: "class"))
    var `as`: String?

    @OptionGroup var configuration: ConfigurationOption
    @OptionGroup var json: JSONOption

    func run() throws {
        let subject = try name.subject()
        let directory = try configuration.directory()
        let client = try `as`.map { try directory.client($0) } ?? .trusted
        let answer = try directory.answer(.verify(subject, utf8: true), by: client)
        try answer.tell(name: name.text, asJSON: json.isWanted)
    }
}
