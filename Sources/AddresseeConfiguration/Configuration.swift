// The configuration: one YAML file, read whole into one value. Keys, defaults and limits are told in
// config/addressee.yaml. A reading that finds anything wrong gives all of it, and no value.

public import MailAddress
public import MailboxDirectory
public import Verification

/// All that an administrator can set. It never changes; SIGHUP makes another.
public struct Configuration: Hashable, Sendable {
    /// The file as it was named; paths in it are taken from its folder.
    public var file: String
    /// The name in the greeting and the replies.
    public var hostname: String
    /// The domain of bare names and of `<postmaster>`.
    public var defaultDomain: Domain
    /// Asked in this order; one at least, names unique.
    public var sources: [SourceConfiguration]
    /// One at least.
    public var listeners: [ListenerConfiguration]
    /// The first that takes a recipient has its mail; empty where no mail is taken.
    public var nextHops: [NextHopConfiguration]
    /// Where the senders of what is forwarded are rewritten; nil where they are kept.
    public var senderRewriting: SenderRewriting?
    /// The first that holds a client is its class; the last has no networks and holds any client.
    public var clients: [ClientClass]
    /// Nil when nobody offers STARTTLS.
    public var tls: TLSConfiguration?
    public var limits: SessionLimits
    public var expansion: ExpansionLimits
    public var timeouts: Timeouts
    /// Event loops, 1...64; nil for as many as the machine has cores.
    public var threads: Int?
    public var logLevel: LogLevel

    /// A configuration made in code; what is left out has the default of the file.
    public init(
        file: String, hostname: String, defaultDomain: Domain, sources: [SourceConfiguration],
        listeners: [ListenerConfiguration] = [.standard], nextHops: [NextHopConfiguration] = [],
        senderRewriting: SenderRewriting? = nil,
        clients: [ClientClass]? = nil, tls: TLSConfiguration? = nil,
        limits: SessionLimits = SessionLimits(), expansion: ExpansionLimits = ExpansionLimits(),
        timeouts: Timeouts = Timeouts(), threads: Int? = nil, logLevel: LogLevel = .info
    ) {
        self.file = file
        self.hostname = hostname
        self.defaultDomain = defaultDomain
        self.sources = sources
        self.listeners = listeners
        self.nextHops = nextHops
        self.senderRewriting = senderRewriting
        self.clients = clients ?? ClientClass.standard
        self.tls = tls
        self.limits = limits
        self.expansion = expansion
        self.timeouts = timeouts
        self.threads = threads
        self.logLevel = logLevel
    }

    /// The class of a client: the first whose networks hold it, or the one without networks.
    public func clientClass(of client: ClientAddress) -> ClientClass {
        clients.first { $0.networks.isEmpty || $0.networks.contains { $0.contains(client) } } ?? .remaining
    }

    /// Where the configuration is: `--config`, then `$ADDRESSEE_CONFIG`, then `/etc/addressee/addressee.yaml`. An empty
    /// variable counts as none.
    public static func locate(option: String?, environment: [String: String]) -> String {
        let variable = environment["ADDRESSEE_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        return option ?? variable ?? "/etc/addressee/addressee.yaml"
    }
}
