// The walk from a question to its resolution: a resumable worklist that does no I/O. It hands out one lookup at a time,
// takes the answer, and goes on; a source may answer at once or later. Order of keys: see Expansion+Address.swift.

public import MailAddress

/// One walk. Call `next()`; carry out the lookup it asks for; hand the answer to `answered(_:)`; until it is finished.
public struct Expansion: Sendable {
    /// What the owner of the walk has to do.
    public enum Step: Sendable {
        /// Ask the source with this index (in the configured order), then call `answered(_:)`.
        case lookUp(Lookup, source: Int)
        /// Call `goOn(turns:)`, now or after letting others work.
        case pause
        indirect case finished(Resolution)
    }

    /// What of the answer has room for so many octets only: addresses with ", " between them. A walk that finds more ends
    /// there, with `.limit(.octets)`.
    public enum Room: Hashable, Sendable {
        /// For all recipients.
        case recipients(Int)
        /// For the targets or members of the asked address itself.
        case step(Int)
    }

    let question: Question
    let purpose: Purpose
    let defaultDomain: Domain
    let literals: Set<Domain>
    let sourceNames: [String]
    let limits: ExpansionLimits
    let isTracing: Bool

    var nodes: [Node]
    /// Indices of nodes still to be walked; the last is the next, so that answers keep the order of the records.
    /// A negative number stands for the rest of a list or a redirection: `-1 - index` in `rests`.
    var pending: [Int] = []
    /// Lists and redirections of which only some addresses are among the nodes.
    var rests: [Rest] = []
    /// The addresses that have been met: a few are compared one by one, and only many are worth a set.
    var met: [Mailbox] = []
    var seen: Set<HashedMailbox> = []
    var lookups = 0
    var stage: Stage
    var walk = AddressWalk()
    /// Domains that this walk has asked for already; nil for one that is not served here.
    var known: [Domain: Place?] = [:]
    var matches: [Match] = []
    var matchRank: NameRank?
    var openList: MailingList?
    /// The detail of the asked address, and whether it is in a relay domain; once an entry for it is found.
    var asked: (separatedDetail: [UInt8], isInRelayDomain: Bool) = ([], false)
    /// The addresses by which a mailbox was reached, where one of them has a detail.
    var addresses: [HashedMailbox: Set<Mailbox>] = [:]
    /// What is read on of a list: its index in `rests`; nil at its beginning.
    var rest: Int?
    /// The node of the asked address's targets that came last, and its place in `resolution.step`.
    var stepStart = (node: 1, place: 0)
    /// Whether a mailbox has been found that takes mail now.
    var reachesSomebody = false
    var resolution: Resolution
    /// What the answer has room for; nil for any number of octets.
    public var room: Room?
    var octets = 0
    /// Why a member of a list could not be followed, where it is still to be seen whether another can.
    var deferred: Resolution.Outcome?

    /// - Parameters:
    ///   - question: the address or name that the walk begins at.
    ///   - purpose: what is wanted: to verify one mailbox, to expand a list, to resolve all.
    ///   - sources: the names of the sources, in the order in which they are to be asked; not empty.
    ///   - defaultDomain: the domain of bare names and of bare `<postmaster>`.
    ///   - literals: the addresses of this server's own, in brackets: their postmaster is the bare one.
    ///   - limits: passing one ends the walk with an error.
    ///   - isTracing: whether to keep every step with its reason.
    public init(
        _ question: Question, purpose: Purpose, sources: [String], defaultDomain: Domain, literals: Set<Domain> = [],
        limits: ExpansionLimits = ExpansionLimits(), isTracing: Bool = false
    ) {
        self.question = question
        self.purpose = purpose
        self.defaultDomain = defaultDomain
        self.literals = literals
        self.sourceNames = sources
        self.limits = limits
        self.isTracing = isTracing
        let start: Mailbox?
        switch question {
        case .address(let mailbox): start = mailbox
        case .postmaster: start = Mailbox(localPart: .postmaster, domain: defaultDomain)
        case .name(let octets):
            start = (try? LocalPart(octets: octets)).map { Mailbox(localPart: $0, domain: defaultDomain) }
        }
        resolution = Resolution(outcome: .answered)
        if let start {
            nodes = [Node(address: start, origin: .asked)]
            stage = .domain(source: 0)
        } else {
            nodes = []
            stage = .name(source: 0)
        }
    }

    /// The first step.
    /// - Parameter turns: addresses that are gone through without a lookup before there is a `.pause`.
    public mutating func next(turns: Int = .max) -> Step {
        // In two statements: as an argument it would be taken after `self`, which would then be as it was before.
        let move = begin()
        return step(for: move, turns)
    }

    /// Goes on with the answer to the lookup that was last handed out.
    ///
    /// An answer that does not fit the question means that the source can't be relied on: it could not tell.
    public mutating func answered(_ answer: Answer, turns: Int = .max) -> Step {
        let move = take(answer)
        return step(for: move, turns)
    }

    /// Goes on after a `.pause`.
    public mutating func goOn(turns: Int) -> Step { step(for: .next, turns) }

    private mutating func step(for first: Move, _ turns: Int) -> Step {
        var (move, left) = (first, turns)
        while true {
            switch move {
            case .lookUp(let lookup, let source): return .lookUp(lookup, source: source)
            case .finished: return .finished(resolution)
            case .next:
                if left == 0 { return .pause }
                left -= 1
                move = takeNext()
            }
        }
    }

    /// The same walk before it began.
    public func anew() -> Expansion {
        var expansion = Expansion(
            question, purpose: purpose, sources: sourceNames, defaultDomain: defaultDomain, literals: literals,
            limits: limits, isTracing: isTracing)
        expansion.room = room
        return expansion
    }

    /// How many questions it has put to sources so far.
    public var lookupCount: Int { lookups }

    /// How many addresses it has met so far.
    public var addressCount: Int { nodes.count }

    mutating func begin() -> Move { step() }

    mutating func take(_ answer: Answer) -> Move {
        switch (stage, answer) {
        case (_, .couldNotTell(let trouble)): return couldNotTell(trouble)
        case (_, .stale(let known, let age)):
            note("can't be asked now; found \(age.components.seconds) s ago:", source: currentSource)
            return take(known)
        case (.domain(let source), .domain(let record)): return found(record, source: source)
        case (.domain(let source), .absent): return domainIsAbsent(source: source)
        case (.aliasedDomain, .domain(let record)): return foundAliased(record)
        case (.aliasedDomain(let source), .absent): return aliasedDomainIsAbsent(source: source)
        case (.entries(let source), .entry(let entry, let key)) where walk.keys.indices.contains(key):
            return found(entry, key: key, source: source)
        case (.entries(let source), .absent): return entryIsAbsent(source: source)
        case (.name(let source), .matches(let entries, let rank)) where !entries.isEmpty:
            return found(entries, rank: rank, source: source)
        case (.name(let source), .absent): return nameIsAbsent(source: source)
        case (.members(let source), .members(let members)): return found(members, source: source)
        case (.members(let source), .page(let members, let next)): return found(members, next: next, source: source)
        case (.members, .absent): return couldNotTell(reason: "a list has gone while it was read")
        default: return couldNotTell(reason: "the answer is not one to the question")
        }
    }

    private mutating func couldNotTell(reason: String) -> Move {
        couldNotTell(Trouble(source: sourceName(currentSource) ?? "", reason: reason))
    }

    mutating func couldNotTell(_ trouble: Trouble) -> Move {
        note("could not tell: \(trouble.reason)", source: currentSource)
        return finish(.couldNotTell(trouble))
    }

    /// Hands out the lookup of the stage the walk is in.
    mutating func step() -> Move {
        lookups += 1
        if lookups > limits.lookups { return finish(.limit(.lookups, path: path(to: walk.node))) }
        switch stage {
        case .domain(let source): return .lookUp(.domain(nodes[walk.node].address.domain), source: source)
        case .aliasedDomain(let source):
            return .lookUp(.domain(walk.place?.aliasedDomain ?? nodes[walk.node].address.domain), source: source)
        case .entries(let source): return .lookUp(.entries(walk.keys), source: source)
        case .name(let source): return .lookUp(.name(nameQuery), source: source)
        case .members(let source):
            let list = openList?.address ?? nodes[walk.node].address
            if let rest, let next = rests[rest].next {
                if case .member = rests[rest].origin {
                    return .lookUp(.moreMembers(of: list, after: next), source: source)
                }
                return .lookUp(.moreTargets(of: nodes[walk.node].address, after: next), source: source)
            }
            return .lookUp(.members(of: list), source: source)
        }
    }

    /// The next address from the worklist is next, or the end of the walk. Not taken at once: one call within another for
    /// each address of a long list would need a stack without an end.
    func nextAddress() -> Move { .next }

    /// Takes it.
    mutating func takeNext() -> Move {
        if let move = passedRoom() { return move }
        guard let node = pending.popLast() else {
            if let deferred, !reachesSomebody { return finish(deferred) }
            return finish(.answered)
        }
        if node < 0 { return goOn(withRest: -1 - node) }
        walk = AddressWalk(node: node)
        if let place = known[nodes[node].address.domain] {
            walk.place = place
            return place == nil ? domainIsNotServed() : lookUpEntries()
        }
        stage = .domain(source: 0)
        return step()
    }

    mutating func finish(_ outcome: Resolution.Outcome) -> Move {
        if case .answered = outcome {
            keepPostmaster()
        } else {
            resolution.recipients = []
            resolution.failures = []
            resolution.endsAtOne = false
        }
        resolution.outcome = outcome
        return .finished
    }

    /// The postmaster of a served domain is deliverable even where the record leads nowhere (RFC 5321 4.5.1).
    private mutating func keepPostmaster() {
        guard resolution.recipients.isEmpty, let asked = resolution.asked, asked.localPart.isPostmaster,
            !resolution.failures.contains(where: { $0.reason == .notServed || $0.reason == .suspended })
        else { return }
        note("nobody is reached, but postmaster is always deliverable (RFC 5321 4.5.1)")
        let postmaster = Recipient(
            mailbox: asked, kind: .postmaster, separatedDetail: self.asked.separatedDetail,
            isInRelayDomain: self.asked.isInRelayDomain)
        resolution.chain = []
        resolution.recipients = [postmaster]
        resolution.endsAtOne = true
    }

    private var currentSource: Int {
        switch stage {
        case .domain(let source), .aliasedDomain(let source), .entries(let source), .name(let source),
            .members(let source):
            source
        }
    }
}

extension Expansion {
    /// A step without the resolution, which stays where it is until somebody takes it.
    enum Move: Sendable {
        case lookUp(Lookup, source: Int)
        /// Take the next address from the worklist.
        case next
        case finished
    }

    /// What a list or a redirection leads to, as far as it is not among the nodes yet. Of many only so many become nodes at
    /// once, for more would hold up others.
    struct Rest: Sendable {
        /// Whom it stands at.
        var node: Int
        var origin: Origin
        /// Where it is a list.
        var list: MailingList?
        var source = 0
        /// What is known of it, and how many of these have become nodes.
        var targets: [ListMember]
        var taken = 0
        /// The place after which the source tells more; nil where that is all.
        var next: Int?
        /// What goes on to each target.
        var detail: [UInt8] = []
        /// Whether the way through it is the only one.
        var isOnChain = false
    }

    /// An address with its hash: a set that has grown too small is made anew of all that it holds, and to compute all those
    /// hashes once more would hold up others.
    struct HashedMailbox: Hashable, Sendable {
        let mailbox: Mailbox
        private let hash: Int

        init(_ mailbox: Mailbox) {
            self.mailbox = mailbox
            hash = mailbox.hashValue
        }

        static func == (one: HashedMailbox, other: HashedMailbox) -> Bool {
            one.hash == other.hash && one.mailbox == other.mailbox
        }

        func hash(into hasher: inout Hasher) { hasher.combine(hash) }
    }

    /// Which lookup is under way, and of which source.
    enum Stage: Sendable {
        case domain(source: Int)
        case aliasedDomain(source: Int)
        case entries(source: Int)
        case name(source: Int)
        case members(source: Int)
    }

    /// Why an address is in the worklist.
    enum Origin: Sendable {
        case asked
        case alias
        case forward
        case catchAll
        case member
    }

    /// One address of the walk, and the way by which it was reached.
    struct Node: Sendable {
        var address: Mailbox
        /// The target as it is on record, where `address` is that with a detail which goes on to it.
        var target: Mailbox?
        /// Octets of the detail that goes on from here.
        var detailLength = 0
        var origin: Origin
        var parent = -1
        var depth = 0
        /// The name that the list gives the member.
        var name = ""
        /// Whether the way leads through a list: then a forward is the member's own business.
        var isBelowList = false
        /// The owner of the first list on the way.
        var owner: Mailbox?
        /// Whether every step so far led to one address only.
        var isOnChain = true
    }

    /// What is known so far of the address at hand.
    struct AddressWalk: Sendable {
        var node = 0
        /// How the domain is served; nil while that is not known, and when it is not.
        var place: Place?
        /// The keys in their order; `detailKeys` is the index of the first that has lost its detail.
        var keys: [Mailbox] = []
        var detailKeys = 0
        /// The address of this server's own whose postmaster it is, maybe with a detail.
        var literal: Domain?
        /// The best hit so far.
        var best: Match?
        /// What a bare name, or another address of a user, was found to be, should no source have more to say.
        var named: Match?
        /// What of the address is not in the key by which `named` was found, where that is not its canonical address.
        var detail: [UInt8]?
    }

    /// A domain that is served here and, where it is an alias, the one whose alias it is.
    struct Place: Equatable, Sendable {
        var record: DomainRecord
        /// The source that has the record.
        var source: Int
        /// Nil too where there is a fault.
        var aliased: DomainRecord?
        /// Why the domain that this one is an alias of can't be looked into.
        var fault: AliasFault?

        /// The record whose rules hold.
        var ruling: DomainRecord { aliased ?? record }

        var isRelay: Bool { aliased.map { $0.kind == .relay } ?? (record.kind == .relay) }

        var aliasedDomain: Domain? {
            if case .alias(let domain) = record.kind { return domain }
            return nil
        }
    }

    /// What is wrong with the domain that another is an alias of, in words that follow "which".
    enum AliasFault: String, Sendable {
        case isMissing = "no source has"
        case isAlias = "is an alias itself"
    }

    /// What a source has, and at which key.
    struct Match: Sendable {
        var entry: Entry
        var key = 0
        var source: Int
    }

    /// The addresses from the asked one to this node.
    func path(to node: Int) -> [Mailbox] {
        var path: [Mailbox] = []
        var index = node
        while index >= 0, index < nodes.count {
            path.append(nodes[index].address)
            index = nodes[index].parent
        }
        return path.reversed()
    }

    func sourceName(_ index: Int) -> String? {
        sourceNames.indices.contains(index) ? sourceNames[index] : nil
    }

    /// Keeps a step for the trace. The text is made only when somebody wants it.
    mutating func note(_ reason: @autoclosure () -> String, source: Int? = nil) {
        if !isTracing { return }
        let node = nodes.indices.contains(walk.node) ? nodes[walk.node] : nil
        resolution.trace.append(
            TraceStep(
                address: node?.address, depth: node?.depth ?? 0, source: source.flatMap(sourceName),
                reason: reason()))
    }
}
