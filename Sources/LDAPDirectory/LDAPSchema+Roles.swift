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
