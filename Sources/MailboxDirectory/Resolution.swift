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
    /// All that mail for the address reaches, in order: each mailbox once, and once more for each further detail.
    public var recipients: [Recipient] = []
    /// The same, each mailbox once whatever details it is reached by.
    public var recipientsByMailbox: [Recipient] {
        guard recipients.count > 1, recipients.contains(where: { !$0.separatedDetail.isEmpty }) else {
            return recipients
        }
        var seen: Set<Mailbox> = []
        return recipients.filter { seen.insert($0.mailbox).inserted }
    }
    /// What the walk reached that takes no mail.
    public var failures: [Failure] = []
    /// Whether every step led to one address only, and the last of them takes mail.
    var endsAtOne = false
    /// How the domain is served; only where that was the question (`Purpose.domain`), and nil where it is not.
    public var served: ServedDomain?
    /// Where the asked address itself leads, one redirection far, as on record: targets after a copy that is kept, or
    /// members; with the detail where it goes on. Empty where it is no redirection, and where lists and forwards were not to be followed to the end.
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

    /// The canonical mailbox. Where it is not on record, which is elsewhere and in relay domains, it is the whole address:
    /// how that is split is for its own server to say.
    public var mailbox: Mailbox
    /// The name for people; may be empty.
    public var name: String
    public var kind: Kind
    /// The detail by which the mailbox was reached (RFC 5233), after its separator and spelled as given: `+lists`. Empty
    /// where there is none.
    public var separatedDetail: [UInt8]
    /// Whether the mailbox is in a relay domain: mail for it is then for another server, whatever is on record.
    public var isInRelayDomain: Bool
    /// The login name of a user here, where one is on record.
    public var login: String?
    /// The owner of the first list on the way here: who is told when mail for it fails (RFC 5321 3.9.2). Nil where no
    /// list is on the way, or it has no owner.
    public var owner: Mailbox?

    public init(
        mailbox: Mailbox, name: String = "", kind: Kind, separatedDetail: [UInt8] = [], isInRelayDomain: Bool = false,
        login: String? = nil, owner: Mailbox? = nil
    ) {
        self.mailbox = mailbox
        self.name = name
        self.kind = kind
        self.separatedDetail = separatedDetail
        self.isInRelayDomain = isInRelayDomain
        self.login = login
        self.owner = owner
    }

    /// The detail without its separator; empty when there is none.
    public var detail: [UInt8] { Array(separatedDetail.dropFirst()) }

    /// The mailbox with the detail, as mail goes on to who delivers it.
    public var address: Mailbox { isWhole ? mailbox : mailbox.with(separatedDetail: separatedDetail) }

    /// The mailbox without the detail.
    public var addressWithoutDetail: Mailbox {
        isWhole ? mailbox.without(separatedDetail: separatedDetail) : mailbox
    }

    /// Whether the mailbox still has its detail.
    private var isWhole: Bool {
        switch kind {
        case .elsewhere, .relay: true
        case .user, .list, .postmaster: false
        }
    }
}

extension Mailbox {
    /// The same with a detail after the local-part. It is left out where it would make that longer than a local-part may be:
    /// the mail then still goes to its mailbox.
    func with(separatedDetail: [UInt8]) -> Mailbox {
        guard !separatedDetail.isEmpty, let whole = try? LocalPart(octets: localPart.octets + separatedDetail) else {
            return self
        }
        return Mailbox(localPart: whole, domain: domain)
    }

    /// The same without the detail that its local-part ends with.
    fileprivate func without(separatedDetail: [UInt8]) -> Mailbox {
        guard !separatedDetail.isEmpty, localPart.octets.ends(with: separatedDetail),
            let base = try? LocalPart(octets: Array(localPart.octets.dropLast(separatedDetail.count)))
        else { return self }
        return Mailbox(localPart: base, domain: domain)
    }
}

extension [UInt8] {
    fileprivate func ends(with end: [UInt8]) -> Bool { count >= end.count && suffix(end.count).elementsEqual(end) }
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
    /// As in `Recipient`; only of who may take mail later.
    public var separatedDetail: [UInt8]

    public init(mailbox: Mailbox, reason: Reason, separatedDetail: [UInt8] = []) {
        self.mailbox = mailbox
        self.reason = reason
        self.separatedDetail = separatedDetail
    }

    /// The mailbox with the detail.
    public var address: Mailbox { mailbox.with(separatedDetail: separatedDetail) }
}

extension Moved {
    /// The way from the new address back to the old one, where those who are told it would be sent round in a circle; nil where
    /// it ends elsewhere.
    /// - Parameters:
    ///   - limit: new addresses that are followed.
    ///   - walk: resolves an address, or throws where that could not be told.
    func circle<Fault: Error>(
        limit: Int, _ walk: (Mailbox) throws(Fault) -> Resolution
    ) throws(Fault) -> [Mailbox]? {
        var (path, next) = ([address], newAddress)
        while let told = next, path.count <= limit {
            path.append(told)
            guard let failure = try walk(told).failures.first, case .moved(let newer) = failure.reason else {
                return nil
            }
            if failure.mailbox == address { return told == address ? path : path + [address] }
            next = newer
        }
        return nil
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
