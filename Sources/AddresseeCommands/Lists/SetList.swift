// `addressee list set`

import ArgumentParser
import MailboxDirectory

/// Changes a list.
struct SetList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change a list.",
        discussion: """
            What is not named stays as it is; members given take the place of those it has. To add or remove a few, use \
            "addressee list join" and "addressee list leave".

            Example: addressee list set staff@example.org --expn nobody
            """)

    @Argument(help: "The list's address.")
    var address: AddressText

    @Option(help: ArgumentHelp("The list's title; empty for none.", valueName: "title"))
    var name: String?

    @Option(help: ArgumentHelp("Who answers for the list.", valueName: "address"))
    var owner: AddressText?

    @Flag(help: "Have no owner.")
    var noOwner = false

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "The members, as fred@example.org or \"Fred Claude <fred@example.org>\".", valueName: "member"))
    var member: [MemberText] = []

    @Option(help: "Whom EXPN shows the members: anyone it is open to, trusted clients only, or nobody.")
    var expn: ExpansionAccess?

    @OptionGroup var force: ForceOption
    @OptionGroup var options: WriteOptions

    func validate() throws {
        if owner != nil, noOwner { throw ValidationError("Give --owner or --no-owner, not both.") }
        if name == nil, owner == nil, !noOwner, member.isEmpty, expn == nil {
            throw ValidationError("Say what to change: --name, --owner, --no-owner, --member or --expn.")
        }
    }

    func run() throws {
        let owner = try owner?.target()
        let newMembers = try member.members()
        try options.set(.list, at: address, isForced: force.isGiven) { record in
            guard case .list(var list, var members) = record else { return record }
            if let name { list.name = name }
            if let owner { list.owner = owner }
            if noOwner { list.owner = nil }
            if let expn { list.expansion = expn }
            if !newMembers.isEmpty { members = newMembers }
            return .list(list, members: members)
        }
    }
}
