// The limits of the LDAP source, in one place. All are about this machine and its servers, none about mail.

/// What is asked of a server at most, and how much is kept.
public enum LDAPLimits {
    /// Searches waiting for a connection or for their turn; with more, a question is answered "could not tell" at once.
    public static let queue = 4096

    /// Operations under way on an anonymous connection: OpenLDAP closes one with more than 100 pending
    /// (slapd.conf(5), conn_max_pending); abandoned ones count too, so stay well under.
    static let anonymousInFlight = 80

    /// The same on a bound connection (slapd.conf(5), conn_max_pending_auth: 1000).
    static let boundInFlight = 800

    /// Addresses that several searches look for as one at most, and how many such may be under way: while they are, others
    /// wait to be joined. Longer filters gain little and cost servers much that compare each entry with each term.
    static let joined = 16
    static let joinedInFlight = 8

    /// Time-outs in a row, with no answer between them, after which a server counts as frozen.
    static let timeOutsInARow = 3

    /// First and longest time from one round over all servers to the next, if the attempts themselves take no longer;
    /// nanoseconds. An attempt every few seconds burdens nobody, and service goes on soon after an outage.
    static let firstBackOff: Int64 = 100_000_000
    static let longestBackOff: Int64 = 2_000_000_000

    /// An attempt to connect that fails after so long has kept somebody waiting; nanoseconds.
    static let longAttempt: Int64 = 500_000_000

    /// How long a server that kept somebody waiting in vain is tried after the others; nanoseconds.
    static let avoidance: Int64 = 60_000_000_000

    /// How long credentials that were refused are not tried again; nanoseconds.
    static let bindPause: Int64 = 60_000_000_000

    /// How long an incomplete server is used, where there are others, before they are tried again; nanoseconds.
    static let incompleteUse: Int64 = 30_000_000_000

    /// Entries that one address may match on a server: more is a server that matches anything.
    static let entriesAtAnAddress = 200

    /// Entries read for a bare name: first few, then many; a name borne by more can't be told.
    static let candidates = [200, 5000]

    /// Entries on one page of a long result (RFC 2696).
    static let page = 500

    /// Values asked for in one filter of a walk over members.
    static let membersAtOnce = 200

    /// Searches in one step of such a walk: a server answers them in a few milliseconds, and what others ask comes after them.
    static let searchesAtOnce = 32

    /// Values that are read on the thread of the connection; with more, on one of their own.
    static let valuesAtOnce = 2000

    /// Members of one list, over all groups within it, and how deep groups may lie in groups.
    static let members = 100_000
    static let groupDepth = 50

    /// Configured domains in one filter for a bare name.
    static let domainsAtOnce = 50

    /// Octets of values in one change, about: OpenLDAP closes the connection at 4 MB (slapd.conf(5),
    /// sockbuf_max_incoming_auth).
    static let operationOctets = 1_000_000

    /// How long a change may take, at least: a server may have to write very many values; nanoseconds.
    static let writePatience: Int64 = 30_000_000_000

    /// Addresses that are kept in memory to list records in their order; with more, choose a domain.
    static let listed = 1_000_000

    /// Records read at once while they are listed.
    static let listedAtOnce = 100

    /// Answers that a transaction remembers.
    static let remembered = 10_000
}
