// Which next hop takes which recipient. The order is that of the configuration, and the first that fits takes it.

public import MailAddress
public import MailboxDirectory
public import SMTPProtocol

/// Where a recipient's mail ends, as far as a next hop may care.
public enum RecipientPlace: String, Hashable, Sendable, CaseIterable {
    /// A mailbox of a local domain.
    case mailboxes
    /// An address of a relay domain, whether or not it is on record.
    case relayDomains = "relay-domains"
    /// A domain that is not served here; reached by forwards, aliases and lists only.
    case elsewhere

    /// A list is at the end of such a walk only where another server knows its members, and mail for it goes there.
    init(_ recipient: Recipient) {
        switch recipient.kind {
        // The domain decides, and not what is on record: all its mail goes one way.
        case .user, .postmaster, .list: self = recipient.isInRelayDomain ? .relayDomains : .mailboxes
        case .relay: self = .relayDomains
        case .elsewhere: self = .elsewhere
        }
    }
}

/// Whose mail one next hop takes.
public struct Route: Hashable, Sendable {
    public var places: Set<RecipientPlace>
    /// Of recipients in these domains only; empty for all.
    public var domains: Set<Domain>
    /// Of these recipients only; empty for all.
    public var mailboxes: Set<Mailbox>
    /// Whether recipients go on without their details (RFC 5233).
    public var dropsDetails: Bool

    public init(
        places: Set<RecipientPlace>, domains: Set<Domain> = [], mailboxes: Set<Mailbox> = [],
        dropsDetails: Bool = false
    ) {
        self.places = places
        self.domains = domains
        self.mailboxes = mailboxes
        self.dropsDetails = dropsDetails
    }

    /// Whether it takes mail for this mailbox.
    public func takes(_ mailbox: Mailbox, in place: RecipientPlace) -> Bool {
        places.contains(place) && (domains.isEmpty || domains.contains(mailbox.domain))
            && (mailboxes.isEmpty || mailboxes.contains(mailbox))
    }

    func takes(_ recipient: Recipient) -> Bool {
        let place = RecipientPlace(recipient)
        if mailboxes.isEmpty || recipient.separatedDetail.isEmpty { return takes(recipient.mailbox, in: place) }
        // What is for a mailbox is so with any detail, and what is for one with a detail is for that alone.
        return takes(recipient.addressWithoutDetail, in: place) || takes(recipient.address, in: place)
    }

    /// The address under which a recipient goes on.
    func address(of recipient: Recipient) -> Mailbox {
        if recipient.separatedDetail.isEmpty { return recipient.mailbox }
        return dropsDetails ? recipient.addressWithoutDetail : recipient.address
    }
}

/// A final recipient, and the next hop that takes its mail.
public struct Destination: Hashable, Sendable {
    /// As the next hop gets it: with its detail, where that goes on.
    public var mailbox: Mailbox
    /// Where it stands in the order of the configuration.
    public var nextHop: Int
    /// The owner of the list by which it was reached, who is the sender to be then (RFC 5321 3.9.2).
    public var owner: Mailbox?
    /// Whether it was reached by a redirection to a domain elsewhere.
    public var isForwarded: Bool

    public init(mailbox: Mailbox, nextHop: Int, owner: Mailbox? = nil, isForwarded: Bool = false) {
        self.mailbox = mailbox
        self.nextHop = nextHop
        self.owner = owner
        self.isForwarded = isForwarded
    }
}

/// What becomes of one RCPT where mail is taken.
public enum Acceptance: Hashable, Sendable {
    case refused(Verdict)
    /// Of those whom the mail should reach, no next hop takes this one: so it is taken for none of them.
    case noRoute(Mailbox)
    /// Mail is taken, for these: each once, one at least. `leftOut` are those behind the same address who take no mail now;
    /// `otherwise` is what they have for an answer, should a next hop refuse all of the others: nil unless one of them may take
    /// mail later.
    case accepted(Verdict, [Destination], leftOut: [Mailbox], otherwise: Verdict?)
}

extension Judgement {
    /// What becomes of an RCPT, on a walk whose purpose was to resolve. What is refused is refused as without next hops.
    ///
    /// Of several behind one address those who take no mail are left out, as EXPN leaves them out: a list must go on when
    /// one member's mailbox is full or has gone. But mail for all others is taken for all of them or for none.
    /// - Parameter onlyOnRecord: whether an address that is not on record itself is unknown, whatever its domain takes.
    public func acceptance(
        on resolution: Resolution, over routes: [Route], onlyOnRecord: Bool = false
    ) -> Acceptance {
        if onlyOnRecord, resolution.outcome == .answered, !resolution.isOnRecord { return .refused(.unknown) }
        let verdict = verdict(on: resolution)
        switch verdict {
        case .verified, .willForward, .notVerifiable: break
        case .notServed:
            guard let asked = resolution.asked, mayRelay else { return .refused(verdict) }
            return relay(asked, over: routes)
        default: return .refused(verdict)
        }
        var destinations: [Destination] = []
        var leftOut = resolution.failures.map(\.address)
        var otherwise: Verdict? = resolution.failures.contains { $0.reason == .suspended } ? .suspended : nil
        for recipient in resolution.recipients {
            if recipient.kind == .user(.full) {
                leftOut.append(recipient.address)
                otherwise = otherwise ?? .full(NamedMailbox(name: "", mailbox: recipient.mailbox))
                continue
            }
            guard let index = routes.firstIndex(where: { $0.takes(recipient) }) else {
                return refusal(of: recipient.mailbox, instead: verdict)
            }
            destinations.append(
                Destination(
                    mailbox: routes[index].address(of: recipient), nextHop: index, owner: recipient.owner,
                    isForwarded: recipient.kind == .elsewhere))
        }
        if destinations.isEmpty, let asked = resolution.asked {
            return .refused(.full(NamedMailbox(name: "", mailbox: asked)))
        }
        return .accepted(verdict, destinations, leftOut: leftOut, otherwise: otherwise)
    }

    /// The same on what is remembered of the asked mailbox; nil where that does not suffice.
    public func acceptance(on fact: MailboxMemory.Fact, over routes: [Route]) -> Acceptance? {
        switch fact {
        case .unknown: return .refused(.unknown)
        case .listOfNobody: return .refused(.noMembers)
        // Who is on it has to be found out.
        case .user(nil, _, _), .list: return nil
        case .user(let mailbox?, _, let isInRelayDomain):
            let recipient = Recipient(
                mailbox: mailbox, kind: .user(.active), isInRelayDomain: isInRelayDomain)
            guard let index = routes.firstIndex(where: { $0.takes(recipient) }) else { return .noRoute(mailbox) }
            let destination = Destination(mailbox: mailbox, nextHop: index)
            // RCPT is not told the name.
            return .accepted(
                .verified(NamedMailbox(name: "", mailbox: mailbox)), [destination], leftOut: [], otherwise: nil)
        }
    }

    /// Mail of a client that may send elsewhere.
    private func relay(_ asked: Mailbox, over routes: [Route]) -> Acceptance {
        guard let index = routes.firstIndex(where: { $0.takes(asked, in: .elsewhere) }) else { return .noRoute(asked) }
        return .accepted(.notVerifiable, [Destination(mailbox: asked, nextHop: index)], leftOut: [], otherwise: nil)
    }

    /// The verdict on VRFY where mail is taken: "will forward" is a promise, given only where RCPT would keep it.
    public static func promise(_ verdict: Verdict, over routes: [Route]) -> Verdict {
        guard case .willForward(let address, _) = verdict, !routes.isEmpty,
            !routes.contains(where: { $0.takes(address, in: .elsewhere) })
        else { return verdict }
        return .moved(to: address)
    }

    /// Who would be told "will forward" is told where to send it instead (RFC 5321 3.4).
    private func refusal(of mailbox: Mailbox, instead verdict: Verdict) -> Acceptance {
        if case .willForward(let address, _) = verdict { return .refused(.moved(to: address)) }
        return .noRoute(mailbox)
    }
}

/// What RCPT asks where there are next hops: all its recipients are found, and who takes their mail.
public struct DeliveryInquiry: DirectoryQuestion {
    private let path: ForwardPath
    private let query: Query
    private let judgement: Judgement
    private let routes: [Route]
    private let onlyOnRecord: Bool

    /// - Parameters:
    ///   - routes: those of the next hops, in their order.
    ///   - onlyOnRecord: whether an address that is not on record is unknown, though its domain takes any.
    public init(
        _ query: Query, to path: ForwardPath, by client: ClientClass, over routes: [Route], onlyOnRecord: Bool = false
    ) {
        self.path = path
        self.query = query
        judgement = Judgement(query, by: client)
        self.routes = routes
        self.onlyOnRecord = onlyOnRecord
    }

    public var mailbox: Mailbox? { query.mailbox }

    public func answer(on fact: MailboxMemory.Fact, asked mailbox: Mailbox) -> Acceptance? {
        judgement.acceptance(on: fact, over: routes)
    }

    public func expansion(in context: Inquiry.Context) -> Expansion? {
        context.expansion(Question(path), .resolve)
    }

    public func answer(on resolution: Resolution?) -> Acceptance {
        guard let resolution else { return .refused(.couldNotTell) }
        return judgement.acceptance(on: resolution, over: routes, onlyOnRecord: onlyOnRecord)
    }
}
