// What a session is told when it begins.

/// How one client is served. Immutable for the life of a session.
public struct SessionConfiguration: Hashable, Sendable {
    /// The name in the greeting and in replies.
    public var hostname: [UInt8]
    public var form: ReplyForm
    /// Whether VRFY tells this client anything, and EXPN: then EHLO lists them (RFC 5321 3.5.2).
    public var offersVerify: Bool
    public var offersExpand: Bool
    public var offersTLS: Bool
    /// Whether there is a next hop for messages; without one DATA is refused.
    public var takesMail: Bool
    /// Whether every next hop does what RFC 3461 asks for; only where mail is taken.
    public var offersNotifications: Bool
    /// Received: fields, and Delivered-To: fields, that a message may have (RFC 5321 6.3).
    public var traceFields: Int
    /// Octets, for SIZE; nil: no limit is stated (RFC 1870 3).
    public var messageSize: UInt64?
    /// Recipients in a transaction; 100 at least (RFC 5321 4.5.3.1.8).
    public var recipients: Int
    /// Questions that may wait for their answer or their place; at least 1.
    public var slots: Int
    /// Wrong commands before the session is closed.
    public var errors: Int

    public init(
        hostname: [UInt8], form: ReplyForm = .enhanced, offersVerify: Bool = true, offersExpand: Bool = true,
        offersTLS: Bool = false, takesMail: Bool = false, offersNotifications: Bool = false, traceFields: Int = 100,
        messageSize: UInt64? = 26_214_400,
        recipients: Int = 1000, slots: Int = 64,
        errors: Int = 20
    ) {
        self.hostname = hostname
        self.form = form
        self.offersVerify = offersVerify
        self.offersExpand = offersExpand
        self.offersTLS = offersTLS
        self.takesMail = takesMail
        self.offersNotifications = offersNotifications
        self.traceFields = traceFields
        self.messageSize = messageSize
        self.recipients = recipients
        self.slots = slots
        self.errors = errors
    }
}
