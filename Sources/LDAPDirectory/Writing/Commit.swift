// The end of a transaction: its changes are sent one after the other. What can't be done whole is taken back, and what
// can't be taken back is told.

import CLDAP
import MailAddress
import MailboxDirectory

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

struct Commit {
    let session: StoreSession
    let plan: SearchPlan
    let changes: [PlannedChange]

    /// How an operation was found to have ended when no answer came.
    private enum Finding {
        case written
        case notWritten
        case untold(String)
    }

    /// What is on the server because of this, in order: the operation that takes it back, and which change it was of.
    private struct Done {
        var inverse: LDAPOperation?
        var index: Int
    }

    func run() throws(StoreError) {
        var done: [Done] = []
        for (index, change) in changes.enumerated() {
            var isFirst = true
            for piece in change.operation.pieces {
                let assertion = isFirst ? change.assertion : nil
                isFirst = false
                do throws(StoreError) {
                    try carryOut(piece, assertion, of: change)
                } catch {
                    throw takeBack(done, after: error, failed: index)
                }
                done.append(Done(inverse: piece.inverse(before: change.before), index: index))
            }
        }
    }

    private func carryOut(
        _ operation: LDAPOperation, _ assertion: LDAPFilter?, of change: PlannedChange
    ) throws(StoreError) {
        switch session.carryOut(operation, assertion: assertion) {
        case .done: return
        case .refused(let failure): throw refusal(failure, operation, change)
        case .unknown(let failure):
            switch find(operation, change) {
            case .written: return
            case .notWritten:
                throw trouble("\(failure.description); the change was not made when looked for after that; try again")
            case .untold(let reason):
                throw trouble(
                    "\(failure.description); whether \(change.subject.description) is written can't be told (\(reason));"
                        + " look at the entry \(operation.dn)")
            }
        }
    }

    /// Looks once what has become of an operation that was sent.
    private func find(_ operation: LDAPOperation, _ change: PlannedChange) -> Finding {
        // What the server has read it may be doing still.
        usleep(Self.patience)
        let entry: LDAPEntry?
        do throws(ReadFault) {
            entry = try session.entry(operation.dn)
        } catch {
            return .untold(error.reason)
        }
        switch operation {
        case .delete: return entry == nil ? .written : .notWritten
        case .add:
            guard let entry else { return .notWritten }
            return has(entry, operation.modifications) ? .written : .untold("another entry stands there")
        case .modify(_, let modifications):
            guard let entry else { return .untold("the entry is gone") }
            if has(entry, modifications) { return .written }
            let undone = modifications.map {
                LDAPModification(isAdded: !$0.isAdded, name: $0.name, values: $0.values)
            }
            return has(entry, undone) ? .notWritten : .untold("the entry has been changed otherwise too")
        }
    }

    private static let patience: UInt32 = 200_000

    /// Whether an entry has all that is added and nothing that is taken away.
    private func has(_ entry: LDAPEntry, _ modifications: [LDAPModification]) -> Bool {
        modifications.allSatisfy { one in
            let values = Set(entry.values(one.name))
            // A value that goes and comes in another spelling is compared as it is spelled.
            return one.values.allSatisfy { values.contains($0) == one.isAdded }
        }
    }

    // MARK: Refusals

    private func refusal(
        _ failure: LDAPFailure, _ operation: LDAPOperation, _ change: PlannedChange
    ) -> StoreError {
        guard case .result(let code) = failure.kind else {
            return trouble("\(failure.description); \(change.subject.description) is not written")
        }
        switch (code, change.subject) {
        case (LDAP_ALREADY_EXISTS, .domain(let slot)): return .domainTaken(slot.domain)
        case (LDAP_ALREADY_EXISTS, .records(let slot)) where operation.isAdd:
            let answer = session.answers([plan.work(for: .entries([slot.address]))], source: plan.sourceName)[0]
            if case .entry(let entry, _) = answer { return .addressTaken(slot.address, by: entry.kind) }
            return .refused(
                "the entry \(operation.dn) is there already and is no record of \(slot.address); look at it, and remove or"
                    + " rename it")
        case (LDAP_NO_SUCH_OBJECT, .records(let slot)) where !operation.isAdd:
            return .notFound(slot.before.first?.kind ?? .user, slot.address.description)
        case (LDAP_NO_SUCH_OBJECT, .domain(let slot)) where !operation.isAdd:
            return .notFound(.domain, slot.domain.description)
        default:
            let reason = "\(failure.description); \(change.subject.description) is not written"
            return failure.isForGood ? .refused(reason) : trouble(reason)
        }
    }

    private func trouble(_ reason: String) -> StoreError {
        .trouble(Trouble(source: plan.sourceName, reason: reason))
    }

    /// Takes back what was done, the last first.
    /// - Returns: the error, with what is written all the same.
    private func takeBack(_ done: [Done], after error: StoreError, failed index: Int) -> StoreError {
        if done.isEmpty { return error }
        var left: [Int] = []
        var reasons: [String] = []
        for one in done.reversed() {
            guard let inverse = one.inverse else {
                left.append(one.index)
                continue
            }
            switch session.carryOut(inverse, assertion: nil) {
            case .done: continue
            case .refused(let failure), .unknown(let failure):
                left.append(one.index)
                reasons.append(failure.description)
            }
        }
        if left.isEmpty { return error }
        let written = Set(left).sorted().map { changes[$0].subject.description }
        let unwritten = changes.indices.filter { $0 >= index && !left.contains($0) }
            .map { changes[$0].subject.description }
        let reason = EditError(error).description
        return trouble(
            "\(reason); written, and not to be taken back (\(reasons.first ?? "no way is known")):"
                + " \(written.joined(separator: ", ")); not written: \(unwritten.joined(separator: ", "))")
    }
}

extension PlannedChange {
    /// What must be true of the entry, so that a change that somebody else has made meanwhile is not overwritten.
    var assertion: LDAPFilter? {
        guard let before else { return nil }
        if let mark = before.attributes["entrycsn"]?.first { return .equal("entryCSN", mark) }
        // Another server than OpenLDAP: the values that are changed, as far as they are few.
        var terms: [LDAPFilter] = []
        for modification in operation.modifications {
            let old = before.values(modification.name)
            if old.isEmpty {
                terms.append(.not(.present(modification.name)))
            } else if old.count <= Self.assertedValues {
                terms += old.map { .equal(modification.name, $0) }
            }
        }
        return terms.isEmpty ? nil : .and(terms)
    }

    private static let assertedValues = 20
}
