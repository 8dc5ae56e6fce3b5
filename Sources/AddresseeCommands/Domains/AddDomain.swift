// `addressee domain add`

import ArgumentParser
import MailboxDirectory

/// Adds a domain.
struct AddDomain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a domain.",
        discussion: "Example: addressee domain add example.net --alias-of example.org")

    @Argument(help: "The domain.")
    var domain: DomainText

    @OptionGroup var fields: DomainFields
    @OptionGroup var force: ForceOption
    @OptionGroup var options: WriteOptions

    func run() throws {
        var record = DomainRecord(domain: try domain.domain())
        try fields.read().apply(to: &record)
        try options.add(.domain(record), isForced: force.isGiven)
    }
}
