// Whether the server in use still answers, and still has all of the directory. Both are looked at beside the questions,
// which wait for neither.

import MailboxDirectory
import Synchronization

extension ConnectionLoop {
    /// Something has arrived, or something is under way again.
    func heard(_ now: Nanoseconds) {
        silentSince = now
        isProbed = false
    }

    /// How long a server may be silent while something is under way, where there is another: so that a question that it
    /// has kept waiting can still be put to that. Half of it is over when the server is asked whether it is there at all,
    /// for one that is only slow answers that.
    private var silence: Nanoseconds? {
        let settings = shared.settings
        if settings.uris.count < 2 || inFlight.isEmpty { return nil }
        return min(settings.connectTimeout.nanoseconds, settings.timeout.nanoseconds / 5 * 3)
    }

    /// When `watch` has something to do.
    var nextWatch: Nanoseconds? { silence.map { silentSince + (isProbed ? $0 : $0 / 2) } }

    /// Leaves a server that does not answer at all.
    func watch(_ now: Nanoseconds) {
        guard case .connected(let handle, _) = link, let time = nextWatch, now >= time else { return }
        if isProbed {
            let reason = "\(handle.uri): no answer to anything; look whether the server hangs"
            return lost(reason, avoiding: true)
        }
        isProbed = true
        let probe = LDAPSearch(base: "", scope: .base, filter: "(objectClass=*)", attributes: ["1.1"], sizeLimit: 1)
        do throws(LDAPFailure) {
            // Nothing is made of its answer but that there is one. A socket that takes no more is no answer either.
            _ = try handle.send(probe, cookie: [], milliseconds: 1000)
        } catch {
            lost(error.description)
        }
    }

    /// Looks again whether the server finds who must be found.
    func examine(_ now: Nanoseconds) {
        guard case .connected = link, now >= nextExamination, !isExamining else { return }
        isExamining = true
        let plan = shared.plan
        var group = WorkGroup(shared.settings.mustFind.map { EntriesWork(plan: plan, keys: [$0]) })
        let searches = group.begin()
        Self.carryOut(searches, of: group, shared, deadline: now + shared.settings.timeout.nanoseconds)
    }

    private static func carryOut(
        _ searches: [LDAPSearch], of group: WorkGroup, _ shared: LDAPConnection.Shared, deadline: Nanoseconds
    ) {
        shared.inbox.withLock { inbox in
            if searches.isEmpty {
                inbox.examined = group.answers.map { $0 ?? .absent }
                return
            }
            inbox.searches += searches.count
            let batch = SearchBatch(searches: searches, deadline: deadline) { outcomes in
                var group = group
                let more = group.take(outcomes)
                carryOut(more, of: group, shared, deadline: deadline)
            }
            inbox.batches.append(batch)
        }
        shared.wakeUp.wake()
    }

    /// Takes what came of it.
    func examined(_ answers: [Answer]) {
        guard isExamining, case .connected(let handle, _) = link else { return }
        isExamining = false
        let now = MonotonicTime.now()
        nextExamination = now + shared.settings.examinationInterval.nanoseconds
        // What can't be told now says nothing.
        if answers.contains(where: { if case .couldNotTell = $0 { true } else { false } }) { return }
        var reason: String?
        for (address, answer) in zip(shared.settings.mustFind, answers) where reason == nil {
            reason = LDAPHandle.absence(of: address, answer, uri: handle.uri)
        }
        if let reason, shared.settings.uris.count > 1, shared.doubt == nil || now >= incompleteUntil {
            return lost(reason, avoiding: true)
        }
        doubt(reason, uri: handle.uri)
    }

    /// From now on nothing is absent for this reason; nil: what is not found is absent again.
    func doubt(_ reason: String?, uri: String) {
        let before = shared.doubt
        if reason == before { return }
        shared.setDoubt(reason)
        isDoubtful = reason != nil
        if let reason {
            shared.isWell.store(false, ordering: .relaxed)
            shared.onEvent(.doubted(uri: uri, reason: reason))
        } else {
            ServerMemory.shared.welcome(uri)
            shared.onEvent(.trusted(uri: uri))
        }
    }
}
