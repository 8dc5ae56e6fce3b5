// A directory in LDAP: where it is, how it is bound to, and how it is read.

public import MailAddress
public import MailboxDirectory

/// What a configuration says of one LDAP source. Names of presets, roles and attributes are words here; the room that
/// knows LDAP gives them their meaning.
public struct LDAPSourceConfiguration: Hashable, Sendable {
    /// Whom the servers take us for.
    public enum Bind: Hashable, Sendable {
        case anonymous
        case simple(dn: String, password: Password, isClearTextAllowed: Bool)
        /// SASL EXTERNAL.
        case external
    }

    /// Where a password is; it never stands in the configuration.
    public enum Password: Hashable, Sendable {
        case file(String)
        case environment(String)
    }

    /// How long answers are remembered.
    public struct Cache: Hashable, Sendable {
        public var entries = 10_000
        public var positive = Duration.seconds(60)
        public var negative = Duration.seconds(5)
        public var stale = Duration.seconds(3600)
        /// The file by which commands tell running servers what they have written.
        public var journal: String

        public init(journal: String) { self.journal = journal }
    }

    /// Tried in this order; one at least.
    public var uris: [String]
    public var base: String
    public var preset: String
    /// Roles whose attributes are others than the preset's.
    public var roles: [String: [String]] = [:]
    /// What the values of the attributes of the role `status` mean, where that is not as the preset has it.
    public var statusWords: [AccountStatus: [String]] = [:]
    /// Addresses that are there wherever the directory is whole.
    public var mustFind: [Mailbox] = []
    /// Domains that are served though no entry says so.
    public var domains: [DomainRecord] = []
    public var bind = Bind.anonymous
    public var startTLS = false
    public var verifies = true
    public var caFile: String?
    public var certificateFile: String?
    public var keyFile: String?
    public var timeout = Duration.seconds(5)
    public var connectTimeout = Duration.seconds(3)
    /// Where new entries are put; nil for the base.
    public var writeBase: String?
    /// What new entries get for attributes that no record fills: the name of an attribute, and a value with `%s`, `%u`
    /// and `%d`.
    public var newEntryValues: [String: String] = [:]
    public var cache: Cache

    public init(uris: [String], base: String, preset: String, cache: Cache) {
        self.uris = uris
        self.base = base
        self.preset = preset
        self.cache = cache
    }

    /// The schemas that are known by name.
    public static let presets = [
        "addressee", "laser", "nis", "inetorgperson", "qmail", "postfixbook", "courier", "389", "ad",
    ]

    /// What an attribute can mean.
    public static let roles = [
        "address", "alias-address", "local-part", "login", "full-name", "forward-target", "forward-target-dn",
        "keep-copy", "reply", "status", "new-address", "alias-target", "member-address", "member-dn", "member-uid",
        "member-url", "member-of", "owner", "expansion", "title", "domain-name", "domain-kind", "domain-target",
        "catch-all", "detail-separators", "transport",
    ]
}
