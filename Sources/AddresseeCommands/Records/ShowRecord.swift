// `addressee user show fred@example.org`, and so for every noun.

import ArgumentParser
import MailboxDirectory

/// Shows one record.
struct ShowRecord<Noun: RecordCommand>: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "show", abstract: "Show the record of \(Noun.kind.withArticle).",
            discussion: (Noun.kind == .domain ? "" : "It is found by whatever name \"addressee verify\" takes.\n\n")
                + "Example: addressee \(Noun.kind.rawValue) show \(Noun.example)")
    }

    @Argument(help: "Whose record it is.")
    var name: String

    @OptionGroup var options: ReadOptions

    func run() throws {
        let directory = try options.configuration.directory()
        let name = try Noun.spelledOut(name, in: directory, forWriting: false)
        for store in try directory.stores(options.source) {
            guard let record = try store.read({ try Noun.find(name, in: $0) }) else { continue }
            if options.json.isWanted { return try Output.current.json(JSON(record, source: store.name)) }
            return try show(record, to: .current)
        }
        throw try Noun.absence(of: name, in: directory, source: options.source)
    }

    private func show(_ record: Record, to output: Output) throws {
        var lines = Lines(to: output)
        let fields = record.fields
        let width = fields.map(\.name.columns).max() ?? 0
        for (name, value) in fields {
            let value = value.printable
            if !output.isTerminal {
                try lines.write("\(name)\t\(value)\n")
            } else if !value.isEmpty {
                let label = name.padded(to: width)
                try lines.write((output.isColoured ? "\u{1B}[1m\(label)\u{1B}[0m" : label) + "  \(value)\n")
            }
        }
        try lines.finish()
    }
}
