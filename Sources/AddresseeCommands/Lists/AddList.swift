// `addressee list add`

import ArgumentParser
import MailboxDirectory

/// Adds a list.
struct AddList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a list.",
        discussion: """
            Example: addressee list add staff@example.org --member fred@example.org "Sam Q. Smith <sam@example.net>"
            """)

    @Argument(help: "The list's address.")
    var address: AddressText

    @Option(help: ArgumentHelp("The list's title.", valueName: "title"))
    var name = ""

    @Option(help: ArgumentHelp("Who answers for the list.", valueName: "address"))
    var owner: AddressText?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "The members, as fred@example.org or \"Fred Claude <fred@example.org>\".", valueName: "member"))
    var member: [MemberText] = []

    @Option(help: "Whom EXPN shows the members: anyone it is open to, trusted clients only, or nobody.")
    var expn = ExpansionAccess.trusted

    @OptionGroup var force: ForceOption
    @OptionGroup var options: WriteOptions

    func run() throws {
        let list = MailingList(
            address: try address.ofNewRecord(options), name: name, owner: try owner?.target(), expansion: expn)
        try options.add(.list(list, members: try member.members()), isForced: force.isGiven)
    }
}
