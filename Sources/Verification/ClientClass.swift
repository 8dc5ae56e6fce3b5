// Clients of one kind: where they come from, and what they may learn.

/// A class of clients, told by the network they come from.
public struct ClientClass: Hashable, Sendable {
    public var name: String
    public var networks: [Network]
    public var disclosure: Disclosure
    /// Whether lists that are open to trusted clients only are open to this class.
    public var isTrusted: Bool
    /// Whether mail of this class is taken for domains elsewhere, where a next hop takes them.
    public var mayRelay: Bool
    /// Questions (RCPT, VRFY, EXPN) that one client address may ask in a minute; nil for no limit.
    public var questionsPerMinute: Int?

    public init(
        name: String, networks: [Network], disclosure: Disclosure, isTrusted: Bool = false,
        mayRelay: Bool = false, questionsPerMinute: Int? = nil
    ) {
        self.name = name
        self.networks = networks
        self.disclosure = disclosure
        self.isTrusted = isTrusted
        self.mayRelay = mayRelay
        self.questionsPerMinute = questionsPerMinute
    }

    /// Loopback and Unix sockets.
    public static let trusted = ClientClass(
        name: "trusted", networks: Network.thisMachine, disclosure: .full, isTrusted: true)

    /// Whoever is in no other class.
    public static let everyone = ClientClass(name: "everyone", networks: [], disclosure: .least)
}
