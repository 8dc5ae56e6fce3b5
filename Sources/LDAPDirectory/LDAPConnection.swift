// The way to the thread that owns the connection: searches go into a bounded queue, and come back on that thread.

import CLDAP
import MailboxDirectory
import Synchronization

/// Carries out searches on the servers of one source. Sending never waits.
final class LDAPConnection: Sendable {
    /// What other threads leave for the owner thread.
    struct Inbox {
        var batches: [SearchBatch] = []
        /// Searches that are waiting or under way.
        var searches = 0
        var isClosing = false
        var hasEnded = false
        /// What has come of an attempt to connect.
        var attempt: Result<LDAPHandle, LDAPFailure>?
        /// What the server in use answers to lookups of those who must be found.
        var examined: [Answer]?
    }

    /// What the threads share.
    final class Shared: Sendable {
        let inbox = Mutex(Inbox())
        /// Whether nothing has gone wrong since the last answer.
        let isWell = Atomic(true)
        private let doubtful = Mutex<String?>(nil)
        let wakeUp = WakeUp()
        /// Woken once, when the owner thread has let go of everything.
        let end = WakeUp()
        let settings: LDAPSettings
        let plan: SearchPlan
        let onEvent: @Sendable (LDAPEvent) -> Void

        init(settings: LDAPSettings, plan: SearchPlan, onEvent: @escaping @Sendable (LDAPEvent) -> Void) {
            self.settings = settings
            self.plan = plan
            self.onEvent = onEvent
        }

        /// Why what the server in use does not find may be there all the same; nil while there is no reason.
        var doubt: String? { doubtful.withLock { $0 } }

        /// By the owner thread alone.
        func setDoubt(_ reason: String?) { doubtful.withLock { $0 = reason } }
    }

    private let shared: Shared

    init(settings: LDAPSettings, plan: SearchPlan, onEvent: @escaping @Sendable (LDAPEvent) -> Void) {
        let shared = Shared(settings: settings, plan: plan, onEvent: onEvent)
        self.shared = shared
        let isRunning = OwnThread.start {
            let loop = ConnectionLoop(shared)
            loop.run()
            shared.inbox.withLock { $0.hasEnded = true }
            shared.end.wake()
        }
        if !isRunning { shared.inbox.withLock { $0.hasEnded = true } }
    }

    deinit { close() }

    /// Whether the servers, as far as is known, can be asked: nothing has gone wrong since the last answer.
    var isWell: Bool { shared.isWell.load(ordering: .relaxed) }

    /// Why what is not found may be there all the same; nil while there is no reason.
    var doubt: String? { shared.doubt }

    /// Sends searches to be carried out all at once. `reply` gets their outcomes in the same order, on the owner
    /// thread, at `deadline` at the latest.
    /// - Returns: why they can't even be kept; then `reply` is not called.
    func submit(
        _ searches: [LDAPSearch], deadline: Nanoseconds, reply: @escaping @Sendable ([SearchOutcome]) -> Void
    ) -> LDAPFailure? {
        var isFirst = false
        let refusal: LDAPFailure? = shared.inbox.withLock { inbox in
            if inbox.isClosing || inbox.hasEnded {
                return LDAPFailure(.closed, "the LDAP source is closed")
            }
            if inbox.searches + searches.count > LDAPLimits.queue {
                let reason =
                    "\(LDAPLimits.queue) searches are waiting already; the server is too slow for what is asked"
                return LDAPFailure(.queueFull, reason)
            }
            inbox.searches += searches.count
            isFirst = inbox.batches.isEmpty
            inbox.batches.append(SearchBatch(searches: searches, deadline: deadline, reply: reply))
            return nil
        }
        // The owner takes all that is there at once.
        if isFirst { shared.wakeUp.wake() }
        return refusal
    }

    /// Ends the thread and the connection; what is waiting is answered `.closed`. Waits until all is freed but an attempt
    /// to connect, which ends by itself within its time-out. Not to be called from a reply.
    func close() {
        shared.inbox.withLock { $0.isClosing = true }
        shared.wakeUp.wake()
        if ConnectionLoop.isOnOwnerThread { return }
        // Not for ever, for there may have been no descriptor left to wake with.
        while shared.inbox.withLock({ !$0.hasEnded }) { shared.end.wait(until: MonotonicTime.now() + 100_000_000) }
    }
}

/// Searches that are sent together and answered together.
struct SearchBatch: Sendable {
    var searches: [LDAPSearch]
    var deadline: Nanoseconds
    var reply: @Sendable ([SearchOutcome]) -> Void
}
