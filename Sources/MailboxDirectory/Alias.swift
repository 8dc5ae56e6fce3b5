// A name that stands for other mailboxes.

public import MailAddress

/// An alias: one address that stands for one or more mailboxes under the same administration.
public struct Alias: Hashable, Sendable {
    public var address: Mailbox
    /// Where it leads, in the order they were given; never empty.
    public var targets: [Mailbox]

    public init(address: Mailbox, targets: [Mailbox]) {
        self.address = address
        self.targets = targets
    }
}
