// The members of a list: by address, by distinguished name, by uid, by search URL, in groups within groups. Members
// keep the order in which their list has them; a group without an address of its own is opened in place.

import MailAddress
import MailboxDirectory

struct MembersWork: LookupWork {
    /// A place in the order of members.
    enum Node: Sendable {
        case member(ListMember)
        /// What is not known yet, or an opened group: the nodes in its place.
        case group([Int])
    }

    /// A search whose results go to a place.
    struct Job: Sendable {
        enum Kind: Sendable {
            case name(String)
            case uids([[UInt8]])
            case url(LDAPURL)
            /// The values of an attribute from a number on (Active Directory).
            case range(String, AttributeName, Int)
        }

        var kind: Kind
        var node: Int
        var depth: Int
    }

    let plan: SearchPlan
    let list: Mailbox
    var nodes: [Node] = [.group([])]
    var jobs: [Job] = []
    /// How many of them have been begun.
    private var begun = 0
    private var memberCount = 0
    private var underWay: [Job] = []
    private var isListKnown = false
    /// Groups that have been opened, by name.
    var opened: Set<[UInt8]> = []

    init(plan: SearchPlan, list: Mailbox) {
        self.plan = plan
        self.list = list
    }

    static let roles: [LDAPRole] =
        [.address, .aliasAddress, .localPart, .forwardTarget, .fullName, .title] + LDAPRole.members

    mutating func begin() -> WorkStep {
        let byAddress = plan.addressFilter([list], plan.listGroups)
        var searches: [LDAPSearch] = []
        if !byAddress.isNever {
            searches.append(
                plan.search(byAddress, roles: Self.roles, plan.listRules, limit: LDAPLimits.entriesAtAnAddress))
        }
        if !plan.schema.names(.memberOf, plan.recordRules).isEmpty {
            var search = plan.search(
                plan.membershipFilter(list), roles: Self.roles + [.memberOf], plan.recordRules,
                limit: LDAPLimits.members)
            search.page = LDAPLimits.page
            searches.append(search)
        }
        return searches.isEmpty ? .answered(.absent) : .search(searches)
    }

    mutating func take(_ outcomes: [SearchOutcome]) -> WorkStep {
        do throws(ReadFault) {
            if isListKnown {
                for (job, outcome) in zip(underWay, outcomes) { try take(outcome, of: job) }
            } else if try !open(outcomes.entries()) {
                return .answered(.absent)
            }
            isListKnown = true
            if max(memberCount, nodes.count - memberCount - 1) > LDAPLimits.members {
                throw ReadFault("the list \(list) has more than \(LDAPLimits.members) members; make it smaller")
            }
            underWay = Array(jobs[begun...].prefix(LDAPLimits.searchesAtOnce))
            begun += underWay.count
            if underWay.isEmpty { return .answered(.members(members)) }
            return .search(underWay.map { search(for: $0) })
        } catch {
            return plan.trouble(error.reason)
        }
    }

    /// Takes what stands at the list's address.
    /// - Returns: whether there is a list.
    private mutating func open(_ entries: [LDAPEntry]) throws(ReadFault) -> Bool {
        var lists: [LDAPEntry] = []
        var isList = false
        let holders = plan.reader.holders(of: list, among: entries)
        for entry in entries {
            let rules = plan.reader.rules(of: entry)
            if rules.contains(where: { $0.kind == .list }), holders.contains(entry) { lists.append(entry) }
            let of = plan.reader.values(.memberOf, of: entry, rules)
            if of.contains(where: { (try? Mailbox(octets: $0.span)) == list }) {
                isList = true
                try add(entry, rules, to: 0)
            }
        }
        guard let first = lists.first else { return isList }
        if lists.count > 1 { throw ReadFault("\(first.dn) and \(lists[1].dn) are both the list \(list); correct one") }
        opened.insert(DistinguishedName.key(Array(first.dn.utf8)))
        try expand(first, at: 0, depth: 0)
        return true
    }

    /// Adds an entry that is a member, if it can take mail at all.
    mutating func add(_ entry: LDAPEntry, _ rules: [LDAPRule], to node: Int) throws(ReadFault) {
        let name = plan.reader.fullName(of: entry, rules)
        for address in try plan.reader.destinations(of: entry, rules) {
            append(.member(ListMember(mailbox: address, name: name)), to: node)
        }
    }

    mutating func append(_ new: Node, to node: Int) {
        nodes.append(new)
        if case .member = new { memberCount += 1 }
        guard case .group(var children) = nodes[node] else { return }
        // Taken out first, or all of them would be copied for each that is added.
        nodes[node] = .group([])
        children.append(nodes.count - 1)
        nodes[node] = .group(children)
    }

    /// A new place under this one, for what a search will bring.
    mutating func addJob(_ kind: Job.Kind, under node: Int, depth: Int) {
        append(.group([]), to: node)
        jobs.append(Job(kind: kind, node: nodes.count - 1, depth: depth))
    }

    private var members: [ListMember] {
        var members: [ListMember] = []
        var pending = [0]
        while let index = pending.popLast() {
            switch nodes[index] {
            case .member(let member): members.append(member)
            case .group(let children): pending += children.reversed()
            }
        }
        return members
    }
}
