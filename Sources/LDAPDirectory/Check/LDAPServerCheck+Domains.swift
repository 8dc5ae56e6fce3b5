// Whether the entries of domains say what they must, and each domain is said once.

import MailAddress
import MailboxDirectory

extension LDAPServerCheck {
    /// Reads the entries of domains, and puts the question for each domain that they or the configuration name.
    mutating func examineDomains(_ handle: LDAPHandle) throws(LDAPFailure) {
        var domains = plan.schema.hasCatchAlls ? Array(plan.configured.keys) : []
        if !plan.domainRules.isEmpty {
            var search = plan.search(
                plan.classFilter(plan.domainRules), roles: [.domainName], plan.domainRules, limit: 0)
            search.ignoresReferences = true
            search.isPartialWelcome = true
            search.page = canPage ? LDAPLimits.page : 0
            if extent != .everything { (search.page, search.sizeLimit) = (0, Self.sample) }
            let outcome = try ask(handle, search)
            note(outcome, "reading the domains")
            for entry in outcome.some { domains += names(of: entry) }
        }
        let session = StoreSession(settings, uri: uri)
        let all = Array(Set(domains)).sorted { $0.key.lexicographicallyPrecedes($1.key) }
        for start in stride(from: 0, to: all.count, by: LDAPLimits.listedAtOnce) {
            let some = all[start..<min(start + LDAPLimits.listedAtOnce, all.count)]
            for answer in session.answers(some.map { DomainWork(plan: plan, domain: $0) }, source: "") {
                guard case .couldNotTell(let trouble) = answer else { continue }
                list.add(Finding(.error, .directory, reason: trouble.reason), topic: "domains that can't be told")
            }
        }
    }

    /// The domains of an entry; what is none is told.
    private mutating func names(of entry: LDAPEntry) -> [Domain] {
        let rules = plan.reader.rules(of: entry).filter { $0.kind == .domain }
        var names: [Domain] = []
        for value in plan.reader.values(.domainName, of: entry, rules) {
            if let name = try? Domain(octets: value), !name.hasUnderscore {
                names.append(name)
            } else {
                let text = String(decoding: value, as: UTF8.self)
                list.add(
                    Finding(
                        .warning, .directory, "the entry \(entry.dn) has the domain \"\(text)\", which is none",
                        advice: "correct it; it is passed over"), topic: "values that are no domains")
            }
        }
        return names
    }
}
