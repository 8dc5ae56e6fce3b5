// The verdict in the words of the milter protocol: what our SMTP would refuse, in its own code and text, and "continue" for
// the rest.

public import LookupProtocols
import MailAddress
public import SMTPProtocol

extension Verdict {
    /// What the mail server is to do about a recipient: the same as by policy delegation.
    public var milterAnswer: MilterAnswer { MilterAnswer(policyAction(on: .recipient)) }
}

extension MapAnswer {
    /// What it is to do with a malformed recipient, from the map of domains.
    public var milterAnswerOnMalformed: MilterAnswer { MilterAnswer(policyActionOnMalformed) }
}

extension MilterAnswer {
    fileprivate init(_ action: PolicyAction) {
        switch action {
        case .dunno: self = .proceed
        case .reply(let text): self = .reply(text)
        case .silence: self = .silence
        }
    }
}

extension Query {
    /// What RCPT asks; nil where it has no address with a domain, or a malformed one.
    public init?(_ recipient: MilterRecipient) {
        if let address = recipient.readAddress {
            guard let mailbox = Mailbox(key: address) else { return nil }
            self = .recipient(.mailbox(mailbox), utf8: recipient.utf8)
            return
        }
        var index = 0
        if let path = try? ForwardPath.parse(recipient.path.span, from: &index), index == recipient.path.count {
            self = .recipient(path, utf8: recipient.utf8)
            return
        }
        guard let name = recipient.name else { return nil }
        if let mailbox = try? Mailbox(octets: name.withoutRoot.span) {
            self = .recipient(.mailbox(mailbox), utf8: recipient.utf8)
        } else if let localPart = try? LocalPart(octets: name), localPart.isPostmaster {
            self = .recipient(.postmaster, utf8: recipient.utf8)
        } else {
            return nil
        }
    }
}

extension MapInquiry {
    /// Asks of a recipient that can be no mailbox of anybody whether its domain is one where all mailboxes are on record, as
    /// for policy delegation. Nil where only the mail server can tell what address a malformed path is to it.
    public init?(malformed recipient: MilterRecipient) {
        guard let name = recipient.readAddress ?? recipient.plainName else { return nil }
        self.init(malformed: PolicyRequest(state: .rcpt, recipient: name))
    }
}

extension MilterRecipient {
    /// What the mail server has read, where that has a domain: mail servers take comments, spaces and "!" that SMTP does not
    /// have, and what they make of them is the recipient.
    fileprivate var readAddress: [UInt8]? {
        guard let address, let at = address.lastIndex(of: UInt8(ascii: "@")), at > 0 else { return nil }
        return address
    }

    /// The path without brackets, where it holds nothing that could be read in two ways.
    fileprivate var plainName: [UInt8]? {
        name.flatMap { name in name.contains { " \t()<>,;:\\\"".utf8.contains($0) } ? nil : name }
    }

    /// The path without brackets, where it has any: sendmail takes "RCPT TO:fred@example.org", and hands it on so. Nil with
    /// half a pair, and with a source route that is not as it should be: its "@" is not that of the mailbox.
    fileprivate var name: [UInt8]? {
        var name = path[...]
        if name.first == UInt8(ascii: "<"), name.last == UInt8(ascii: ">") { name = name.dropFirst().dropLast() }
        return name.first == UInt8(ascii: "<") || name.first == UInt8(ascii: "@") ? nil : Array(name)
    }
}

extension ClientAddress {
    /// Whom a mail server names as its client. What can't be read is nobody's friend: an address outside every network but
    /// the widest.
    public init(_ client: MilterClient) {
        let nobody = ClientAddress(ipv6High: 0, low: 0)
        switch client {
        case .local: self = .unixSocket
        case .unknown: self = nobody
        case .internet(let octets):
            // A link-local address may come with its interface (RFC 4007 11), which no network is told by.
            let address = ClientAddress(String(decoding: octets.prefix { $0 != UInt8(ascii: "%") }, as: UTF8.self))
            // "unix" is a word of the configuration, and no address.
            if let address, address != .unixSocket { self = address } else { self = nobody }
        }
    }
}
