// Looking up a bare name: local-part, login and full name in one round trip, one search each, so that a name that very
// many bear in one way does not hide who bears it in a better one.

import MailAddress
import MailboxDirectory

struct NameWork: LookupWork {
    private enum Phase {
        case searching
        /// Asking whether domains are local.
        case domains([Domain])
        /// Reading all that stands at the addresses that bear the name: a forward may be an entry of its own.
        case records(NameRank, WorkGroup)
    }

    let plan: SearchPlan
    let query: NameQuery
    /// The ranks of the searches under way; a rank may have several.
    private var ranks: [NameRank] = []
    private var attempt = 0
    private var outcomes: [SearchOutcome] = []
    private var phase = Phase.searching
    /// The domains that entries say are local, once that is known.
    private var local: Set<Domain> = []
    /// The addresses of each of those who bear the name, in the order in which they are read; and the ways in which all
    /// who bear it turned out to have no mailbox.
    private var bearers: [[Mailbox]] = []
    private var vainRanks: Set<NameRank> = []

    /// Looked for in this way alone; nil: in every way.
    private let onlyRank: NameRank?

    init(plan: SearchPlan, query: NameQuery, only onlyRank: NameRank? = nil) {
        self.plan = plan
        self.query = query
        self.onlyRank = onlyRank
    }

    mutating func begin() -> WorkStep {
        var searches: [LDAPSearch] = []
        ranks = []
        let limit = LDAPLimits.candidates[attempt]
        for (rank, filter) in filters where !filter.isNever && (onlyRank == nil || rank == onlyRank) {
            var search = plan.search(filter, plan.recordRules, limit: limit)
            search.page = min(limit, LDAPLimits.page)
            search.isPartialWelcome = true
            searches.append(search)
            ranks.append(rank)
        }
        return searches.isEmpty ? .answered(.absent) : .search(searches)
    }

    private var filters: [(NameRank, LDAPFilter)] {
        var filters: [(NameRank, LDAPFilter)] = []
        if let localPart = query.localPart {
            filters += plan.localPartFilters(localPart).map { (.localPart, $0) }
        }
        if query.folded.isEmpty { return filters }
        filters.append((.login, plan.loginFilter(query.folded)))
        // Few names have it in them, or only those are looked for that may have it as a word. So are those with three
        // octets at once: OpenLDAP has four in its indexes, and finds three with their neighbour (slapd.conf(5),
        // index_substr_any_len).
        let isWide = attempt == 0 && query.folded.count != 3
        filters.append((.fullName, isWide ? plan.fullNameFilter(query.folded) : plan.wordFilter(query.folded)))
        return filters
    }

    mutating func take(_ results: [SearchOutcome]) -> WorkStep {
        do throws(ReadFault) {
            switch phase {
            case .searching:
                outcomes = results
                let unknown = unknownDomains
                if unknown.isEmpty { return try decide() }
                phase = .domains(unknown)
                return .search(plan.domainSearches(unknown))
            case .domains(let asked):
                let records = try results.entries()
                for domain in asked {
                    for entry in records where try plan.reader.domain(entry, asked: domain)?.kind == .local {
                        local.insert(domain)
                    }
                }
                return try decide()
            case .records(let rank, var group):
                return try go(on: group.take(results), rank, group)
            }
        } catch {
            return plan.trouble(error.reason)
        }
    }

    /// The domains of candidates that only an entry can tell to be local.
    private var unknownDomains: [Domain] {
        if plan.domainRules.isEmpty { return [] }
        var domains: [Domain] = []
        for entry in outcomes.flatMap(\.anyEntries) {
            for address in plan.reader.addresses(of: entry, plan.reader.rules(of: entry)).here
            where !domains.contains(address.domain) && plan.configured[address.domain] == nil {
                domains.append(address.domain)
            }
        }
        return domains
    }

    private mutating func decide() throws(ReadFault) -> WorkStep {
        phase = .searching
        for rank in [NameRank.localPart, .login, .fullName] where !vainRanks.contains(rank) {
            var found: [Mailbox: [Mailbox]] = [:]
            var cutOff: LDAPFailure?
            for (outcome, itsRank) in zip(outcomes, ranks) where itsRank == rank {
                let entries: [LDAPEntry]
                if case .partial(let some, let failure) = outcome {
                    entries = some
                    cutOff = failure
                } else {
                    entries = try outcome.entries()
                }
                for entry in entries {
                    if let (address, own) = bearer(entry, rank) { found[address, default: []] += own }
                }
            }
            // What was cut off may hold more, but no more are wanted than there are.
            if let cutOff, found.count < query.limit {
                attempt += 1
                if attempt < LDAPLimits.candidates.count { return begin() }
                throw ReadFault(cutOff.description)
            }
            if found.isEmpty { continue }
            let all = found.map { ($0.key, $0.value, $0.key.description) }.sorted { $0.2 < $1.2 }.prefix(query.limit)
            bearers = all.map(\.1)
            return try read(all.map(\.0), rank)
        }
        return .answered(.absent)
    }

    /// The address in a local domain of an entry that truly bears the name, and all that it has here.
    private func bearer(_ entry: LDAPEntry, _ rank: NameRank) -> (Mailbox, own: [Mailbox])? {
        let reader = plan.reader
        let rules = reader.rules(of: entry)
        let users = rules.filter { $0.kind == .user }
        let isLocal = { (domain: Domain) in
            local.contains(domain) || plan.configured[domain]?.kind == .local
        }
        let addresses = reader.addresses(of: entry, rules).here
        guard let address = addresses.first(where: { isLocal($0.domain) }) else { return nil }
        let isBearer =
            switch rank {
            case .localPart:
                addresses.contains { $0.localPart == query.localPart && isLocal($0.domain) }
            case .login:
                reader.values(.login, of: entry, users).contains { NameFolding.fold($0) == query.folded }
            case .fullName:
                reader.values(.fullName, of: entry, users).contains {
                    NameFolding.keys(ofFullName: PersonName.clean($0)).contains(query.folded)
                }
            }
        return isBearer ? (address, addresses) : nil
    }

    private mutating func read(_ addresses: [Mailbox], _ rank: NameRank) throws(ReadFault) -> WorkStep {
        var group = WorkGroup(addresses.map { EntriesWork(plan: plan, keys: [$0]) })
        return try go(on: group.begin(), rank, group)
    }

    private mutating func go(
        on searches: [LDAPSearch], _ rank: NameRank, _ group: WorkGroup
    ) throws(ReadFault) -> WorkStep {
        if !searches.isEmpty {
            phase = .records(rank, group)
            return .search(searches)
        }
        var entries: [Entry] = []
        for (answer, own) in zip(group.answers, bearers) {
            switch answer {
            // Where the address is another's after all (`EntryReader.holders`), who bears the name has no mailbox.
            case .entry(let entry, _)? where !plan.schema.prefixes.isEmpty && !own.contains(entry.address): continue
            case .entry(let entry, _)?:
                if !entries.contains(where: { $0.address == entry.address }) { entries.append(entry) }
            case .couldNotTell?: return .answered(answer ?? .absent)
            default: return plan.trouble("an entry has gone while it was read; ask again")
            }
        }
        if entries.isEmpty {
            vainRanks.insert(rank)
            return try decide()
        }
        return .answered(.matches(entries, rank))
    }
}

extension SearchOutcome {
    /// Whatever was read, cut off or not.
    var anyEntries: [LDAPEntry] {
        switch self {
        case .found(let entries), .partial(let entries, _): entries
        case .noSuchObject, .failed: []
        }
    }
}
