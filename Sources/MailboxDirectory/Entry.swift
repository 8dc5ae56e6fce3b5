// What stands at one address. An address is one thing only; a forward alone may sit on a user.

public import MailAddress

/// What a source holds at an address. Indirect, since an entry goes through many hands: so each takes one reference, not a
/// dozen.
public indirect enum Entry: Hashable, Sendable {
    case user(User, forward: Forward?)
    case alias(Alias)
    /// A forward where the source knows no mailbox.
    case forward(Forward)
    case moved(Moved)
    case list(MailingList)

    /// The address as stored.
    public var address: Mailbox {
        switch self {
        case .user(let user, _): user.address
        case .alias(let alias): alias.address
        case .forward(let forward): forward.address
        case .moved(let moved): moved.address
        case .list(let list): list.address
        }
    }

    /// The name for people: a user's full name or a list's title; empty for the rest.
    public var displayName: String {
        switch self {
        case .user(let user, _): user.fullName
        case .list(let list): list.name
        case .alias, .forward, .moved: ""
        }
    }

    /// What an administrator would call it. A user who has a forward is a user.
    public var kind: RecordKind {
        switch self {
        case .user: .user
        case .alias: .alias
        case .forward: .forward
        case .moved: .moved
        case .list: .list
        }
    }

    /// The kind, in the word that the command line uses.
    public var kindName: String { kind.rawValue }
}
