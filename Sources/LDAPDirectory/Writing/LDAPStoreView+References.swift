// Who points to an address, or into a domain: by indexes in our own schema, else by what the site has indexed.

import MailAddress
import MailboxDirectory

extension LDAPStoreView {
    func references(to address: Mailbox, limit: Int) throws -> [Reference] {
        try references(to: address, limit: limit) { throw StoreError.trouble($0) }
    }

    private func references(
        to address: Mailbox, limit: Int, faulty: (Trouble) throws -> Void
    ) throws -> [Reference] {
        let records = try pointing(by: plan.pointingFilter(to: address), limit: limit, faulty: faulty)
        let found = records.flatMap { record in
            record.references.filter { $0.mailbox == address }.map { Reference(record, role: $0.role) }
        }
        let all = Set(found).union(try referencesByEntry(to: address))
        return Array(all.sorted { ($0.name, $0.role.rawValue) < ($1.name, $1.role.rawValue) }.prefix(limit))
    }

    /// Groups that have who is at this address by the name of the entry or by a login, and forwards to the entry: at its
    /// canonical address, so that they are told once.
    private func referencesByEntry(to address: Mailbox) throws(StoreError) -> [Reference] {
        if plan.schema.keys != nil || plan.reader.isForeign(address.domain) { return [] }
        guard let search = plan.addressSearch([address]) else { return [] }
        var filters: [LDAPFilter] = []
        for entry in plan.reader.holders(of: address, among: try entries([search])) {
            let (dn, rules) = (Array(entry.dn.utf8), plan.reader.rules(of: entry))
            if plan.reader.addresses(of: entry, rules, domain: address.domain).canonical != address { continue }
            let uids = [.login, .localPart].flatMap { plan.reader.values($0, of: entry, rules) }
            filters.append(
                plan.group(plan.schema.rules) { rule in
                    [.memberDN, .forwardTargetDN].flatMap { plan.schema.names($0, rule) }.map { .equal($0, dn) }
                        + plan.schema.names(.memberUID, rule).flatMap { name in uids.map { .equal(name, $0) } }
                })
        }
        filters.removeAll(where: \.isNever)
        if filters.isEmpty { return [] }
        var pointing = plan.search(.anyOf(filters), plan.schema.rules, limit: 0)
        pointing.page = LDAPLimits.page
        return try entries([pointing]).compactMap { entry in
            let rules = plan.reader.rules(of: entry)
            guard let holder = plan.reader.addresses(of: entry, rules).canonical, overlay.slots[holder] == nil else {
                return nil
            }
            let isList = rules.contains { $0.kind == .list }
            return Reference(
                kind: isList ? .list : .forward, role: isList ? .member : .target, name: holder.description)
        }
    }

    /// Members that a group has through other groups or by a search are found by reading all of them.
    func allReferences(to address: Mailbox, faulty: (Trouble) throws -> Void) throws -> [Reference] {
        var found = Set(try references(to: address, limit: .max, faulty: faulty))
        let ways: [(RecordKind, [LDAPRole])] = [
            (.list, [.memberDN, .memberUID, .memberURL, .memberOf]), (.forward, [.forwardTargetDN]),
        ]
        for (kind, roles) in ways
        where roles.contains(where: { !plan.schema.names($0, plan.schema.rules).isEmpty }) {
            try forEach(kind, in: nil, faulty: faulty) { record in
                for (role, target) in record.references where target == address {
                    found.insert(Reference(record, role: role))
                }
            }
        }
        return found.sorted { ($0.name, $0.role.rawValue) < ($1.name, $1.role.rawValue) }
    }

    func references(
        withDetailOf names: [AddressName], faulty: (Trouble) throws -> Void
    ) throws -> [AddressReference] {
        let records = try pointing(by: plan.pointingFilter(withDetailOf: names), limit: .max, faulty: faulty)
        let found = records.flatMap { record in
            record.references.filter { _, target in names.contains { $0.isBase(of: target) } }
                .map { AddressReference(Reference(record, role: $0.role), to: $0.mailbox, in: name) }
        }
        return Set(found).sorted { ($0.reference.name, "\($0.target)") < ($1.reference.name, "\($1.target)") }
    }

    func otherAddresses(of address: Mailbox) throws -> [Mailbox] {
        // In our own schema each address has an entry of its own; and what this transaction has written has one address.
        if plan.schema.keys != nil || overlay.slots[address] != nil || plan.reader.isForeign(address.domain) {
            return []
        }
        guard let search = plan.addressSearch([address]) else { return [] }
        for entry in try entries([search]) {
            let addresses = plan.reader.addresses(of: entry, plan.reader.rules(of: entry), domain: address.domain).here
            if addresses.first == address { return Array(addresses.dropFirst()) }
        }
        return []
    }

    func references(toDomain domain: Domain, limit: Int) throws -> [Reference] {
        try references(to: domain, limit: limit, withUsers: true)
    }

    func redirections(inDomain domain: Domain, limit: Int) throws -> [Reference] {
        try references(to: domain, limit: limit, withUsers: false)
    }

    /// Aliases of the domain, then what stands in it, then what points into it.
    private func references(to domain: Domain, limit: Int, withUsers: Bool) throws -> [Reference] {
        var found = try aliases(of: domain)
        if found.count < limit {
            found += try standing(in: domain, limit: limit - found.count, withUsers: withUsers)
        }
        if found.count < limit {
            let filter = plan.pointingFilter(into: domain)
            let records = try pointing(by: filter, limit: limit - found.count) { throw StoreError.trouble($0) }
            let pointing = records.filter { $0.domain != domain }.flatMap { record in
                record.references.filter { $0.mailbox.domain == domain }.map { Reference(record, role: $0.role) }
            }
            found += pointing.sorted { $0.name < $1.name }
        }
        return Array(found.prefix(limit))
    }

    func aliases(of domain: Domain) throws(StoreError) -> [Reference] {
        try domains().filter { $0.kind == .alias(of: domain) }
            .map { Reference(.domain($0), role: .target) }.sorted { $0.name < $1.name }
    }

    /// The records in a domain. Users are passed over unread where they are not wanted.
    func standing(in domain: Domain, limit: Int, withUsers: Bool) throws(StoreError) -> [Reference] {
        let kinds: [RecordKind] = (withUsers ? [.user] : []) + [.alias, .forward, .moved, .list]
        var found: Set<Reference> = []
        for kind in kinds {
            // Their addresses are all that is read, no more than can be wanted, and enough to put them in order.
            let most = limit == .max ? 0 : max(limit, LDAPLimits.page) + overlay.slots.count
            for address in try addresses(of: kind, standingIn: domain, limit: most)
            where overlay.slots[address] == nil {
                found.insert(Reference(kind: kind, role: .target, name: address.description))
            }
        }
        for slot in overlay.slots.values where slot.address.domain == domain {
            for record in slot.after where withUsers || record.kind != .user {
                found.insert(Reference(record, role: .target))
            }
        }
        return Array(found.sorted { $0.name < $1.name }.prefix(limit))
    }

    private func addresses(
        of kind: RecordKind, standingIn domain: Domain, limit: Int
    ) throws(StoreError) -> [Mailbox] {
        var searches: [LDAPSearch] = []
        let standing = plan.standingFilter(in: domain, plan.recordRules)
        for filter in plan.candidates(kind, in: domain, isWide: false) where !filter.isNever && !standing.isNever {
            let both = plan.schema.keys == nil ? LDAPFilter.and([filter, standing]) : filter
            var search = plan.search(both, plan.recordRules, limit: limit)
            search.page = LDAPLimits.page
            search.isPartialWelcome = limit > 0
            searches.append(search)
        }
        var found: [Mailbox] = []
        for outcome in session.outcomes(searches) {
            let entries: [LDAPEntry]
            do throws(ReadFault) {
                if case .partial(let some, _) = outcome, some.count >= limit {
                    entries = some
                } else {
                    entries = try outcome.entries()
                }
            } catch {
                throw trouble(error.reason)
            }
            for entry in entries {
                let addresses = plan.reader.addresses(of: entry, plan.reader.rules(of: entry), domain: domain).here
                if let first = addresses.first(where: { $0.domain == domain }) { found.append(first) }
            }
        }
        return found
    }

    /// The records in the entries that a filter finds, and all that this transaction has written.
    private func pointing(
        by filter: LDAPFilter, limit: Int, faulty: (Trouble) throws -> Void
    ) throws -> [Record] {
        var records = overlay.records
        for record in plan.configured.values { records.append(.domain(record)) }
        if filter.isNever { return records }
        var search = plan.search(filter, roles: LDAPRole.allCases, plan.schema.rules, limit: 0)
        search.page = LDAPLimits.page
        if limit < LDAPLimits.page {
            search.sizeLimit = LDAPLimits.page + overlay.slots.count + overlay.domains.count
            search.isPartialWelcome = true
        }
        let outcome = session.outcomes([search])[0]
        let found: [LDAPEntry]
        do throws(ReadFault) {
            if case .partial(let some, _) = outcome, some.count >= search.sizeLimit {
                found = some
            } else {
                found = try outcome.entries()
            }
        } catch {
            throw trouble(error.reason)
        }
        for entry in found {
            do throws(ReadFault) {
                records += try self.records(in: entry)
            } catch {
                try faulty(Trouble(source: name, reason: error.reason))
            }
        }
        return records
    }

    /// What an entry says that was not changed here.
    private func records(in entry: LDAPEntry) throws(ReadFault) -> [Record] {
        let rules = plan.reader.rules(of: entry)
        var records: [Record] = []
        for value in plan.reader.values(.domainName, of: entry, rules) {
            guard let name = try? Domain(octets: value), overlay.domains[name] == nil else { continue }
            if let domain = try plan.reader.domain(entry, asked: name) { records.append(.domain(domain)) }
        }
        guard let address = plan.reader.addresses(of: entry, rules).canonical, overlay.slots[address] == nil else {
            return records
        }
        let read = try plan.reader.record(entry, at: address)
        if let forward = read.forward { records.append(.forward(forward)) }
        if case .alias(let alias) = read { records.append(.alias(alias)) }
        if case .moved(let moved) = read { records.append(.moved(moved)) }
        if case .list(let list) = read {
            var members: [ListMember] = []
            let values = plan.reader.values(.memberAddress, of: entry, rules)
            if plan.schema.isOrdered {
                members = try plan.reader.ordered(values, of: entry).map { ListMember(mailbox: $0.mailbox) }
            } else {
                for value in values {
                    members.append(try plan.reader.member(value, of: entry, domain: address.domain))
                }
            }
            records.append(.list(list, members: members))
        }
        return records
    }
}
