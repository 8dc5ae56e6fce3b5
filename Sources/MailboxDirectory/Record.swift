// What an administrator writes: one record of one kind.

public import MailAddress

/// The kinds of record, in the words of the command line.
public enum RecordKind: String, Hashable, Sendable, CaseIterable {
    case domain
    case user
    case alias
    case forward
    case moved
    case list
}

/// A record, whole.
public enum Record: Hashable, Sendable {
    case domain(DomainRecord)
    case user(User)
    case alias(Alias)
    case forward(Forward)
    case moved(Moved)
    case list(MailingList, members: [ListMember])

    public var kind: RecordKind {
        switch self {
        case .domain: .domain
        case .user: .user
        case .alias: .alias
        case .forward: .forward
        case .moved: .moved
        case .list: .list
        }
    }

    /// The address that the record is about; nil for a domain.
    public var address: Mailbox? {
        switch self {
        case .domain: nil
        case .user(let user): user.address
        case .alias(let alias): alias.address
        case .forward(let forward): forward.address
        case .moved(let moved): moved.address
        case .list(let list, _): list.address
        }
    }

    /// The domain that the record is of or stands in.
    public var domain: Domain {
        switch self {
        case .domain(let record): record.domain
        case .user(let user): user.address.domain
        case .alias(let alias): alias.address.domain
        case .forward(let forward): forward.address.domain
        case .moved(let moved): moved.address.domain
        case .list(let list, _): list.address.domain
        }
    }

    /// Every address that the record points to, with how.
    public var references: [(role: ReferenceRole, mailbox: Mailbox)] {
        switch self {
        case .domain(let domain): domain.catchAll.map { [(.catchAll, $0)] } ?? []
        case .user: []
        case .alias(let alias): alias.targets.map { (.target, $0) }
        case .forward(let forward): forward.targets.map { (.target, $0) }
        case .moved(let moved): moved.newAddress.map { [(.newAddress, $0)] } ?? []
        case .list(let list, let members):
            members.map { (.member, $0.mailbox) } + (list.owner.map { [(.owner, $0)] } ?? [])
        }
    }
}

/// How a record points to an address.
public enum ReferenceRole: String, Hashable, Sendable {
    case target
    case newAddress = "new address"
    case member
    case owner
    case catchAll = "catch-all"
}

/// A record that points to some address.
public struct Reference: Hashable, Sendable, CustomStringConvertible {
    public var kind: RecordKind
    public var role: ReferenceRole
    /// The record's own address, or its domain, as stored.
    public var name: String

    public init(kind: RecordKind, role: ReferenceRole, name: String) {
        self.kind = kind
        self.role = role
        self.name = name
    }

    /// How this record points somewhere.
    public init(_ record: Record, role: ReferenceRole) {
        self.init(kind: record.kind, role: role, name: record.address?.description ?? record.domain.description)
    }

    public var description: String { "\(kind.rawValue) \(name)" }
}
