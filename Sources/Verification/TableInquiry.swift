// One question of OpenSMTPD to its table, from the service and the key, over the walk, to the reply.

public import LookupProtocols
import MailAddress
public import MailboxDirectory

/// A question under way. Make it, walk its `expansion` where there is one, and hand the resolution to `reply(on:)`.
public struct TableInquiry: Sendable {
    /// What a table is, as whoever starts it has it.
    public struct Table: Hashable, Sendable {
        /// The one map that is asked; nil where the service says which.
        public var map: DirectoryMap?
        /// The name that the table has in smtpd's configuration: that of one of a service's maps chooses it.
        public var name: [UInt8] = []
        /// The user as whom OpenSMTPD delivers to every mailbox; nil for each one's login name.
        public var user: String?

        public init(map: DirectoryMap? = nil, user: String? = nil) {
            self.map = map
            self.user = user
        }

        /// What smtpd may ask of it.
        public var services: [TableService] {
            TableService.allCases.filter { service in map.map(service.maps.contains) ?? true }
        }

        fileprivate func map(for service: TableService) -> DirectoryMap? {
            if let map { return service.maps.contains(map) ? map : nil }
            return service.maps.first { $0.rawValue.utf8.elementsEqual(name) } ?? service.maps.first
        }
    }

    private enum Start {
        case decided(TableProcReply)
        case map(MapInquiry)
        case alias(Mailbox)
    }

    private let start: Start
    private let question: TableQuestion
    private let table: Table
    private let context: Inquiry.Context
    private let judgement: Judgement

    /// - Parameter client: whom the words of a refusal are for: smtpd does not say who that is.
    public init(_ question: TableQuestion, to table: Table, for client: ClientClass, in context: Inquiry.Context) {
        self.question = question
        self.table = table
        self.context = context
        judgement = Judgement(wire: .recipient, disclosure: client.disclosure, utf8: false)
        guard let map = table.map(for: question.service) else {
            start = .decided(.trouble(question.head, Self.otherService))
            return
        }
        if map != .aliases {
            let request = MapRequest(map: Array(map.rawValue.utf8), key: question.key)
            start = .map(
                MapInquiry(request, by: .trusted, valueLimit: LookupLimits.tableProcValue))
        } else if let mailbox = Mailbox(key: question.key) {
            start = .alias(mailbox)
        } else {
            // A bare user, "@domain" and "@" are asked for after the address itself, and "user@" of every user that an
            // address led to: what there was to say has been said (aliases_virtual_get in aliases.c).
            start = .decided(.absent(question.head))
        }
    }

    /// What the directory is asked; nil where a rule has decided already. Made anew each time, so that the walk is not
    /// copied.
    public var expansion: Expansion? {
        switch start {
        case .decided: return nil
        case .map(let inquiry): return inquiry.expansion(in: context)
        case .alias(let mailbox):
            var expansion = context.expansion(.address(mailbox), .resolve)
            // The octets are those of addresses with ", " between them; here it is "," and some may be shorter logins.
            expansion.room = .recipients(2 * LookupLimits.tableProcValue)
            return expansion
        }
    }

    /// The reply. The resolution is that of `expansion`; nil where there was none to walk.
    public func reply(on resolution: Resolution?) -> TableProcReply {
        let head = question.head
        switch start {
        case .decided(let reply): return reply
        case .map(let inquiry):
            switch inquiry.answer(on: resolution) {
            case .found(let value): return .found(head, value)
            case .absent: return .absent(head)
            case .temporary(let text), .permanent(let text): return .trouble(head, text)
            }
        case .alias(let mailbox):
            guard let resolution else { return .trouble(head, Array("4.4.3 The directory was not asked".utf8)) }
            if case .limit(.octets, _) = resolution.outcome { return .trouble(head, TableProcWire.tooLong) }
            switch judgement.targets(on: resolution, asked: mailbox, user: table.user) {
            case .value(let value): return .found(head, value)
            case .absent: return .absent(head)
            case .trouble(let text): return .trouble(head, text)
            }
        }
    }

    private static let otherService = Array("5.5.4 The map of this table is for another service".utf8)
}

extension TableService {
    /// The maps that can answer it; the first is the one that does unless another is asked for.
    public var maps: [DirectoryMap] {
        switch self {
        case .alias: [.aliases]
        case .domain: [.domains, .relayDomains]
        case .mailaddr: [.recipients, .mailboxes]
        }
    }
}
