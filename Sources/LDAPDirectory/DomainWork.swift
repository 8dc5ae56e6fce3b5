// Looking up a domain: the configuration first, then entries, where the schema has such.

import MailAddress
import MailboxDirectory

struct DomainWork: LookupWork {
    let plan: SearchPlan
    let domain: Domain

    mutating func begin() -> LookupStep {
        if let record = plan.configured[domain] { return .answered(.domain(record)) }
        let rules = plan.domainRules
        if rules.isEmpty || domain.hasUnderscore { return .answered(.absent) }
        let filter = plan.domainFilter([domain])
        return .search([plan.search(filter, rules, limit: LDAPLimits.entriesAtAnAddress)])
    }

    mutating func take(_ outcomes: [SearchOutcome]) -> LookupStep {
        do throws(ReadFault) {
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
