// The commands, as values (RFC 5321 4.1.1).

public import MailAddress

public enum Command: Hashable, Sendable {
    case hello([UInt8])
    case extendedHello([UInt8])
    case mail(ReversePath, MailParameters)
    case recipient(ForwardPath, RecipientParameters?)
    case data
    case chunk(size: UInt64, isLast: Bool)
    case reset
    case noOperation
    case quit
    case verify(Subject, utf8: Bool)
    case expand(Subject, utf8: Bool)
    case help
    case startTLS

    /// The parameters of MAIL that are offered here.
    public struct MailParameters: Hashable, Sendable {
        /// Octets (RFC 1870 3).
        public var size: UInt64?
        /// RFC 6531 3.4.
        public var utf8 = false
        /// `BODY=8BITMIME` (RFC 6152 3).
        public var eightBit = false
        /// What is sent back of the message when it fails (RFC 3461 4.3).
        public var returned: Returned?
        /// An xtext (RFC 3461 4.4).
        public var envelopeID: [UInt8]?

        public init() {}

        /// Whether one of those of RFC 3461 is given.
        var asksForNotification: Bool { returned != nil || envelopeID != nil }

        public enum Returned: String, Hashable, Sendable {
            case full = "FULL"
            case headers = "HDRS"
        }
    }

    /// The parameters of RCPT (RFC 3461 4.1, 4.2). One of them at least is given.
    public struct RecipientParameters: Hashable, Sendable {
        /// `NEVER`, or other words with commas between them, in upper case.
        public var notify: [UInt8]?
        /// An address type, a semicolon and an xtext.
        public var original: [UInt8]?

        public init() {}
    }
}

/// What VRFY and EXPN are asked about.
public enum Subject: Hashable, Sendable {
    case mailbox(Mailbox)
    /// `<postmaster>`.
    case postmaster
    /// A string without an address in it, quoting undone.
    case name([UInt8])
}
