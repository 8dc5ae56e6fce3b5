// What belongs to one event loop: its own sources, and the connections it serves. Only ever touched on that loop.

import AddresseeConfiguration
import MailAddress
import MailboxDirectory
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import SMTPProtocol
import Verification

/// One event loop's share of the server.
final class LoopContext {
    private(set) var service: Service
    private(set) var sources: [any Source] {
        didSet { answersAtOnce = sources.allSatisfy(\.answersAtOnce) }
    }
    /// Whether no source makes a question wait.
    private(set) var answersAtOnce: Bool
    private var connections: [ObjectIdentifier: Connection] = [:]
    private var unflushed: [ObjectIdentifier: Connection] = [:]
    private var isInBatch = false
    private var memory: MailboxMemory
    /// Another number whenever any answer may be another one; nil in a batch in which a source can't tell.
    private(set) var version: UInt64?
    /// What long walks have found.
    private let long: LongAnswers
    /// Long work, which lets the connections go first.
    let turns: TurnQueue
    private weak var latestViews: SourceViews?
    private var viewsVersion: UInt64?
    /// Who is charged for the walks that the question asked now takes; nil for a client without a limit.
    var payer: Payer?
    private var epoch: UInt64 = 0
    private var lastVersions: [UInt64] = []
    private(set) var isDraining = false
    /// Whether each question is to be logged; looked up once a batch, for all loops share the level.
    private(set) var logsQuestions: Bool
    private var viewsEnd: Scheduled<Void>?
    /// Whom a mail server named last, and what may be told to its class: most name one client again and again.
    private var lastNamed: (address: [UInt8], disclosure: Disclosure)?
    /// The connections to the mail servers among the next hops.
    private var pools: [NextHopConfiguration: HopPool] = [:]
    /// Begins a connection to a mail server.
    var connectHop: (HopConnection, any EventLoop) -> Void = { $0.connect(on: $1) }
    private var keptRewriter: SenderRewriter?
    let shared: SharedState
    let eventLoop: any EventLoop

    /// Addresses of this machine that are known at most: anybody on it has all of 127.0.0.0/8 to connect to.
    private static let literalLimit = 1024
    /// Mailboxes that are worth another thread.
    static let many = 2000

    /// How long a view of the directory may be kept, while nothing is written: so long a log may grow that others write.
    private static let viewAge = TimeAmount.milliseconds(10)

    /// A client whose class has a limit of questions.
    struct Payer {
        var client: ClientAddress
        var perMinute: Int
    }

    init(service: Service, sources: [any Source], shared: SharedState, eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        turns = TurnQueue(eventLoop)
        long = LongAnswers(limit: service.longAnswers)
        self.service = service
        self.sources = sources
        answersAtOnce = sources.allSatisfy(\.answersAtOnce)
        self.shared = shared
        memory = MailboxMemory(places: service.rememberedRecipients)
        logsQuestions = shared.log.showsQuestions
    }

    /// Takes a new configuration; connections that are open keep how they are served.
    func replace(service: Service, sources: [any Source]) {
        if service.rememberedRecipients != self.service.rememberedRecipients {
            memory = MailboxMemory(places: service.rememberedRecipients)
        }
        letGo(long.forget(limit: service.longAnswers))
        latestViews = nil
        for source in self.sources {
            source.endBatch()
            source.release()
        }
        isInBatch = false
        if service.configuration.senderRewriting != self.service.configuration.senderRewriting {
            keptRewriter?.close()
            keptRewriter = nil
        }
        self.service = service
        self.sources = sources
        for connection in connections.values {
            learn(connection.context?.localAddress, of: connection.listener.address)
        }
        lastNamed = nil
        for (hop, pool) in pools where !service.configuration.nextHops.contains(hop) {
            pool.close()
            pools[hop] = nil
        }
        // Other sources count from numbers of their own.
        lastVersions = []
    }

    /// What may be told to a client that a mail server names by its address. "unknown", and whatever can't be read, is
    /// nobody's friend.
    func disclosure(to address: [UInt8]) -> Disclosure {
        if let lastNamed, lastNamed.address == address { return lastNamed.disclosure }
        let known = ClientAddress(String(decoding: address, as: UTF8.self)) ?? ClientAddress(ipv6High: 0, low: 0)
        let disclosure = service.configuration.clientClass(of: known).disclosure
        lastNamed = (address, disclosure)
        return disclosure
    }

    /// A client came to this address. Where a listener is for all addresses, it is one of them, whatever the interfaces had
    /// when the configuration was read; those of the loopback network are too many to be counted beforehand.
    func learn(_ address: SocketAddress?, of listener: ListenAddress) {
        guard listener.isForAll, service.inquiries.literals.count < Self.literalLimit,
            let literal = ClientAddress(address, at: listener).literal
        else { return }
        service.inquiries.literals.insert(literal)
    }

    /// The connections to a mail server; nil for folders, and for what an older configuration had.
    func pool(_ hop: NextHopConfiguration) -> HopPool? {
        if let pool = pools[hop] { return pool }
        guard let index = service.configuration.nextHops.firstIndex(of: hop), let ready = service.hops[index] else {
            return nil
        }
        let loops = service.configuration.threads ?? System.coreCount
        let pool = HopPool(
            ready, loops: loops, eventLoop: eventLoop, shared: shared,
            connect: { [connectHop, eventLoop] in connectHop($0, eventLoop) })
        pools[hop] = pool
        return pool
    }

    /// Who rewrites senders; nil where they are kept.
    var rewriter: SenderRewriter? {
        if keptRewriter == nil, let rewriting = service.configuration.senderRewriting {
            keptRewriter = SenderRewriter(rewriting, eventLoop: eventLoop)
        }
        return keptRewriter
    }

    /// Whether every next hop is known to do what RFC 3461 asks for.
    var nextHopsNotify: Bool {
        let hops = service.hops
        return !hops.isEmpty
            && hops.allSatisfy { hop in hop.flatMap { shared.extensions(of: $0.server) }?.notifications == true }
    }

    /// Learns what the mail servers offer, by asking each once.
    func introduce() {
        for next in service.configuration.nextHops {
            guard let pool = pool(next) else { continue }
            pool.take(name: service.hostname, timeouts: service.configuration.timeouts.nextHop) { result in
                if case .success(let connection) = result { pool.give(connection) }
            }
        }
    }

    func add(_ handler: Connection) { connections[ObjectIdentifier(handler)] = handler }

    func remove(_ handler: Connection) { connections[ObjectIdentifier(handler)] = nil }

    func drainAll() {
        isDraining = true
        for handler in connections.values { handler.drain() }
    }

    func stopAll() {
        for pool in pools.values { pool.close() }
        keptRewriter?.close()
        for handler in connections.values { handler.stop() }
        for source in sources {
            source.endBatch()
            source.release()
        }
    }

    /// These addresses are about to be asked for: has what is remembered of them fetched.
    func expect(_ keys: [MailboxMemory.Key]) { memory.fetch(keys) }

    /// The answer to one question, of any wire.
    /// - Parameters:
    ///   - known: the key of the mailbox that is asked about, where it has been made already.
    ///   - about: what is asked about, for the log.
    ///   - later: called on this loop with the answer, where it has to be waited for; made only there.
    /// - Returns: the answer; nil where it comes later.
    func answer<Asked: DirectoryQuestion>(
        _ question: Asked, known: MailboxMemory.Key? = nil, about: @autoclosure () -> String,
        later: @autoclosure () -> (Asked.Answer) -> Void
    ) -> Asked.Answer? where Asked.Answer: LongAnswer {
        var place: Remembered?
        var read: FirstAnswers?
        if let mailbox = question.mailbox {
            place = remembered(mailbox, known, withName: question.tellsNames)
            if let answer = plainly(question, mailbox, place, read: &read) { return answer }
        }
        guard let expansion = question.expansion(in: service.inquiries) else { return question.answer(on: nil) }
        beginBatch()
        if !long.isEmpty, let version {
            if let answer = long.answer(to: question, version: version) { return answer }
            if long.wait(for: question, version: version, later()) { return nil }
        }
        let resolution = walk(
            expansion, read, to: question,
            then: { [self, place, asked = version, about = about(), later = later()] resolution in
                keep(resolution, question, place, about)
                let isLasting = if case .couldNotTell = resolution.outcome { false } else { true }
                let answer = { @Sendable in question.answer(on: resolution) }
                aside(resolution.mailboxCount, answer) { [self] answer in
                    later(answer)
                    ended(question, answer, asked, isLasting: isLasting)
                }
                letGo(resolution, mailboxes: resolution.mailboxCount)
            })
        guard let resolution else { return nil }
        keep(resolution, question, place, about())
        return question.answer(on: resolution)
    }

    /// The answer without a walk: from what is remembered of the address, else from what the one source has there. Nil where only
    /// a walk can tell.
    /// - Parameter read: what has been read, for the walk.
    private func plainly<Asked: DirectoryQuestion>(
        _ question: Asked, _ mailbox: Mailbox, _ place: Remembered?, read: inout FirstAnswers?
    ) -> Asked.Answer? {
        if let place, let fact = memory.recall(mailbox, place.key, version: place.version),
            let answer = question.answer(on: fact, asked: mailbox)
        {
            return answer
        }
        guard !question.asksForMembers, answersAtOnce, sources.count == 1,
            service.configuration.expansion.lookups >= MailboxMemory.Fact.plainLookups,
            let fact = MailboxMemory.Fact.plain(mailbox, in: sources[0], read: &read)
        else { return nil }
        if let place { memory.remember(fact, place.key, version: place.version, withName: place.withName) }
        return question.answer(on: fact, asked: mailbox)
    }

    /// Walks to the end, or as far as it goes without holding up others.
    /// - Parameters:
    ///   - read: what has been read for it already in this batch.
    ///   - question: what it is for; others may wait for the answer where it is a long walk.
    ///   - then: called on this loop with the resolution, where it has to be waited for; made only there.
    /// - Returns: the resolution; nil where it comes later.
    private func walk(
        _ expansion: consuming Expansion, _ read: FirstAnswers?, to question: some DirectoryQuestion,
        then: @autoclosure () -> (Resolution) -> Void
    ) -> Resolution? {
        if answersAtOnce {
            switch expansion.run(sources, turns: WaitingWalk.turns, read: read) {
            case .finished(let resolution): return resolution
            case .paused(let expansion, let step):
                if let version { long.begin(question, version: version) }
                WaitingWalk(expansion, at: step, loop: self, finished: then()).pause()
                return nil
            }
        }
        var walk = expansion
        let step = walk.next(turns: WaitingWalk.turns)
        return WaitingWalk(walk, at: step, loop: self, finished: then()).begin()
    }

    /// A long walk has ended: those who wait for the same are told in turns of their own.
    private func ended(
        _ question: some DirectoryQuestion, _ answer: some LongAnswer, _ version: UInt64?, isLasting: Bool
    ) {
        defer { letGo([answer]) }
        guard let version else { return }
        for other in long.end(question, version: version) { turns.add { other(answer) } }
        if version == self.version {
            letGo(long.keep(answer, to: question, version: version, isLasting: isLasting))
        }
    }

    /// Views of these sources, in the batch that is open; those that were made last where nothing has changed since.
    func views(of sources: [any Source]) -> SourceViews {
        let areOurs = zip(sources, self.sources).allSatisfy { ($0 as AnyObject) === ($1 as AnyObject) }
        if areOurs, let latestViews, let version, viewsVersion == version, latestViews.areIntact {
            return latestViews
        }
        let views = SourceViews(of: sources)
        if views.areOfBatch {
            latestViews = views
            viewsVersion = version
        }
        return views
    }

    /// What was found is remembered, and trouble is logged.
    private func keep(
        _ resolution: Resolution, _ question: some DirectoryQuestion, _ place: Remembered?,
        _ about: @autoclosure () -> String
    ) {
        if !question.asksForMembers { remember(resolution, place) }
        log(resolution.outcome, about())
    }

    private func remember(_ resolution: Resolution, _ place: Remembered?) {
        // What has changed since is not to be mixed with what was.
        guard let place, place.version == version else { return }
        memory.remember(
            resolution, of: place.mailbox, place.key, version: place.version, withName: place.withName)
    }

    /// Under what an answer is to be remembered.
    private struct Remembered {
        var mailbox: Mailbox
        var key: MailboxMemory.Key
        var version: UInt64
        var withName: Bool
    }

    /// In the batch at hand, which this begins where there is none. Nil where a source can't tell whether anything has changed.
    /// - Parameter known: the key, where it has been made already.
    private func remembered(
        _ mailbox: Mailbox, _ known: MailboxMemory.Key?, withName: Bool = false
    ) -> Remembered? {
        beginBatch()
        return version.map {
            Remembered(mailbox: mailbox, key: known ?? .init(mailbox), version: $0, withName: withName)
        }
    }

    /// Does on another thread what would hold up this loop, where there is so much of it.
    /// - Parameters:
    ///   - mailboxes: how many it is done for.
    ///   - then: called on this loop, at once where there are few.
    func aside<Result: Sendable>(
        _ mailboxes: Int, _ work: @escaping @Sendable () -> Result, then: @escaping (Result) -> Void
    ) {
        if mailboxes < Self.many { return then(work()) }
        // That pool is never shut down, so that this does not fail. What the work is done with is freed there too.
        NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop, work).assumeIsolated().whenSuccess(then)
    }

    /// Has another thread free what there is so much of that it would hold up this loop, when nothing here holds it any more.
    /// To be called by the owner that keeps the value longest.
    func letGo<Value: Sendable>(_ value: Value, mailboxes: Int) {
        if mailboxes < Self.many { return }
        let held = NIOLockedValueBox<Value?>(value)
        // When what is on the stack now is gone.
        eventLoop.assumeIsolated().execute {
            NIOThreadPool.singleton.submit { _ in held.withLockedValue { $0 = nil } }
        }
    }

    private func letGo(_ answers: [any LongAnswer]) {
        letGo(answers, mailboxes: answers.reduce(0) { $0 + $1.mailboxCount })
    }

    private func log(_ outcome: Resolution.Outcome, _ about: @autoclosure () -> String) {
        switch outcome {
        case .couldNotTell(let trouble): shared.log.couldNotTell(trouble, about: about())
        case .loop(let path): shared.log.loop(path, about: about())
        // Nothing is wrong: a reply has no room for it.
        case .limit(.octets, _): break
        case .limit(let kind, let path): shared.log.limit(kind, path, about: about())
        case .answered, .ambiguous: break
        }
    }

    /// The questions of one read share one view of the directory, which is no older than the read.
    func beginBatch() {
        if isInBatch { return }
        isInBatch = true
        logsQuestions = shared.log.showsQuestions
        keepViews()
        var versions: [UInt64] = []
        for source in sources {
            source.beginBatch()
            if let version = source.version() { versions.append(version) }
        }
        guard versions.count == sources.count else {
            version = nil
            return
        }
        if versions != lastVersions {
            lastVersions = versions
            epoch += 1
        }
        version = epoch
    }

    /// Has a connection flushed once what else is due now is done, so that answers that come together leave together.
    func flushSoon(_ handler: Connection) {
        if unflushed.isEmpty {
            eventLoop.assumeIsolated().execute { [self] in
                let handlers = unflushed
                unflushed = [:]
                for handler in handlers.values { handler.flush() }
            }
        }
        unflushed[ObjectIdentifier(handler)] = handler
    }

    /// The next question begins a batch of its own, which may share the view of this one if it is still the latest.
    func endBatch() {
        isInBatch = false
        payer = nil
    }

    /// Sees to it that no view is kept longer than `viewAge`, whether or not questions go on.
    private func keepViews() {
        if viewsEnd != nil { return }
        viewsEnd = eventLoop.assumeIsolated().scheduleTask(in: Self.viewAge) { [self] in
            viewsEnd = nil
            isInBatch = false
            for source in sources { source.endBatch() }
        }
    }
}

extension Resolution {
    /// Mailboxes that it names.
    fileprivate var mailboxCount: Int { recipients.count + failures.count + step.count }
}
