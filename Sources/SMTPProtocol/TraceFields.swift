// The fields that a server writes on top of a message: Received: always, Return-Path: at final delivery (RFC 5321 4.4),
// Delivered-To:, by which a message that comes back is known, and X-Original-To:, which tells the recipient by which address
// it came.

public import MailAddress

/// What a Received: field says.
public struct Stamp: Sendable {
    /// What the client called itself; nil when it did not.
    public var clientName: [UInt8]?
    /// Where the client is, as an address literal without brackets: `192.0.2.1`, `IPv6:2001:db8::1`; nil for a Unix socket.
    public var clientAddress: [UInt8]?
    public var hostname: [UInt8]
    /// `SMTP`, `ESMTP` and so on: see `transmission(isExtended:isEncrypted:utf8:)`.
    public var transmission: StaticString
    /// An Atom.
    public var id: [UInt8]
    /// The recipient, where there was one RCPT only (RFC 5321 4.4, 7.2).
    public var recipient: ForwardPath?
    /// `date-time` of RFC 5322 3.3.
    public var date: [UInt8]

    public init(
        clientName: [UInt8]?, clientAddress: [UInt8]?, hostname: [UInt8], transmission: StaticString, id: [UInt8],
        recipient: ForwardPath?, date: [UInt8]
    ) {
        self.clientName = clientName
        self.clientAddress = clientAddress
        self.hostname = hostname
        self.transmission = transmission
        self.id = id
        self.recipient = recipient
        self.date = date
    }

    /// The word after "with": RFC 5321 4.4, RFC 3848 and RFC 6531 4.3.
    public static func transmission(isExtended: Bool, isEncrypted: Bool, utf8: Bool) -> StaticString {
        switch (utf8, isExtended, isEncrypted) {
        case (true, _, true): "UTF8SMTPS"
        case (true, _, false): "UTF8SMTP"
        case (false, true, true): "ESMTPS"
        case (false, true, false): "ESMTP"
        case (false, false, _): "SMTP"
        }
    }

    /// `Time-stamp-line = "Received:" FWS Stamp <CRLF>` (RFC 5321 4.4), folded, with its CRLF.
    public var line: [UInt8] {
        var line = Array("Received: from ".utf8)
        appendClient(to: &line)
        line += "\r\n\tby ".utf8
        line += hostname
        line += " with ".utf8
        transmission.withUTF8Buffer { line += $0 }
        line += " id ".utf8
        line += id
        switch recipient {
        case .postmaster?: line += "\r\n\tfor <postmaster>".utf8
        case .mailbox(let mailbox)?:
            line += "\r\n\tfor <".utf8
            mailbox.append(to: &line)
            line.append(UInt8(ascii: ">"))
        case nil: break
        }
        line += "; ".utf8
        line += date
        line += "\r\n".utf8
        return line
    }

    /// `Extended-Domain = Domain / ( Domain FWS "(" TCP-info ")" ) / ( address-literal FWS "(" TCP-info ")" )`
    /// (RFC 5321 4.4). A name that is neither a domain nor a literal is left out: it may hold what would end the clause.
    private func appendClient(to line: inout [UInt8]) {
        let literal = clientAddress.map { [UInt8(ascii: "[")] + $0 + [UInt8(ascii: "]")] }
        // A domain by the letter of RFC 5321 4.1.2: what others write otherwise is not for a trace.
        let name = clientName.flatMap { name in (try? Domain(octets: name)).flatMap { $0.hasUnderscore ? nil : name } }
        line += name ?? literal ?? Array("localhost".utf8)
        if let literal {
            line += " (".utf8
            line += literal
            line.append(UInt8(ascii: ")"))
        }
    }
}

public enum TraceFields {
    /// `Return-path-line = "Return-Path:" FWS Reverse-path <CRLF>` (RFC 5321 4.4).
    public static func returnPath(_ path: ReversePath) -> [UInt8] {
        var line = Array("Return-Path: <".utf8)
        if case .mailbox(let mailbox) = path { mailbox.append(to: &line) }
        return line + ">\r\n".utf8
    }

    /// The recipient as the client gave it.
    public static func originalTo(_ path: ForwardPath) -> [UInt8] {
        var line = Array("X-Original-To: ".utf8)
        switch path {
        case .postmaster: line += LocalPart.postmaster.octets
        case .mailbox(let mailbox): mailbox.append(to: &line)
        }
        return line + "\r\n".utf8
    }

    public static func deliveredTo(_ mailbox: Mailbox) -> [UInt8] {
        var line = Array("Delivered-To: ".utf8)
        mailbox.append(to: &line)
        return line + "\r\n".utf8
    }
}
