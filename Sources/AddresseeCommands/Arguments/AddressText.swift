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

    func mailbox() throws(CommandFailure) -> Mailbox { try mailbox(ifSeveral: Self.advice) }

    /// An address that a record leads to.
    func target() throws(CommandFailure) -> Mailbox { try mailbox(ifSeveral: Self.advice, isTarget: true) }

    private static let advice = "one is wanted here: several can stand behind an alias or a list"

    /// An address that a new record is to have. What is taken from others, with dots anywhere, is here more likely a slip;
    /// quotes say that it is meant (RFC 5321 4.1.2).
    func ofNewRecord(_ options: WriteOptions) throws(CommandFailure) -> Mailbox {
        let mailbox: Mailbox
        do throws(CommandFailure) {
            mailbox = try self.mailbox(ifSeveral: Self.advice, localPart: AddressLimits.localPartOnRecord)
        } catch {
            guard !text.contains("@"), ForeignTarget(text) == nil, text.pastedAddress == nil,
                let localPart = try? LocalPart(octets: Array(text.utf8)), !localPart.needsQuotes,
                let domain = try? options.configuration.directory().defaultDomain
            else { throw error }
            let meant = Mailbox(localPart: localPart, domain: domain)
            throw CommandFailure(.data, "\(error.message); did you mean \(meant)?")
        }
        guard mailbox.localPart.needsQuotes, !text.hasPrefix("\"") else { return mailbox }
        throw CommandFailure(
            .data,
            "\(text.quoted) has a dot without a name on both of its sides; correct it, or write "
                + "\(mailbox) with quotes")
    }

    /// As `mailbox()`. A bare word is the local-part of an address in the default domain.
    func mailbox(in defaultDomain: Domain) throws(CommandFailure) -> Mailbox {
        guard !text.contains("@"), ForeignTarget(text) == nil, text.pastedAddress == nil,
            let localPart = try? LocalPart(octets: Array(text.utf8))
        else { return try mailbox() }
        return Mailbox(localPart: localPart, domain: defaultDomain)
    }

    /// Every address of the text.
    fileprivate func mailboxes() throws(CommandFailure) -> [Mailbox] {
        var mailboxes: [Mailbox] = []
        for piece in text.pieces {
            mailboxes.append(
                try AddressText(argument: piece).mailbox(
                    ifSeveral: "put a comma between them, or give --to for each", isTarget: true))
        }
        return mailboxes
    }

    /// - Parameter limit: the octets before "@" that are told of where there are more than are read.
    fileprivate func mailbox(
        ifSeveral advice: String, localPart limit: Int = AddressLimits.localPart, isTarget: Bool = false
    ) throws(CommandFailure) -> Mailbox {
        // A closing quotation mark may pass for a letter of the domain.
        if let mailbox = try? Mailbox(text), !mailbox.domain.isASCII, let meant = text.pastedAddress,
            meant.domain != mailbox.domain
        {
            throw CommandFailure(.data, "\(text.quoted) is more than an address; did you mean \(meant)?")
        }
        let reason: String
        do throws(AddressSyntaxError) {
            return try Mailbox(text)
        } catch .localPartTooLong {
            reason = "the part before \"@\" is longer than \(limit) octets"
        } catch {
            if let target = ForeignTarget(text) {
                throw CommandFailure(.data, "\(text.quoted) \(isTarget ? target.asTarget : target.description)")
            }
            let parts = text.pieces(between: [",", ";", " ", "\t", "\n"])
            if parts.count > 1, parts.allSatisfy({ (try? Mailbox($0)) != nil }) {
                throw CommandFailure(.data, "\(text.quoted) is \(parts.count) addresses; \(advice)")
            }
            if let meant = text.pastedAddress {
                throw CommandFailure(.data, "\(text.quoted) is more than an address; did you mean \(meant)?")
            }
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
            let address = (try? Mailbox(text)) ?? text.pastedAddress
            // A pasted "@example.org", "example.org." or " example.org".
            let name = text[...].trimmed.drop { $0 == "@" }
            for piece in [address?.domain.description, String(name.hasSuffix(".") ? name.dropLast() : name)] {
                if let meant = piece.flatMap({ try? Domain($0) }) {
                    throw CommandFailure(.data, "\(text.quoted) is not a domain; did you mean \(meant)?")
                }
            }
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
            return ListMember(mailbox: try AddressText(argument: text).mailbox(ifSeveral: Self.advice, isTarget: true))
        }
        let address = String(text[text.index(after: bracket)...].dropLast())
        var name = text[..<bracket].trimmed
        if name.count > 1, name.hasPrefix("\""), name.hasSuffix("\"") { name = name.dropFirst().dropLast() }
        return ListMember(
            mailbox: try AddressText(argument: address).mailbox(ifSeveral: Self.advice, isTarget: true),
            name: String(name))
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
        for text in self {
            for part in text.text.addresses { mailboxes += try AddressText(argument: part).mailboxes() }
        }
        return mailboxes
    }
}

extension [MemberText] {
    func members() throws(CommandFailure) -> [ListMember] {
        var members: [ListMember] = []
        for text in self {
            for piece in text.text.addresses.flatMap(\.memberPieces) {
                members.append(try MemberText(argument: piece).member())
            }
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

    /// Their options that take any number of them.
    private static let options = ["--to", "--member"]

    /// The arguments of a command, with many addresses in a row made one: words, and the values of one option, which may be
    /// there many times.
    var withAddressesJoined: [String] {
        guard count > 2 * Self.few, let noun = first, Self.nouns.contains(noun) else { return self }
        // After that nothing is an option.
        let end = firstIndex(of: "--") ?? endIndex
        var joined: [String] = []
        var values: [String: [String]] = [:]
        var start = startIndex
        while start < end {
            // An option with its words, up to the next.
            let next = self[start..<end].dropFirst().firstIndex { $0.hasPrefix("-") } ?? end
            if let (option, addresses) = Self.option(self[start..<next]) {
                values[option, default: []] += addresses
            } else {
                joined += Self.joined(self[start..<next])
            }
            start = next
        }
        for option in Self.options {
            if let addresses = values[option] { joined += [option] + Self.joined(addresses[...]) }
        }
        return end == endIndex ? joined : joined + ["--"] + Self.joined(self[(end + 1)...])
    }

    private static func option(_ words: ArraySlice<String>) -> (name: String, addresses: ArraySlice<String>)? {
        guard let first = words.first else { return nil }
        if options.contains(first), words.count > 1 { return (first, words.dropFirst()) }
        guard words.count == 1, let name = options.first(where: { first.hasPrefix($0 + "=") }) else { return nil }
        return (name, [String(first.dropFirst(name.count + 1))])
    }

    private static func joined(_ words: ArraySlice<String>) -> [String] {
        words.count > few ? words.prefix(few) + [String(addresses: words.dropFirst(few))] : Array(words)
    }
}
