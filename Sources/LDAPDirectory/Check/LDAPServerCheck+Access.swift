// Who else may read the directory: everybody, and what nobody should.

import MailboxDirectory

extension LDAPServerCheck {
    /// What a password, or a thing as good as one, is kept in.
    private static let secrets: [AttributeName] = [
        "userPassword", "sambaNTPassword", "sambaLMPassword", "krbPrincipalKey", "unicodePwd", "authPassword",
    ]

    mutating func examineAccess(_ handle: LDAPHandle) throws(LDAPFailure) {
        if case .anonymous = settings.bind {
            try examineReading(handle)
            return
        }
        if let secret = try secret(handle, isAccount: true) {
            list.add(
                Finding(
                    .warning, .directory, "this account may read passwords (\(secret.name) of \(secret.dn))",
                    advice: "bind as one that may not; none are needed"))
        }
        var anonymous = settings
        anonymous.bind = .anonymous
        let other: LDAPHandle
        do throws(LDAPFailure) {
            other = try LDAPHandle(unconnected: uri, settings: anonymous)
            other.begin(until: MonotonicTime.now() + settings.connectTimeout.nanoseconds)
            try other.connect(anonymous)
            try other.protect(anonymous)
            try other.bind(anonymous)
            other.finishOpening()
        } catch {
            // A server that turns the nameless away is as it should be.
            return
        }
        do throws(LDAPFailure) {
            try examineReading(other)
        } catch {
            list.add(
                Finding(
                    .note, .directory, "what everybody may read could not be examined: \(error.description)"))
        }
    }

    /// What the nameless may read.
    private mutating func examineReading(_ handle: LDAPHandle) throws(LDAPFailure) {
        let rules = plan.userRules
        let names = [LDAPRole.address, .aliasAddress, .localPart].flatMap { plan.schema.names($0, rules) }
        var search = plan.search(
            plan.group(rules) { rule in
                [LDAPRole.address, .aliasAddress, .localPart].flatMap { plan.schema.names($0, rule) }.map {
                    .present($0)
                }
            }, rules, limit: 1)
        search.attributes = names.map(\.description)
        search.isPartialWelcome = true
        if let entry = try ask(handle, search).some.first(where: { !$0.attributes.isEmpty }) {
            list.add(
                Finding(
                    .warning, .directory,
                    "everybody who reaches the server may read addresses, without a password (\(entry.dn))",
                    advice: "let the server show \(SearchPlan.once(names).listed) to the account of Addressee only"))
        }
        if let secret = try secret(handle, isAccount: false) {
            list.add(
                Finding(
                    .error, .directory,
                    "everybody who reaches the server may read passwords (\(secret.name) of \(secret.dn))",
                    advice: accessAdvice(secret.name)))
        }
    }

    private func accessAdvice(_ name: AttributeName) -> String {
        switch kind {
        case .openLDAP: "access to attrs=\(name) by self write by anonymous auth by * none"
        case .netscape: "leave \(name) out of the aci that lets everybody read: (targetattr!=\"\(name)\")"
        case .other: "let nobody read \(name)"
        }
    }

    /// A password that can be read; only where it is, never what. Its own an account may read wherever users may change
    /// theirs.
    private func secret(
        _ handle: LDAPHandle, isAccount: Bool
    ) throws(LDAPFailure) -> (name: AttributeName, dn: String)? {
        let names = Self.secrets.filter { known?.has(attribute: $0) ?? true }
        for name in names {
            var search = LDAPSearch(
                base: settings.base, scope: .subtree, filter: LDAPFilter.present(name).text,
                attributes: [name.description], sizeLimit: 2)
            search.ignoresReferences = true
            search.isPartialWelcome = true
            for entry in try ask(handle, search).some
            where !entry.values(name).isEmpty && !(isAccount && isOwn(entry.dn)) {
                return (name, entry.dn)
            }
        }
        return nil
    }

    /// Whether the name is that of the account that asks.
    private func isOwn(_ dn: String) -> Bool {
        guard case .simple(let own, _, _) = settings.bind else { return false }
        return DistinguishedName.key(Array(own.utf8)) == DistinguishedName.key(Array(dn.utf8))
    }
}
