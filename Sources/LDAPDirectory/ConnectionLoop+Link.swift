// Getting and keeping a connection: servers in their order, back-off when none answers, and what becomes of searches
// when a connection goes.

import CLDAP
import Synchronization

extension ConnectionLoop {
    /// Does what is due: connects when something waits, or when the back-off is over.
    func tend(_ now: Nanoseconds) {
        switch link {
        case .idle where !queue.isEmpty: startRound()
        case .backOff(let until) where now >= until: startRound()
        case .backOff: failQueued()
        case .idle, .connecting, .connected: break
        }
    }

    private func startRound() {
        round = ServerRound(shared.settings.uris)
        roundStart = MonotonicTime.now()
        if shared.settings.uris.isEmpty {
            lastFailure = LDAPFailure(.unreachable, "no LDAP server is configured; name one at least")
        }
        nextAttempt()
    }

    private func nextAttempt() {
        if let index = round.next() { connect(index) } else { roundEnded() }
    }

    /// Connects on another thread, so that deadlines are kept meanwhile.
    private func connect(_ index: Int) {
        let uri = shared.settings.uris[index]
        link = .connecting(index)
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
            switch round.choose(handle, index) {
            case .used: use(handle, index)
            case .later: nextAttempt()
            case .leftOut(let reason):
                lastFailure = LDAPFailure(.unreachable, reason)
                shared.onEvent(.leftOut(uri: handle.uri, reason: reason))
                nextAttempt()
            }
        case .failure(let failure):
            // One refusal is told once, however often it keeps a bind from being tried.
            let isKnown = failure.kind == .bindPaused && failure.description == lastFailure?.description
            lastFailure = failure
            shared.isWell.store(false, ordering: .relaxed)
            if !isKnown {
                shared.onEvent(.failed(uri: shared.settings.uris[index], reason: failure.description))
            }
            nextAttempt()
        }
    }

    private func use(_ handle: LDAPHandle, _ index: Int) {
        if let (uri, reason) = round.outdone {
            ServerMemory.shared.avoid(uri)
            shared.onEvent(.leftOut(uri: uri, reason: reason))
        }
        round.close()
        link = .connected(handle, index)
        answers = 0
        timeOutsInARow = 0
        isCongested = false
        shared.onEvent(.connected(uri: handle.uri))
        isExamining = false
        let now = MonotonicTime.now()
        let interval = shared.settings.examinationInterval.nanoseconds
        nextExamination = shared.settings.mustFind.isEmpty ? .max : now + interval
        incompleteUntil = now + LDAPLimits.incompleteUse
        var reason: String?
        if case .incomplete(let text) = handle.wholeness { reason = text }
        doubt(reason, uri: handle.uri)
    }

    /// All servers have been tried, and none was as it should be.
    private func roundEnded() {
        if let (handle, index) = round.best() { return use(handle, index) }
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
    /// - Parameter avoiding: the server is there, but another is to be tried first.
    func lost(_ reason: String, avoiding: Bool = false) {
        guard case .connected(let handle, _) = link else { return }
        link = .idle
        shared.isWell.store(false, ordering: .relaxed)
        if avoiding { ServerMemory.shared.avoid(handle.uri) }
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
            if !queue.isEmpty { startRound() }
        } else {
            nextAttempt()
        }
    }

    /// Gives up a server that has not answered for long.
    func settle() {
        guard case .connected(let handle, _) = link, timeOutsInARow >= LDAPLimits.timeOutsInARow else { return }
        let reason = "\(handle.uri): \(timeOutsInARow) searches in a row have timed out; look at the server's load"
        lost(reason, avoiding: true)
    }
}
