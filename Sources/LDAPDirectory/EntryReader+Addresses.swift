// Which addresses an entry has, and which of them is the canonical one.

import MailAddress
import MailboxDirectory

extension EntryReader {
    /// The addresses of an entry; values that are no addresses are passed over.
    ///
    /// The canonical one is the one that is marked so (`SMTP:`); else one in a local domain before one in a relay domain
    /// or in an alias of a domain; one in an attribute of addresses before one in an attribute of aliases; the one that
    /// names the entry, or whose local-part does; one in the domain that the configuration names first; the shorter; the lesser by octets.
    ///
    /// - Parameter asked: a domain that is known to be served, as one that is asked about, and in which a bare local-part
    ///   is wanted first.
    func addresses(of entry: LDAPEntry, _ rules: [LDAPRule], domain asked: Domain? = nil) -> EntryAddresses {
        var found = EntryAddresses()
        var candidates: [AddressCandidate] = []
        var attribute = 0
        var hasPrimary = false
        for role in [LDAPRole.address, .aliasAddress] {
            for name in schema.names(role, rules) {
                attribute += 1
                let prefix = schema.prefixes[name]
                let values = entry.values(name)
                for value in values {
                    guard let text = prefix.map({ $0.strip(value) }) ?? Self.trimmed(value),
                        let mailbox = try? Mailbox(octets: text.span)
                    else { continue }
                    if prefix != nil { found.marked.insert(mailbox) }
                    let isPrimary = prefix?.isPrimary(value) == true
                    hasPrimary = hasPrimary || isPrimary
                    let place = place(of: mailbox.domain, asked: asked)
                    candidates.append(
                        AddressCandidate(
                            mailbox, isPrimary: isPrimary, kind: place.kind, attribute: attribute,
                            isNaming: values.count > 1 && entry.isNamed(by: mailbox, text, as: name),
                            domain: place.order))
                }
            }
        }
        // Where addresses are marked, an address without a mark is one for people to write to, and no server takes it.
        if hasPrimary { candidates.removeAll { !found.marked.contains($0.mailbox) } }
        for name in schema.names(.localPart, rules) {
            let values = entry.values(name)
            for value in values {
                guard let localPart = Self.localPart(Self.trimmed(value)) else { continue }
                let isNaming = values.count > 1 && entry.isNamed(by: Self.trimmed(value), as: name)
                // Spelled as in the configuration, never as a client did.
                for (order, domain) in domains.enumerated() {
                    candidates.append(
                        AddressCandidate(
                            Mailbox(localPart: localPart, domain: domain), isPrimary: false, kind: 0, attribute: .max,
                            isNaming: isNaming, domain: domain == asked ? -1 : order))
                }
            }
        }
        if candidates.count > 1 { candidates.sort(by: AddressCandidate.precedes) }
        var seen: Set<Mailbox> = []
        for candidate in candidates where seen.insert(candidate.mailbox).inserted {
            let mailbox = candidate.mailbox
            if mailbox.domain == asked || !isForeign(mailbox.domain) {
                found.here.append(mailbox)
            } else {
                found.elsewhere.append(mailbox)
            }
        }
        if schema.routesToItself, let routed = routed(entry, rules, among: found.here) { found.here.swapAt(0, routed) }
        return found
    }

    /// Where among its own addresses an entry has the one to which it routes its mail.
    private func routed(_ entry: LDAPEntry, _ rules: [LDAPRule], among addresses: [Mailbox]) -> Int? {
        let targets = values(.forwardTarget, of: entry, rules).compactMap { try? Mailbox(octets: $0.span) }
        return addresses.firstIndex(where: targets.contains)
    }

    /// Whether a domain is none that this source serves, as far as the configuration says it.
    func isForeign(_ domain: Domain) -> Bool { knowsDomains && served[domain] == nil }

    /// How the configuration has a domain. One that it does not name comes after all others, but is served if it was asked
    /// about.
    private func place(of domain: Domain, asked: Domain?) -> (kind: Int, order: Int) {
        served[domain] ?? (domain == asked ? 3 : 4, .max)
    }

    /// A local-part, quoted or not; nil for a whole address.
    private static func localPart(_ value: [UInt8]) -> LocalPart? {
        guard value.first == UInt8(ascii: "\"") else {
            return value.contains(UInt8(ascii: "@")) ? nil : try? LocalPart(octets: value)
        }
        var index = 0
        let localPart = try? LocalPart.parse(value.span, from: &index)
        return index == value.count ? localPart : nil
    }

    /// Where mail goes for an entry that another one names, as a member or to redirect to: to its canonical mailbox.
    /// Who has none here gets it elsewhere: a redirection where it leads, and anybody else at the address that there is.
    func destinations(of entry: LDAPEntry, _ rules: [LDAPRule]) throws(ReadFault) -> [Mailbox] {
        let addresses = addresses(of: entry, rules)
        if let canonical = addresses.canonical { return [canonical] }
        guard let other = addresses.elsewhere.first else { return [] }
        if rules.contains(where: { $0.kind == .forward }) {
            let targets = try targets(.forwardTarget, of: entry, rules, domain: other.domain)
            if !targets.isEmpty { return targets }
        }
        return [other]
    }

    /// Of the entries that were found at an address, those that have it. Where some say that a mail server takes it there
    /// (`smtp:`), the others have it for people to read.
    func holders(of address: Mailbox, among entries: [LDAPEntry]) -> [LDAPEntry] {
        var holders: [LDAPEntry] = []
        var marked: [LDAPEntry] = []
        for entry in entries {
            let addresses = addresses(of: entry, rules(of: entry), domain: address.domain)
            guard addresses.here.contains(address) else { continue }
            holders.append(entry)
            if addresses.marked.contains(address) { marked.append(entry) }
        }
        return marked.isEmpty ? holders : marked
    }
}
