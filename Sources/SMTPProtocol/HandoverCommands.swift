// The commands that hand a message over, as they go on the wire.

public import MailAddress

/// Command lines, without CRLF.
public enum HandoverCommands {
    /// `"MAIL FROM:" Reverse-path [SP Mail-parameters]` (RFC 5321 4.1.1.2), with those parameters that the server has.
    /// - Parameter parameters: as they are to be; where the server can't take one that matters, find that out before.
    public static func mail(
        _ sender: ReversePath, _ parameters: Command.MailParameters, to server: ServerExtensions
    ) -> [UInt8] {
        var line = Array("MAIL FROM:<".utf8)
        if case .mailbox(let mailbox) = sender { append(mailbox, utf8: parameters.utf8, to: &line) }
        line.append(UInt8(ascii: ">"))
        if server.size, let size = parameters.size { line += " SIZE=\(size)".utf8 }
        if server.eightBit, parameters.eightBit { line += " BODY=8BITMIME".utf8 }
        if server.utf8, parameters.utf8 { line += " SMTPUTF8".utf8 }
        if server.notifications {
            if let returned = parameters.returned { line += " RET=\(returned.rawValue)".utf8 }
            if let envelopeID = parameters.envelopeID { line += Array(" ENVID=".utf8) + envelopeID }
        }
        return line
    }

    /// `"RCPT TO:" Forward-path [SP Rcpt-parameters]` (RFC 5321 4.1.1.3).
    public static func recipient(
        _ mailbox: Mailbox, _ parameters: Command.RecipientParameters?, utf8: Bool, to server: ServerExtensions
    ) -> [UInt8] {
        var line = Array("RCPT TO:<".utf8)
        append(mailbox, utf8: utf8, to: &line)
        line.append(UInt8(ascii: ">"))
        if server.notifications, let parameters {
            if let notify = parameters.notify { line += Array(" NOTIFY=".utf8) + notify }
            if let original = parameters.original { line += Array(" ORCPT=".utf8) + original }
        }
        return line
    }

    /// Without SMTPUTF8 a domain goes as an A-label (RFC 6531 3.2); a local-part has no such form.
    private static func append(_ mailbox: Mailbox, utf8: Bool, to line: inout [UInt8]) {
        mailbox.localPart.append(to: &line)
        line.append(UInt8(ascii: "@"))
        if utf8 || mailbox.domain.isASCII { mailbox.domain.append(to: &line) } else { line += mailbox.domain.key }
    }
}

/// Puts a dot before each line that begins with one (RFC 5321 4.5.2).
public struct DotStuffing: Hashable, Sendable {
    private var isAtLineStart = true

    public init() {}

    /// - Parameters:
    ///   - octets: of a message, whose lines end with CR LF.
    ///   - content: called with each range that is to be sent as it is, in order.
    ///   - dot: called where a dot is to be sent.
    public mutating func stuff(_ octets: Span<UInt8>, content: (Range<Int>) -> Void, dot: () -> Void) {
        if octets.count == 0 { return }
        var start = 0
        if isAtLineStart, octets[0] == UInt8(ascii: ".") { dot() }
        var index = 0
        while let newline = octets.index(of: UInt8(ascii: "\n"), from: index) {
            index = newline + 1
            if index < octets.count, octets[index] == UInt8(ascii: ".") {
                content(start..<index)
                dot()
                start = index
            }
        }
        content(start..<octets.count)
        isAtLineStart = octets[octets.count - 1] == UInt8(ascii: "\n")
    }

    /// What ends the message: a CRLF first where it does not end with one (RFC 5321 4.1.1.4).
    public var end: StaticString { isAtLineStart ? ".\r\n" : "\r\n.\r\n" }
}
