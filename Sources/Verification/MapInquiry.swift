// One question to a map by one client, from the rules that need no lookup, over the walk, to the answer.

public import LookupProtocols
public import MailAddress
public import MailboxDirectory

/// What is asked of a map.
public struct MapInquiry: DirectoryQuestion {
    public func expansion(in context: Inquiry.Context) -> Expansion? {
        guard case .ask(let map, let asked) = start else { return nil }
        var expansion = context.expansion(.address(asked), map.purpose)
        // As much as there is, where the wire has room for any.
        expansion.room = map.room(valueLimit ?? .max / 2)
        return expansion
    }

    private enum Start: Hashable {
        case decided(MapAnswer)
        /// Of a map of domains, the postmaster of the domain.
        case ask(DirectoryMap, Mailbox)
    }

    private let start: Start
    private let judgement: Judgement
    private let valueLimit: Int?

    /// - Parameter valueLimit: octets that a value may have on the wire that asks; nil for any number.
    public init(_ request: MapRequest, by client: ClientClass, valueLimit: Int? = nil) {
        self.valueLimit = valueLimit
        // A map says what RCPT says, to a client that takes UTF-8.
        judgement = Judgement(wire: .recipient, disclosure: client.disclosure, utf8: true)
        start = Self.start(request, by: client)
    }

    private static func start(_ request: MapRequest, by client: ClientClass) -> Start {
        guard let map = DirectoryMap(octets: request.map) else { return .decided(noSuchMap) }
        // Delivery needs every target and every member: so it is for those who may see them all.
        if map.tellsMore, client.disclosure.rcpt != .full || !client.isTrusted { return .decided(closed) }
        if map.isOfDomains {
            var key = request.key[...]
            if map == .transport, let at = key.lastIndex(of: UInt8(ascii: "@")) { key = key[(at + 1)...] }
            guard let domain = try? Domain(octets: Array(key)) else { return .decided(.absent) }
            return .ask(map, Mailbox(localPart: .postmaster, domain: domain))
        }
        // A bare local-part, "@domain", or what is no address at all: RCPT would not take it either.
        guard let mailbox = Mailbox(key: request.key) else { return .decided(.absent) }
        return .ask(map, mailbox)
    }

    public var mailbox: Mailbox? {
        guard case .ask(let map, let asked) = start, !map.isOfDomains else { return nil }
        return asked
    }

    public func answer(on fact: MailboxMemory.Fact, asked mailbox: Mailbox) -> MapAnswer? {
        guard case .ask(let map, _) = start else { return nil }
        return judgement.answer(on: fact, asked: mailbox, of: map)
    }

    public func answer(on resolution: Resolution?) -> MapAnswer {
        switch start {
        case .decided(let answer): return answer
        case .ask(let map, let asked):
            guard let resolution else { return Verdict.couldNotTell.refusal }
            if case .limit(.octets, _) = resolution.outcome { return .tooLong(valueLimit ?? 0) }
            return judgement.answer(on: resolution, asked: asked, of: map)
        }
    }

    public static let noSuchMap = MapAnswer.permanent(
        "5.5.4 No such map; the maps are \(DirectoryMap.allCases.map(\.rawValue).joined(separator: ", "))")
    public static let closed = MapAnswer.permanent(
        "5.7.1 The map is closed to you: it takes a class of clients with \"trusted: true\" and \"rcpt: full\"")
}

extension [UInt8] {
    /// Without the dot after a domain. After an address in brackets it has no meaning, and stays to be refused.
    var withoutRoot: [UInt8] {
        last == UInt8(ascii: ".") && dropLast().last != UInt8(ascii: "]") ? Array(dropLast()) : self
    }
}

extension Mailbox {
    /// An address as another mail server hands it on: its local-part quoted where it must be, or without quotes, as Postfix
    /// has it inside; its domain perhaps with the dot of the root, which mail servers take off later.
    public init?(key: [UInt8]) {
        let key = key.withoutRoot
        if let mailbox = try? Mailbox(octets: key.span) {
            self = mailbox
            return
        }
        guard let at = key.lastIndex(of: UInt8(ascii: "@")), key.first != UInt8(ascii: "\""),
            let localPart = try? LocalPart(octets: Array(key[..<at])),
            let domain = try? Domain(octets: Array(key[(at + 1)...]))
        else { return nil }
        self.init(localPart: localPart, domain: domain)
    }
}
