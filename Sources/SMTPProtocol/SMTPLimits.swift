// The limits of the SMTP dialogue, each with the section that sets it.

public enum SMTPLimits {
    /// Octets of a command line with its CRLF (RFC 5321 4.5.3.1.4).
    public static let commandLine = 512
    /// What SIZE, BODY and SMTPUTF8 may add to a MAIL line (RFC 1870 3, RFC 6152 2, RFC 6531 3.1).
    public static let mailParameters = 26 + 17 + 10
    /// What the SMTPUTF8 parameter may add to a VRFY or EXPN line (RFC 6531 3.1).
    public static let utf8Parameter = 10
    /// The longest line that is looked at; a longer one is read past and answered with 500 (RFC 5321 4.5.3.1.9).
    public static let longestLine = commandLine + mailParameters
    /// Octets of a reply line with its CRLF (RFC 5321 4.5.3.1.5).
    public static let replyLine = 512
    /// Recipients that must be admitted in a transaction (RFC 5321 4.5.3.1.8).
    public static let leastRecipients = 100
    /// Octets of the name a client may give itself: a domain (RFC 5321 4.5.3.1.2).
    public static let clientName = 255
}
