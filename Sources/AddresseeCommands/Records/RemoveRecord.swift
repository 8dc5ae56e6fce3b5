// `addressee user rm fred@example.org`, and so for every noun.

import ArgumentParser
import MailAddress
import MailboxDirectory
import Verification

/// Removes one record.
struct RemoveRecord<Noun: RecordCommand>: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "rm", abstract: "Remove \(Noun.kind.withArticle).",
            discussion: "Example: addressee \(Noun.kind.rawValue) rm \(Noun.example)")
    }

    @Argument(help: "What to remove.")
    var name: String

    // Nothing can stand in a domain that is not there, so there it is no option.
    @Flag(
        name: .customLong("force"),
        help: ArgumentHelp(
            "Remove it even if other records lead to it.", visibility: Noun.kind == .domain ? .hidden : .default))
    var isForced = false

    @Flag(
        name: .customLong("yes"),
        help: ArgumentHelp(
            "Don't ask before a list with members is removed.", visibility: Noun.kind == .list ? .default : .hidden))
    var isSure = false

    @OptionGroup var options: WriteOptions

    func validate() throws {
        if isForced, Noun.kind == .domain {
            throw ValidationError("A domain can't be removed by force; remove what stands in it first.")
        }
    }

    func run() throws {
        let directory = try options.configuration.directory()
        let name = try Noun.spelledOut(name, in: directory, forWriting: true)
        try directory.write(to: options.source) { editor, store in
            guard let record = try store.read({ try Noun.find(name, in: $0) }) else {
                throw try Noun.absence(of: name, in: directory, source: options.source)
            }
            try confirm(record)
            try Noun.remove(name, with: editor, isForced: isForced)
            try Change.removed.tell(record, in: store, asJSON: options.json.isWanted)
            if case .user(let user) = record { try tellForward(at: user.address, store, directory) }
        }
    }

    /// A user's forward is a record of its own, in this source or another, and still leads elsewhere.
    private func tellForward(at address: Mailbox, _ store: any RecordStore, _ directory: ConfiguredDirectory) throws {
        var (forward, place): (Forward?, String?)
        if case .forward(let own)? = try store.read({ try $0.record(.forward, at: address) }) {
            (forward, place) = (own, options.source)
        } else {
            for source in try directory.sources() where source.name != store.name {
                guard case .entry(let entry, _) = source.answer(.entries([address])) else { continue }
                (forward, place) = (entry.forward, source.name)
                if forward != nil { break }
            }
        }
        guard let forward else { return }
        let targets = forward.targets.map(\.description).joined(separator: ", ")
        Output.current.error(
            "the forward \(address) to \(targets) stays; remove it with: addressee forward rm \(address)"
                + (place.map { " --source \($0)" } ?? ""))
    }

    /// Asks a person at a terminal. A script can't be asked, and means what it says.
    private func confirm(_ record: Record) throws {
        guard case .list(let list, let members) = record, !members.isEmpty, !isSure else { return }
        if Output.current.confirms("the list \(list.address) has \(members.count.members); remove it?") { return }
        throw CommandFailure(.data, "nothing was removed; answer y to remove it, or give --yes")
    }
}
