// The root of the command line: nouns, then verbs.

import ArgumentParser

/// `addressee`.
struct Addressee: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "addressee",
        abstract: "Keep a directory of mailboxes, and answer every mail server that asks it.",
        discussion: """
            Start with "addressee demo", which serves a ready directory; then "addressee init" for one of your own.

            Exit status: 0 yes; 67 unknown, moved or disabled; 65 ambiguous or malformed; 75 the directory could not \
            tell; 77 not allowed; 64 wrong usage; 78 wrong configuration.
            """,
        version: "addressee \(Program.version)",
        groupedSubcommands: [
            CommandGroup(name: "Starting", subcommands: [Demo.self, Init.self, Serve.self, TableProc.self]),
            CommandGroup(
                name: "Records",
                subcommands: [
                    DomainCommand.self, UserCommand.self, AliasCommand.self, ForwardCommand.self, MovedCommand.self,
                    ListCommand.self, References.self, Import.self, Check.self,
                ]),
            CommandGroup(name: "Questions", subcommands: [Verify.self, Expand.self, Resolve.self, Bench.self]),
        ])
}
