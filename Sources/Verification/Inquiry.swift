// One SMTP query by one client, from the rules that need no lookup, over the walk, to the verdict.

public import MailAddress
public import MailboxDirectory
public import SMTPProtocol

/// A query under way. Make it, walk its `expansion` where there is one, and hand the resolution to `verdict(on:)`.
public struct Inquiry: Sendable {
    /// What the directory is asked; nil where a rule has decided already. Made anew each time, so that the walk is not
    /// copied.
    public var expansion: Expansion? {
        if decided != nil { return nil }
        return Expansion(
            question, purpose: purpose, sources: context.sources, defaultDomain: context.defaultDomain,
            literals: context.literals, limits: context.limits)
    }

    private let question: Question
    private let purpose: Purpose
    private let context: Context
    private let judgement: Judgement
    private let decided: Verdict?

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
    }

    public init(_ query: Query, by client: ClientClass, in context: Context) {
        var purpose = Purpose.verify
        switch query {
        case .recipient(let path, _):
            question = Question(path)
            purpose = .recipient
        case .verify(let subject, _): question = Question(subject)
        case .expand(let subject, _):
            question = Question(subject)
            purpose = .expand(client.isTrusted ? .trusted : .anyone)
        }
        judgement = Judgement(query, by: client)
        decided = judgement.decided
        self.purpose = purpose
        self.context = context
    }

    public var wire: Wire { judgement.wire }

    /// The verdict. The resolution is that of `expansion`; nil where there was none to walk.
    public func verdict(on resolution: Resolution?) -> Verdict {
        if let decided { return decided }
        guard let resolution else { return .couldNotTell }
        return judgement.verdict(on: resolution)
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
