// Whether the server knows the classes and attributes that the preset and the configuration name, and compares them as
// mail does. What a server does not know fits nothing (RFC 4511 4.5.1.7), and nobody would be found by it.

import MailboxDirectory

extension LDAPServerCheck {
    /// - Returns: whether the server may have users at all.
    mutating func examineSchema(_ handle: LDAPHandle) throws(LDAPFailure) -> Bool {
        let place = root.texts("subschemaSubentry").first ?? "cn=subschema"
        let search = LDAPSearch(
            base: place, scope: .base, filter: "(objectClass=subschema)",
            attributes: ["attributeTypes", "objectClasses"], sizeLimit: 1)
        guard let entry = try ask(handle, search).some.first, !entry.values("attributeTypes").isEmpty else {
            list.add(
                Finding(
                    .note, .directory, "the server does not show its schema, so that no attribute could be examined",
                    advice: "let this account read \(place)"))
            return true
        }
        let schema = ServerSchema(
            attributeTypes: entry.values("attributeTypes"), objectClasses: entry.values("objectClasses"))
        known = schema
        let users = SearchPlan.once(plan.userRules.flatMap(\.classes))
        if !users.contains(where: { schema.has(class: $0) }) {
            list.add(
                Finding(
                    .error, .configuration, "the server knows no class of users (\(users.listed))",
                    advice: try presetAdvice(handle) ?? "choose the preset that fits the directory, or load that schema"
                ))
            return false
        }
        for kind in RecordKind.allCases {
            let classes = SearchPlan.once(plan.schema.rules.filter { $0.kind == kind }.flatMap(\.classes))
            if classes.isEmpty || classes.contains(where: { schema.has(class: $0) }) { continue }
            list.add(
                Finding(
                    .note, .configuration,
                    "the server knows no class \(classes.listed), so that there is no record of the kind \(kind.rawValue)"
                ))
        }
        examineRoles(schema)
        examineRules(schema)
        return true
    }

    /// The presets by which there are users below the base; nil when there is none.
    func presetAdvice(_ handle: LDAPHandle) throws(LDAPFailure) -> String? {
        var fitting: [String] = []
        for preset in LDAPPreset.allCases where preset.schema.rules != plan.schema.rules {
            let rules = preset.schema.rules.filter { $0.kind == .user }
            let classes = rules.flatMap(\.classes).filter { known?.has(class: $0) ?? true }
            if classes.isEmpty { continue }
            var search = plan.search(Self.filter(classes), rules, limit: 1)
            search.attributes = ["1.1"]
            search.isPartialWelcome = true
            if try !ask(handle, search).some.isEmpty { fitting.append(preset.rawValue) }
        }
        return fitting.isEmpty
            ? nil : "choose another preset: there are users by \(fitting.joined(separator: " and by "))"
    }

    /// The attributes of each role, over all rules whose classes the server knows.
    private mutating func examineRoles(_ schema: ServerSchema) {
        let rules = plan.schema.rules.filter { $0.classes.contains { schema.has(class: $0) } }
        let places: [LDAPRole] = [.address, .aliasAddress, .localPart]
        let addresses = places.flatMap { plan.schema.names($0, rules) }
        let hasAddress = addresses.isEmpty || addresses.contains { schema.has(attribute: $0) }
        if !hasAddress {
            list.add(
                Finding(
                    .error, .configuration,
                    "the server knows no attribute for addresses (\(SearchPlan.once(addresses).listed))",
                    advice: "name under roles which attribute holds them, or choose another preset"))
        }
        for role in LDAPRole.allCases where hasAddress || !places.contains(role) {
            let names = plan.schema.names(role, rules)
            let unknown = names.filter { !schema.has(attribute: $0) }
            if unknown.isEmpty { continue }
            let rest = unknown.count == names.count ? ", so that there is none for that role" : ""
            list.add(
                Finding(
                    .note, .configuration, "the server does not know \(unknown.listed) (\(role.rawValue))\(rest)",
                    advice: "nothing if the site has no such; else correct roles"))
        }
        guard let keys = plan.schema.keys else { return }
        let unknown = keys.all.filter { !schema.has(attribute: $0) }
        if !unknown.isEmpty, rules.contains(where: { $0.kind == .user }) {
            list.add(
                Finding(
                    .error, .configuration, "the server does not know \(unknown.listed), by which is searched",
                    advice: "load schema/ldap/addressee.schema of this version"))
        }
    }

    /// Mail is compared without case, but for our own keys, which are folded.
    private mutating func examineRules(_ schema: ServerSchema) {
        if plan.schema.keys != nil || !schema.tellsRules { return }
        let searched = SearchedAttributes(plan)
        // Attributes without a rule are compared by their syntax there, and the syntaxes of addresses ignore case.
        let goesBySyntax = kind == .netscape
        for name in searched.addresses + searched.logins where schema.has(attribute: name) {
            guard let rule = schema.equality(of: name) else {
                if goesBySyntax { continue }
                list.add(
                    Finding(
                        .error, .directory, "the attribute \(name) has no equality rule, so that nobody is found by it",
                        advice: "correct its definition on the server, or name another under roles"))
                continue
            }
            if ServerSchema.caseSensitive.contains(rule) {
                list.add(
                    Finding(
                        .warning, .directory,
                        "the attribute \(name) is compared with case (\(rule)), so that Fred@ is not found as fred@",
                        advice: "keep its values in lower case, or give it caseIgnoreMatch or caseIgnoreIA5Match"))
            }
        }
        for name in searched.names
        where !goesBySyntax && schema.has(attribute: name) && schema.substring(of: name) == nil {
            list.add(
                Finding(
                    .warning, .directory,
                    "the attribute \(name) has no substring rule, so that nobody is found by a word of it",
                    advice: "name another under roles (full-name)"))
        }
    }
}

extension LDAPKeyAttributes {
    var all: [AttributeName] { [address, localPart, domain, login, name] }
}

extension [AttributeName] {
    /// For a sentence.
    var listed: String { map(\.description).joined(separator: ", ") }
}
