// `addressee moved set`

import ArgumentParser
import MailboxDirectory

/// Changes a moved address.
struct SetMoved: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change where somebody has moved to.",
        discussion: "Example: addressee moved set fred@example.org --no-to")

    @Argument(help: "The old address.")
    var address: AddressText

    @Option(help: ArgumentHelp("The new address.", valueName: "new address"))
    var to: AddressText?

    @Flag(help: "Have no new address.")
    var noTo = false

    @OptionGroup var force: ForceOption
    @OptionGroup var options: WriteOptions

    func validate() throws {
        if (to != nil) == noTo { throw ValidationError("Give --to or --no-to.") }
    }

    func run() throws {
        let newAddress = try to?.target()
        try options.set(.moved, at: address, isForced: force.isGiven) { record in
            guard case .moved(var moved) = record else { return record }
            moved.newAddress = newAddress
            return .moved(moved)
        }
    }
}
