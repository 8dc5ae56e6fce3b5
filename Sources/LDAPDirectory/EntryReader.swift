// From an entry of the directory to a record, by the schema's mapping. Pure: no server is asked here.

import MailAddress
import MailboxDirectory

/// Reads entries of one source.
struct EntryReader: Sendable {
    let schema: LDAPSchema
    /// The domains in which a bare local-part is an address.
    let domains: [Domain]
    /// The domains of the configuration: how each is served (0 as a local one, 1 as one for which mail is relayed, 2 as an
    /// alias of another), and its place among them.
    let served: [Domain: (kind: Int, order: Int)]
    /// Whether these are all that the source serves: no entry of its own is a domain.
    let knowsDomains: Bool

    init(schema: LDAPSchema, domains: [DomainRecord]) {
        self.schema = schema
        self.domains = domains.filter { $0.kind == .local }.map(\.domain)
        var served: [Domain: (kind: Int, order: Int)] = [:]
        for (order, record) in domains.enumerated() where served[record.domain] == nil {
            let kind =
                switch record.kind {
                case .local: 0
                case .relay: 1
                case .alias: 2
                }
            served[record.domain] = (kind, order)
        }
        self.served = served
        knowsDomains = !served.isEmpty && !schema.rules.contains { $0.kind == .domain }
    }

    /// The rules that an entry fits.
    func rules(of entry: LDAPEntry) -> [LDAPRule] { schema.rules.filter { $0.fits(entry) } }

    /// The values of a role, in the order of its attributes, without their prefixes and without blanks around them; what
    /// is nothing but blanks is no value.
    func values(_ role: LDAPRole, of entry: LDAPEntry, _ rules: [LDAPRule]) -> [[UInt8]] {
        schema.names(role, rules).flatMap { name in
            entry.values(name).compactMap { value in
                if let prefix = schema.prefixes[name] { return prefix.strip(value) }
                // Of ordered members what follows the address is a name, which is kept as it is.
                let isNamed = schema.isOrdered && role == .memberAddress
                let whole = schema.cuts[name].map { cut in Array(value.prefix { $0 != cut }) } ?? value
                let text = isNamed ? Array(value.drop { $0 == UInt8(ascii: " ") }) : Self.trimmed(whole)
                return text.isEmpty ? nil : text
            }
        }
    }

    /// The value of what has one. Should there be several, it is the least by octets, for they have no order.
    func single(_ role: LDAPRole, of entry: LDAPEntry, _ rules: [LDAPRule]) -> [UInt8]? {
        values(role, of: entry, rules).min { $0.lexicographicallyPrecedes($1) }
    }

    /// The value to show of several, which have no order: the one that names the entry, else the shortest, and of those
    /// the least by octets. An attribute that the schema names earlier goes first.
    func preferred(_ role: LDAPRole, of entry: LDAPEntry, _ rules: [LDAPRule]) -> (name: AttributeName, value: [UInt8])?
    {
        for name in schema.names(role, rules) {
            var values = entry.values(name).map { value in
                schema.cuts[name].map { cut in Self.trimmed(Array(value.prefix { $0 != cut })) } ?? value
            }
            values.removeAll { PersonName.clean($0).isEmpty }
            guard let first = values.first else { continue }
            if values.count == 1 { return (name, first) }
            let named = values.first { entry.isNamed(by: Self.trimmed($0), as: name) }
            let least = values.min { one, other in
                one.count == other.count ? one.lexicographicallyPrecedes(other) : one.count < other.count
            }
            return (name, named ?? least ?? first)
        }
        return nil
    }

    /// The name that people see; empty when there is none.
    func fullName(of entry: LDAPEntry, _ rules: [LDAPRule]) -> String { shown(.fullName, of: entry, rules) ?? "" }

    func login(of entry: LDAPEntry, _ rules: [LDAPRule]) -> String? { shown(.login, of: entry, rules) }

    /// A text for people; nil where there is none.
    func shown(_ role: LDAPRole, of entry: LDAPEntry, _ rules: [LDAPRule]) -> String? {
        guard let value = preferred(role, of: entry, rules)?.value else { return nil }
        // A name in our own schema is kept as it was given.
        let isKept = schema.isOrdered && role != .login
        let text = PersonName.clean(isKept ? value : Self.trimmed(value))
        return text.isEmpty ? nil : text
    }

    /// Where a redirection leads. All of it must be understood, for a target that is left out is mail that is lost.
    func targets(
        _ role: LDAPRole, of entry: LDAPEntry, _ rules: [LDAPRule], domain: Domain
    ) throws(ReadFault) -> [Mailbox] {
        let values = values(role, of: entry, rules)
        if schema.isOrdered, role != .newAddress { return try ordered(values, of: entry).map(\.mailbox) }
        var targets: [Mailbox] = []
        for value in values { targets.append(try target(value, of: entry, domain: domain)) }
        return targets
    }

    func target(_ value: [UInt8], of entry: LDAPEntry, domain: Domain) throws(ReadFault) -> Mailbox {
        let value = Self.trimmed(value)
        if let mailbox = try? Mailbox(octets: value.span) { return mailbox }
        // A Dot-string only: a path or a command is no local-part that anybody means.
        if schema.takesBareTargets, let localPart = try? LocalPart(octets: value), !localPart.needsQuotes,
            !value.contains(UInt8(ascii: "/")), value.first != UInt8(ascii: "|")
        {
            return Mailbox(localPart: localPart, domain: domains.first { $0 == domain } ?? domain)
        }
        // sendmail's "and here, whatever the aliases say", where it means just that.
        if schema.takesBareTargets, value.first == UInt8(ascii: "\\"),
            let localPart = try? LocalPart(octets: Array(value.dropFirst()))
        {
            let mailbox = Mailbox(localPart: localPart, domain: domain)
            if addresses(of: entry, rules(of: entry), domain: domain).here.contains(mailbox) { return mailbox }
        }
        throw ReadFault(entry, "leads to \"\(String(decoding: value, as: UTF8.self))\", which is no address")
    }

    /// A member by address, maybe with a name: `Bob <bob@example.org>` (RFC 5322 3.4), as mgrpRFC822MailMember has it.
    func member(_ value: [UInt8], of entry: LDAPEntry, domain: Domain) throws(ReadFault) -> ListMember {
        let value = Self.trimmed(value)
        if value.last == UInt8(ascii: ">"), let open = value.lastIndex(of: UInt8(ascii: "<")) {
            let address = Self.trimmed(Array(value[(open + 1)...].dropLast()))
            if let mailbox = try? Mailbox(octets: address.span) {
                let name = value[..<open].filter { $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
                return ListMember(mailbox: mailbox, name: PersonName.clean(Self.trimmed(Array(name))))
            }
        }
        return ListMember(mailbox: try target(value, of: entry, domain: domain))
    }

    func ordered(_ values: [[UInt8]], of entry: LDAPEntry) throws(ReadFault) -> [OrderedValue] {
        var ordered: [OrderedValue] = []
        for value in values {
            guard let one = OrderedValue(value) else {
                let text = String(decoding: value, as: UTF8.self)
                throw ReadFault(entry, "has \"\(text)\", which is no number and address")
            }
            ordered.append(one)
        }
        return ordered.sorted { $0.position < $1.position }
    }
}

extension LDAPRule {
    func fits(_ entry: LDAPEntry) -> Bool {
        entry.isOf(classes) && needs.map { !entry.values($0).isEmpty } ?? true
            && lacks.map { entry.values($0).isEmpty } ?? true
    }
}

extension LDAPPrefix {
    /// The value behind the prefix, without blanks around it; the value itself where no prefix is required; nil for what is
    /// something else.
    func strip(_ value: [UInt8]) -> [UInt8]? {
        let (value, text) = (EntryReader.trimmed(value), Array(text.utf8))
        if value.count >= text.count, Folding.fold(Array(value[..<text.count])) == text {
            return EntryReader.trimmed(Array(value[text.count...]))
        }
        return isRequired || value.isEmpty ? nil : value
    }

    /// As a filter has to spell it: a blank after it means nothing to a reader, but something to a server.
    var spellings: [[UInt8]] { [Array(text.utf8), Array(text.utf8) + [UInt8(ascii: " ")]] }

    /// Whether the value is marked as the canonical one.
    func isPrimary(_ value: [UInt8]) -> Bool {
        marksPrimary && EntryReader.trimmed(value).starts(with: text.uppercased().utf8)
    }
}
