// The commands, as values (RFC 5321 4.1.1).

public import MailAddress

public enum Command: Hashable, Sendable {
    case hello([UInt8])
    case extendedHello([UInt8])
    case mail(ReversePath, MailParameters)
    case recipient(ForwardPath)
    case data
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
