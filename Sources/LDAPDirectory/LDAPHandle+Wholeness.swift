// Whether a server has all of the directory. A consumer that is still being filled, or a server that was put up anew with
// its base and nothing else, answers every question with "not here", and mail would be refused for everybody.

import CLDAP
import MailAddress
import MailboxDirectory

/// What shows of a server's content.
enum Wholeness: Hashable, Sendable {
    /// Nothing speaks against it.
    case whole
    /// It has no contextCSN, as OpenLDAP servers have that take part in replication and have been filled (RFC 4533,
    /// slapo-syncprov(5)): whether that says anything depends on the other servers.
    case unmarked
    /// Somebody who must be there is not; why, and what to do.
    case incomplete(String)
}

extension LDAPHandle {
    /// Looks whether the server has all of the directory; nothing else is under way on the connection.
    /// - Parameter end: when no answer is waited for any longer.
    func examine(_ settings: LDAPSettings, until end: Nanoseconds = .max) throws(LDAPFailure) -> Wholeness {
        var isUnmarked = false
        if settings.uris.count > 1, let marks = try contextMarks(settings.base, until: end) {
            isUnmarked = marks.isEmpty
            ServerMemory.shared.note(uri, isMarked: !isUnmarked)
        }
        if !settings.mustFind.isEmpty {
            let plan = SearchPlan(name: "", settings: settings)
            let deadline = min(end, MonotonicTime.now() + settings.timeout.nanoseconds)
            for address in settings.mustFind {
                if let reason = try absence(of: address, plan, until: deadline) { return .incomplete(reason) }
            }
        }
        return isUnmarked ? .unmarked : .whole
    }

    /// The values of contextCSN, one a server that takes changes: the time of its newest change that is here, and its
    /// number. Nil where the server is another than OpenLDAP, or does not tell what it holds.
    func contextMarks(_ base: String, until end: Nanoseconds = .max) throws(LDAPFailure) -> [String]? {
        let root = try read("", ["objectClass", "namingContexts"], until: end)
        guard let root, root.texts("objectClass").contains(where: { $0.lowercased() == "openldaprootdse" }) else {
            return nil
        }
        guard let context = Self.innermost(root.texts("namingContexts"), with: base) else { return nil }
        return try read(context, ["contextCSN"], until: end)?.texts("contextCSN") ?? []
    }

    /// The database that has the base, where one is kept within another.
    static func innermost(_ contexts: [String], with base: String) -> String? {
        contexts.filter { DistinguishedName.isWithin(base, $0) }.max { $0.utf8.count < $1.utf8.count }
    }

    /// One entry; nil when it is not there or may not be read.
    private func read(
        _ dn: String, _ attributes: [String], until end: Nanoseconds
    ) throws(LDAPFailure) -> LDAPEntry? {
        let search = LDAPSearch(
            base: dn, scope: .base, filter: LDAPFilter.present("objectClass").text, attributes: attributes, sizeLimit: 1
        )
        switch carryOut(search, patience: min(Self.patience, end - MonotonicTime.now())) {
        case .found(let entries), .partial(let entries, _): return entries.first
        case .noSuchObject: return nil
        case .failed(let failure):
            // A refusal is an answer too; silence is none.
            if case .result(let code) = failure.kind, code > 0 { return nil }
            throw failure
        }
    }

    /// For one entry by its name.
    static let patience: Nanoseconds = 3_000_000_000

    /// Why the server is not whole; nil when it finds the address.
    private func absence(
        of address: Mailbox, _ plan: SearchPlan, until deadline: Nanoseconds
    ) throws(LDAPFailure) -> String? {
        var work = EntriesWork(plan: plan, keys: [address])
        var step = work.begin()
        while case .search(let searches) = step {
            var outcomes: [SearchOutcome] = []
            for search in searches {
                outcomes.append(carryOut(search, patience: deadline - MonotonicTime.now()))
                if case .failed(let failure)? = outcomes.last {
                    if case .result(let code) = failure.kind, code > 0 { continue }
                    throw failure
                }
            }
            step = work.take(outcomes)
        }
        guard case .answered(let answer) = step else { return nil }
        return Self.absence(of: address, answer, uri: uri)
    }

    /// - Parameter answer: to a lookup of the address.
    static func absence(of address: Mailbox, _ answer: Answer, uri: String) -> String? {
        switch answer {
        case .entry: nil
        case .couldNotTell(let trouble): "\(uri): \(address) can't be looked up, which must be found: \(trouble.reason)"
        default:
            "\(uri): \(address) is not found, which must be found (must-find), so the server is not whole, and who is not"
                + " found there may be elsewhere; fill it, or correct must-find"
        }
    }
}
