// How far a walk may go. Passing a limit is an error that is reported, never a silently shorter answer.

/// The limits of one walk. The defaults are wide for any directory that people keep by hand.
public struct ExpansionLimits: Hashable, Sendable {
    /// Redirections on one path.
    public var depth: Int
    /// Addresses in one walk, counting members, targets and copies.
    public var addresses: Int
    /// Questions to sources in one walk.
    public var lookups: Int
    /// Mailboxes named in the answer to an ambiguous name; more are counted as "more".
    public var possibilities: Int

    public init(depth: Int = 50, addresses: Int = 100_000, lookups: Int = 500_000, possibilities: Int = 20) {
        self.depth = depth
        self.addresses = addresses
        self.lookups = lookups
        self.possibilities = possibilities
    }

    /// The limit that a walk passed.
    public enum Kind: String, Hashable, Sendable {
        case depth
        case addresses
        case lookups
        /// The octets of what the answer may hold: see `Expansion.room`.
        case octets
    }
}
