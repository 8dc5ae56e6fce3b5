// Looking up addresses: one search for all of them, whose results are matched to the addresses here, for a server may
// compare otherwise than mail does. Lists that are known by their members, and forwards by name, cost one more each.

import MailAddress
import MailboxDirectory

struct EntriesWork: LookupWork {
    let plan: SearchPlan
    let keys: [Mailbox]
    /// What was found at the first key that anything is at, while names that it links to are looked up.
    private var hits: [LDAPEntry] = []
    private var hitKey = 0
    private var links: [(entry: Int, dn: String)] = []

    init(plan: SearchPlan, keys: [Mailbox]) {
        self.plan = plan
        self.keys = keys
    }

    mutating func begin() -> WorkStep {
        guard let search = plan.addressSearch(keys) else { return .answered(.absent) }
        return .search([search] + plan.membershipSearches(keys))
    }

    mutating func take(_ outcomes: [SearchOutcome]) -> WorkStep {
        do throws(ReadFault) {
            if !links.isEmpty { return .answered(try linked(outcomes)) }
            guard let first = outcomes.first else { return plan.trouble("a search was not carried out") }
            let entries = try first.entries()
            for index in keys.indices {
                let hits = plan.reader.holders(of: keys[index], among: entries)
                if !hits.isEmpty { return try found(hits, at: index) }
                if outcomes.count > index + 1, let list = try plan.memberships(outcomes[index + 1], of: keys[index]) {
                    return .answered(.entry(.list(MailingList(address: list)), key: index))
                }
            }
            return .answered(.absent)
        } catch {
            return plan.trouble(error.reason)
        }
    }

    private mutating func found(_ hits: [LDAPEntry], at key: Int) throws(ReadFault) -> WorkStep {
        self.hits = hits
        hitKey = key
        for (index, entry) in hits.enumerated() {
            for dn in plan.reader.values(.forwardTargetDN, of: entry, plan.reader.rules(of: entry)) {
                links.append((index, String(decoding: dn, as: UTF8.self)))
            }
        }
        if links.isEmpty { return .answered(try answer([:])) }
        return .search(
            links.map { plan.entrySearch($0.dn, roles: [.address, .aliasAddress, .localPart, .forwardTarget]) })
    }

    private func linked(_ outcomes: [SearchOutcome]) throws(ReadFault) -> Answer {
        var addresses: [Int: [Mailbox]] = [:]
        for (link, outcome) in zip(links, outcomes) {
            let entries: [LDAPEntry]
            if case .noSuchObject = outcome { entries = [] } else { entries = try outcome.entries() }
            var found: [Mailbox] = []
            if let entry = entries.first {
                found = try plan.reader.destinations(of: entry, plan.reader.rules(of: entry))
            }
            if found.isEmpty { throw ReadFault(hits[link.entry], "leads to \(link.dn), which has no address") }
            addresses[link.entry, default: []] += found
        }
        return try answer(addresses)
    }

    private func answer(_ linked: [Int: [Mailbox]]) throws(ReadFault) -> Answer {
        var best: (entry: Entry, dn: String)?
        for (index, hit) in hits.enumerated() {
            let entry = try plan.reader.record(hit, at: keys[hitKey], linked: linked[index] ?? [])
            guard let before = best else {
                best = (entry, hit.dn)
                continue
            }
            guard let merged = plan.merge(before.entry, entry) else {
                throw ReadFault(
                    "\(before.dn) and \(hit.dn) both say what \(keys[hitKey]) is; one address is one thing: correct one"
                )
            }
            best = (merged, before.dn)
        }
        guard let best else { return .absent }
        return .entry(best.entry, key: hitKey)
    }
}

extension SearchPlan {
    /// Two entries at one address: a forward sits on a user, and an alias does so or does not hide one. All else
    /// contradicts.
    func merge(_ one: Entry, _ other: Entry) -> Entry? {
        switch (one, other) {
        case (.user(let user, nil), .forward(let forward)) where schema.forwardsRedirectUsers,
            (.forward(let forward), .user(let user, nil)) where schema.forwardsRedirectUsers:
            return .user(user, forward: redirect(forward.targets, like: forward, at: user))
        case (.user(let user, nil), .alias(let alias)) where schema.aliasesRedirectUsers,
            (.alias(let alias), .user(let user, nil)) where schema.aliasesRedirectUsers:
            return .user(user, forward: redirect(alias.targets, like: nil, at: user))
        case (.user, .alias): return one
        case (.alias, .user): return other
        default: return nil
        }
    }

    private func redirect(_ targets: [Mailbox], like forward: Forward?, at user: User) -> Forward? {
        if schema.statusStopsForwards, user.status == .disabled || user.status == .suspended { return nil }
        return Forward(
            address: user.address, targets: targets, keepsCopy: forward?.keepsCopy ?? false,
            reply: forward?.reply ?? .auto)
    }

    /// The entry of this name alone.
    func entrySearch(_ dn: String, roles: [LDAPRole]) -> LDAPSearch {
        var search = LDAPSearch(
            base: dn, scope: .base, filter: LDAPFilter.present("objectClass").text,
            attributes: schema.wanted(roles, recordRules), sizeLimit: 1)
        search.ignoresReferences = schema.ignoresReferences
        return search
    }

    /// One search an address for anybody who is in the list of this address; none where the schema has no such lists.
    func membershipSearches(_ keys: [Mailbox]) -> [LDAPSearch] {
        if schema.names(.memberOf, recordRules).isEmpty { return [] }
        return keys.map { key in
            var search = search(membershipFilter(key), roles: [.memberOf], recordRules, limit: 1)
            search.isPartialWelcome = true
            return search
        }
    }

    func membershipFilter(_ key: Mailbox) -> LDAPFilter {
        group(recordRules) { rule in
            schema.names(.memberOf, rule).flatMap { name in exactSpellings(of: key).map { .equal(name, $0) } }
        }
    }

    /// The list's address as a member spells it; nil when it has no member.
    func memberships(_ outcome: SearchOutcome, of key: Mailbox) throws(ReadFault) -> Mailbox? {
        let entries: [LDAPEntry]
        if case .partial(let some, _) = outcome { entries = some } else { entries = try outcome.entries() }
        for entry in entries {
            for value in reader.values(.memberOf, of: entry, reader.rules(of: entry)) {
                if let list = try? Mailbox(octets: value.span), list == key { return list }
            }
        }
        if case .partial(_, let failure) = outcome { throw ReadFault(failure.description) }
        return nil
    }
}

extension LDAPFilter {
    /// Whether nothing can fit it.
    var isNever: Bool { self == .or([]) }
}
