// Sending what waits and taking what arrives.

import CLDAP
import Synchronization

extension ConnectionLoop {
    /// Sends as many searches as may be under way.
    func sendQueued(_ now: Nanoseconds) {
        guard case .connected(let handle, _) = link else { return }
        isCongested = false
        let most = handle.isAnonymous ? LDAPLimits.anonymousInFlight : LDAPLimits.boundInFlight
        // Those for addresses first, which never take many places: a list by name brings very many of the others.
        while inFlight.count < most, joinedInFlight < LDAPLimits.joinedInFlight, queue.hasJoinable {
            if !send(queue.takeJoinable(addresses: LDAPLimits.joined), now, on: handle) { return }
        }
        while inFlight.count - joinedInFlight < most - LDAPLimits.joinedInFlight, let pending = queue.takeSingle() {
            if !send([pending], now, on: handle) { return }
        }
    }

    /// Sends one search for all of these. False when nothing more can be sent just now.
    private func send(_ parts: [PendingSearch], _ now: Nanoseconds, on handle: LDAPHandle) -> Bool {
        let sent = SentSearch(shared.plan.joined(parts.map(\.search)), at: now, for: parts)
        do throws(LDAPFailure) {
            let left = ((parts.lazy.map(\.deadline).max() ?? now) - now) / 1_000_000
            guard let id = try handle.send(sent.search, cookie: parts[0].cookie, milliseconds: left) else {
                pushBack(parts)
                isCongested = true
                return false
            }
            if inFlight.isEmpty { heard(now) }
            inFlight[id] = sent
            if sent.isJoinable { joinedInFlight += 1 }
        } catch {
            if case .result(LDAP_SERVER_DOWN) = error.kind {
                pushBack(parts)
                lost(error.description)
                return false
            }
            for pending in parts { finish(pending, .failed(error)) }
        }
        return true
    }

    func removeSent(_ id: Int32) -> SentSearch? {
        guard let sent = inFlight.removeValue(forKey: id) else { return nil }
        if sent.isJoinable { joinedInFlight -= 1 }
        return sent
    }

    /// Takes all answers that have arrived. libldap, and TLS below it, may hold some that the socket no longer shows:
    /// so until there is nothing twice running.
    func drain() {
        guard case .connected(let handle, _) = link else { return }
        var empty = 0
        while empty < 2 {
            switch handle.nextAnswer() {
            case .nothing: empty += 1
            case .lost(let reason): return lost(reason)
            case .answer(let id, let page):
                empty = 0
                answers += 1
                heard(MonotonicTime.now())
                shared.isWell.store(!isDoubtful, ordering: .relaxed)
                timeOutsInARow = 0
                failedRounds = 0
                // An answer to a search that was abandoned is nobody's.
                guard let sent = removeSent(id) else { break }
                if page.isForAnother(sent.search, shared.settings.base),
                    ServerMemory.shared.leaves(handle.uri, among: shared.settings.uris)
                {
                    // Asked again of the other, with all that is under way.
                    inFlight[id] = sent
                    let failure = page.failure(page.code, of: sent.search, entries: [], uri: handle.uri)
                    return lost(failure.description)
                }
                take(page, for: sent, from: handle)
            }
        }
        // Places have come free.
        if !queue.isEmpty, !isCongested { sendQueued(MonotonicTime.now()) }
    }

    private func take(_ page: SearchPage, for sent: SentSearch, from handle: LDAPHandle) {
        guard !sent.isJoined, var pending = sent.parts.first else { return share(page, of: sent, from: handle) }
        pending.entries += page.entries
        switch page.end(of: sent.search, entries: pending.entries, uri: handle.uri) {
        case .more:
            pending.cookie = page.cookie
            pushBack([pending])
        case .ended(let outcome): finish(pending, outcome)
        }
    }

    /// Gives each of several what it asked for. Where that can't be told, as when all together were too many for a limit,
    /// each goes alone.
    private func share(_ page: SearchPage, of sent: SentSearch, from handle: LDAPHandle) {
        switch page.end(of: sent.search, entries: page.entries, uri: handle.uri) {
        case .ended(.found(let entries)):
            let shares = shared.plan.shares(of: entries, among: sent.parts.map(\.search))
            for (pending, share) in zip(sent.parts, shares) { finish(pending, .found(share)) }
        case .ended(.noSuchObject(let failure)):
            for pending in sent.parts { finish(pending, .noSuchObject(failure)) }
        case .ended(.failed(let failure)) where failure.isOverload:
            for pending in sent.parts { finish(pending, .failed(failure)) }
        case .ended, .more:
            pushBack(
                sent.parts.map { pending in
                    var pending = pending
                    pending.isAlone = true
                    return pending
                })
        }
    }
}
