// `addressee import`: many records at once.

import ArgumentParser

/// Takes in records from a file.
struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Add many records from a file.", subcommands: [ImportCSV.self])
}
