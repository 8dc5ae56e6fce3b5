// An entry that does not say what it must. Never a reason to say that nobody is there.

import MailboxDirectory

/// Which entry, what is wrong with it, and so what to correct.
struct ReadFault: Error, Hashable, Sendable {
    var reason: String

    init(_ entry: LDAPEntry, _ what: String) { reason = "the entry \(entry.dn) \(what); correct it" }

    init(_ reason: String) { self.reason = reason }
}

extension Answer {
    /// What a server that may not have all of the directory tells: that somebody is there stands, but not that somebody is
    /// not, nor how many there are.
    /// - Parameter doubt: why it may not have all; nil while there is no reason.
    func certain(in source: String, doubt: @autoclosure () -> String?) -> Answer {
        switch self {
        case .couldNotTell, .stale, .domain, .entry(_, key: 0): return self
        case .absent, .entry, .matches, .members, .page:
            guard let doubt = doubt() else { return self }
            return .trouble(source, doubt)
        }
    }

    /// "Could not tell", for a failed search or a bad entry.
    static func trouble(_ source: String, _ reason: String) -> Answer {
        .couldNotTell(
            Trouble(
                source: source,
                reason: String(
                    decoding: reason.utf8.map { $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: " ") : $0 }, as: UTF8.self)))
    }
}
