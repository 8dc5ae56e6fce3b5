// One SMTP query by one client, from the rules that need no lookup, over the walk, to the verdict.

public import MailAddress
public import MailboxDirectory
public import SMTPProtocol

/// What VRFY, EXPN or RCPT asks, on any wire.
public struct Inquiry: DirectoryQuestion {
    public let query: Query
    let judgement: Judgement
    private let isTrusted: Bool
    /// Those of the next hops, where what VRFY promises depends on them.
    private let routes: [Route]

    /// What every inquiry of a server has in common.
    public struct Context: Hashable, Sendable {
        /// The names of the sources in their order.
        public var sources: [String]
        public var defaultDomain: Domain
        /// The addresses of this server's own, in brackets.
        public var literals: Set<Domain>
        public var limits: ExpansionLimits

        public init(
            sources: [String], defaultDomain: Domain, literals: Set<Domain> = [],
            limits: ExpansionLimits = ExpansionLimits()
        ) {
            self.sources = sources
            self.defaultDomain = defaultDomain
            self.literals = literals
            self.limits = limits
        }

        func expansion(_ question: Question, _ purpose: Purpose) -> Expansion {
            Expansion(
                question, purpose: purpose, sources: sources, defaultDomain: defaultDomain, literals: literals,
                limits: limits)
        }
    }

    /// - Parameter routes: those of the next hops, in their order, where mail is taken: VRFY promises no more than RCPT keeps.
    public init(_ query: Query, by client: ClientClass, over routes: [Route] = []) {
        self.query = query
        judgement = Judgement(query, by: client)
        isTrusted = client.isTrusted
        self.routes = routes
    }

    public var wire: Wire { judgement.wire }

    public var mailbox: Mailbox? { judgement.decided == nil ? query.mailbox : nil }

    public var tellsNames: Bool { judgement.tellsNames }

    public var asksForMembers: Bool { wire == .expand }

    public func answer(on fact: MailboxMemory.Fact, asked mailbox: Mailbox) -> Verdict? {
        judgement.verdict(on: fact, asked: mailbox)
    }

    public func expansion(in context: Context) -> Expansion? {
        if judgement.decided != nil { return nil }
        switch query {
        case .recipient(let path, _): return context.expansion(Question(path), .recipient)
        case .verify(let subject, _): return context.expansion(Question(subject), .verify)
        case .expand(let subject, _):
            return context.expansion(Question(subject), .expand(isTrusted ? .trusted : .anyone))
        }
    }

    public func answer(on resolution: Resolution?) -> Verdict {
        if let decided = judgement.decided { return decided }
        guard let resolution else { return .couldNotTell }
        let verdict = judgement.verdict(on: resolution)
        return wire == .verify ? Judgement.promise(verdict, over: routes) : verdict
    }
}

extension Question {
    /// The question that RCPT asks.
    init(_ path: ForwardPath) {
        switch path {
        case .postmaster: self = .postmaster
        case .mailbox(let mailbox): self = .address(mailbox)
        }
    }

    /// The question that a VRFY or EXPN argument asks.
    public init(_ subject: Subject) {
        switch subject {
        case .mailbox(let mailbox): self = .address(mailbox)
        case .postmaster: self = .postmaster
        case .name(let octets): self = .name(octets)
        }
    }
}

extension Query {
    /// The full address that it asks about; nil for a bare name, and for the postmaster of no domain.
    public var mailbox: Mailbox? {
        switch self {
        case .recipient(.mailbox(let mailbox), _), .verify(.mailbox(let mailbox), _), .expand(.mailbox(let mailbox), _):
            mailbox
        case .recipient(.postmaster, _), .verify, .expand: nil
        }
    }

    /// Whether it asks for the postmaster, who is never refused for policy (RFC 5321 4.5.1).
    public var isForPostmaster: Bool {
        switch self {
        case .recipient(.postmaster, _), .verify(.postmaster, _): true
        case .recipient(.mailbox(let mailbox), _), .verify(.mailbox(let mailbox), _): mailbox.localPart.isPostmaster
        case .verify(.name(let octets), _): (try? LocalPart(octets: octets))?.isPostmaster ?? false
        // Mail needs no EXPN.
        case .expand: false
        }
    }
}
