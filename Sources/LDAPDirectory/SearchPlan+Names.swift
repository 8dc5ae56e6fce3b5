// The filters for bare names.

import MailAddress
import MailboxDirectory

extension SearchPlan {
    /// Who has this local-part, in any domain. Where no attribute holds local-parts, in each of the configured ones.
    func localPartFilters(_ localPart: LocalPart) -> [LDAPFilter] {
        if let own = schema.keys { return [group(recordRules) { _ in [.equal(own.localPart, localPart.key)] }] }
        let domains = reader.domains
        return stride(from: 0, to: domains.count, by: LDAPLimits.domainsAtOnce).map { start in
            let some = domains[start..<min(start + LDAPLimits.domainsAtOnce, domains.count)]
            return addressFilter(some.map { Mailbox(localPart: localPart, domain: $0) }, recordGroups)
        }
    }

    func loginFilter(_ folded: [UInt8]) -> LDAPFilter {
        group(userRules) { rule in
            if let own = schema.keys { return [.equal(own.login, folded)] }
            return schema.names(.login, rule).map { .equal($0, folded) }
        }
    }

    /// Whose full name has this in it: whole words are told apart when the entries are here. The site must have these
    /// attributes indexed for substrings.
    func fullNameFilter(_ folded: [UInt8]) -> LDAPFilter {
        group(userRules) { rule in
            if let own = schema.keys { return [.equal(own.name, folded)] }
            return schema.names(.fullName, rule).map { .substring($0, any: [folded]) }
        }
    }

    /// Whose full name may have this as a word or be this, where it is in too many names: what stands before it somewhere,
    /// and what stands after it somewhere, is no part of a word (`NameFolding.keys(ofFullName:)`). Whether that is so of
    /// one place is told when the entries are here.
    func wordFilter(_ folded: [UInt8]) -> LDAPFilter {
        group(userRules) { rule in
            if let own = schema.keys { return [.equal(own.name, folded)] }
            return schema.names(.fullName, rule).map { name in
                var before = [LDAPFilter.substring(name, initial: folded)]
                var after = [LDAPFilter.substring(name, final: folded)]
                for octet in NameFolding.betweenWords {
                    before.append(.substring(name, any: [[octet] + folded]))
                    after.append(.substring(name, any: [folded + [octet]]))
                }
                return .and([.or(before), .or(after)])
            }
        }
    }

    /// The entries of these domains.
    func domainSearches(_ domains: [Domain]) -> [LDAPSearch] {
        stride(from: 0, to: domains.count, by: LDAPLimits.domainsAtOnce).map { start in
            let some = Array(domains[start..<min(start + LDAPLimits.domainsAtOnce, domains.count)])
            return search(domainFilter(some), domainRules, limit: 0)
        }
    }
}
