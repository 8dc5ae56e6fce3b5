// Getting and keeping a connection: servers in their order, back-off when none answers, and what becomes of searches
// when a connection goes.

import CLDAP
import Synchronization

extension ConnectionLoop {
    /// Does what is due: connects when something waits, or when the back-off is over.
    func tend(_ now: Nanoseconds) {
        switch link {
        case .idle where !queue.isEmpty: startRound(at: firstServer)
        case .backOff(let until) where now >= until: startRound(at: 0)
        case .backOff: failQueued()
        case .idle, .connecting, .connected: break
        }
    }

    private func startRound(at index: Int) {
        attemptsLeft = shared.settings.uris.count
        roundStart = MonotonicTime.now()
        firstServer = 0
        connect(index)
    }

    /// Connects on another thread, so that deadlines are kept meanwhile.
    private func connect(_ index: Int) {
        let uris = shared.settings.uris
        guard !uris.isEmpty else {
            lastFailure = LDAPFailure(.unreachable, "no LDAP server is configured; name one at least")
            return roundFailed()
        }
        let uri = uris[index % uris.count]
        link = .connecting(index % uris.count)
        let shared = shared
        let isStarted = OwnThread.start {
            var result: Result<LDAPHandle, LDAPFailure>
            do throws(LDAPFailure) {
                result = .success(try LDAPHandle(uri: uri, settings: shared.settings))
            } catch {
                result = .failure(error)
            }
            shared.inbox.withLock { $0.attempt = result }
            shared.wakeUp.wake()
        }
        if !isStarted { attempted(.failure(LDAPFailure(.unreachable, "\(uri): no thread can be had to connect"))) }
    }

    func attempted(_ result: Result<LDAPHandle, LDAPFailure>) {
        guard case .connecting(let index) = link else { return }
        switch result {
        case .success(let handle):
            link = .connected(handle, index)
            answers = 0
            timeOutsInARow = 0
            isCongested = false
            shared.onEvent(.connected(uri: handle.uri))
        case .failure(let failure):
            lastFailure = failure
            shared.isWell.store(false, ordering: .relaxed)
            shared.onEvent(.failed(uri: shared.settings.uris[index], reason: failure.description))
            nextAttempt(after: index)
        }
    }

    private func nextAttempt(after index: Int) {
        attemptsLeft -= 1
        if attemptsLeft > 0 { connect(index + 1) } else { roundFailed() }
    }

    private func roundFailed() {
        let wait = min(LDAPLimits.firstBackOff << Int64(min(failedRounds, 16)), LDAPLimits.longestBackOff)
        failedRounds += 1
        link = .backOff(until: roundStart + wait)
        failQueued()
    }

    /// While no server can be reached, nobody need wait to hear it.
    private func failQueued() {
        let failure = lastFailure ?? LDAPFailure(.unreachable, "no LDAP server can be reached")
        for pending in queue.takeAll() { finish(pending, .failed(failure)) }
    }

    /// Lets go of a connection that is of no more use; what was under way is asked again, once.
    /// - Parameter isFrozen: the server is there but does not answer, so another is to be tried first.
    func lost(_ reason: String, isFrozen: Bool = false) {
        guard case .connected(let handle, let index) = link else { return }
        link = .idle
        shared.isWell.store(false, ordering: .relaxed)
        firstServer = isFrozen ? index + 1 : 0
        lastFailure = LDAPFailure(.lost, reason)
        shared.onEvent(.lost(uri: handle.uri, reason: reason))
        var again: [PendingSearch] = []
        for var pending in inFlight.sorted(by: { $0.key < $1.key }).flatMap(\.value.parts) {
            if pending.isRetried {
                finish(pending, .failed(LDAPFailure(.lost, reason)))
            } else {
                pending.isRetried = true
                pending.entries = []
                pending.cookie = []
                again.append(pending)
            }
        }
        inFlight = [:]
        joinedInFlight = 0
        pushBack(again)
        if answers > 0 || failedRounds == 0 {
            if answers == 0 { failedRounds = 1 }
            // An idle connection that the server ended is opened again when somebody asks.
            if !queue.isEmpty { startRound(at: firstServer) }
        } else {
            nextAttempt(after: index)
        }
    }

    /// Gives up a server that has not answered for long.
    func settle() {
        guard case .connected(let handle, _) = link, timeOutsInARow >= LDAPLimits.timeOutsInARow else { return }
        let reason = "\(handle.uri): \(timeOutsInARow) searches in a row have timed out; look at the server's load"
        lost(reason, isFrozen: true)
    }
}
