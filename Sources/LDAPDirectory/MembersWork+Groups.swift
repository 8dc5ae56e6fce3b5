// What a group's attributes ask for, and what the searches for them bring.

import CLDAP
import MailAddress
import MailboxDirectory

extension MembersWork {
    /// Takes the members that an entry names.
    mutating func expand(_ entry: LDAPEntry, at node: Int, depth: Int) throws(ReadFault) {
        if depth > LDAPLimits.groupDepth {
            throw ReadFault(entry, "is a group more than \(LDAPLimits.groupDepth) groups deep in the list \(list)")
        }
        let reader = plan.reader
        let rules = reader.rules(of: entry).filter { $0.kind == .list }
        let addresses = reader.values(.memberAddress, of: entry, rules)
        if plan.schema.isOrdered {
            for one in try reader.ordered(addresses, of: entry) {
                append(.member(ListMember(mailbox: one.mailbox, name: PersonName.clean(one.name))), to: node)
            }
        } else {
            for value in addresses {
                append(.member(try reader.member(value, of: entry, domain: list.domain)), to: node)
            }
        }
        for name in plan.schema.names(.memberDN, rules) { try addNames(entry, name, at: node, depth: depth) }
        let uids = reader.values(.memberUID, of: entry, rules)
        for start in stride(from: 0, to: uids.count, by: LDAPLimits.membersAtOnce) {
            addJob(
                .uids(Array(uids[start..<min(start + LDAPLimits.membersAtOnce, uids.count)])), under: node, depth: depth
            )
        }
        for value in reader.values(.memberURL, of: entry, rules) {
            guard let url = LDAPURL(value) else {
                let text = String(decoding: value, as: UTF8.self)
                throw ReadFault(entry, "has members by \"\(text)\", which is no LDAP URL of this server")
            }
            addJob(.url(url), under: node, depth: depth)
        }
    }

    /// Members by name. Active Directory gives many values in ranges: `member;range=0-1499`, the last `…-*`.
    private mutating func addNames(
        _ entry: LDAPEntry, _ name: AttributeName, at node: Int, depth: Int
    ) throws(ReadFault) {
        var values = entry.values(name)
        var next: Int?
        let prefix = "\(name.key);range="
        for (key, more) in entry.attributes where key.hasPrefix(prefix) {
            values += more
            let bounds = key.dropFirst(prefix.count).split(separator: "-", maxSplits: 1)
            guard bounds.count == 2 else { throw ReadFault(entry, "has a range of members that can't be read") }
            if bounds[1] == "*" { continue }
            guard let last = Int(bounds[1]), last < LDAPLimits.members else {
                throw ReadFault(entry, "has too many members")
            }
            next = last + 1
        }
        for value in values {
            let dn = EntryReader.trimmed(value)
            if dn.isEmpty { continue }
            addJob(.name(String(decoding: dn, as: UTF8.self)), under: node, depth: depth + 1)
        }
        if let next { addJob(.range(entry.dn, name, next), under: node, depth: depth) }
    }

    /// The search of a job.
    func search(for job: Job) -> LDAPSearch {
        switch job.kind {
        case .name(let dn): return plan.entrySearch(dn, roles: Self.roles)
        case .range(let dn, let name, let from):
            var search = plan.entrySearch(dn, roles: [])
            search.attributes = ["objectClass", "\(name.description);range=\(from)-*"]
            return search
        case .uids(let uids):
            let filter = plan.group(plan.userRules) { rule in
                let names = plan.schema.names(.login, rule) + plan.schema.names(.localPart, rule)
                return Set(names).sorted { $0.key < $1.key }.flatMap { name in uids.map { .equal(name, $0) } }
            }
            var search = plan.search(filter, roles: Self.roles + [.login], plan.recordRules, limit: 0)
            search.page = LDAPLimits.page
            return search
        case .url(let url):
            var search = LDAPSearch(
                base: url.base, scope: url.scope, filter: url.filter,
                attributes: plan.schema.wanted(Self.roles, plan.recordRules), sizeLimit: LDAPLimits.members)
            search.page = LDAPLimits.page
            search.ignoresReferences = plan.schema.ignoresReferences
            return search
        }
    }

    /// Puts what a search brought in its place.
    mutating func take(_ outcome: SearchOutcome, of job: Job) throws(ReadFault) {
        // A member who is gone is no member; a server that can't say so is another matter.
        if case .noSuchObject = outcome, case .name = job.kind { return }
        let entries = try outcome.entries()
        switch job.kind {
        case .name(let dn):
            guard let entry = entries.first else {
                throw ReadFault("the entry \(dn), a member of \(list), may not be read; give the account the right to")
            }
            try addMember(entry, to: job.node, depth: job.depth)
        case .range(_, let name, _):
            for entry in entries { try addNames(entry, name, at: job.node, depth: job.depth) }
        case .url:
            for entry in entries { try addMember(entry, to: job.node, depth: job.depth + 1) }
        case .uids(let uids):
            let users = entries.map { entry in (entry, plan.reader.rules(of: entry)) }
            for uid in uids {
                let wanted = Folding.fold(uid)
                let user = users.first { entry, rules in
                    let logins = plan.reader.values(.login, of: entry, rules)
                    let localParts = plan.reader.values(.localPart, of: entry, rules)
                    return (logins + localParts).contains { Folding.fold($0) == wanted }
                }
                if let (entry, rules) = user { try add(entry, rules, to: job.node) }
            }
        }
    }

    /// A member that is an entry: by its address, where it has one; a group without one here is opened here, once.
    private mutating func addMember(_ entry: LDAPEntry, to node: Int, depth: Int) throws(ReadFault) {
        let rules = plan.reader.rules(of: entry)
        let isGroup = rules.contains { $0.kind == .list && !$0.hasMembersElsewhere }
        if !isGroup || plan.reader.addresses(of: entry, rules).canonical != nil {
            return try add(entry, rules, to: node)
        }
        guard opened.insert(DistinguishedName.key(Array(entry.dn.utf8))).inserted else { return }
        try expand(entry, at: node, depth: depth)
    }
}
