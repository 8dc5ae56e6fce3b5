// A person's redirection.

public import MailAddress

/// How a forward is answered for.
public enum ForwardReply: String, Hashable, Sendable, CaseIterable {
    /// 251 when the one target is elsewhere, else 250.
    case auto
    /// Always 250: the forward is nobody's business.
    case silent = "250"
    /// 251 with the target, when there is one target only (RFC 5321 3.4).
    case announced = "251"
}

/// A forward: mail for the address goes to the targets instead of, or as well as, the mailbox there.
public struct Forward: Hashable, Sendable {
    public var address: Mailbox
    /// Where mail goes, in the order they were given; never empty.
    public var targets: [Mailbox]
    /// Whether the mailbox at the address gets a copy.
    public var keepsCopy: Bool
    public var reply: ForwardReply
    /// The place after which `Lookup.moreTargets` tells more targets, as of an alias. Whether the address itself is among
    /// them `keepsCopy` says then.
    public var next: Int?

    public init(address: Mailbox, targets: [Mailbox], keepsCopy: Bool = false, reply: ForwardReply = .auto) {
        self.address = address
        self.targets = targets
        self.keepsCopy = keepsCopy
        self.reply = reply
    }
}
