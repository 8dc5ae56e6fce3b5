// Looking up a domain: the configuration first, then entries, where the schema has such. Where an address may be that of a
// catch-all, the entry that has it is looked for too.

import MailAddress
import MailboxDirectory

struct DomainWork: LookupWork {
    let plan: SearchPlan
    let domain: Domain
    /// What the configuration says, while its catch-all is looked for.
    private var known: DomainRecord?

    init(plan: SearchPlan, domain: Domain) {
        self.plan = plan
        self.domain = domain
    }

    mutating func begin() -> WorkStep {
        if let record = plan.configured[domain] {
            guard let search = plan.catchAllSearch(of: record) else { return .answered(.domain(record)) }
            known = record
            return .search([search])
        }
        let rules = plan.domainRules
        if rules.isEmpty || domain.hasUnderscore { return .answered(.absent) }
        let filter = plan.domainFilter([domain])
        return .search([plan.search(filter, rules, limit: LDAPLimits.entriesAtAnAddress)])
    }

    mutating func take(_ outcomes: [SearchOutcome]) -> WorkStep {
        do throws(ReadFault) {
            if var known {
                known.catchAll = try plan.catchAll(among: try outcomes.entries(), of: known)
                return .answered(.domain(known))
            }
            var found: [(LDAPEntry, DomainRecord)] = []
            for entry in try outcomes.entries() {
                if let record = try plan.reader.domain(entry, asked: domain) { found.append((entry, record)) }
            }
            guard let (entry, record) = found.first else { return .answered(.absent) }
            if found.count > 1 {
                throw ReadFault("\(entry.dn) and \(found[1].0.dn) are both the domain \(domain); remove one")
            }
            return .answered(.domain(record))
        } catch {
            return plan.trouble(error.reason)
        }
    }
}

extension SearchPlan {
    /// Who is the catch-all of a domain of the configuration; nil where no entry can be, or the configuration says it.
    func catchAllSearch(of record: DomainRecord) -> LDAPSearch? {
        guard schema.hasCatchAlls, record.kind == .local, record.catchAll == nil else { return nil }
        var spellings = [record.domain.octets]
        if record.domain.key != record.domain.octets { spellings.append(record.domain.key) }
        let filter = group(recordRules) { rule in
            SearchPlan.once(schema.names(.address, rule) + schema.names(.aliasAddress, rule)).flatMap { name in
                spellings.map { .equal(name, [UInt8(ascii: "@")] + $0) }
            }
        }
        if filter.isNever { return nil }
        return search(filter, recordRules, limit: LDAPLimits.entriesAtAnAddress)
    }

    /// Where the mail for a domain's unknown names goes; nil when no entry says so.
    fileprivate func catchAll(among entries: [LDAPEntry], of record: DomainRecord) throws(ReadFault) -> Mailbox? {
        let takers = entries.filter { reader.isCatchAll(of: record.domain, $0) }
        guard let taker = takers.first else { return nil }
        if takers.count > 1 {
            throw ReadFault("\(taker.dn) and \(takers[1].dn) are both the catch-all of \(record.domain); correct one")
        }
        let rules = reader.rules(of: taker)
        if let address = reader.addresses(of: taker, rules, domain: record.domain).canonical { return address }
        // One that has no address of its own leads where it forwards to.
        let targets = try reader.targets(.forwardTarget, of: taker, rules, domain: record.domain)
        guard let target = targets.first, targets.count == 1 else {
            throw ReadFault(taker, "is the catch-all of \(record.domain), and has no address, nor one that it leads to")
        }
        return target
    }

    /// The records of these domains.
    func domainFilter(_ domains: [Domain]) -> LDAPFilter {
        group(domainRules) { rule in
            domains.flatMap { domain -> [LDAPFilter] in
                if let own = schema.keys { return [.equal(own.domain, domain.key)] }
                let spellings = domain.octets == domain.key ? [domain.key] : [domain.octets, domain.key]
                return schema.names(.domainName, rule).flatMap { name in spellings.map { .equal(name, $0) } }
            }
        }
    }
}

extension [SearchOutcome] {
    /// All entries, when every search was answered.
    func entries() throws(ReadFault) -> [LDAPEntry] {
        var all: [LDAPEntry] = []
        for outcome in self { all += try outcome.entries() }
        return all
    }
}

extension SearchOutcome {
    /// The entries below a base that must exist.
    func entries() throws(ReadFault) -> [LDAPEntry] {
        switch self {
        case .found(let entries): return entries
        case .partial(_, let failure), .noSuchObject(let failure), .failed(let failure):
            throw ReadFault(failure.description)
        }
    }
}
