// The filter for addresses in parts: what is the same for all of them is made once, and several filters are joined by
// putting their terms together.

import MailAddress
import MailboxDirectory

/// Rules whose entries hold addresses in the same attributes.
struct AddressGroup: Hashable, Sendable {
    var classes: [AttributeName]
    let conditions: [LDAPFilter]
    /// Attributes of whole addresses, and of bare local-parts.
    let names: [AttributeName]
    let localNames: [AttributeName]

    /// The groups of these rules, in their order.
    static func groups(of rules: [LDAPRule], _ schema: LDAPSchema) -> [AddressGroup] {
        var groups: [AddressGroup] = []
        for rule in rules {
            let own = schema.keys.map { [$0.address] }
            let group = AddressGroup(
                classes: rule.classes, conditions: rule.conditions,
                names: own ?? SearchPlan.once(schema.names(.address, rule) + schema.names(.aliasAddress, rule)),
                localNames: own == nil ? SearchPlan.once(schema.names(.localPart, rule)) : [])
            if let index = groups.firstIndex(where: { $0.isAlike(group) }) {
                groups[index].classes += rule.classes
            } else {
                groups.append(group)
            }
        }
        return groups
    }

    private func isAlike(_ other: AddressGroup) -> Bool {
        conditions == other.conditions && names == other.names && localNames == other.localNames
    }

    /// The filter of its entries that fit any of these terms.
    func filter(_ terms: [LDAPFilter]) -> LDAPFilter {
        let classes = LDAPFilter.anyOf(classes.map { .equal("objectClass", Array($0.description.utf8)) })
        return .and([classes] + conditions + [.anyOf(terms)])
    }
}

extension SearchPlan {
    /// The terms that hold for an entry of the group at any of these addresses.
    func terms(_ keys: [Mailbox], _ group: AddressGroup) -> [LDAPFilter] {
        var terms: [LDAPFilter] = []
        var seen: Set<LDAPFilter> = []
        func add(_ term: LDAPFilter) {
            if seen.insert(term).inserted { terms.append(term) }
        }
        for key in keys {
            if schema.keys != nil {
                for name in group.names { add(.equal(name, Self.key(of: key))) }
                continue
            }
            let spellings = spellings(of: key)
            for name in group.names {
                for prefix in schema.prefixes[name]?.spellings ?? [[]] {
                    for spelling in spellings { add(.equal(name, prefix + spelling)) }
                }
            }
            if group.localNames.isEmpty || configured[key.domain]?.kind != .local { continue }
            // Quoted or not.
            let localParts = localParts(key.localPart) + [key.localPart.octets, key.localPart.key]
            for name in group.localNames { for spelling in localParts { add(.equal(name, spelling)) } }
        }
        return terms
    }

    /// What stands at any of these addresses.
    func addressFilter(_ keys: [Mailbox], _ groups: [AddressGroup]) -> LDAPFilter {
        var filters: [LDAPFilter] = []
        for group in groups {
            let terms = terms(keys, group)
            if !terms.isEmpty { filters.append(group.filter(terms)) }
        }
        return .anyOf(filters)
    }
}
