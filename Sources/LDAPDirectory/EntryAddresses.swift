// The addresses of an entry. An attribute's values are a set (RFC 4511 4.1.7), so which of them is the canonical one may
// not depend on the order in which a server gives them.

import MailAddress

/// The addresses of an entry, once each.
struct EntryAddresses: Sendable {
    /// Those in domains that are served here, the canonical one first.
    var here: [Mailbox] = []
    /// Those in other domains. They are the entry's own and lead nowhere: mail for it never goes there.
    var elsewhere: [Mailbox] = []
    /// Those whose values say that a mail server takes them (`smtp:`).
    var marked: Set<Mailbox> = []

    var canonical: Mailbox? { here.first }
    var all: [Mailbox] { here + elsewhere }
}

/// An address of an entry, and what it has for being the canonical one. The least is.
struct AddressCandidate {
    let mailbox: Mailbox
    /// In the order of their weight; each the less the better.
    var ranks: [Int]

    /// - Parameters:
    ///   - isPrimary: whether its value is marked as the canonical address (`SMTP:`).
    ///   - kind: how its domain is served: the less the better (`EntryReader.served`).
    ///   - attribute: the place of its attribute: an address before an alias of one.
    ///   - isNaming: whether the entry is named by it, as a server tells one value of an attribute from the others by
    ///     that alone.
    ///   - domain: the place of its domain in the configuration.
    init(_ mailbox: Mailbox, isPrimary: Bool, kind: Int, attribute: Int, isNaming: Bool, domain: Int) {
        self.mailbox = mailbox
        ranks = [isPrimary ? 0 : 1, kind, attribute, isNaming ? 0 : 1, domain, mailbox.localPart.key.count]
    }

    /// What tells nothing better is told by the octets, so that it is told at all.
    static func precedes(_ one: AddressCandidate, _ other: AddressCandidate) -> Bool {
        if one.ranks != other.ranks { return one.ranks.lexicographicallyPrecedes(other.ranks) }
        let (left, right) = (SearchPlan.key(of: one.mailbox), SearchPlan.key(of: other.mailbox))
        if left != right { return left.lexicographicallyPrecedes(right) }
        return one.mailbox.spelling.lexicographicallyPrecedes(other.mailbox.spelling)
    }
}
