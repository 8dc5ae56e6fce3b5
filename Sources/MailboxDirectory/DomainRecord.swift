// What is known of a domain that is served here.

public import MailAddress

/// How a domain is served.
public enum DomainKind: Hashable, Sendable {
    /// All its mailboxes are on record: a name that is not, is unknown.
    case local
    /// Mail for it is accepted and passed on; its mailboxes need not be on record.
    case relay
    /// Another name of a domain: an address not found here is looked up there.
    case alias(of: Domain)
}

/// A domain that is served here. It is asked for at every question and changed hardly ever, so copies share their content.
public struct DomainRecord: Sendable {
    private struct Content: Hashable {
        var domain: Domain
        var kind: DomainKind
        var catchAll: Mailbox?
        var detailSeparators: [UInt8]
        var transport: String?
    }

    private final class Storage: Sendable {
        let content: Content

        init(_ content: Content) { self.content = content }
    }

    private var storage: Storage

    /// As stored.
    public var domain: Domain {
        get { storage.content.domain }
        set { change { $0.domain = newValue } }
    }

    public var kind: DomainKind {
        get { storage.content.kind }
        set { change { $0.kind = newValue } }
    }

    /// Where mail for names that are not on record goes.
    public var catchAll: Mailbox? {
        get { storage.content.catchAll }
        set { change { $0.catchAll = newValue } }
    }

    /// The octets any of which ends the user part of a local-part (RFC 5233); empty: no details here.
    public var detailSeparators: [UInt8] {
        get { storage.content.detailSeparators }
        set { change { $0.detailSeparators = newValue } }
    }

    /// How the mail server that asks is to deliver the domain's mail, as `TRANSPORT:NEXTHOP` (Postfix, transport(5)): at most
    /// `transportLimit` octets of printable ASCII; nil: as it delivers any other.
    public var transport: String? {
        get { storage.content.transport }
        set { change { $0.transport = newValue } }
    }

    public init(
        domain: Domain, kind: DomainKind = .local, catchAll: Mailbox? = nil,
        detailSeparators: [UInt8] = DomainRecord.usualDetailSeparators, transport: String? = nil
    ) {
        storage = Storage(
            Content(
                domain: domain, kind: kind, catchAll: catchAll, detailSeparators: detailSeparators,
                transport: transport))
    }

    private mutating func change(_ body: (inout Content) -> Void) {
        var content = storage.content
        body(&content)
        storage = Storage(content)
    }

    /// `+`, the separator that most sites use.
    public static let usualDetailSeparators: [UInt8] = [UInt8(ascii: "+")]

    /// The octets of a transport: more than any name of a host or path of a socket, with a port, can take.
    public static let transportLimit = 512

    /// Whether each bracket of a transport encloses a host, as in `smtp:[mx.example.org]:25`: after `:` or `,`, and before the
    /// same or the end. The path of a socket may have any.
    public static func hasWholeBrackets(_ transport: String) -> Bool {
        let octets = Array(transport.utf8)
        guard let colon = octets.firstIndex(of: UInt8(ascii: ":")) else { return true }
        let nextHop = octets[(colon + 1)...]
        if nextHop.starts(with: "unix:".utf8) { return true }
        let (open, close) = (UInt8(ascii: "["), UInt8(ascii: "]"))
        let edges: [UInt8] = [UInt8(ascii: ":"), UInt8(ascii: ",")]
        var start: Int?
        for index in nextHop.indices {
            if octets[index] == open {
                guard start == nil, edges.contains(octets[index - 1]) else { return false }
                start = index
            } else if octets[index] == close {
                guard let begin = start, index > begin + 1,
                    index + 1 == octets.count || edges.contains(octets[index + 1])
                else { return false }
                start = nil
            }
        }
        return start == nil
    }

    /// Whether a text has the form of a transport.
    public static func isTransport(_ text: String) -> Bool {
        let octets = text.utf8
        return octets.count > 1 && octets.count <= transportLimit && octets.contains(UInt8(ascii: ":"))
            && octets.allSatisfy { $0 > 32 && $0 < 127 }
    }
}

extension DomainRecord: Hashable {
    public static func == (one: DomainRecord, other: DomainRecord) -> Bool {
        one.storage === other.storage || one.storage.content == other.storage.content
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(storage.content) }
}
