// `addressee domain set`

import ArgumentParser
import MailAddress
import MailboxDirectory

/// Changes a domain.
struct SetDomain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change a domain.",
        discussion: """
            What is not named stays as it is.

            Example: addressee domain set example.org --catch-all fred@example.org
            """)

    @Argument(help: "The domain.")
    var domain: DomainText

    @Option(help: "local: all its mailboxes are on record; relay: mail is passed on.")
    var kind: DomainKindWord?

    @Option(help: ArgumentHelp("The domain that this one is another name of.", valueName: "domain"))
    var aliasOf: DomainText?

    @Option(help: ArgumentHelp("Where mail for names that are not on record goes.", valueName: "address"))
    var catchAll: AddressText?

    @Flag(help: "Refuse mail for names that are not on record.")
    var noCatchAll = false

    @Option(
        help: ArgumentHelp(
            "The characters that end the user part of fred+lists@example.org.", valueName: "characters"))
    var detailSeparator: String?

    @Flag(help: "Take every local-part as it is, without details.")
    var noDetailSeparator = false

    @OptionGroup var force: ForceOption
    @OptionGroup var options: WriteOptions

    func validate() throws {
        if kind != nil, aliasOf != nil {
            throw ValidationError("--alias-of is a kind by itself; leave out --kind.")
        }
        if catchAll != nil, noCatchAll { throw ValidationError("Give --catch-all or --no-catch-all, not both.") }
        if detailSeparator != nil, noDetailSeparator {
            throw ValidationError("Give --detail-separator or --no-detail-separator, not both.")
        }
        let isAnythingGiven =
            kind != nil || aliasOf != nil || catchAll != nil || noCatchAll || detailSeparator != nil
            || noDetailSeparator
        if !isAnythingGiven {
            throw ValidationError("Say what to change: --kind, --alias-of, --catch-all or --detail-separator.")
        }
    }

    func run() throws {
        let domain = try domain.domain()
        let target = try aliasOf?.domain()
        let catchAll = try catchAll?.mailbox()
        let directory = try options.configuration.directory()
        let (editor, store) = try directory.writing(to: options.source)
        var changed: DomainRecord?
        do throws(EditError) {
            try editor.setDomain(domain, isForced: force.isGiven) { old throws(EditError) in
                let record = change(old, target: target, catchAll: catchAll)
                changed = record
                return record
            }
        } catch {
            guard case .notFound = error else { throw error }
            throw try DomainCommand.absence(of: self.domain.text, in: directory, source: options.source)
        }
        guard let changed else { return }
        try Change.changed.tell(.domain(changed), in: store, asJSON: options.json.isWanted)
    }

    private func change(_ old: DomainRecord, target: Domain?, catchAll: Mailbox?) -> DomainRecord {
        var record = old
        if let kind { record.kind = kind.kind }
        if let target { record.kind = .alias(of: target) }
        if let catchAll { record.catchAll = catchAll }
        if noCatchAll { record.catchAll = nil }
        if let detailSeparator { record.detailSeparators = Array(detailSeparator.utf8) }
        if noDetailSeparator { record.detailSeparators = [] }
        return record
    }
}
