// The verdict in the numbers of qmail-deliverabled: what RCPT takes is deliverable, what it refuses for now is temporary.

public import LookupProtocols
import MailAddress
public import SMTPProtocol

extension Verdict {
    public var deliverability: QmailDeliverableAnswer {
        if case .notServed = self { return .notLocal }
        let code = reply(on: .recipient, form: .enhanced).code
        return code < 400 ? .deliverable : code < 500 ? .temporary : .undeliverable
    }
}

extension MapAnswer {
    /// What is said of a malformed address, from the map of domains.
    public var deliverabilityOfMalformed: QmailDeliverableAnswer {
        switch self {
        case .found: .undeliverable
        case .temporary: .temporary
        case .absent, .permanent: .notLocal
        }
    }
}

extension Query {
    /// What is asked of an address; nil where it has no domain, or is malformed.
    public init?(deliverable address: [UInt8]) {
        if let mailbox = Mailbox(key: address) {
            self = .recipient(.mailbox(mailbox), utf8: true)
        } else if let localPart = try? LocalPart(octets: address), localPart.isPostmaster {
            self = .recipient(.postmaster, utf8: true)
        } else {
            return nil
        }
    }
}
