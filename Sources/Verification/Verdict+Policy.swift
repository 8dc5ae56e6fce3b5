// The verdict in the words of policy delegation: what SMTP would refuse, in SMTP's own code and text; "dunno" for the rest.

public import LookupProtocols
import MailAddress
public import SMTPProtocol

extension Verdict {
    /// What Postfix is to do.
    public func policyAction(on wire: Wire) -> PolicyAction {
        switch self {
        // Mail to elsewhere may well be a user's who sends it: relaying is for Postfix's own rules.
        case .notServed: return .dunno
        // Whatever the wire has 250 for, here it has nothing to say; and no reply need be made to find that out.
        case .verified: return .dunno
        default: break
        }
        let reply = reply(on: wire, form: .enhanced, naming: false)
        return reply.code >= 400 ? .reply(reply.firstLine) : .dunno
    }
}

extension Query {
    /// What a policy request asks; nil where there is nothing to ask of a directory.
    public init?(_ request: PolicyRequest) {
        switch request.state {
        case .rcpt:
            if let mailbox = Mailbox(key: request.recipient) {
                self = .recipient(.mailbox(mailbox), utf8: false)
            } else if let localPart = try? LocalPart(octets: request.recipient), localPart.isPostmaster {
                self = .recipient(.postmaster, utf8: false)
            } else {
                // Without a domain it is not yet what it will be.
                return nil
            }
        case .vrfy:
            if let mailbox = Mailbox(key: request.recipient) {
                self = .verify(.mailbox(mailbox), utf8: false)
            } else if let localPart = try? LocalPart(octets: request.recipient) {
                self = .verify(localPart.isPostmaster ? .postmaster : .name(request.recipient), utf8: false)
            } else {
                return nil
            }
        case .other: return nil
        }
    }

    public var wire: Wire {
        switch self {
        case .recipient: .recipient
        case .verify: .verify
        case .expand: .expand
        }
    }
}

extension MapInquiry {
    /// Asks of a recipient that can be no mailbox of anybody, such as one with a local-part that is too long, whether its
    /// domain is one where all mailboxes are on record; nil where the request has no such recipient. Postfix is lenient,
    /// and would take it.
    public init?(malformed request: PolicyRequest) {
        guard request.state == .rcpt, let at = request.recipient.lastIndex(of: UInt8(ascii: "@")), at > 0
        else { return nil }
        let key = Array(request.recipient[(at + 1)...]).withoutRoot
        self.init(MapRequest(map: Array(DirectoryMap.domains.rawValue.utf8), key: key), by: .everyone)
    }
}

extension MapAnswer {
    /// What Postfix is to do with a malformed recipient, from the map of domains.
    public var policyActionOnMalformed: PolicyAction {
        switch self {
        case .found: Verdict.unknown.policyAction(on: .recipient)
        case .temporary: Verdict.couldNotTell.policyAction(on: .recipient)
        case .absent, .permanent: .dunno
        }
    }
}
