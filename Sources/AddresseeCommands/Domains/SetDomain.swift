// `addressee domain set`

import ArgumentParser
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

    @OptionGroup var fields: DomainFields

    @Flag(help: "Refuse mail for names that are not on record.")
    var noCatchAll = false

    @Flag(help: "Deliver its mail as any other.")
    var noTransport = false

    @OptionGroup var force: ForceOption
    @OptionGroup var options: WriteOptions

    func validate() throws {
        if fields.catchAll != nil, noCatchAll {
            throw ValidationError("Give --catch-all or --no-catch-all, not both.")
        }
        if fields.transport != nil, noTransport {
            throw ValidationError("Give --transport or --no-transport, not both.")
        }
        if !fields.isAnyGiven, !noCatchAll, !noTransport {
            throw ValidationError(
                "Say what to change: --kind, --alias-of, --catch-all, --detail-separator or --transport.")
        }
    }

    func run() throws {
        let domain = try domain.domain()
        let values = try fields.read()
        let directory = try options.configuration.directory()
        try directory.write(to: options.source) { editor, store in
            var (before, changed): (DomainRecord?, DomainRecord?)
            do throws(EditError) {
                try editor.setDomain(domain, isForced: force.isGiven) { old throws(EditError) in
                    before = old
                    var record = old
                    values.apply(to: &record)
                    if noCatchAll { record.catchAll = nil }
                    if noTransport { record.transport = nil }
                    changed = record
                    return record
                }
            } catch {
                guard case .notFound = error else { throw error }
                throw try DomainCommand.absence(of: self.domain.text, in: directory, source: options.source)
            }
            guard let changed, let before else { return }
            try Change.changed.tell(
                .domain(changed), insteadOf: .domain(before), in: store, asJSON: options.json.isWanted)
        }
    }
}
