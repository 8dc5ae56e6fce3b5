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

    @Option(help: "local: all its mailboxes are on record; relay: mail is passed on. (default: local)")
    var kind: DomainKindWord?

    @Option(help: ArgumentHelp("The domain that this one is another name of.", valueName: "domain"))
    var aliasOf: DomainText?

    @Option(help: ArgumentHelp("Where mail for names that are not on record goes.", valueName: "address"))
    var catchAll: AddressText?

    @Option(
        help: ArgumentHelp(
            "The characters that end the user part of fred+lists@example.org. (default: +)", valueName: "characters"))
    var detailSeparator: String?

    @Flag(help: "Take every local-part as it is, without details.")
    var noDetailSeparator = false

    @OptionGroup var force: ForceOption
    @OptionGroup var options: WriteOptions

    func validate() throws {
        if kind != nil, aliasOf != nil {
            throw ValidationError("--alias-of is a kind by itself; leave out --kind.")
        }
        if detailSeparator != nil, noDetailSeparator {
            throw ValidationError("Give --detail-separator or --no-detail-separator, not both.")
        }
    }

    func run() throws {
        var record = DomainRecord(domain: try domain.domain(), kind: kind?.kind ?? .local)
        if let aliasOf { record.kind = .alias(of: try aliasOf.domain()) }
        record.catchAll = try catchAll?.mailbox()
        if let detailSeparator { record.detailSeparators = Array(detailSeparator.utf8) }
        if noDetailSeparator { record.detailSeparators = [] }
        try options.add(.domain(record), isForced: force.isGiven)
    }
}
