// Addresses and domains as they stand on the command line. They are read when the command runs, and not by the argument
// parser, for a malformed address is exit status 65 and says what is wrong with it, not 64 with a usage text.

import ArgumentParser
import MailAddress
import MailboxDirectory
import Verification

/// A mailbox, still to be read.
struct AddressText: ExpressibleByArgument {
    let text: String

    init(argument: String) { text = argument }

    /// An address that a record has or is to have.
    func ofRecord() throws(CommandFailure) -> Mailbox {
        if text.hasPrefix("@"), let domain = try? Domain(String(text.dropFirst())) {
            throw CommandFailure(.data, "\(text.quoted) is not an address; \(AddressFault.star(domain.description))")
        }
        return try mailbox(localPart: AddressLimits.localPartOnRecord)
    }

    /// An address that a new record is to have. What is taken from others, with dots anywhere, is here more likely a slip;
    /// quotes say that it is meant (RFC 5321 4.1.2).
    func ofNewRecord() throws(CommandFailure) -> Mailbox {
        let mailbox = try ofRecord()
        guard mailbox.localPart.needsQuotes, !text.hasPrefix("\"") else { return mailbox }
        throw CommandFailure(
            .data,
            "\(text.quoted) has a dot without a name on both of its sides; correct it, or write "
                + "\(mailbox) with quotes")
    }

    /// Any address.
    /// - Parameter limit: the octets before "@" that are told of where there are more than are read.
    func mailbox(localPart limit: Int = AddressLimits.localPart) throws(CommandFailure) -> Mailbox {
        let reason: String
        do throws(AddressSyntaxError) {
            return try Mailbox(text)
        } catch .localPartTooLong {
            reason = "the part before \"@\" is longer than \(limit) octets"
        } catch {
            reason = error.clause
        }
        throw CommandFailure(.data, "\(text.quoted) is not an address such as fred@example.org: \(reason)")
    }
}

/// A domain, still to be read.
struct DomainText: ExpressibleByArgument {
    let text: String

    init(argument: String) { text = argument }

    func domain() throws(CommandFailure) -> Domain {
        do throws(AddressSyntaxError) {
            return try Domain(text)
        } catch {
            throw CommandFailure(.data, "\(text.quoted) is not a domain such as example.org: \(error.clause)")
        }
    }
}

/// A list's member, `fred@example.org` or `Fred Claude <fred@example.org>`, still to be read.
struct MemberText: ExpressibleByArgument {
    let text: String

    init(argument: String) { text = argument }

    func member() throws(CommandFailure) -> ListMember {
        guard text.hasSuffix(">"), let bracket = text.lastIndex(of: "<") else {
            return ListMember(mailbox: try AddressText(argument: text).mailbox())
        }
        let address = String(text[text.index(after: bracket)...].dropLast())
        var name = text[..<bracket].trimmed
        if name.count > 1, name.hasPrefix("\""), name.hasSuffix("\"") { name = name.dropFirst().dropLast() }
        return ListMember(mailbox: try AddressText(argument: address).mailbox(), name: String(name))
    }
}

extension AddressSyntaxError {
    /// The sentence as the end of another.
    var clause: String {
        let sentence = description
        return sentence.prefix(1).lowercased() + sentence.dropFirst().dropLast()
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        guard let first = firstIndex(where: { $0 != " " }), let last = lastIndex(where: { $0 != " " }) else {
            return ""
        }
        return self[first...last]
    }
}

extension [AddressText] {
    func mailboxes() throws(CommandFailure) -> [Mailbox] {
        var mailboxes: [Mailbox] = []
        for text in self { mailboxes.append(try text.mailbox()) }
        return mailboxes
    }
}

extension [MemberText] {
    func members() throws(CommandFailure) -> [ListMember] {
        var members: [ListMember] = []
        for text in self { members.append(try text.member()) }
        return members
    }
}
