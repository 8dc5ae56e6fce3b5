// `addressee user ls [DOMAIN]`, and so for every noun. Records are written as they are read: there may be millions.

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
                A terminal gets a table; a pipe gets a line each, with tabs between the columns; --json gives an array \
                with one record a line. A record that can't be read is named on standard error, the rest is listed all the \
                same, and the exit status is 75.

                Example: addressee \(Noun.kind.rawValue) ls example.org
                """)
    }

    @Argument(help: "List only what is in this domain.")
    var domain: DomainText?

    @OptionGroup var options: ReadOptions

    func run() throws {
        let domain = try domain?.domain()
        let directory = try options.configuration.directory()
        let stores = try directory.stores(options.source)
        // The domain of a source's users may be on record in another source.
        if let domain { try checkDomain(domain, in: options.source == nil ? stores : try directory.stores(nil)) }
        let isWhole: Bool
        if options.json.isWanted {
            var array = JSONArray(to: .current)
            isWhole = try each(stores, domain) { try array.add(JSON($0, source: $1)) }
            try array.finish()
        } else {
            var table = Table(Noun.kind.columns, to: .current)
            isWhole = try each(stores, domain) { record, _ in try table.add(record.row) }
            try table.finish()
        }
        if !isWhole { throw ExitCode(ExitStatus.temporary.rawValue) }
    }

    /// Nothing listed must mean that nothing is there, not that the domain is misspelled.
    private func checkDomain(_ domain: Domain, in stores: [any RecordStore]) throws {
        for store in stores {
            let isThere = try store.read { reading in
                switch reading.answer(.domain(domain)) {
                case .domain: return true
                case .absent: return false
                case let answer: throw reading.trouble(in: answer)
                }
            }
            if isThere { return }
        }
        throw CommandFailure(.noUser, "the domain \(domain) is not on record; see: addressee domain ls")
    }

    /// Hands out the records of all stores, and names those that can't be read, on standard error.
    /// - Returns: whether all could be read.
    private func each(
        _ stores: [any RecordStore], _ domain: Domain?, _ body: (Record, String) throws -> Void
    ) throws -> Bool {
        var isWhole = true
        for store in stores {
            try store.read { reading in
                let faulty = { (trouble: Trouble) in
                    isWhole = false
                    Output.current.error("\(trouble)")
                }
                try reading.forEach(Noun.kind, in: domain, faulty: faulty) { try body($0, store.name) }
            }
        }
        return isWhole
    }
}
