// The source: each lookup is remembered or becomes searches. It blocks nobody but who calls `answer`.

public import MailAddress
public import MailboxDirectory
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A source that answers from LDAP servers.
///
/// It may be asked from any thread, and is one connection, whose thread ends with the last reference or with `close()`.
/// Whatever keeps an answer from being known (no server, a refused bind, a missing base, a limit, an entry that
/// contradicts another) is `.couldNotTell`, with the server, the reason and what to do.
public final class LDAPDirectory: Source, Sendable {
    public let name: String
    private let plan: SearchPlan
    private let connection: LDAPConnection
    private let cache: LDAPCache
    private let journal: JournalReader?
    /// The threads that are in a batch, for which the journal has been looked at.
    private let batches = Mutex<Set<UInt>>([])
    private let timeout: Nanoseconds
    private let onEvent: @Sendable (LDAPEvent) -> Void

    /// Nothing is connected before the first question that needs it.
    ///
    /// - Parameters:
    ///   - name: the source's name in the configuration, in traces and in logs.
    ///   - settings: its servers, and what is read of them.
    ///   - onEvent: told what happens to connections, for a log; called on threads of the source's own and of those who
    ///     ask. It must return soon.
    public init(name: String, settings: LDAPSettings, onEvent: @escaping @Sendable (LDAPEvent) -> Void = { _ in }) {
        self.name = name
        self.onEvent = onEvent
        plan = SearchPlan(name: name, settings: settings)
        timeout = settings.timeout.nanoseconds
        cache = LDAPCache(settings.cache)
        journal = settings.cache.entries > 0 ? settings.cache.journal.map(JournalReader.init) : nil
        connection = LDAPConnection(settings: settings, plan: plan, onEvent: onEvent)
    }

    /// Ends the connection and its thread; all later questions are "could not tell". Not to be called from `later`.
    public func close() { connection.close() }

    public var answersAtOnce: Bool { false }

    /// Waits for the answer, no longer than the time-out. For a command line; never for an event loop.
    public func answer(_ lookup: Lookup) -> Answer {
        let slot = AnswerSlot()
        let deadline = MonotonicTime.now() + timeout
        if let answer = ask(lookup, later: { slot.put($0) }) { return answer }
        // The source answers at its deadline; should it not, nobody hangs.
        return slot.wait(until: deadline + 2_000_000_000)
            ?? .trouble(name, "no answer in time from the LDAP source itself; try again")
    }

    public func ask(_ lookup: Lookup, later: @escaping @Sendable (Answer) -> Void) -> Answer? {
        if journal != nil, !isInBatch { followJournal() }
        let now = MonotonicTime.now()
        // That somebody was not there is not told of a server that may not be there itself.
        if let answer = cache.answer(lookup, now: now), answer != .absent || connection.isWell { return answer }
        let generation = cache.generation
        var work = plan.work(for: lookup)
        let step = work.begin()
        // What the configuration says needs no remembering.
        if case .answered(let answer) = step { return answer }
        let asked = Asked(lookup: lookup, deadline: now + timeout, generation: generation, later: later)
        return go(on: step, of: work, asked).map { settled($0, asked) }
    }

    /// A lookup under way, and whom to tell.
    private struct Asked: Sendable {
        var lookup: Lookup
        var deadline: Nanoseconds
        /// What the cache had forgotten when it began.
        var generation: Int
        var later: @Sendable (Answer) -> Void
    }

    /// Carries out a step. Returns the answer, when there is one already.
    private func go(on step: WorkStep, of work: any LookupWork, _ asked: Asked) -> Answer? {
        guard case .search(let searches) = step else {
            if case .answered(let answer) = step { return answer }
            return nil
        }
        // Nothing to wait for would be waited for until the deadline.
        if searches.isEmpty { return .trouble(name, "a lookup came to no search; this is a fault of the program") }
        let refusal = connection.submit(searches, deadline: asked.deadline) { [self] outcomes in
            let goOn: @Sendable () -> Void = { [self] in
                var work = work
                let step = work.take(outcomes)
                guard let answer = go(on: step, of: work, asked) else { return }
                asked.later(settled(answer.certain(in: name, doubt: connection.doubt), asked))
            }
            // The thread that this is called on brings everybody's answers, and must not be held up by one of them.
            let values = outcomes.reduce(0) { $0 + $1.valueCount }
            if values > LDAPLimits.valuesAtOnce, OwnThread.start(goOn) { return }
            goOn()
        }
        return refusal.map { .trouble(name, $0.description) }
    }

    /// Remembers an answer; where none could be had, falls back on one that was found not long ago.
    private func settled(_ answer: Answer, _ asked: Asked) -> Answer {
        let now = MonotonicTime.now()
        guard case .couldNotTell(let trouble) = answer else {
            cache.keep(answer, to: asked.lookup, now: now, generation: asked.generation)
            return answer
        }
        guard let (known, age) = cache.staleAnswer(asked.lookup, now: now) else { return answer }
        onEvent(.servedStale(age: .nanoseconds(age), reason: trouble.reason))
        return .stale(known, age: .nanoseconds(age))
    }

    /// Looks once whether anybody has written, for all questions of this thread until `endBatch()`.
    public func beginBatch() {
        guard journal != nil else { return }
        followJournal()
        batches.withLock { _ = $0.insert(Self.thread) }
    }

    public func endBatch() {
        if journal != nil { batches.withLock { _ = $0.remove(Self.thread) } }
    }

    /// Another number each second, and whenever something has been forgotten: so whoever remembers answers by it keeps
    /// them a second longer than the cache does, at most. Nil where nothing may be remembered, as while something is wrong.
    public func version() -> UInt64? {
        guard cache.remembersAbsence, connection.isWell else { return nil }
        let second = UInt64(MonotonicTime.now() / 1_000_000_000)
        return UInt64(truncatingIfNeeded: cache.generation) << 40 | second & 0xFF_FFFF_FFFF
    }

    private var isInBatch: Bool { batches.withLock { $0.contains(Self.thread) } }

    private static var thread: UInt {
        #if canImport(Darwin)
            UInt(bitPattern: pthread_self())
        #else
            UInt(pthread_self())
        #endif
    }

    /// Forgets what others have written.
    private func followJournal() {
        journal?.follow { news in
            switch news {
            case .nothing: break
            case .everything: cache.forgetAll()
            case .names(let names):
                for name in names {
                    switch name {
                    case .address(let address): cache.forget(address)
                    case .domain(let domain): cache.forget(domain)
                    }
                }
            }
        }
    }

    /// Forgets what is remembered of an address, of lists and names, for any of them may name it.
    public func forget(_ address: Mailbox) { cache.forget(address) }

    /// Forgets all that is remembered.
    public func forgetAll() { cache.forgetAll() }
}
