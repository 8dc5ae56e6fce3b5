// The searches of one source: filters over all attributes that may hold an address or a name.

import MailAddress
import MailboxDirectory

/// Makes the searches of one source, and reads what they bring.
struct SearchPlan: Sendable {
    let sourceName: String
    let base: String
    let scope: LDAPScope
    let schema: LDAPSchema
    let reader: EntryReader
    /// Domains on record in the configuration.
    let configured: [Domain: DomainRecord]
    let recordRules: [LDAPRule]
    let userRules: [LDAPRule]
    let listRules: [LDAPRule]
    let domainRules: [LDAPRule]
    /// Of all records, and of lists.
    let recordGroups: [AddressGroup]
    let listGroups: [AddressGroup]
    /// The search for what stands at addresses, as yet without a filter.
    private let addressTemplate: LDAPSearch

    init(name: String, settings: LDAPSettings) {
        sourceName = name
        base = settings.base
        scope = settings.scope
        schema = settings.schema
        configured = Dictionary(settings.domains.map { ($0.domain, $0) }, uniquingKeysWith: { first, _ in first })
        reader = EntryReader(schema: settings.schema, domains: settings.domains)
        recordRules = schema.rules.filter { $0.kind != .domain }
        userRules = schema.rules.filter { $0.kind == .user }
        listRules = schema.rules.filter { $0.kind == .list }
        domainRules = schema.rules.filter { $0.kind == .domain }
        recordGroups = AddressGroup.groups(of: recordRules, schema)
        listGroups = AddressGroup.groups(of: listRules, schema)
        var template = LDAPSearch(
            base: base, scope: scope, filter: "", attributes: schema.wanted(Self.recordRoles, recordRules),
            sizeLimit: LDAPLimits.entriesAtAnAddress)
        template.ignoresReferences = schema.ignoresReferences
        addressTemplate = template
    }

    /// The roles that a record is read from, members left out.
    static let recordRoles = LDAPRole.allCases.filter { !LDAPRole.members.contains($0) && $0 != .memberOf }

    func work(for lookup: Lookup) -> any LookupWork {
        switch lookup {
        case .domain(let domain): DomainWork(plan: self, domain: domain)
        case .entries(let keys): EntriesWork(plan: self, keys: keys)
        case .name(let query): NameWork(plan: self, query: query)
        // A server's answer is never told in pages, so that nothing asks for the next.
        case .members(let list), .moreMembers(let list, _), .moreTargets(let list, _):
            MembersWork(plan: self, list: list)
        }
    }

    func trouble(_ reason: String) -> WorkStep { .answered(.trouble(sourceName, reason)) }

    /// A search below the base for records.
    func search(_ filter: LDAPFilter, roles: [LDAPRole] = recordRoles, _ rules: [LDAPRule], limit: Int) -> LDAPSearch {
        var search = LDAPSearch(
            base: base, scope: scope, filter: filter.text, attributes: schema.wanted(roles, rules), sizeLimit: limit)
        search.ignoresReferences = schema.ignoresReferences
        return search
    }

    /// A search for what stands at any of these addresses, which may be joined with others; nil where no entry can.
    func addressSearch(_ keys: [Mailbox]) -> LDAPSearch? {
        let filter = addressFilter(keys, recordGroups)
        if filter.isNever { return nil }
        var search = addressTemplate
        search.filter = filter.text
        search.addresses = keys
        return search
    }

    /// `(|(&(|(objectClass=…)…)(|…))…)`, rules with the same terms made one.
    func group(_ rules: [LDAPRule], _ terms: (LDAPRule) -> [LDAPFilter]) -> LDAPFilter {
        var groups: [(terms: [LDAPFilter], classes: [AttributeName], conditions: [LDAPFilter])] = []
        for rule in rules {
            var own: [LDAPFilter] = []
            for term in terms(rule) where !own.contains(term) { own.append(term) }
            if own.isEmpty { continue }
            let conditions = rule.conditions
            if let index = groups.firstIndex(where: { $0.terms == own && $0.conditions == conditions }) {
                groups[index].classes += rule.classes
            } else {
                groups.append((own, rule.classes, conditions))
            }
        }
        let filters = groups.map { group -> LDAPFilter in
            let classes = LDAPFilter.anyOf(group.classes.map { .equal("objectClass", Array($0.description.utf8)) })
            return LDAPFilter.and([classes] + group.conditions + [.anyOf(group.terms)])
        }
        return .anyOf(filters)
    }

    /// The ways in which an address may be written in a directory: as asked and folded, its domain as A-labels, as
    /// asked, or as the configuration spells it.
    func spellings(of mailbox: Mailbox) -> [[UInt8]] {
        var domains = [mailbox.domain.octets, mailbox.domain.key]
        if let known = configured[mailbox.domain] { domains.append(known.domain.octets) }
        var spellings: [[UInt8]] = []
        for localPart in localParts(mailbox.localPart) {
            for domain in domains {
                let spelling = localPart + [UInt8(ascii: "@")] + domain
                if !spellings.contains(where: { Self.isSame($0, spelling) }) { spellings.append(spelling) }
            }
        }
        return spellings
    }

    /// The same for attributes that are compared with case: as asked, and all folded.
    func exactSpellings(of mailbox: Mailbox) -> [[UInt8]] {
        var all = spellings(of: mailbox)
        let folded = Mailbox(
            localPart: LocalPart(stored: mailbox.localPart.key, key: mailbox.localPart.key),
            domain: Domain(stored: mailbox.domain.key, key: mailbox.domain.key))
        var spelling: [UInt8] = []
        folded.append(to: &spelling)
        if !all.contains(spelling) { all.append(spelling) }
        return all
    }

    func localParts(_ localPart: LocalPart) -> [[UInt8]] {
        var spellings: [[UInt8]] = []
        for one in [localPart, LocalPart(stored: localPart.key, key: localPart.key)] {
            var spelling: [UInt8] = []
            one.append(to: &spelling)
            // With a dot at an end others write it without the quotes that it needs.
            for spelling in one.needsQuotes && one.isReadWithoutQuotes ? [spelling, one.octets] : [spelling]
            where !spellings.contains(where: { Self.isSame($0, spelling) }) {
                spellings.append(spelling)
            }
        }
        return spellings
    }

    /// ASCII case is the server's business: the attributes that hold addresses are compared without it.
    private static func isSame(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        one.count == other.count
            && zip(one, other).allSatisfy { left, right in
                left == right || (left ^ right == 0x20 && (0x41...0x5A).contains(left & 0xDF) && left < 0x80)
            }
    }

    /// The folded key of an address in our own schema: the local-part without its quoting, `@`, the domain in A-labels.
    static func key(of mailbox: Mailbox) -> [UInt8] {
        mailbox.localPart.key + [UInt8(ascii: "@")] + mailbox.domain.key
    }
}

extension LDAPRule {
    /// What an entry must fit beside its class.
    var conditions: [LDAPFilter] {
        (needs.map { [.present($0)] } ?? []) + (lacks.map { [.not(.present($0))] } ?? [])
    }
}

extension LDAPFilter {
    /// One of these: a single one needs no `|`.
    static func anyOf(_ filters: [LDAPFilter]) -> LDAPFilter { filters.count == 1 ? filters[0] : .or(filters) }
}
