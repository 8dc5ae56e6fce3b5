// The maps that other mail servers may ask, named for what they answer.

import MailboxDirectory

/// A map. Its key is a full address, or a bare domain where that is said; a key of another form is in no map.
public enum DirectoryMap: String, Hashable, Sendable, CaseIterable {
    /// Domain to itself: local domains and their aliases. Postfix: virtual_mailbox_domains.
    case domains
    /// Domain to itself: relay domains and their aliases. Postfix: relay_domains.
    case relayDomains = "relay-domains"
    /// Address to canonical mailbox: whatever RCPT takes that is on record, or stands for something on record. Postfix:
    /// virtual_mailbox_maps, local_recipient_maps, relay_recipient_maps.
    case mailboxes
    /// The same, and whatever else RCPT takes: any address of a relay domain. Postfix: relay_recipient_maps.
    case recipients
    /// Address to all final recipients, as full addresses with ", " between them: aliases, forwards, lists, catch-alls,
    /// addresses of alias domains, and other addresses of a mailbox than the canonical one, each with the detail that goes on
    /// to it. An address that is its own final mailbox, with or without a detail, is not in it, or Postfix would ask for
    /// ever. Postfix: virtual_alias_maps.
    case aliases
    /// The same, one redirection far: each target is to be asked for again. Postfix: virtual_alias_maps.
    case aliasesStep = "aliases-step"
    /// Address to the targets of the forward there, after the address itself where a copy is kept.
    case forwards
    /// Address to the new address of who has moved. Postfix: relocated_maps.
    case relocated
    /// Address to the login names, with ", " between them, of those whose address it is: the user there, or the users that
    /// an alias or a catch-all stands for; who has no login name is given by address. Lists have none. Postfix:
    /// smtpd_sender_login_maps.
    case senders
    /// Domain, or an address in it, to the transport on its record, `TRANSPORT:NEXTHOP`; an alias of a domain has that of
    /// the domain. Postfix: transport_maps, which is asked for whole addresses only (socketmap_table(5)).
    case transport

    private static let octets = allCases.map { Array($0.rawValue.utf8) }

    /// The map of a name as it comes, where "_" may stand for "-": sendmail has no "-" in the names of its maps.
    init?(octets name: [UInt8]) {
        let index = Self.octets.firstIndex { octets in
            octets.elementsEqual(name) { $0 == $1 || ($0 == UInt8(ascii: "-") && $1 == UInt8(ascii: "_")) }
        }
        guard let index else { return nil }
        self = Self.allCases[index]
    }

    /// Whether the question is about a domain.
    public var isOfDomains: Bool { self == .domains || self == .relayDomains || self == .transport }

    /// Whether it tells other addresses than the one that is asked for, or logins.
    public var tellsMore: Bool {
        switch self {
        case .domains, .relayDomains, .mailboxes, .recipients: false
        // Where a site's own servers are is nobody else's business either.
        case .aliases, .aliasesStep, .forwards, .relocated, .senders, .transport: true
        }
    }

    /// What of its value has room for so many octets; nil where no value is long.
    func room(_ octets: Int) -> Expansion.Room? {
        switch self {
        case .aliases: .recipients(octets)
        case .aliasesStep, .forwards: .step(octets)
        case .domains, .relayDomains, .mailboxes, .recipients, .relocated, .senders, .transport: nil
        }
    }

    /// How far its question is walked.
    var purpose: Purpose {
        switch self {
        case .domains, .relayDomains, .transport: .domain
        case .mailboxes, .recipients, .forwards: .recipient
        case .relocated, .senders: .verify
        case .aliases, .aliasesStep: .resolve
        }
    }
}
