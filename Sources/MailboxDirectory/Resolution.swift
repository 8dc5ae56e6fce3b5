// What a walk found out. It says what is true; what a client is told of it is decided elsewhere.

public import MailAddress

/// The end of a walk.
public struct Resolution: Hashable, Sendable {
    public var outcome: Outcome
    /// The asked address as stored, where it is on record, and as asked where not; nil when a bare name matched nothing.
    public var asked: Mailbox?
    /// The entries from the asked address on, as long as each led to exactly one other address.
    public var chain: [Entry] = []
    /// Whether there is an entry for the asked address itself, and not only a rule of its domain that takes it.
    public var isOnRecord: Bool { chain.first.map { $0.address == asked } ?? false }
    /// Where the chain ended, when that was one mailbox that takes mail.
    public var end: Recipient? { endsAtOne ? recipients.first : nil }
    /// All that mail for the address reaches, once each, in order.
    public var recipients: [Recipient] = []
    /// What the walk reached that takes no mail.
    public var failures: [Failure] = []
    /// Whether every step led to one address only, and the last of them takes mail.
    var endsAtOne = false
    /// How the domain is served; only where that was the question (`Purpose.domain`), and nil where it is not.
    public var served: ServedDomain?
    /// Where the asked address itself leads, one redirection far, as on record: targets after a copy that is kept, or
    /// members. Empty where it is no redirection, and where lists and forwards were not to be followed to the end.
    public var step: [Mailbox] = []
    /// Every step, when a trace was asked for.
    public var trace: [TraceStep] = []

    public init(outcome: Outcome, asked: Mailbox? = nil) {
        self.outcome = outcome
        self.asked = asked
    }

    /// How a walk ended.
    public enum Outcome: Hashable, Sendable {
        /// Every step was answered: see `recipients` and `failures`.
        case answered
        /// A bare name fits several mailboxes; `complete` is false when there are more than are given.
        case ambiguous([Entry], complete: Bool)
        /// A source failed: nothing is known, and nothing may be concluded.
        case couldNotTell(Trouble)
        /// The path from the asked address back to an address on it.
        case loop([Mailbox])
        /// The limit that was passed, and the path on which it was.
        case limit(ExpansionLimits.Kind, path: [Mailbox])
    }
}

/// A domain that is served here, with the kind that rules: an alias has that of the domain it is an alias of.
public struct ServedDomain: Hashable, Sendable {
    /// As stored.
    public var domain: Domain
    public var isRelay: Bool
    /// As `DomainRecord.transport`; an alias that has none of its own has that of the domain it is an alias of.
    public var transport: String?

    public init(domain: Domain, isRelay: Bool, transport: String? = nil) {
        self.domain = domain
        self.isRelay = isRelay
        self.transport = transport
    }
}

/// One mailbox that mail reaches.
public struct Recipient: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// A user's mailbox here, active or full.
        case user(AccountStatus)
        /// A list that was not opened, with who may open it.
        case list(ExpansionAccess)
        /// The postmaster of a served domain, for whom there is no record.
        case postmaster
        /// A domain that is not served here.
        case elsewhere
        /// A domain whose mail is accepted but whose mailboxes are not known.
        case relay
    }

    /// The canonical mailbox.
    public var mailbox: Mailbox
    /// The name for people; may be empty.
    public var name: String
    public var kind: Kind
    /// The detail that was taken off to find the mailbox (RFC 5233); empty when none was.
    public var detail: [UInt8]
    /// The login name of a user here, where one is on record.
    public var login: String?
    /// The owner of the first list on the way here: who is told when mail for it fails (RFC 5321 3.9.2). Nil where no
    /// list is on the way, or it has no owner.
    public var owner: Mailbox?

    public init(
        mailbox: Mailbox, name: String = "", kind: Kind, detail: [UInt8] = [], login: String? = nil,
        owner: Mailbox? = nil
    ) {
        self.mailbox = mailbox
        self.name = name
        self.kind = kind
        self.detail = detail
        self.login = login
        self.owner = owner
    }
}

/// One address that the walk reached and that takes no mail.
public struct Failure: Hashable, Sendable {
    public enum Reason: Hashable, Sendable {
        case unknown
        /// The asked address is in no domain that is served here.
        case notServed
        case disabled
        case suspended
        case moved(to: Mailbox?)
    }

    public var mailbox: Mailbox
    public var reason: Reason

    public init(mailbox: Mailbox, reason: Reason) {
        self.mailbox = mailbox
        self.reason = reason
    }
}

/// One step of a walk, for people.
public struct TraceStep: Hashable, Sendable {
    /// The address that was at hand; nil for a bare name.
    public var address: Mailbox?
    /// How many redirections from the asked address.
    public var depth: Int
    /// The source that answered; nil where a rule did.
    public var source: String?
    /// What was found and what follows from it.
    public var reason: String
}
