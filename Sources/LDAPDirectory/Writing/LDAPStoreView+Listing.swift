// Records in their order. A server sorts by other rules than a directory of mailboxes, or not at all: so first the
// addresses are read, page by page, and sorted here; then the records, some at a time.

import MailAddress
import MailboxDirectory

extension LDAPStoreView {
    func forEach(
        _ kind: RecordKind, in domain: Domain?, faulty tell: (Trouble) throws -> Void, _ body: (Record) throws -> Void
    ) throws {
        // One entry may be at several addresses.
        var told: Set<Trouble> = []
        func faulty(_ trouble: Trouble) throws { if told.insert(trouble).inserted { try tell(trouble) } }
        var faults: [Trouble] = []
        if kind == .domain {
            let records = try domains(faulty: &faults)
            for trouble in faults { try faulty(trouble) }
            for record in records where domain == nil || record.domain == domain { try body(.domain(record)) }
        } else {
            let addresses = try addresses(kind, in: domain, faulty: &faults)
            for trouble in faults { try faulty(trouble) }
            for start in stride(from: 0, to: addresses.count, by: LDAPLimits.listedAtOnce) {
                let some = addresses[start..<min(start + LDAPLimits.listedAtOnce, addresses.count)]
                for result in records(kind, at: Array(some)) {
                    switch result {
                    case .success(let record): try body(record)
                    case .failure(let trouble): try faulty(trouble)
                    }
                }
            }
        }
        // What was listed is there; that nothing else is can't be told.
        if let doubt = session.doubt { try faulty(Trouble(source: name, reason: doubt)) }
    }

    /// All domains in the order of their names, those of the configuration with them.
    func domains() throws(StoreError) -> [DomainRecord] {
        var faults: [Trouble] = []
        let records = try domains(faulty: &faults)
        if let trouble = faults.first { throw .trouble(trouble) }
        return records
    }

    private func domains(faulty: inout [Trouble]) throws(StoreError) -> [DomainRecord] {
        var all = plan.configured
        if !plan.domainRules.isEmpty {
            let filter = plan.classFilter(plan.domainRules)
            var search = plan.search(filter, plan.domainRules, limit: 0)
            search.page = LDAPLimits.page
            do throws(ReadFault) {
                for entry in try session.outcomes([search]).entries() {
                    let rules = plan.reader.rules(of: entry)
                    for value in plan.reader.values(.domainName, of: entry, rules) {
                        guard let name = try? Domain(octets: value), all[name] == nil else { continue }
                        do throws(ReadFault) {
                            all[name] = try plan.reader.domain(entry, asked: name)
                        } catch {
                            faulty.append(Trouble(source: self.name, reason: error.reason))
                        }
                    }
                }
            } catch {
                throw trouble(error.reason)
            }
        }
        if plan.schema.hasCatchAlls {
            let domains = Array(plan.configured.keys)
            for answer in session.answers(domains.map { DomainWork(plan: plan, domain: $0) }, source: name) {
                switch answer {
                case .domain(let record): all[record.domain] = record
                case .couldNotTell(let trouble): faulty.append(trouble)
                default: break
                }
            }
        }
        for slot in overlay.domains.values { all[slot.domain] = slot.after }
        return all.values.sorted { $0.domain.key.lexicographicallyPrecedes($1.domain.key) }
    }

    /// The addresses at which records of this kind may stand, sorted.
    private func addresses(
        _ kind: RecordKind, in domain: Domain?, faulty: inout [Trouble]
    ) throws(StoreError) -> [Mailbox] {
        var found: Set<Mailbox> = []
        do throws(ReadFault) {
            for search in searches(kind, in: domain) {
                try session.pages(search) { (entries) throws(ReadFault) in
                    for entry in entries { found.formUnion(addresses(of: entry, kind, in: domain)) }
                    if found.count > LDAPLimits.listed {
                        throw ReadFault(
                            "there are more than \(LDAPLimits.listed) records; list them domain by domain")
                    }
                }
            }
        } catch {
            throw trouble(error.reason)
        }
        // Where entries are domains too, only they tell which of the addresses are here.
        if !plan.domainRules.isEmpty, plan.schema.keys == nil {
            let served = Set(try domains(faulty: &faulty).map(\.domain))
            found = found.filter { served.contains($0.domain) }
        }
        found.subtract(overlay.slots.keys)
        for slot in overlay.slots.values where slot.record(kind) != nil {
            if domain == nil || slot.address.domain == domain { found.insert(slot.address) }
        }
        return found.sorted { $0.precedes($1) }
    }

    /// Where an entry may have records of this kind.
    private func addresses(of entry: LDAPEntry, _ kind: RecordKind, in domain: Domain?) -> [Mailbox] {
        let rules = plan.reader.rules(of: entry)
        var found = plan.reader.addresses(of: entry, rules, domain: domain).here
        // A bare local-part is as many records as there are domains.
        if plan.reader.values(.localPart, of: entry, rules).isEmpty { found = Array(found.prefix(1)) }
        if kind == .list {
            let lists = plan.reader.values(.memberOf, of: entry, rules)
            let others = lists.compactMap { try? Mailbox(octets: $0.span) }
            found += others.filter { $0.domain == domain || !plan.reader.isForeign($0.domain) }
        }
        return found.filter { domain == nil || $0.domain == domain }
    }

    private func searches(_ kind: RecordKind, in domain: Domain?) -> [LDAPSearch] {
        let filters = plan.candidates(kind, in: domain, isWide: true)
        return filters.filter { !$0.isNever }.map { filter in
            var search = plan.search(
                filter, roles: [.address, .aliasAddress, .localPart, .memberOf], plan.recordRules, limit: 0)
            // What marks the canonical address, or is in the condition of a rule, is read too.
            search.attributes += plan.recordRules.flatMap { rule in
                [rule.needs, rule.lacks].compactMap { $0?.description }
            }
            if plan.schema.routesToItself {
                search.attributes += plan.schema.names(.forwardTarget, plan.recordRules).map(\.description)
            }
            search.page = LDAPLimits.page
            return search
        }
    }

    /// What stands at these addresses, in this order: the records, and what can't be read.
    private func records(_ kind: RecordKind, at addresses: [Mailbox]) -> [Result<Record, Trouble>] {
        let answers = answers(addresses.map { .entries([$0]) })
        var lists: [Int] = []
        var records: [Result<Record, Trouble>?] = []
        for (address, answer) in zip(addresses, answers) {
            switch answer {
            // One that has another canonical address is listed there.
            case .entry(let entry, _) where entry.address == address:
                if kind == .list, case .list(let list) = entry {
                    lists.append(records.count)
                    records.append(.success(.list(list, members: [])))
                } else {
                    records.append(record(kind, in: entry))
                }
            case .entry: records.append(nil)
            case .absent: records.append(.failure(Trouble(source: name, reason: Self.notFound(address))))
            default: records.append(.failure(trouble(in: answer)))
            }
        }
        let members = self.answers(lists.map { .members(of: addresses[$0]) })
        for (index, answer) in zip(lists, members) {
            guard case .success(.list(let list, _))? = records[index] else { continue }
            switch answer {
            case .members(let members): records[index] = .success(.list(list, members: members))
            case .absent: records[index] = nil
            default: records[index] = .failure(trouble(in: answer))
            }
        }
        return records.compactMap { $0 }
    }

    /// Of an address that an entry was listed with, and at which nothing is found.
    private static func notFound(_ address: Mailbox) -> String {
        "\(address) is the address of an entry that is not found by it; addressee check says which, unless it was removed"
            + " just now"
    }

    private func record(_ kind: RecordKind, in entry: Entry) -> Result<Record, Trouble>? {
        do throws(StoreError) {
            return try record(kind, of: entry).map { .success($0) }
        } catch {
            if case .trouble(let trouble) = error { return .failure(trouble) }
            return .failure(Trouble(source: name, reason: "\(error)"))
        }
    }

    /// The answers to several lookups, those that the server has to give at once.
    private func answers(_ lookups: [Lookup]) -> [Answer] {
        if !overlay.isEmpty { return lookups.map(answer) }
        return session.answers(lookups.map { plan.work(for: $0) }, source: name)
    }
}

extension Mailbox {
    /// By domain, then by local-part, in byte order, as every store lists them.
    fileprivate func precedes(_ other: Mailbox) -> Bool {
        if domain != other.domain { return domain.key.lexicographicallyPrecedes(other.domain.key) }
        return localPart.key.lexicographicallyPrecedes(other.localPart.key)
    }
}
