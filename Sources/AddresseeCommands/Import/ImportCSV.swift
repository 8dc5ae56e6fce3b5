// `addressee import csv`: users from a spreadsheet or from another system.

import AddresseeConfiguration
import ArgumentParser
import MailboxDirectory
import Verification

/// Takes in users from CSV.
struct ImportCSV: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "csv", abstract: "Add users from a CSV file.",
        discussion: """
            The first line names the columns, in any order: address, and if you like name, login and status (active, \
            disabled, suspended or full; an empty one is active). Fields with commas or quotes stand in quotes \
            (RFC 4180); the file is UTF-8. The users' domains must be on record.

            All users are added or none: when a line is wrong, all faults are printed with their lines, a hundred at \
            most, and nothing changes. A user who is on record already is one; or stays as he is with --on-conflict keep; or \
            with --on-conflict replace gets what the file has columns for, and keeps the rest.
            """)

    @Argument(help: ArgumentHelp("The file, or - for standard input.", valueName: "file"))
    var file: String

    @Option(
        help: ArgumentHelp(
            "What becomes of users who are on record already: refuse the file, keep or replace them.",
            valueName: "refuse|keep|replace"))
    var onConflict = ConflictWord.refuse

    @OptionGroup var options: WriteOptions

    func run() throws {
        let input = try ImportFile(file)
        let work = try prepared(input)
        let output = Output.current
        var bar = ProgressBar(total: input.size, to: output)
        let result: BulkResult
        do {
            defer { bar.clear() }
            result = try work.run { users, octets in bar.show(users, done: octets) }
        } catch let faults as ImportFaults {
            for fault in faults.shown { output.standardError("\(input.name):\(fault)".printable + "\n") }
            throw faults.failure
        }
        let seconds = (bar.elapsed * 10).rounded() / 10
        let count = result.added + result.replaced
        if options.json.isWanted {
            try output.write(
                "{\"imported\":\(count),\"seconds\":\(seconds),\"replaced\":\(result.replaced),\"kept\":\(result.kept)}\n"
            )
        } else {
            var line = "imported \(count.users) in \(seconds) s"
            if result.replaced > 0 { line += "; \(result.replaced) of them on record before, and changed" }
            if result.kept > 0 { line += "; \(result.kept.users) on record before, and left as they are" }
            try output.line(line)
        }
    }

    /// Opens the sources.
    private func prepared(_ input: ImportFile) throws -> UserImport {
        let directory = try options.configuration.directory()
        let sources = directory.configuration.sources
        let place = try directory.index(ofSource: options.source)
        let wiring = try ConfiguredDirectory.wiring()
        let others = try sources.indices.filter { $0 != place }.map { try wiring.openSource(sources[$0]) }
        guard let store = try wiring.openStore(sources[place]) as? any BulkUserStore else {
            throw CommandFailure(
                .usage,
                "the source \(sources[place].name) takes no imports; name another with --source, or use"
                    + " addressee user add")
        }
        return UserImport(
            file: input, store: store, elsewhere: others, place: place, conflict: onConflict,
            absence: { domain in
                directory.absence(
                    of: domain, in: options.source, advice: EditError.noSuchDomain(domain).advice, status: .data
                ).message
            })
    }
}

extension Int {
    fileprivate var users: String { self == 1 ? "1 user" : "\(self) users" }
}
