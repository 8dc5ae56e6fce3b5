// What `verify` and `expand` share.

import ArgumentParser
import SMTPProtocol
import Verification

/// Who asks, and how the answer is printed.
struct QuestionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Answer as for a client of this class.", valueName: "class"))
    var `as`: String?

    @OptionGroup var configuration: ConfigurationOption
    @OptionGroup var json: JSONOption

    /// Asks and prints the answer.
    /// - Parameter ask: gets the class that `--as` names; nil without one.
    func tell(
        _ name: NameText, ask: (ConfiguredDirectory, Subject, ClientClass?) throws -> DirectoryAnswer
    ) throws {
        let subject = try name.subject()
        let directory = try configuration.directory()
        let answer = try ask(directory, subject, try `as`.map { try directory.client($0) })
        try answer.tell(name: name.text, asJSON: json.isWanted)
    }
}
