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

            All users are added or none: when a line is wrong, the first faults are printed with their lines, and \
            nothing changes.
            """)

    @Argument(help: ArgumentHelp("The file, or - for standard input.", valueName: "file"))
    var file: String

    @OptionGroup var options: WriteOptions

    func run() throws {
        let input = try ImportFile(file)
        let work = try prepared(input)
        let output = Output.current
        var bar = ProgressBar(total: input.size, to: output)
        let count: Int
        do {
            defer { bar.clear() }
            count = try work.run { users, octets in bar.show(users, done: octets) }
        } catch let faults as ImportFaults {
            for fault in faults.shown { output.standardError("\(input.name):\(fault)".printable + "\n") }
            throw faults.failure
        }
        let seconds = (bar.elapsed * 10).rounded() / 10
        if options.json.isWanted {
            try output.write("{\"imported\":\(count),\"seconds\":\(seconds)}\n")
        } else {
            try output.line("imported \(count) \(count == 1 ? "user" : "users") in \(seconds) s")
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
        return UserImport(file: input, store: store, elsewhere: others, place: place)
    }
}
