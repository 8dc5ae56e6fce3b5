// From an entry of the directory to a record, by the schema's mapping. Pure: no server is asked here.

import MailAddress
import MailboxDirectory

/// Reads entries of one source.
struct EntryReader: Sendable {
    let schema: LDAPSchema
    /// The domains in which a bare local-part is an address.
    let domains: [Domain]

    /// The rules that an entry fits.
    func rules(of entry: LDAPEntry) -> [LDAPRule] { schema.rules.filter { $0.fits(entry) } }

    /// The values of a role, in the order of its attributes, without their prefixes.
    func values(_ role: LDAPRole, of entry: LDAPEntry, _ rules: [LDAPRule]) -> [[UInt8]] {
        schema.names(role, rules).flatMap { name in
            entry.values(name).compactMap { value in
                if let cut = schema.cuts[name] { return Array(value.prefix { $0 != cut }) }
                return schema.prefixes[name].map { $0.strip(value) } ?? value
            }
        }
    }

    /// The addresses of an entry, the canonical one first, once each; values that are no addresses are passed over.
    ///
    /// - Parameter domain: the domain in which a bare local-part is wanted first.
    func addresses(of entry: LDAPEntry, _ rules: [LDAPRule], domain: Domain? = nil) -> [Mailbox] {
        var primary: [Mailbox] = []
        var others: [Mailbox] = []
        var marked: Set<Mailbox> = []
        for role in [LDAPRole.address, .aliasAddress] {
            for name in schema.names(role, rules) {
                let prefix = schema.prefixes[name]
                for value in entry.values(name) {
                    let stripped = prefix.map { $0.strip(value) } ?? value
                    guard let stripped, let mailbox = try? Mailbox(octets: stripped.span) else { continue }
                    if prefix != nil { marked.insert(mailbox) }
                    if prefix?.isPrimary(value) == true { primary.append(mailbox) } else { others.append(mailbox) }
                }
            }
        }
        // Where addresses are marked, an address without a mark is one for people to write to, and no server takes it.
        var all = primary.isEmpty ? others : primary + others.filter(marked.contains)
        // Spelled as in the configuration, never as a client did.
        let places = domains.filter { $0 == domain } + domains.filter { $0 != domain }
        for value in values(.localPart, of: entry, rules) {
            guard let localPart = Self.localPart(value) else { continue }
            all += places.map { Mailbox(localPart: localPart, domain: $0) }
        }
        var seen: Set<Mailbox> = []
        all = all.filter { seen.insert($0).inserted }
        if schema.routesToItself,
            let routed = values(.forwardTarget, of: entry, rules).lazy.compactMap({ try? Mailbox(octets: $0.span) })
                .first,
            let index = all.firstIndex(of: routed)
        {
            all.swapAt(0, index)
        }
        return all
    }

    /// A local-part, quoted or not; nil for a whole address.
    private static func localPart(_ value: [UInt8]) -> LocalPart? {
        guard value.first == UInt8(ascii: "\"") else {
            return value.contains(UInt8(ascii: "@")) ? nil : try? LocalPart(octets: value)
        }
        var index = 0
        let localPart = try? LocalPart.parse(value.span, from: &index)
        return index == value.count ? localPart : nil
    }

    /// The name that people see; empty when there is none.
    func fullName(of entry: LDAPEntry, _ rules: [LDAPRule]) -> String {
        values(.fullName, of: entry, rules).lazy.map(PersonName.clean).first { !$0.isEmpty } ?? ""
    }

    func login(of entry: LDAPEntry, _ rules: [LDAPRule]) -> String? {
        values(.login, of: entry, rules).lazy.map(PersonName.clean).first { !$0.isEmpty }
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
            if addresses(of: entry, rules(of: entry), domain: domain).contains(mailbox) { return mailbox }
        }
        throw ReadFault(entry, "leads to \"\(String(decoding: value, as: UTF8.self))\", which is no address")
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
    /// The value behind the prefix; the value itself where none is required; nil for what is something else.
    func strip(_ value: [UInt8]) -> [UInt8]? {
        let text = Array(text.utf8)
        if value.count >= text.count, Folding.fold(Array(value[..<text.count])) == text {
            return Array(value[text.count...])
        }
        return isRequired ? nil : value
    }

    /// Whether the value is marked as the canonical one.
    func isPrimary(_ value: [UInt8]) -> Bool {
        marksPrimary && value.starts(with: text.uppercased().utf8)
    }
}
