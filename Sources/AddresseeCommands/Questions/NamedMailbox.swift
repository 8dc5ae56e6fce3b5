// The address of a record that is called by any name that VRFY takes.

import AddresseeConfiguration
import MailAddress
import MailboxDirectory
import SMTPProtocol
import Verification

extension ConfiguredDirectory {
    /// Of an address the one that is on record for it, as without its detail, and else the address as it is given. Of another
    /// name the one that `addressee verify` finds; for an unknown name, one in the default domain.
    func mailbox(named text: String) throws -> Mailbox {
        if text.contains("@"), !text.hasPrefix("<") {
            let address = try AddressText(argument: text).mailbox()
            let found = try resolution(.address(address), purpose: .verify)
            return found.isOnRecord ? found.asked ?? address : address
        }
        let resolution = try resolution(Question(try NameText(argument: text).subject()), purpose: .verify)
        switch resolution.outcome {
        case .answered: break
        case .couldNotTell(let trouble): throw trouble
        case .ambiguous:
            throw CommandFailure(.data, resolution.complaints(of: text).joined(separator: "; "))
        // Where it leads does not matter here.
        case .loop, .limit: break
        }
        if let asked = resolution.asked ?? resolution.failures.first?.mailbox { return asked }
        throw CommandFailure(.noUser, resolution.complaints(of: text).first ?? "nobody is called \(text.quoted)")
    }
}
