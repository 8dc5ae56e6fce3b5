// How the entries of a directory are read: which classes are what, and which attributes say so. Data only.

public import MailboxDirectory

/// A mapping from a directory's schema to records.
public struct LDAPSchema: Hashable, Sendable {
    /// Which classes are what. An entry may fit several.
    public var rules: [LDAPRule]
    /// The attributes of each role, in order of preference, for rules that do not name their own.
    public var attributes: [LDAPRole: [AttributeName]]
    public var status: LDAPStatusRule = .none
    /// The site's own words for a status, in lower case, where the rule goes by no words.
    public var ownStatusWords: [String: AccountStatus] = [:]
    public var delivery = LDAPDeliveryRule()
    /// Attributes whose values begin with a word that says what they are.
    public var prefixes: [AttributeName: LDAPPrefix] = [:]
    /// Whether a redirection to an entry's own address names its canonical mailbox (laser), rather than "and here".
    public var routesToItself = false
    /// Whether a target without "@" is a local-part of the domain at hand.
    public var takesBareTargets = false
    /// Whether `@` and a domain, in place of an address, is the domain's catch-all.
    public var hasCatchAlls = false
    /// Whether an alias of a mailbox's address is that mailbox's forward, as where a server asks for aliases first;
    /// else the mailbox goes before it.
    public var aliasesRedirectUsers = false
    /// Whether an entry that is a forward redirects the mailbox that another has at its address; else the two contradict.
    public var forwardsRedirectUsers = true
    /// Whether nothing is redirected for a mailbox that is disabled or suspended.
    public var statusStopsForwards = false
    /// Values, as written, that say that nobody logs in to the mailbox: it takes mail whatever the status of its account.
    public var loginless: [AttributeName: Set<String>] = [:]
    /// Attributes of which only what comes before this octet counts.
    public var cuts: [AttributeName: UInt8] = [:]
    /// Whether references to other servers in a result may be passed over.
    public var ignoresReferences = false
    /// Whether values that have an order begin with their number, and a member's address is followed by a name.
    public var isOrdered = false
    /// Where records are written; none for kinds that the schema has no place for.
    public var places: [LDAPPlace] = []
    /// The word that is written for a status; the first of `status` that means it is not always the usual one.
    public var statusWords: [AccountStatus: String] = [:]
    /// The auxiliary class of each status attribute, where there are several: written is the first that the entry has, or whose
    /// class it has; else the last.
    public var statusClasses: [AttributeName: AttributeName] = [:]
    /// Folded copies to search by; nil: searches go by the spelled values.
    public var keys: LDAPKeyAttributes?

    public init(rules: [LDAPRule], attributes: [LDAPRole: [AttributeName]]) {
        self.rules = rules
        self.attributes = attributes
    }

    /// The same with other attributes for some roles, in every rule.
    public func replacing(_ roles: [LDAPRole: [AttributeName]]) -> LDAPSchema {
        var changed = self
        for (role, names) in roles {
            changed.attributes[role] = names
            for index in changed.rules.indices { changed.rules[index].attributes[role] = nil }
        }
        // Searches by a folded copy would pass over what the site names.
        if !roles.keys.allSatisfy({
            ![.address, .aliasAddress, .localPart, .login, .fullName, .domainName].contains($0)
        }) {
            changed.keys = nil
        }
        return changed
    }

    /// Whether an address can be looked for at all.
    public var hasAddresses: Bool {
        rules.contains { rule in
            [.address, .aliasAddress, .localPart].contains { !names($0, rule).isEmpty }
        }
    }

    /// The attributes of a role for entries of this rule. Whatever is read or searched by role asks here, so that a role
    /// has none where it means nothing.
    func names(_ role: LDAPRole, _ rule: LDAPRule) -> [AttributeName] {
        guard let names = rule.attributes[role] ?? attributes[role], means(role, for: rule) else { return [] }
        return names
    }

    /// Whether the schema can make anything of this role for entries of this rule.
    func means(_ role: LDAPRole, for rule: LDAPRule) -> Bool {
        switch role {
        case .status where status == .none: false
        // Who is in a list is told by the list's own entry, where lists have one.
        case .memberOf where rules.contains { $0.kind == .list }: false
        default: role.isOf(rule.kind)
        }
    }

    /// The attributes of a role over these rules, once each.
    func names(_ role: LDAPRole, _ rules: [LDAPRule]) -> [AttributeName] {
        if rules.count == 1 { return names(role, rules[0]) }
        var names: [AttributeName] = []
        for index in rules.indices {
            for name in self.names(role, rules[index]) where !names.contains(name) { names.append(name) }
        }
        return names
    }

    /// What to ask for, so that entries of these rules can be read: what their conditions are about, and these roles.
    func wanted(_ roles: [LDAPRole], _ rules: [LDAPRule]) -> [String] {
        var names: [AttributeName] = ["objectClass"]
        func add(_ name: AttributeName) {
            if !names.contains(name) { names.append(name) }
        }
        for rule in rules { for name in [rule.needs, rule.lacks] { name.map(add) } }
        for role in roles { self.names(role, rules).forEach(add) }
        if roles.contains(.status) { loginless.keys.sorted { $0.key < $1.key }.forEach(add) }
        return names.map(\.description)
    }

    /// Whether nobody logs in to the mailbox.
    func hasNoLogin(_ entry: LDAPEntry) -> Bool {
        loginless.contains { name, values in entry.texts(name).contains(where: values.contains) }
    }
}

/// Classes that make an entry a record of one kind.
public struct LDAPRule: Hashable, Sendable {
    public var kind: RecordKind
    /// Any of these.
    public var classes: [AttributeName]
    /// An attribute that an entry must have, or may not have, to fit.
    public var needs: AttributeName?
    public var lacks: AttributeName?
    /// Whether another server alone knows the members of such a list.
    public var hasMembersElsewhere = false
    /// Attributes that mean something else here than elsewhere.
    public var attributes: [LDAPRole: [AttributeName]]

    public init(_ kind: RecordKind, _ classes: [AttributeName], _ attributes: [LDAPRole: [AttributeName]] = [:]) {
        self.kind = kind
        self.classes = classes
        self.attributes = attributes
    }
}

/// How a status is told.
public enum LDAPStatusRule: Hashable, Sendable {
    /// Every user is active.
    case none
    /// By words, in lower case; no value is active, and an unknown word can't be told.
    case words([String: AccountStatus])
    /// By a bit of a number.
    case bit(Int64, AccountStatus)
}

/// Whether mail that is redirected also stays, by the words (in lower case) of the keep-copy attribute.
public struct LDAPDeliveryRule: Hashable, Sendable {
    /// When the attribute has no value.
    public var keepsCopyByDefault = false
    /// Words any of which says that a copy stays; empty: whatever `noCopy` does not say.
    public var copy: Set<String> = ["true"]
    public var noCopy: Set<String> = []
    /// Words any of which switches the redirection off.
    public var noForward: Set<String> = []
    /// Words one of which must be there, where there are any, for the redirection to be on.
    public var needed: Set<String> = []
    /// What is written; nil: there is no place for keeping a copy.
    public var writes: LDAPDeliveryWords?

    public init() {}

    /// What an entry's words say; nil when its redirection is off.
    func keepsCopy(_ words: Set<String>) -> Bool? {
        if !words.isDisjoint(with: noForward) { return nil }
        if words.isEmpty { return keepsCopyByDefault }
        if !needed.isEmpty, words.isDisjoint(with: needed) { return nil }
        return copy.isEmpty ? words.isDisjoint(with: noCopy) : !words.isDisjoint(with: copy)
    }
}

/// The words that are written into the keep-copy attribute, in place of all others that mean anything here.
public struct LDAPDeliveryWords: Hashable, Sendable {
    /// When a copy stays, when none does, and when nothing is redirected.
    public var copy: [String]
    public var noCopy: [String]
    public var none: [String] = []
}

/// What values of an attribute begin with, in any case: `smtp:`.
public struct LDAPPrefix: Hashable, Sendable {
    public var text: String
    /// Whether values without it are something else.
    public var isRequired: Bool
    /// Whether upper case marks the canonical address.
    public var marksPrimary: Bool
}

/// Attributes that hold what is compared, folded, so that spelling never matters (see schema/ldap/addressee.schema).
public struct LDAPKeyAttributes: Hashable, Sendable {
    public var address: AttributeName
    public var localPart: AttributeName
    public var domain: AttributeName
    public var login: AttributeName
    /// A full name, and each whole word of it.
    public var name: AttributeName
}
