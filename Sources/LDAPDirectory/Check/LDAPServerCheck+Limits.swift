// Whether the server gives as many entries as large lists and common names need.

import MailboxDirectory

extension LDAPServerCheck {
    /// Entries that are counted: as many as a bare name may match, and well over what servers allow by default.
    private static let wanted = 5000

    mutating func examineLimits(_ handle: LDAPHandle) throws(LDAPFailure) {
        let classes = SearchPlan.once(plan.recordRules.flatMap(\.classes))
        var search = plan.search(Self.filter(classes), plan.recordRules, limit: 0)
        search.attributes = ["1.1"]
        search.isPartialWelcome = true
        search.ignoresReferences = true
        // As lists and names are read.
        search.page = canPage ? LDAPLimits.page : 0
        search.sizeLimit = canPage ? Self.wanted : 0
        let outcome = try ask(handle, search)
        guard case .partial(let entries, let failure) = outcome else {
            note(outcome, "counting the entries")
            return
        }
        // Ours, which is as many as was asked for.
        if canPage, entries.count >= Self.wanted { return }
        var plain = search
        plain.page = 0
        plain.sizeLimit = 0
        let without = canPage ? " and \(try ask(handle, plain).some.count) without pages" : ""
        list.add(
            Finding(
                .warning, .directory,
                "the server gives this account \(entries.count) entries of a search at most\(without), so that a larger"
                    + " list, or a name that more people bear, can't be told (\(failure.description))",
                advice: limitsAdvice))
    }

    private var limitsAdvice: String {
        var account: String?
        if case .simple(let dn, _, _) = settings.bind { account = dn }
        switch kind {
        case .openLDAP:
            return "limits dn.exact=\"\(account ?? "…")\" size=unlimited, or size.prtotal=unlimited"
        case .netscape:
            let limits = "nsSizeLimit, nsLookThroughLimit, nsPagedSizeLimit and nsPagedLookThroughLimit: -1"
            return account.map { "put into the entry \($0) \(limits)" }
                ?? "put into the entry that nsslapd-anonlimitsdn of cn=config names \(limits)"
        case .other: return "raise the limit that the server has for \(account ?? "this account")"
        }
    }
}
