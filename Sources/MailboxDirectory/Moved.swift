// An address whose user has gone.

public import MailAddress

/// A relocated user: mail is refused, and the new address is told when it is known (RFC 5321 3.4, 551).
public struct Moved: Hashable, Sendable {
    public var address: Mailbox
    public var newAddress: Mailbox?

    public init(address: Mailbox, newAddress: Mailbox? = nil) {
        self.address = address
        self.newAddress = newAddress
    }
}
