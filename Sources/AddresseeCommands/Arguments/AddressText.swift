// Addresses and domains as they stand on the command line. They are read when the command runs, and not by the argument
// parser, for a malformed address is exit status 65 and says what is wrong with it, not 64 with a usage text.

import ArgumentParser
import MailAddress
import MailboxDirectory
import Verification

/// A mailbox, still to be read; where several are wanted, perhaps more than one, with commas between them.
struct AddressText: ExpressibleByArgument {
    let text: String

    init(argument: String) { text = argument }

    func mailbox() throws(CommandFailure) -> Mailbox {
        try mailbox(ifSeveral: "one is wanted here: several can stand behind an alias or a list")
    }

    /// As `mailbox()`. A bare word is the local-part of an address in the default domain.
    func mailbox(in defaultDomain: Domain) throws(CommandFailure) -> Mailbox {
        guard !text.contains("@"), ForeignTarget(text) == nil, let localPart = try? LocalPart(octets: Array(text.utf8))
        else { return try mailbox() }
        return Mailbox(localPart: localPart, domain: defaultDomain)
    }

    /// Every address of the text.
    fileprivate func mailboxes() throws(CommandFailure) -> [Mailbox] {
        var mailboxes: [Mailbox] = []
        for piece in text.pieces {
            mailboxes.append(
                try AddressText(argument: piece).mailbox(ifSeveral: "put a comma between them, or give --to for each"))
        }
        return mailboxes
    }

    fileprivate func mailbox(ifSeveral advice: String) throws(CommandFailure) -> Mailbox {
        do throws(AddressSyntaxError) {
            return try Mailbox(text)
        } catch {
            if let target = ForeignTarget(text) { throw CommandFailure(.data, "\(text.quoted) \(target)") }
            let parts = text.pieces(between: [",", ";", " ", "\t", "\n"])
            if parts.count > 1, parts.allSatisfy({ (try? Mailbox($0)) != nil }) {
                throw CommandFailure(.data, "\(text.quoted) is \(parts.count) addresses; \(advice)")
            }
            throw CommandFailure(.data, "\(text.quoted) is not an address such as fred@example.org: \(error.clause)")
        }
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

/// A list's member, `fred@example.org` or `Fred Claude <fred@example.org>`, still to be read; or several, as addresses.
struct MemberText: ExpressibleByArgument {
    let text: String

    init(argument: String) { text = argument }

    func member() throws(CommandFailure) -> ListMember {
        guard text.hasSuffix(">"), let bracket = text.lastIndex(of: "<") else {
            return ListMember(mailbox: try AddressText(argument: text).mailbox(ifSeveral: Self.advice))
        }
        let address = String(text[text.index(after: bracket)...].dropLast())
        var name = text[..<bracket].trimmed
        if name.count > 1, name.hasPrefix("\""), name.hasSuffix("\"") { name = name.dropFirst().dropLast() }
        return ListMember(
            mailbox: try AddressText(argument: address).mailbox(ifSeveral: Self.advice), name: String(name))
    }

    private static let advice = "put a comma between them"
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
        for text in self { mailboxes += try text.mailboxes() }
        return mailboxes
    }
}

extension [MemberText] {
    func members() throws(CommandFailure) -> [ListMember] {
        var members: [ListMember] = []
        for text in self {
            for piece in text.text.memberPieces { members.append(try MemberText(argument: piece).member()) }
        }
        return members
    }
}
