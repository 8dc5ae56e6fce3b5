// A name that stands for other mailboxes.

public import MailAddress

/// An alias: one address that stands for one or more mailboxes under the same administration.
public struct Alias: Hashable, Sendable {
    public var address: Mailbox
    /// Where it leads, in the order they were given; never empty.
    public var targets: [Mailbox]
    /// The place after which `Lookup.moreTargets` tells more of them; nil where these are all. Only a source that answers
    /// questions tells an alias in parts, and only one with so many targets that to read them all would hold up others.
    public var next: Int?

    public init(address: Mailbox, targets: [Mailbox]) {
        self.address = address
        self.targets = targets
    }
}
