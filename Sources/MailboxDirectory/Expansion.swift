// The walk from a question to its resolution: a resumable worklist that does no I/O. It hands out one lookup at a time,
// takes the answer, and goes on; a source may answer at once or later. Order of keys: see Expansion+Address.swift.

public import MailAddress

/// One walk. Call `next()`; carry out the lookup it asks for; hand the answer to `answered(_:)`; until it is finished.
public struct Expansion: Sendable {
    /// What the owner of the walk has to do.
    public enum Step: Sendable {
        /// Ask the source with this index (in the configured order), then call `answered(_:)`.
        case lookUp(Lookup, source: Int)
        case finished(Resolution)
    }

    let question: Question
    let purpose: Purpose
    let defaultDomain: Domain
    let sourceNames: [String]
    let limits: ExpansionLimits
    let isTracing: Bool

    var nodes: [Node]
    /// Indices of nodes still to be walked; the last is the next, so that answers keep the order of the records.
    var pending: [Int] = []
    var seen: Set<Mailbox> = []
    var lookups = 0
    var stage: Stage
    var walk = AddressWalk()
    var matches: [Entry] = []
    var matchRank: NameRank?
    var openList: MailingList?
    var resolution: Resolution

    /// - Parameters:
    ///   - sources: the names of the sources, in the order in which they are to be asked; not empty.
    ///   - defaultDomain: the domain of bare names and of bare `<postmaster>`.
    ///   - isTracing: whether to keep every step with its reason.
    public init(
        _ question: Question, purpose: Purpose, sources: [String], defaultDomain: Domain,
        limits: ExpansionLimits = ExpansionLimits(), isTracing: Bool = false
    ) {
        self.question = question
        self.purpose = purpose
        self.defaultDomain = defaultDomain
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
    public mutating func next() -> Step {
        step()
    }

    /// Goes on with the answer to the lookup that was last handed out.
    public mutating func answered(_ answer: Answer) -> Step {
        if case .couldNotTell(let trouble) = answer {
            note("could not tell: \(trouble.reason)", source: currentSource)
            return finish(.couldNotTell(trouble))
        }
        switch stage {
        case .domain(let source): return domainAnswered(answer, source: source)
        case .aliasedDomain(let source): return aliasedDomainAnswered(answer, source: source)
        case .entries(let source): return entriesAnswered(answer, source: source)
        case .name(let source): return nameAnswered(answer, source: source)
        case .members(let source): return membersAnswered(answer, source: source)
        }
    }

    /// Hands out the lookup of the stage the walk is in.
    mutating func step() -> Step {
        lookups += 1
        if lookups > limits.lookups { return finish(.limit(.lookups, path: path(to: walk.node))) }
        switch stage {
        case .domain(let source): return .lookUp(.domain(nodes[walk.node].address.domain), source: source)
        case .aliasedDomain(let source):
            return .lookUp(.domain(walk.aliasedDomain ?? nodes[walk.node].address.domain), source: source)
        case .entries(let source): return .lookUp(.entries(walk.keys), source: source)
        case .name(let source): return .lookUp(.name(nameQuery), source: source)
        case .members(let source):
            return .lookUp(.members(of: openList?.address ?? nodes[walk.node].address), source: source)
        }
    }

    /// Takes the next address from the worklist, or ends the walk.
    mutating func nextAddress() -> Step {
        guard let node = pending.popLast() else { return finish(.answered) }
        walk = AddressWalk(node: node)
        stage = .domain(source: 0)
        return step()
    }

    func finish(_ outcome: Resolution.Outcome) -> Step {
        var resolution = resolution
        resolution.outcome = outcome
        if case .answered = outcome {} else {
            resolution.recipients = []
            resolution.failures = []
            resolution.end = nil
        }
        return .finished(resolution)
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
        var origin: Origin
        var parent = -1
        var depth = 0
        /// The name that the list gives the member.
        var name = ""
        /// Whether the way leads through a list: then a forward is the member's own business.
        var isBelowList = false
        /// Whether every step so far led to one address only.
        var isOnChain = true
    }

    /// What is known so far of the address at hand.
    struct AddressWalk: Sendable {
        var node = 0
        var record: DomainRecord?
        var aliasedDomain: Domain?
        var aliasedRecord: DomainRecord?
        /// The keys in their order; `detailKeys` is the index of the first that has lost its detail.
        var keys: [Mailbox] = []
        var detailKeys = 0
        var detail: [UInt8] = []
        var best: (entry: Entry, key: Int, source: Int)?
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

    /// Keeps a step for the trace. The text is made only when somebody wants it.
    mutating func note(_ reason: @autoclosure () -> String, source: Int? = nil) {
        if !isTracing { return }
        let node = walk.node < nodes.count ? nodes[walk.node] : nil
        resolution.trace.append(
            TraceStep(
                address: node?.address, depth: node?.depth ?? 0, source: source.map { sourceNames[$0] },
                reason: reason()))
    }
}
