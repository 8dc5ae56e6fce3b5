// One search, as a value: what a lookup asks a connection to carry out.

import MailAddress
import MailboxDirectory

/// How far below its base a search looks (RFC 4511 4.5.1.2).
public enum LDAPScope: String, Hashable, Sendable, CaseIterable {
    /// The entry alone.
    case base
    /// The entries right under it.
    case one
    /// It and everything under it.
    case subtree
}

struct LDAPSearch: Hashable, Sendable {
    var base: String
    var scope: LDAPScope
    /// RFC 4515 text.
    var filter: String
    /// With options where they matter; `1.1` alone for none.
    var attributes: [String]
    /// Entries at most; 0 leaves it to the server.
    var sizeLimit = 0
    /// Entries a page, for results that may be long; 0: not paged.
    var page = 0
    /// Whether references to other servers among the result may be passed over. If not, it is not known what is there.
    var ignoresReferences = false
    /// Whether a result that was cut off at `sizeLimit` is of use.
    var isPartialWelcome = false
    /// What it looks for, where these addresses' entries are all that is wanted of it: such searches can be joined.
    var addresses: [Mailbox] = []
}

/// How one search ended. Nothing found is an empty list.
enum SearchOutcome: Hashable, Sendable {
    case found([LDAPEntry])
    /// Cut off by a limit, of ours or the server's, where that was welcome.
    case partial([LDAPEntry], LDAPFailure)
    /// The base does not exist: for a member's name an answer, for a configured base a fault.
    case noSuchObject(LDAPFailure)
    case failed(LDAPFailure)
}

extension SearchOutcome {
    /// How many values it brought.
    var valueCount: Int {
        switch self {
        case .found(let entries), .partial(let entries, _):
            entries.reduce(0) { sum, entry in entry.attributes.values.reduce(sum) { $0 + $1.count } }
        case .noSuchObject, .failed: 0
        }
    }
}

/// What a lookup does next.
enum WorkStep: Sendable {
    /// Carry out all of these at once, and hand back their outcomes in this order.
    case search([LDAPSearch])
    case answered(Answer)
}

/// A lookup under way: a value that does no I/O, so that it can be tried without a server.
protocol LookupWork: Sendable {
    mutating func begin() -> WorkStep
    mutating func take(_ outcomes: [SearchOutcome]) -> WorkStep
}
