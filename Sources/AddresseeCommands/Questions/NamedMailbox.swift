// The address of a record that is called by any name that VRFY takes.

import AddresseeConfiguration
import MailAddress
import MailboxDirectory
import SMTPProtocol
import Verification

extension ConfiguredDirectory {
    /// An address as it is given; else the one that `addressee verify` finds by this name, as it is on record; else, for a
    /// name that nobody has, one in the default domain.
    func mailbox(named text: String) throws -> Mailbox {
        if text.contains("@"), !text.hasPrefix("<") { return try AddressText(argument: text).mailbox() }
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
