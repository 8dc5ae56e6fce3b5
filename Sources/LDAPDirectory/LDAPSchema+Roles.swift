// What a site says of its own attributes: which roles can mean something with a preset, and what the values of a status are.

public import MailboxDirectory

extension LDAPSchema {
    /// Whether attributes that a site names for this role are of any effect, beside all that the schema has already.
    public func hasUse(for role: LDAPRole) -> Bool {
        rules.contains { rule in
            means(role, for: rule) && Self.beside(role).allSatisfy { $0.contains { !names($0, rule).isEmpty } }
        }
    }

    /// Whether any entry has an attribute of this role.
    public func hasAttribute(of role: LDAPRole) -> Bool { rules.contains { !names(role, $0).isEmpty } }

    /// The roles that it is of no effect without: one of each of these.
    private static func beside(_ role: LDAPRole) -> [[LDAPRole]] {
        switch role {
        case .keepCopy, .reply: [[.forwardTarget, .forwardTargetDN]]
        case .domainTarget: [[.domainName], [.domainKind]]
        case .domainKind, .catchAll, .detailSeparators, .transport: [[.domainName]]
        default: []
        }
    }

    /// What a site may do instead, where a role has no use.
    public func remedy(for role: LDAPRole) -> String {
        switch role {
        case .status: return "say beside it what its values mean: status-words: {disabled: [...]}"
        case .memberOf:
            return "its lists have entries of their own: name the attribute of those that holds the members, as"
                + " member-dn, member-uid or member-address"
        case .keepCopy, .reply: return "name beside it where mail is redirected to: forward-target"
        case .domainName, .domainKind, .catchAll, .detailSeparators, .transport:
            return "say it under domains of the source, as in: domains: [{domain: example.org, catch-all:"
                + " info@example.org}]"
        default:
            let able = LDAPPreset.allCases.filter { $0.schema.hasUse(for: role) }.map(\.rawValue)
            let kinds = RecordKind.allCases.filter(role.isOf).map(\.rawValue).joined(separator: " or ")
            return "it has no \(kinds); leave it out, or choose a preset that has: \(able.joined(separator: ", "))"
        }
    }

    /// The same with words for a status, which go before the preset's.
    public func telling(_ words: [AccountStatus: [String]]) -> LDAPSchema {
        if words.isEmpty { return self }
        var changed = self
        var known: [String: AccountStatus] = [:]
        if case .words(let own) = status { known = own }
        for (status, own) in words {
            for word in own { known[word.lowercased()] = status }
        }
        // Written as the site spells it; the preset's words may be none that its attribute takes.
        changed.statusWords = words.compactMapValues(\.first)
        if case .bit = status { changed.ownStatusWords = known } else { changed.status = .words(known) }
        return changed
    }
}
