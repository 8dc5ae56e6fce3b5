// How many entries there are, and whether the server gives as many as large lists and common names need.

import CLDAP
import MailboxDirectory

extension LDAPServerCheck {
    /// Entries that are counted at a start: as many as a bare name may match, and well over what servers allow by default.
    private static let wanted = 5000

    mutating func examineLimits(_ handle: LDAPHandle) throws(LDAPFailure) {
        var search = recordSearch
        search.attributes = ["1.1"]
        search.isPartialWelcome = true
        let most = extent == .start ? Self.wanted : .max
        var counted = 0
        let outcome = try ask(handle, search) { entries in
            counted += entries.count
            return counted < most
        }
        switch outcome {
        case .found: if counted < most { count = counted }
        case .partial(_, let failure): try tellLimit(handle, search, counted, failure)
        case .noSuchObject, .failed: note(outcome, "counting the entries")
        }
    }

    /// All entries of records, page by page where the server can.
    var recordSearch: LDAPSearch {
        let classes = SearchPlan.once(plan.recordRules.flatMap(\.classes))
        var search = plan.search(Self.filter(classes), plan.recordRules, limit: 0)
        search.ignoresReferences = true
        search.page = canPage ? LDAPLimits.page : 0
        return search
    }

    private mutating func tellLimit(
        _ handle: LDAPHandle, _ search: LDAPSearch, _ counted: Int, _ failure: LDAPFailure
    ) throws(LDAPFailure) {
        var without = ""
        if canPage {
            var plain = search
            plain.page = 0
            var count = 0
            _ = try ask(handle, plain) { entries in
                count += entries.count
                return true
            }
            without = " and \(count) without pages"
        }
        list.add(
            Finding(
                .warning, .directory,
                "the server gives this account \(counted) entries of a search at most\(without), so that a larger"
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

    /// Says how much was read, unless it was all.
    mutating func tellRead() {
        if let count, read >= count { return }
        if count == nil, read == 0 { return }
        let all = count.map { "of \($0) entries" } ?? "entries"
        list.add(
            Finding(
                .note, .directory, "\(read) \(all) were read",
                advice: extent == .everything ? "" : "to read all of them: addressee check --all"))
    }
}
