// What an attribute can mean with a preset. The room that knows LDAP reads entries by the same rules; a test compares the two
// for every preset and role.

import MailboxDirectory

/// What a preset knows of records, by itself.
private struct PresetUse {
    var kinds: [RecordKind]
    /// The roles with attributes on which others depend, and those of addresses.
    var roles: Set<String>
    /// Whether it knows what the values of a status mean.
    var tellsStatus = false

    private static let mail = "address"
    private static let forward = "forward-target"
    private static let status = "status"

    /// Nil for no preset.
    init?(_ preset: String) {
        guard let use = Self.all[preset] else { return nil }
        self = use
    }

    private init(_ kinds: [RecordKind], _ roles: Set<String>, tellsStatus: Bool = false) {
        (self.kinds, self.roles, self.tellsStatus) = (kinds, roles, tellsStatus)
    }

    private static let all: [String: PresetUse] = [
        "addressee": PresetUse(
            RecordKind.allCases, [mail, forward, status, "domain-name", "domain-kind"], tellsStatus: true),
        "laser": PresetUse([.user], [mail, forward]),
        "nis": PresetUse([.user, .alias], [mail, "local-part"]),
        "inetorgperson": PresetUse([.user, .list], [mail]),
        "qmail": PresetUse([.user, .list], [mail, "alias-address", forward, status], tellsStatus: true),
        "postfixbook": PresetUse([.user, .forward], [mail, "alias-address", forward, status], tellsStatus: true),
        "courier": PresetUse([.user, .alias, .domain], [mail, "domain-name"]),
        "389": PresetUse([.user, .list], [mail, "alias-address", forward, status], tellsStatus: true),
        "ad": PresetUse([.user, .forward, .list], [mail, forward, "forward-target-dn", status], tellsStatus: true),
    ]
}

extension LDAPSourceConfiguration {
    /// Whether attributes that are named for this role are of any effect, beside all else that the source has.
    func hasUse(for role: String) -> Bool {
        guard let use = PresetUse(preset) else { return true }
        let kinds = Self.kinds(of: role)
        guard use.kinds.contains(where: kinds.contains) else { return false }
        switch role {
        case "status": return use.tellsStatus || !statusWords.isEmpty
        // Who is in a list is told by the list's own entry, where lists have one.
        case "member-of": return !use.kinds.contains(.list)
        case "keep-copy", "reply": return hasAttribute(of: "forward-target") || hasAttribute(of: "forward-target-dn")
        case "domain-target": return hasAttribute(of: "domain-name") && hasAttribute(of: "domain-kind")
        case "domain-kind", "catch-all", "detail-separators", "transport": return hasAttribute(of: "domain-name")
        default: return true
        }
    }

    /// Whether any entry has an attribute of this role, by the preset or by the site's own roles.
    func hasAttribute(of role: String) -> Bool {
        guard let use = PresetUse(preset) else { return true }
        return roles[role].map { !$0.isEmpty } ?? use.roles.contains(role)
    }

    /// Whether an address can be looked for at all.
    var hasAddresses: Bool { ["address", "alias-address", "local-part"].contains { hasAttribute(of: $0) } }

    /// What a site may do instead, where a role has no use.
    func remedy(for role: String) -> String {
        switch role {
        case "status": return "say beside it what its values mean: status-words: {disabled: [...]}"
        case "member-of":
            return "its lists have entries of their own: name the attribute of those that holds the members, as"
                + " member-dn, member-uid or member-address"
        case "keep-copy", "reply": return "name beside it where mail is redirected to: forward-target"
        case "domain-name", "domain-kind", "catch-all", "detail-separators", "transport":
            return "say it under domains of the source, as in: domains: [{domain: example.org, catch-all:"
                + " info@example.org}]"
        default:
            let able = Self.presets.filter { other in
                var source = LDAPSourceConfiguration(uris: [], base: "", preset: other, cache: cache)
                source.statusWords = statusWords
                return source.hasUse(for: role)
            }
            let kinds = Self.kinds(of: role).map(\.rawValue).joined(separator: " or ")
            return "it has no \(kinds); leave it out, or choose a preset that has: \(able.joined(separator: ", "))"
        }
    }

    /// The kinds of records that have such a thing: for others its attributes are never read.
    private static func kinds(of role: String) -> [RecordKind] {
        switch role {
        case "login", "status": [.user]
        case "forward-target", "forward-target-dn", "keep-copy", "reply": [.user, .forward]
        case "new-address": [.moved]
        case "alias-target": [.alias]
        case "member-address", "member-dn", "member-uid", "member-url", "owner", "expansion", "title": [.list]
        case "domain-name", "domain-kind", "domain-target", "catch-all", "detail-separators", "transport": [.domain]
        default: RecordKind.allCases.filter { $0 != .domain }
        }
    }

    /// Whether a text is the name of an attribute: `descr / numericoid` (RFC 4512 1.4).
    static func isAttributeName(_ text: String) -> Bool {
        let octets = Array(text.utf8)
        let isLetter = { (octet: UInt8) in (0x41...0x5A).contains(octet & 0xDF) && octet < 0x80 }
        let isDigit = { (octet: UInt8) in (0x30...0x39).contains(octet) }
        guard let first = octets.first, octets.count <= 100 else { return false }
        if isLetter(first) { return octets.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") } }
        let numbers = octets.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return numbers.count > 1
            && numbers.allSatisfy { !$0.isEmpty && $0.allSatisfy(isDigit) && ($0.count == 1 || $0.first != 0x30) }
    }
}
