// The limits of the SMTP dialogue, each with the section that sets it.

import MailAddress

public enum SMTPLimits {
    /// Octets of a command line with its CRLF (RFC 5321 4.5.3.1.4).
    public static let commandLine = 512
    /// Octets of a path that a command line has room for (RFC 5321 4.5.3.1.3).
    private static let usualPath = 256
    /// What a path of so many octets, angle brackets included, may add to a line: a longer one makes room for itself, for
    /// RFC 5321 4.5.3.1 wants no limits where that can be had.
    public static func room(forPath octets: Int) -> Int { max(0, octets - usualPath) }
    /// What ` SIZE=` with twenty digits may add to a MAIL line (RFC 1870 3).
    public static let sizeParameter = 26
    /// What ` BODY=8BITMIME` adds to a MAIL line. RFC 6152 asks for no more room; a server had better give it.
    public static let bodyParameter = 14
    /// What ` SMTPUTF8` may add to a MAIL line (RFC 6531 3.1), and likewise to VRFY and EXPN.
    public static let utf8Parameter = 10
    /// What ` RET=FULL` adds to a MAIL line.
    public static let returnParameter = 9
    /// What ` ENVID=` with its hundred octets adds to a MAIL line (RFC 3461 4.4).
    public static let envelopeIDParameter = 107
    /// What ` NOTIFY=` and ` ORCPT=` may add to a RCPT line (RFC 3461 4, 4.2).
    public static let recipientParameters = 540
    /// The longest line that is looked at; a longer one is read past and answered with 500 (RFC 5321 4.5.3.1.9).
    public static let longestLine = commandLine + room(forPath: AddressLimits.path) + recipientParameters
    /// Octets of a reply line with its CRLF (RFC 5321 4.5.3.1.5).
    public static let replyLine = 512
    /// Octets of a mailbox, as spelled, that fit a reply line with the longest text: that of 251, brackets and CRLF.
    public static let mailboxInReply = replyLine - 48
    /// Octets of a long reply that are made at a time, while the client takes those before.
    public static let replyPiece = 32_768
    /// Octets of the name a client may give itself: a domain (RFC 5321 4.5.3.1.2).
    public static let clientName = 255
}
