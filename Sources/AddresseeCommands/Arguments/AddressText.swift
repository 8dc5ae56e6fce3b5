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

    func mailbox() throws(CommandFailure) -> Mailbox {
        do throws(AddressSyntaxError) {
            return try Mailbox(text)
        } catch {
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
        for text in self {
            for part in text.text.addresses { mailboxes.append(try AddressText(argument: part).mailbox()) }
        }
        return mailboxes
    }
}

extension [MemberText] {
    func members() throws(CommandFailure) -> [ListMember] {
        var members: [ListMember] = []
        for text in self {
            for part in text.text.addresses { members.append(try MemberText(argument: part).member()) }
        }
        return members
    }
}

// The argument parser takes time with the square of the number of arguments: minutes for a list of twenty thousand. So many
// addresses are given to it as one argument, with a separator between them that no argument can hold.

extension String {
    private static let separator: Character = "\0"

    /// The arguments that it was made of.
    fileprivate var addresses: [String] {
        split(separator: Self.separator, omittingEmptySubsequences: false).map { String($0) }
    }

    fileprivate init(addresses: ArraySlice<String>) { self = addresses.joined(separator: String(Self.separator)) }
}

extension [String] {
    /// The nouns whose verbs take any number of addresses.
    private static let nouns: Set<String> = ["alias", "forward", "list"]
    /// So many arguments in a row are left as they are: a noun, a verb and an address, or what stands after an option.
    private static let few = 16

    /// The arguments of a command, with many addresses in a row made one.
    var withAddressesJoined: [String] {
        guard count > 2 * Self.few, let noun = first, Self.nouns.contains(noun) else { return self }
        var joined: [String] = []
        var start = startIndex
        while start < endIndex {
            // Words, up to an option or the end; after "--" nothing is an option.
            let end = self[start...].firstIndex { $0.hasPrefix("-") } ?? endIndex
            let words = self[start..<end]
            joined += words.prefix(Self.few)
            if words.count > Self.few { joined.append(String(addresses: words.dropFirst(Self.few))) }
            if end == endIndex { break }
            if self[end] == "--" { return joined + self[end...] }
            joined.append(self[end])
            start = end + 1
        }
        return joined
    }
}
