// The owner thread: the only one that calls libldap on the connection. It takes searches from the inbox, sends as many
// as the server bears, gives each its answer or, at its deadline, "could not tell".

import CLDAP
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Confined to its thread.
final class ConnectionLoop {
    /// How things stand with the servers.
    enum Link {
        /// No connection, and nobody wants one.
        case idle
        /// Another thread is connecting to the server with this index.
        case connecting(Int)
        case connected(LDAPHandle, Int)
        /// No server could be reached; nothing is tried before this time.
        case backOff(until: Nanoseconds)
    }

    let shared: LDAPConnection.Shared
    var link = Link.idle
    var queue = SearchQueue()
    var inFlight: [Int32: SentSearch] = [:]
    /// How many of them are for addresses.
    var joinedInFlight = 0
    /// No deadline is earlier.
    var earliestDeadline = Nanoseconds.max
    var timeOutsInARow = 0
    /// Answers on this connection.
    var answers = 0
    /// Rounds over all servers that failed, since the last answer.
    var failedRounds = 0
    /// The servers that are still to be tried, and when that began.
    var round = ServerRound([])
    var roundStart: Nanoseconds = 0
    /// Since when something has been under way, and nothing has arrived.
    var silentSince: Nanoseconds = 0
    /// Whether the server was asked meanwhile whether it is there at all.
    var isProbed = false
    /// When to look again whether the server has all of the directory, whether that is under way, and until when an
    /// incomplete one is used.
    var nextExamination = Nanoseconds.max
    var isExamining = false
    var incompleteUntil = Nanoseconds.max
    /// Whether what is not found may be there all the same.
    var isDoubtful = false
    var lastFailure: LDAPFailure?
    /// Whether the socket took no more.
    var isCongested = false
    private var finished = 0

    @TaskLocal static var isOnOwnerThread = false

    init(_ shared: LDAPConnection.Shared) { self.shared = shared }

    func run() {
        Self.$isOnOwnerThread.withValue(true) {
            while step() {}
        }
    }

    /// One turn; false when it was the last.
    private func step() -> Bool {
        let isClosing = takeInbox()
        if isClosing {
            shutDown()
            return false
        }
        let now = MonotonicTime.now()
        expire(now)
        tend(now)
        examine(now)
        sendQueued(now)
        watch(now)
        drain()
        settle()
        wait()
        return true
    }

    private func takeInbox() -> Bool {
        let (batches, attempt, answers, isClosing) = shared.inbox.withLock { inbox in
            defer {
                inbox.batches = []
                inbox.attempt = nil
                inbox.examined = nil
            }
            return (inbox.batches, inbox.attempt, inbox.examined, inbox.isClosing)
        }
        for batch in batches {
            let pending = PendingBatch(batch)
            earliestDeadline = min(earliestDeadline, batch.deadline)
            for (index, search) in batch.searches.enumerated() {
                queue.append(PendingSearch(batch: pending, index: index, search: search, deadline: batch.deadline))
            }
        }
        if let attempt { attempted(attempt) }
        if let answers { examined(answers) }
        return isClosing
    }

    /// Answers a search and counts it, for the inbox to take others.
    func finish(_ pending: PendingSearch, _ outcome: SearchOutcome) {
        // Before the answer, which may bring the next question.
        shared.inbox.withLock { $0.searches -= 1 }
        pending.finish(outcome)
    }

    func pushBack(_ pending: [PendingSearch]) {
        queue.putFirst(pending)
        for one in pending { earliestDeadline = min(earliestDeadline, one.deadline) }
    }

    /// Answers what is past its deadline.
    private func expire(_ now: Nanoseconds) {
        if now < earliestDeadline { return }
        var earliest = Nanoseconds.max
        for (id, var sent) in inFlight {
            if sent.deadline > now {
                earliest = min(earliest, sent.deadline)
                continue
            }
            let expired = sent.parts.filter { $0.deadline <= now }
            sent.parts.removeAll { $0.deadline <= now }
            // What had waited long before it was sent says little of the server.
            shared.isWell.store(false, ordering: .relaxed)
            if now - sent.time >= shared.settings.timeout.nanoseconds / 2 { timeOutsInARow += 1 }
            if sent.parts.isEmpty {
                _ = removeSent(id)
                if case .connected(let handle, _) = link { handle.abandon(id) }
            } else {
                inFlight[id] = sent
                earliest = min(earliest, sent.deadline)
            }
            for pending in expired { finish(pending, .failed(timedOut(pending))) }
        }
        for pending in queue.removeExpired(now) { finish(pending, .failed(lastFailure ?? timedOut(pending))) }
        earliestDeadline = min(earliest, queue.earliestDeadline)
    }

    private func timedOut(_ pending: PendingSearch) -> LDAPFailure {
        var place = "no LDAP server"
        if case .connected(let handle, _) = link { place = handle.uri }
        let reason =
            "\(place), base \"\(pending.search.base)\": no answer in \(shared.settings.timeout);"
            + " look at the server's load, and whether the attributes that are asked for are indexed"
        return LDAPFailure(.timedOut, reason)
    }

    /// Sleeps until there is something to do.
    private func wait() {
        var wake = earliestDeadline
        if case .backOff(let until) = link { wake = min(wake, until) }
        if case .connected = link {
            if !isExamining { wake = min(wake, nextExamination) }
            if let time = nextWatch { wake = min(wake, time) }
        }
        var entries = [pollfd(fd: shared.wakeUp.descriptor, events: Int16(POLLIN), revents: 0)]
        if case .connected(let handle, _) = link {
            let events = isCongested ? POLLIN | POLLOUT : POLLIN
            entries.append(pollfd(fd: handle.socket, events: Int16(events), revents: 0))
        }
        var milliseconds: Int32 = -1
        if wake != .max {
            milliseconds = Int32(clamping: max(0, (wake - MonotonicTime.now() + 999_999) / 1_000_000))
        }
        // A wake-up that can't be made or waited for must not become a busy loop.
        if shared.wakeUp.descriptor < 0 { milliseconds = milliseconds < 0 ? 10 : min(milliseconds, 10) }
        _ = poll(&entries, nfds_t(entries.count), milliseconds)
        if entries[0].revents != 0 { shared.wakeUp.clear() }
    }

    /// Answers all and frees everything.
    private func shutDown() {
        let closed = LDAPFailure(.closed, "the LDAP source is closed")
        let all = inFlight.values.flatMap(\.parts) + queue.takeAll()
        inFlight = [:]
        for pending in all { finish(pending, .failed(closed)) }
        // An attempt to connect that is under way is not waited for: whatever it comes to is freed by its own thread, which
        // is the last to let go of what the threads share.
        shared.inbox.withLock { $0.attempt = nil }
        link = .idle
        round.close()
    }
}
