// The verdict in the words of the milter protocol: what our SMTP would refuse, in its own code and text, and "continue" for
// the rest.

public import LookupProtocols
import MailAddress
public import SMTPProtocol

extension Verdict {
    /// What the mail server is to do about a recipient.
    public var milterAnswer: MilterAnswer {
        // Mail to elsewhere may well be a user's who sends it: relaying is for the mail server's own rules.
        if case .notServed = self { return .proceed }
        let reply = reply(on: .recipient, form: .enhanced)
        guard reply.code >= 400, let line = reply.lines(withEnhancedCode: true).first else { return .proceed }
        return .reply(Array(line.utf8))
    }
}

extension Query {
    /// What RCPT asks; nil where it has no address with a domain: what such a one stands for, or whether it is any, is for
    /// the mail server to say.
    public init?(_ recipient: MilterRecipient) {
        let octets = recipient.path
        var index = 0
        if let path = try? ForwardPath.parse(octets.span, from: &index), index == octets.count {
            self = .recipient(path, utf8: recipient.utf8)
            return
        }
        // sendmail takes "RCPT TO:fred@example.org", and hands it on so.
        var name = octets
        if octets.first == UInt8(ascii: "<"), octets.last == UInt8(ascii: ">") {
            name = Array(octets.dropFirst().dropLast())
        }
        // Half a bracket, or a source route that is not as it should be: its "@" is not that of the mailbox.
        if name.first == UInt8(ascii: "<") || name.first == UInt8(ascii: "@") { return nil }
        if let mailbox = Mailbox(key: name) {
            self = .recipient(.mailbox(mailbox), utf8: recipient.utf8)
        } else if let localPart = try? LocalPart(octets: name), localPart.isPostmaster {
            self = .recipient(.postmaster, utf8: recipient.utf8)
        } else {
            return nil
        }
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
