// Where a schema has a place for records, for whoever writes them. Data only: each preset's is beside what it reads.

public import MailboxDirectory

/// How records of one kind are kept.
public struct LDAPPlace: Hashable, Sendable {
    public var kind: RecordKind
    /// The classes of an entry that is made for a record; empty: there is none of its own.
    public var classes: [AttributeName]
    /// The class that makes an entry such a record, where another record stands in the entry already.
    public var mark: AttributeName?
    /// The attribute that names an entry that is made: one that holds the address or the domain, so that of two who add
    /// the same one only one can.
    public var naming: AttributeName
    /// Attributes that the classes ask for, and what is put there.
    public var required: [AttributeName: LDAPFiller]
    /// What it can hold besides; nil: everything.
    public var features: Set<LDAPFeature>?

    public init(
        _ kind: RecordKind, _ classes: [AttributeName], mark: AttributeName? = nil, naming: AttributeName,
        required: [AttributeName: LDAPFiller] = [:], features: Set<LDAPFeature>? = nil
    ) {
        self.kind = kind
        self.classes = classes
        self.mark = mark
        self.naming = naming
        self.required = required
        self.features = features
    }

    func has(_ feature: LDAPFeature) -> Bool { features?.contains(feature) ?? true }
}

/// What an attribute gets that must be there.
public enum LDAPFiller: Hashable, Sendable {
    case address
    case localPart
    /// The full name or the title; without one the local-part.
    case name
    /// The last word of the name.
    case lastName
    /// What the configuration says (`LDAPSettings.newEntryValues`).
    case configured
}

/// What not every schema can say of a record.
public enum LDAPFeature: Hashable, Sendable {
    case fullName
    case login
    case status(AccountStatus)
    /// A forward of a user, and one where no user is.
    case onUser
    case alone
    case severalTargets
    case copy
    case reply(ForwardReply)
    case title
    case owner
    case expansion(ExpansionAccess)
    case memberName
    case relay
    case aliasDomain
    case catchAll
    case noCatchAll
    case separators
    case transport

    /// In the middle of a sentence.
    var phrase: String {
        switch self {
        case .fullName: "the full name of a user"
        case .login: "the login of a user"
        case .status(let status): "the status \(status.rawValue) of a user"
        case .onUser: "a forward of a user"
        case .alone: "a forward where no user is"
        case .severalTargets: "a forward to several addresses"
        case .copy: "a forward that keeps a copy"
        case .reply(let reply): "a forward with the reply \(reply.rawValue)"
        case .title: "the name of a list"
        case .owner: "the owner of a list"
        case .expansion(let access): "a list whose members may be seen by \(access.rawValue)"
        case .memberName: "the name of a list's member"
        case .relay: "a relay domain"
        case .aliasDomain: "an alias of a domain"
        case .catchAll: "the catch-all of a domain"
        case .noCatchAll: "a domain without a catch-all"
        case .separators: "the detail separators of a domain"
        case .transport: "the transport of a domain"
        }
    }
}

extension LDAPFeature {
    /// What a schema must be able to say so that it can hold the record.
    /// - Parameter isOnUser: for a forward, whether a user is at its address.
    static func needed(by record: Record, isOnUser: Bool) -> [LDAPFeature] {
        var needed: [LDAPFeature] = []
        switch record {
        case .user(let user):
            if !user.fullName.isEmpty { needed.append(.fullName) }
            if user.login != nil { needed.append(.login) }
            if user.status != .active { needed.append(.status(user.status)) }
        case .alias, .moved: break
        case .forward(let forward):
            needed.append(isOnUser ? .onUser : .alone)
            if forward.targets.count > 1 { needed.append(.severalTargets) }
            if forward.keepsCopy { needed.append(.copy) }
            if forward.reply != .auto { needed.append(.reply(forward.reply)) }
        case .list(let list, let members):
            if !list.name.isEmpty { needed.append(.title) }
            if list.owner != nil { needed.append(.owner) }
            if list.expansion != .trusted { needed.append(.expansion(list.expansion)) }
            if members.contains(where: { !$0.name.isEmpty }) { needed.append(.memberName) }
        case .domain(let domain):
            if domain.kind == .relay { needed.append(.relay) }
            if case .alias = domain.kind { needed.append(.aliasDomain) }
            needed.append(domain.catchAll == nil ? .noCatchAll : .catchAll)
            if domain.detailSeparators != DomainRecord.usualDetailSeparators { needed.append(.separators) }
            if domain.transport != nil { needed.append(.transport) }
        }
        return needed
    }
}

extension LDAPPreset {
    /// The presets that have a place for records of this kind, and for this of them.
    static func having(_ kind: RecordKind, _ feature: LDAPFeature?) -> [String] {
        allCases.filter { preset in
            preset.schema.places.contains { place in place.kind == kind && (feature.map(place.has) ?? true) }
        }.map(\.rawValue)
    }
}
