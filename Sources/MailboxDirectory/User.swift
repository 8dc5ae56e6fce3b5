// A person's mailbox and what is known about it.

public import MailAddress

/// Whether a user's mailbox takes mail now.
public enum AccountStatus: String, Hashable, Sendable, CaseIterable {
    /// Takes mail.
    case active
    /// Takes none, for good: 550 5.2.1.
    case disabled
    /// Takes none for now: 450 4.2.1.
    case suspended
    /// Exists, but has no room: RCPT gets 452 4.2.2, VRFY 250.
    case full
}

/// A user: a mailbox in a domain that is served here.
public struct User: Hashable, Sendable {
    /// The canonical mailbox, as stored.
    public var address: Mailbox
    /// The full name, for people; empty when there is none. No control characters.
    public var fullName: String
    /// The login name, by which a bare name may find the user; unique in a source.
    public var login: String?
    public var status: AccountStatus

    public init(address: Mailbox, fullName: String = "", login: String? = nil, status: AccountStatus = .active) {
        self.address = address
        self.fullName = fullName
        self.login = login
        self.status = status
    }
}
