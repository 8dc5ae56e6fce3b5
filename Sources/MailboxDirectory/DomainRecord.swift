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

/// A domain that is served here.
public struct DomainRecord: Hashable, Sendable {
    /// As stored.
    public var domain: Domain
    public var kind: DomainKind
    /// Where mail for names that are not on record goes.
    public var catchAll: Mailbox?
    /// The octets any of which ends the user part of a local-part (RFC 5233); empty: no details here.
    public var detailSeparators: [UInt8]

    public init(
        domain: Domain, kind: DomainKind = .local, catchAll: Mailbox? = nil,
        detailSeparators: [UInt8] = DomainRecord.usualDetailSeparators
    ) {
        self.domain = domain
        self.kind = kind
        self.catchAll = catchAll
        self.detailSeparators = detailSeparators
    }

    /// `+`, the separator that most sites use.
    public static let usualDetailSeparators: [UInt8] = [UInt8(ascii: "+")]
}
