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

    /// The entries of these domains.
    func domainSearches(_ domains: [Domain]) -> [LDAPSearch] {
        stride(from: 0, to: domains.count, by: LDAPLimits.domainsAtOnce).map { start in
            let some = Array(domains[start..<min(start + LDAPLimits.domainsAtOnce, domains.count)])
            return search(domainFilter(some), domainRules, limit: 0)
        }
    }
}
