// What an entry is: a user, perhaps with a forward, an alias, a moved address, a list, or a domain.

import MailAddress
import MailboxDirectory

extension EntryReader {
    /// The record of an entry that was found at an address.
    ///
    /// - Parameters:
    ///   - address: the address it was found at; the record bears the canonical one.
    ///   - linked: the addresses to which its forward targets by name have been found to lead.
    func record(_ entry: LDAPEntry, at address: Mailbox, linked: [Mailbox] = []) throws(ReadFault) -> Entry {
        let rules = rules(of: entry)
        let canonical = addresses(of: entry, rules, domain: address.domain).canonical ?? address
        func has(_ kind: RecordKind) -> Bool { rules.contains { $0.kind == kind } }
        if has(.list) { return .list(try list(entry, rules, at: canonical)) }
        if has(.moved) {
            let new = try targets(.newAddress, of: entry, rules, domain: address.domain)
            let least = new.min { $0.spelling.lexicographicallyPrecedes($1.spelling) }
            return .moved(Moved(address: canonical, newAddress: least))
        }
        if has(.user) {
            let rules = rules.filter { $0.kind == .user }
            let user = try user(entry, rules, at: canonical)
            let isStopped = schema.statusStopsForwards && (user.status == .disabled || user.status == .suspended)
            if isStopped { return .user(user, forward: nil) }
            return .user(user, forward: try forward(entry, rules, at: canonical, linked: linked))
        }
        if has(.forward) {
            guard var forward = try forward(entry, rules, at: canonical, linked: linked) else {
                throw ReadFault(entry, "is a forward that leads nowhere")
            }
            // No mailbox is here, so the canonical address is where it leads, not "and here".
            if forward.targets.contains(forward.address) { forward.address = address }
            return .forward(forward)
        }
        let targets = try targets(.aliasTarget, of: entry, rules, domain: address.domain)
        if targets.isEmpty { throw ReadFault(entry, "is an alias that leads nowhere") }
        return .alias(Alias(address: canonical, targets: targets))
    }

    private func user(_ entry: LDAPEntry, _ rules: [LDAPRule], at address: Mailbox) throws(ReadFault) -> User {
        User(
            address: address, fullName: fullName(of: entry, rules), login: login(of: entry, rules),
            status: try status(of: entry, rules))
    }

    /// The gravest of what the status attributes say.
    func status(of entry: LDAPEntry, _ rules: [LDAPRule]) throws(ReadFault) -> AccountStatus {
        let gravity: [AccountStatus] = [.active, .full, .suspended, .disabled]
        var gravest = 0
        for value in values(.status, of: entry, rules) {
            let text = String(decoding: value, as: UTF8.self)
            var told: AccountStatus?
            switch schema.status {
            case .none: told = .active
            case .words(let words): told = words[text.lowercased()]
            case .bit(let mask, let status):
                let isSet = Int64(text).map { $0 & mask != 0 }
                told = schema.ownStatusWords[text.lowercased()]
                // Whether nobody may log in says nothing of a mailbox to which nobody does.
                told = told ?? (schema.hasNoLogin(entry) ? .active : isSet.map { $0 ? status : .active })
            }
            guard let told else {
                throw ReadFault(
                    "the entry \(entry.dn) has the unknown status \"\(text)\"; correct it, or say under status-words what it"
                        + " means")
            }
            gravest = max(gravest, gravity.firstIndex(of: told) ?? 0)
        }
        return gravity[gravest]
    }

    /// The redirection of a user or a forward; nil when there is none, or when it is switched off.
    private func forward(
        _ entry: LDAPEntry, _ rules: [LDAPRule], at address: Mailbox, linked: [Mailbox]
    ) throws(ReadFault) -> Forward? {
        let words = Set(
            values(.keepCopy, of: entry, rules).map { String(decoding: Folding.fold($0), as: UTF8.self) })
        guard let keepsCopy = schema.delivery.keepsCopy(words) else { return nil }
        var all = try targets(.forwardTarget, of: entry, rules, domain: address.domain) + linked
        if schema.routesToItself { all.removeAll { $0 == address } }
        if all.isEmpty { return nil }
        var reply = ForwardReply.auto
        if let value = single(.reply, of: entry, rules) {
            let word = String(decoding: value, as: UTF8.self)
            guard let known = ForwardReply(rawValue: word) else {
                throw ReadFault(entry, "has the unknown reply \"\(word)\"")
            }
            reply = known
        }
        return Forward(address: address, targets: all, keepsCopy: keepsCopy, reply: reply)
    }

    private func list(_ entry: LDAPEntry, _ rules: [LDAPRule], at address: Mailbox) throws(ReadFault) -> MailingList {
        let rules = rules.filter { $0.kind == .list }
        var access = ExpansionAccess.trusted
        if let value = single(.expansion, of: entry, rules) {
            let word = String(decoding: value, as: UTF8.self)
            guard let known = ExpansionAccess(rawValue: word.lowercased()) else {
                throw ReadFault(entry, "has \"\(word)\" for who may expand it")
            }
            access = known
        }
        return MailingList(
            address: address, name: shown(.title, of: entry, rules) ?? "", owner: owner(of: entry, rules),
            expansion: access, membership: membership(rules))
    }

    /// An owner by name would cost a search, and nothing is answered by it. Of several the one with the least spelling.
    func owner(of entry: LDAPEntry, _ rules: [LDAPRule]) -> Mailbox? {
        values(.owner, of: entry, rules).compactMap { try? Mailbox(octets: $0.span) }
            .min { $0.spelling.lexicographicallyPrecedes($1.spelling) }
    }

    /// How the members of lists of these rules are known.
    private func membership(_ rules: [LDAPRule]) -> ListMembership {
        if rules.contains(where: \.hasMembersElsewhere) { return .elsewhere }
        let byEntry: [LDAPRole] = [.memberDN, .memberUID, .memberURL]
        return byEntry.contains { !schema.names($0, rules).isEmpty } ? .entries : .addresses
    }

    /// Whether an entry takes the mail for the unknown names of a domain.
    func isCatchAll(of domain: Domain, _ entry: LDAPEntry) -> Bool {
        let rules = rules(of: entry)
        return (values(.address, of: entry, rules) + values(.aliasAddress, of: entry, rules)).contains {
            catchAllDomain($0) == domain
        }
    }

    /// The domain of a value that stands for its catch-all: `@example.org`.
    func catchAllDomain(_ value: [UInt8]) -> Domain? {
        guard schema.hasCatchAlls, value.first == UInt8(ascii: "@") else { return nil }
        return try? Domain(octets: Array(value.dropFirst()))
    }

    /// The record of a domain's entry; nil when it is of another domain.
    func domain(_ entry: LDAPEntry, asked domain: Domain) throws(ReadFault) -> DomainRecord? {
        let rules = rules(of: entry).filter { $0.kind == .domain }
        let names = values(.domainName, of: entry, rules).compactMap { try? Domain(octets: $0) }
        // No domain that is served may have one, whatever an entry says.
        guard let name = names.first(where: { $0 == domain }), !name.hasUnderscore else { return nil }
        var record = DomainRecord(domain: name)
        let kind = single(.domainKind, of: entry, rules).map { String(decoding: $0, as: UTF8.self) } ?? "local"
        switch kind.lowercased() {
        case "local": record.kind = .local
        case "relay": record.kind = .relay
        case "alias":
            guard let target = single(.domainTarget, of: entry, rules), let other = try? Domain(octets: target)
            else { throw ReadFault(entry, "is an alias of no domain") }
            record.kind = .alias(of: other)
        default: throw ReadFault(entry, "has the unknown kind \"\(kind)\"")
        }
        if let value = single(.catchAll, of: entry, rules) {
            record.catchAll = try target(value, of: entry, domain: name)
        }
        if let separators = single(.detailSeparators, of: entry, rules) {
            // A directory string is never empty, so "none" says that there are none.
            record.detailSeparators = separators == Array("none".utf8) ? [] : separators
        }
        if let value = single(.transport, of: entry, rules) {
            let transport = String(decoding: value, as: UTF8.self)
            guard DomainRecord.isTransport(transport) else {
                throw ReadFault(entry, "has \"\(transport)\" for a transport, which is TRANSPORT:NEXTHOP")
            }
            record.transport = transport
        }
        return record
    }
}
