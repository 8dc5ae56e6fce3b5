// `addressee user ls [DOMAIN]`, and so for every noun. Records are written as they are read: there may be millions.

import AddresseeConfiguration
import ArgumentParser
import MailAddress
import MailboxDirectory
import Verification

/// Lists the records of one kind.
struct ListRecords<Noun: RecordCommand>: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "ls", abstract: "List what is on record.",
            discussion: """
                A terminal gets a table, cut to its width; a pipe gets a line each, with tabs between the columns, or with \
                --table the table; --json gives an array with one record a line. A record or a source that can't be \
                read is named on standard error, the rest is listed all the same, and the exit status is 75.

                Example: addressee \(Noun.kind.rawValue) ls example.org
                """)
    }

    @Argument(help: "List only what is in this domain.")
    var domain: DomainText?

    @Option(name: .customLong("domain"), help: ArgumentHelp("The same, as an option.", valueName: "domain"))
    var domainOption: DomainText?

    @OptionGroup var filter: RecordFilter<Noun>

    @Flag(help: "Print a header and aligned columns, also where no terminal shows them.")
    var table = false

    @OptionGroup var options: ReadOptions

    func validate() throws {
        if let domain, let domainOption, domain.text != domainOption.text {
            throw ValidationError("Give one domain, or none for all.")
        }
        if table, options.json.isWanted { throw ValidationError("Give --table or --json, not both.") }
    }

    func run() throws {
        let domain = try (domain ?? domainOption)?.domain()
        let directory = try options.configuration.directory()
        let all = directory.configuration.sources
        let sources = options.source == nil ? all : [all[try directory.index(ofSource: options.source)]]
        // The domain of a source's users may be on record in another source.
        if let domain { try checkDomain(domain, in: directory) }
        let isWhole: Bool
        if options.json.isWanted {
            var array = JSONArray(to: .current)
            isWhole = try each(sources, domain) { try array.add(JSON($0, source: $1)) }
            try array.finish()
        } else {
            var table = Table(Noun.kind.columns, to: .current, isAligned: self.table)
            isWhole = try each(sources, domain) { record, _ in try table.add(record.row) }
            try table.finish()
        }
        if !isWhole { throw ExitCode(ExitStatus.temporary.rawValue) }
    }

    /// Nothing listed must mean that nothing is there, not that the domain is misspelled. A source that can't be asked is told
    /// of with its records, where another has the domain.
    private func checkDomain(_ domain: Domain, in directory: ConfiguredDirectory) throws {
        var trouble: Trouble?
        for source in try directory.sources() {
            switch source.answer(.domain(domain)) {
            case .domain: return
            case .absent: continue
            case let answer: trouble = trouble ?? source.trouble(in: answer)
            }
        }
        if let trouble { throw trouble }
        throw directory.absence(of: domain, in: options.source, advice: "see: addressee domain ls")
    }

    /// Hands out the records of all sources, and names those that can't be read, and sources that can't, on standard error.
    /// - Returns: whether all could be read.
    private func each(
        _ sources: [SourceConfiguration], _ domain: Domain?, _ body: (Record, String) throws -> Void
    ) throws -> Bool {
        let wiring = try ConfiguredDirectory.wiring()
        var isWhole = true
        let faulty = { (trouble: Trouble) in
            isWhole = false
            Output.current.error("\(trouble)")
        }
        for source in sources {
            do {
                let store = try wiring.openStore(source)
                try store.read { reading in
                    try reading.forEach(Noun.kind, in: domain, faulty: faulty) { record in
                        if filter.takes(record) { try body(record, store.name) }
                    }
                }
            } catch let trouble as Trouble where sources.count > 1 {
                faulty(trouble)
            } catch StoreError.trouble(let trouble) where sources.count > 1 {
                faulty(trouble)
            }
        }
        return isWhole
    }
}

/// Which records are listed.
struct RecordFilter<Noun: RecordCommand>: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "List only what has this text in any of its fields; capitals do not matter.", valueName: "text"))
    var match: String?

    // Others have none.
    @Option(
        help: ArgumentHelp(
            "List only the users with this status.", visibility: Noun.kind == .user ? .default : .hidden))
    var status: AccountStatus?

    func validate() throws {
        if status != nil, Noun.kind != .user { throw ValidationError("Only users have a status; leave out --status.") }
    }

    func takes(_ record: Record) -> Bool {
        if let status, case .user(let user) = record, user.status != status { return false }
        guard let match else { return true }
        let wanted = NameFolding.fold(Array(match.utf8))
        return record.fields.contains { NameFolding.fold(Array($0.value.utf8)).contains(run: wanted) }
    }
}

extension [UInt8] {
    /// Whether these octets stand anywhere in it.
    fileprivate func contains(run: [UInt8]) -> Bool {
        guard run.count <= count else { return false }
        return (0...(count - run.count)).contains { self[$0...].starts(with: run) }
    }
}
