// `addressee list join`

import ArgumentParser
import MailAddress
import MailboxDirectory

/// Adds members to a list.
struct JoinList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "join", abstract: "Add members to a list.",
        discussion: """
            Who is a member already stays one.

            Example: addressee list join staff@example.org fred@example.org "Sam Q. Smith <sam@example.net>"
            """)

    @Argument(help: "The list's address.")
    var list: AddressText

    @Argument(help: "The members, as fred@example.org or \"Fred Claude <fred@example.org>\".")
    var member: [MemberText]

    @OptionGroup var force: ForceOption
    @OptionGroup var options: WriteOptions

    func run() throws {
        let members = try member.members()
        let directory = try options.configuration.directory()
        let address = try list.mailbox(in: directory.defaultDomain)
        let (editor, store) = try directory.writing(to: options.source)
        let added: Int
        do throws(EditError) {
            added = try editor.join(members, list: address, isForced: force.isGiven)
        } catch {
            if case .notFound = error { throw try directory.absence(of: .list, at: address, in: options.source) }
            throw error
        }
        if options.json.isWanted { return try store.tellList(at: address) }
        let were = members.count - added
        let rest = were == 0 ? "" : "; \(were) \(were == 1 ? "was a member" : "were members") already"
        try Output.current.line("added \(added.members) to list \(address)\(rest)")
    }
}

extension RecordStore {
    /// Prints the list as it is now.
    func tellList(at address: Mailbox) throws {
        guard let record = try read({ try $0.record(.list, at: address) }) else { return }
        try Output.current.json(JSON(record, source: name))
    }
}

extension Int {
    /// `1 member`, `2 members`.
    var members: String { self == 1 ? "1 member" : "\(self) members" }
}
