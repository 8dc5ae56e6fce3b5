// How a site's LDAP directory is reached and read. Plain values; whoever reads a configuration makes them.

public import MailAddress
public import MailboxDirectory

/// One LDAP source.
public struct LDAPSettings: Sendable {
    /// Servers, in the order in which they are tried: `ldap://host[:port]`, `ldaps://…`, `ldapi://%2Fpath%2Fsocket`.
    /// All must hold the same directory.
    public var uris: [String]
    /// Where searches begin.
    public var base: String
    public var scope: LDAPScope = .subtree
    public var bind: LDAPBind = .anonymous
    public var tls = LDAPTLS()
    public var schema: LDAPSchema
    /// What `schema` began as.
    public var preset: LDAPPreset
    /// Where new entries go; the base, unless another place is named.
    public var writeBase: String {
        get { otherWriteBase ?? base }
        set { otherWriteBase = newValue }
    }
    private var otherWriteBase: String?
    /// For attributes that a class asks for and no record fills, such as `homeDirectory`: what a new entry gets. `%s`
    /// stands for the address, `%u` for the local-part, `%d` for the domain, `%%` for a percent sign.
    public var newEntryValues: [AttributeName: String] = [:]
    /// The domains that this directory serves, where it has no entries for them: their kinds, catch-alls and
    /// separators.
    public var domains: [DomainRecord] = []
    /// For one lookup, waiting for a connection included.
    public var timeout: Duration = .seconds(5)
    /// For connecting to one server, TLS and the bind together; a server that is silent for so long while something is asked
    /// is left for another.
    public var connectTimeout: Duration = .seconds(3)
    public var cache = LDAPCacheSettings()
    /// Addresses that are there wherever the directory is whole: while a server does not find one of them, it is left out
    /// in favour of others, and nothing is told to be absent.
    public var mustFind: [Mailbox] = []
    /// From one look for them to the next, on a connection that stays.
    var examinationInterval: Duration = .seconds(5)

    /// - Parameters:
    ///   - uris: the servers, in the order in which they are tried: `ldap://`, `ldaps://` or `ldapi://`.
    ///   - base: the DN below which is searched.
    ///   - preset: the schema that the site has.
    ///   - domains: those that are served, where the directory has no records of them.
    ///   - roles: roles whose attributes are others than the preset's; an empty list: the site has none for it.
    public init(
        uris: [String], base: String, preset: LDAPPreset, roles: [LDAPRole: [AttributeName]] = [:],
        domains: [DomainRecord] = []
    ) {
        self.uris = uris
        self.base = base
        self.preset = preset
        self.schema = preset.schema.replacing(roles)
        self.domains = domains
    }
}

/// Who asks.
public enum LDAPBind: Sendable {
    case anonymous
    /// A name and a password (RFC 4513). Over the network only with TLS, unless `isClearTextAllowed`.
    case simple(dn: String, password: LDAPPassword, isClearTextAllowed: Bool = false)
    /// SASL EXTERNAL (RFC 4422): the user of this process over `ldapi:`, or the client certificate over TLS.
    case external
}

/// Where a password comes from. It is read at each connection, so that a new one needs no restart, and is never shown.
public enum LDAPPassword: Sendable {
    /// The first line of a file.
    case file(String)
    /// The value of an environment variable.
    case environment(String)
}

/// How connections are protected.
public struct LDAPTLS: Hashable, Sendable {
    /// Whether to ask `ldap:` servers for TLS before anything else (RFC 4511 4.14); a server that has none is not used.
    public var startTLS: Bool
    /// Whether the server's certificate must be good. Without that anybody can pose as the server.
    public var verifies: Bool
    /// Certificates of those who may sign the server's, PEM; nil: libldap's default (`TLS_CACERT` of ldap.conf(5)).
    public var caFile: String?
    /// The client's own certificate and its key, PEM.
    public var certificateFile: String?
    public var keyFile: String?

    public init(
        startTLS: Bool = false, verifies: Bool = true, caFile: String? = nil, certificateFile: String? = nil,
        keyFile: String? = nil
    ) {
        self.startTLS = startTLS
        self.verifies = verifies
        self.caFile = caFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
    }
}

/// How long answers are remembered. What could not be told never is.
public struct LDAPCacheSettings: Hashable, Sendable {
    /// Answers at most; 0: none are remembered.
    public var entries: Int
    /// How long something found is good.
    public var positive: Duration
    /// How long it is good that nothing was found.
    public var negative: Duration
    /// A file in which whoever writes with `LDAPStore` says what has changed, so that it is forgotten at once; nil: none.
    public var journal: String?
    /// How old something found may be to be given while the directory can't be asked; never less than `positive`.
    public var stale: Duration

    public init(
        entries: Int = 10_000, positive: Duration = .seconds(60), negative: Duration = .seconds(5),
        stale: Duration = .seconds(3600)
    ) {
        self.entries = entries
        self.positive = positive
        self.negative = negative
        self.stale = stale
    }
}
