// `addressee list leave`

import ArgumentParser
import MailboxDirectory

/// Removes members from a list.
struct LeaveList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leave", abstract: "Remove members from a list.",
        discussion: """
            All of them leave, or, when one is no member, none.

            Example: addressee list leave staff@example.org fred@example.org
            """)

    @Argument(help: "The list's address.")
    var list: AddressText

    @Argument(help: "The members.")
    var member: [MemberText]

    @OptionGroup var options: WriteOptions

    func run() throws {
        let members = try member.members()
        let directory = try options.configuration.directory()
        let address = try list.mailbox(in: directory.defaultDomain)
        let (editor, store) = try directory.writing(to: options.source)
        do throws(EditError) {
            try editor.leave(members.map(\.mailbox), list: address)
        } catch {
            if case .notFound = error { throw try directory.absence(of: .list, at: address, in: options.source) }
            throw error
        }
        if options.json.isWanted { return try store.tellList(at: address) }
        try Output.current.line("removed \(members.count.members) from list \(address)")
    }
}
