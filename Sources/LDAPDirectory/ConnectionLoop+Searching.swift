// Sending what waits and taking what arrives.

import CLDAP

extension ConnectionLoop {
    /// Sends as many searches as may be under way.
    func sendQueued(_ now: Nanoseconds) {
        guard case .connected(let handle, _) = link else { return }
        isCongested = false
        let most = handle.isAnonymous ? LDAPLimits.anonymousInFlight : LDAPLimits.boundInFlight
        while inFlight.count < most, let pending = popQueued() {
            do throws(LDAPFailure) {
                let left = (pending.deadline - now) / 1_000_000
                guard let id = try handle.send(pending.search, cookie: pending.cookie, milliseconds: left) else {
                    pushBack([pending])
                    isCongested = true
                    return
                }
                inFlight[id] = pending
            } catch {
                if case .result(LDAP_SERVER_DOWN) = error.kind {
                    pushBack([pending])
                    return lost(error.description)
                }
                finish(pending, .failed(error))
            }
        }
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
                timeOutsInARow = 0
                failedRounds = 0
                // An answer to a search that was abandoned is nobody's.
                if let pending = inFlight.removeValue(forKey: id) { take(page, for: pending, from: handle) }
            }
        }
        // Places have come free.
        if hasQueued, !isCongested { sendQueued(MonotonicTime.now()) }
    }

    private func take(_ page: SearchPage, for pending: PendingSearch, from handle: LDAPHandle) {
        var pending = pending
        pending.entries += page.entries
        switch page.end(of: pending.search, entries: pending.entries, uri: handle.uri) {
        case .more:
            pending.cookie = page.cookie
            pushBack([pending])
        case .ended(let outcome): finish(pending, outcome)
        }
    }
}
