// The filters for all records of a kind, and for who points to an address or into a domain.

import MailAddress
import MailboxDirectory

extension SearchPlan {
    /// Whatever these rules fit.
    func classFilter(_ rules: [LDAPRule]) -> LDAPFilter {
        .anyOf(
            rules.map { rule in
                var terms = rule.classes.map { LDAPFilter.equal("objectClass", Array($0.description.utf8)) }
                terms = [.anyOf(terms)]
                if let needed = rule.needs { terms.append(.present(needed)) }
                if let lacking = rule.lacks { terms.append(.not(.present(lacking))) }
                return terms.count == 1 ? terms[0] : .and(terms)
            })
    }

    /// The entries in which records of this kind are.
    /// - Parameter isWide: those too in which they may be, which only reading them can tell.
    func candidates(_ kind: RecordKind, in domain: Domain?, isWide: Bool) -> [LDAPFilter] {
        var rules = recordRules.filter { $0.kind == kind }
        var filters: [LDAPFilter] = []
        // A forward may be in the entry of its user, or be an alias of the user's address.
        if kind == .forward, schema.keys == nil {
            if schema.aliasesRedirectUsers, isWide { rules += recordRules.filter { $0.kind == .alias } }
            for rule in userRules {
                let targets = schema.names(.forwardTarget, rule) + schema.names(.forwardTargetDN, rule)
                if targets.isEmpty { continue }
                filters.append(.and([classFilter([rule]), .anyOf(targets.map { .present($0) })]))
            }
        }
        if kind == .list, isWide {
            let names = schema.names(.memberOf, recordRules)
            if !names.isEmpty { filters.append(.anyOf(names.map { .present($0) })) }
        }
        if !rules.isEmpty { filters.append(classFilter(rules)) }
        guard let domain, let keys = schema.keys else { return filters }
        return filters.map { .and([.equal(keys.domain, domain.key), $0]) }
    }

    /// The attributes that lead somewhere, by how they do.
    static let pointing: [(role: LDAPRole, way: ReferenceRole)] = [
        (.forwardTarget, .target), (.aliasTarget, .target), (.newAddress, .newAddress), (.memberAddress, .member),
        (.owner, .owner), (.catchAll, .catchAll),
    ]

    /// The entries that may point to this address, by an index where the schema has one.
    func pointingFilter(to address: Mailbox) -> LDAPFilter {
        if schema.keys != nil { return .equal("addresseeRefersTo", Self.key(of: address)) }
        return pointingFilter { name in
            let prefixes = schema.prefixes[name]?.spellings ?? []
            var spellings = exactSpellings(of: address)
            if schema.takesBareTargets { spellings += [address.localPart.octets, address.localPart.key] }
            return (spellings + prefixes.flatMap { prefix in spellings.map { prefix + $0 } }).map { .equal(name, $0) }
        }
    }

    /// The entries that may point to one of these names with a detail. Our own schema has an index of domains for it;
    /// elsewhere the server looks at the beginnings of all addresses.
    func pointingFilter(withDetailOf names: [AddressName]) -> LDAPFilter {
        if schema.keys != nil {
            var domains: [Domain] = []
            for name in names where !domains.contains(name.mailbox.domain) { domains.append(name.mailbox.domain) }
            return .anyOf(domains.map { .equal("addresseeRefersToDomain", $0.key) })
        }
        var beginnings: [[UInt8]] = []
        for name in names {
            for separator in name.detailSeparators {
                for octets in [name.mailbox.localPart.octets, name.mailbox.localPart.key] {
                    // The detail may need quotes where the name needs none.
                    var quoted: [UInt8] = [UInt8(ascii: "\"")]
                    for octet in octets {
                        if octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "\\") {
                            quoted.append(UInt8(ascii: "\\"))
                        }
                        quoted.append(octet)
                    }
                    for beginning in [octets + [separator], quoted + [separator]]
                    where !beginnings.contains(beginning) {
                        beginnings.append(beginning)
                    }
                }
            }
        }
        return pointingFilter { name in
            let prefixes = [[]] + (schema.prefixes[name]?.spellings ?? [])
            return prefixes.flatMap { prefix in beginnings.map { .substring(name, initial: prefix + $0) } }
        }
    }

    /// The entries that may point into this domain. Where the schema has no index for it, the server looks at the ends
    /// of all addresses.
    func pointingFilter(into domain: Domain) -> LDAPFilter {
        if schema.keys != nil { return .equal("addresseeRefersToDomain", domain.key) }
        return pointingFilter { name in
            var ends = [domain.octets]
            if domain.key != domain.octets { ends.append(domain.key) }
            var filters = ends.map { LDAPFilter.substring(name, final: [UInt8(ascii: "@")] + $0) }
            // Whatever has no domain may be in this one.
            if schema.takesBareTargets { filters.append(.not(.substring(name, any: [[UInt8(ascii: "@")]]))) }
            return filters
        }
    }

    private func pointingFilter(_ terms: (AttributeName) -> [LDAPFilter]) -> LDAPFilter {
        group(schema.rules) { rule in
            Self.pointing.flatMap { role, _ in schema.names(role, rule) }.flatMap { name in
                terms(name).map { term in
                    if case .not = term { return .and([.present(name), term]) }
                    return term
                }
            }
        }
    }

    /// The entries that may stand in this domain.
    func standingFilter(in domain: Domain, _ rules: [LDAPRule]) -> LDAPFilter {
        if let keys = schema.keys {
            return group(rules) { _ in [.equal(keys.domain, domain.key)] }
        }
        return group(rules) { rule in
            var ends = [domain.octets]
            if domain.key != domain.octets { ends.append(domain.key) }
            var terms: [LDAPFilter] = []
            for name in schema.names(.address, [rule]) + schema.names(.aliasAddress, [rule]) {
                for end in ends { terms.append(.substring(name, final: [UInt8(ascii: "@")] + end)) }
            }
            if configured[domain]?.kind == .local {
                for name in schema.names(.localPart, [rule]) { terms.append(.present(name)) }
            }
            return terms
        }
    }
}
