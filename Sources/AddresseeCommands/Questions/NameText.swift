// What VRFY and EXPN are asked about, as it stands on the command line.

import ArgumentParser
import MailAddress
import SMTPProtocol
import Verification

/// A name in any form that VRFY takes, still to be read.
struct NameText: ExpressibleByArgument {
    let text: String

    init(argument: String) { text = argument }

    /// - Throws: what is wrong with it, as exit status 65.
    func subject() throws(CommandFailure) -> Subject {
        do throws(AddressSyntaxError) {
            let subject = try Subject(Array(text.utf8).span)
            guard case .name = subject, text.utf8.count > Self.limit else { return subject }
        } catch .empty where text.isEmpty {
            throw CommandFailure(.data, "the name is empty; give a name or an address such as fred@example.org")
        } catch {
            if let meant = text.pastedAddress {
                throw CommandFailure(.data, "\(text.quoted) is more than an address; did you mean \(meant)?")
            }
            throw CommandFailure(.data, "\(text.quoted) is neither a name nor an address: \(error.clause)")
        }
        throw CommandFailure(.data, "\(text.quoted) is longer than \(Self.limit) octets, which is all VRFY takes")
    }

    /// What is left of a command line (RFC 5321 4.5.3.1.4) without `VRFY`, a space and CRLF.
    private static let limit = SMTPLimits.commandLine - "VRFY ".utf8.count - 2
}
