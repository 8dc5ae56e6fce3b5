// Enhanced status codes: the closed set that is used here (RFC 3463, RFC 5248).

/// `class.subject.detail`. The class is that of the reply code (RFC 2034 4), so only the rest is named.
public struct EnhancedCode: Hashable, Sendable {
    public let subject: UInt8
    public let detail: UInt8

    private init(_ subject: UInt8, _ detail: UInt8) {
        self.subject = subject
        self.detail = detail
    }

    /// One that another server gave; nil where it does not fit a digit each.
    init?(subject: Int, detail: Int) {
        guard (0...9).contains(subject), (0...9).contains(detail) else { return nil }
        self.init(UInt8(subject), UInt8(detail))
    }

    /// X.0.0
    public static let other = EnhancedCode(0, 0)
    /// X.1.0 Other address status
    public static let sender = EnhancedCode(1, 0)
    /// X.1.1 Bad destination mailbox address
    public static let badMailbox = EnhancedCode(1, 1)
    /// X.1.2 Bad destination system address
    public static let badSystem = EnhancedCode(1, 2)
    /// X.1.3 Bad destination mailbox address syntax
    public static let badSyntax = EnhancedCode(1, 3)
    /// X.1.4 Destination mailbox address ambiguous
    public static let ambiguous = EnhancedCode(1, 4)
    /// X.1.5 Destination address valid
    public static let validAddress = EnhancedCode(1, 5)
    /// X.1.6 Destination mailbox has moved, no forwarding address
    public static let moved = EnhancedCode(1, 6)
    /// X.1.7 Bad sender's mailbox address syntax
    public static let badSenderSyntax = EnhancedCode(1, 7)
    /// X.2.1 Mailbox disabled, not accepting messages
    public static let disabled = EnhancedCode(2, 1)
    /// X.2.2 Mailbox full
    public static let full = EnhancedCode(2, 2)
    /// X.2.4 Mailing list expansion problem
    public static let listExpansion = EnhancedCode(2, 4)
    /// X.3.0 Other or undefined mail system status
    public static let mailSystem = EnhancedCode(3, 0)
    /// X.3.1 Mail system full
    public static let systemFull = EnhancedCode(3, 1)
    /// X.3.2 System not accepting network messages
    public static let notAccepting = EnhancedCode(3, 2)
    /// X.3.4 Message too big for system
    public static let tooBig = EnhancedCode(3, 4)
    /// X.4.1 No answer from host
    public static let noAnswer = EnhancedCode(4, 1)
    /// X.4.2 Bad connection
    public static let badConnection = EnhancedCode(4, 2)
    /// X.4.3 Directory server failure
    public static let directoryFailure = EnhancedCode(4, 3)
    /// X.4.4 Unable to route
    public static let noRoute = EnhancedCode(4, 4)
    /// X.4.6 Routing loop detected
    public static let routingLoop = EnhancedCode(4, 6)
    /// X.5.1 Invalid command
    public static let invalidCommand = EnhancedCode(5, 1)
    /// X.5.2 Syntax error
    public static let syntaxError = EnhancedCode(5, 2)
    /// X.5.3 Too many recipients
    public static let tooManyRecipients = EnhancedCode(5, 3)
    /// X.5.4 Invalid command arguments
    public static let invalidArguments = EnhancedCode(5, 4)
    /// X.6.3 Conversion required but not supported
    public static let noConversion = EnhancedCode(6, 3)
    /// X.6.7 Non-ASCII addresses not permitted for that sender/recipient
    public static let nonASCIIAddress = EnhancedCode(6, 7)
    /// X.6.8 UTF-8 string reply is required, but not permitted by the SMTP client
    public static let utf8Required = EnhancedCode(6, 8)
    /// X.7.0 Other or undefined security status
    public static let security = EnhancedCode(7, 0)
    /// X.7.1 Delivery not authorized, message refused
    public static let notAuthorized = EnhancedCode(7, 1)
    /// X.7.2 Mailing list expansion prohibited
    public static let expansionProhibited = EnhancedCode(7, 2)
}
