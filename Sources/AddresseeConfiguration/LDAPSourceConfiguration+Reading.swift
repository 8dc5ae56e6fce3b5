// Reads `ldap` of a source.

import MailAddress
import MailboxDirectory
import Yams

extension LDAPSourceConfiguration {
    /// Nil when something is missing that has no default.
    /// - Parameter name: of the source.
    static func read(_ setting: Setting, source name: String) -> LDAPSourceConfiguration? {
        guard var section = setting.section() else { return nil }
        let uris = section.texts("uris", "a server such as ldaps://ldap.example.org", check: readURI)
        let base = section.setting("base")?.base()
        let preset = section.setting("preset")?.word(of: presets)
        for (key, example) in [
            ("uris", "uris: [ldaps://ldap.example.org]"), ("base", "base: dc=example,dc=org"),
            ("preset", "preset: inetorgperson"),
        ] where section.setting(key) == nil { section.require(key, for: example) }
        var ldap = LDAPSourceConfiguration(
            uris: uris ?? [], base: base ?? "", preset: preset ?? "",
            cache: Cache(journal: section.findings.resolve("\(name).changes")))
        ldap.writeBase = section.setting("write-base")?.distinguishedName("a DN such as ou=mail,dc=example,dc=org")
        ldap.domains =
            section.list("domains", empty: "name one domain at least, or leave it out")?
            .compactMap { $0.domainRecord() } ?? []
        let roles = ldap.readRoles(from: &section)
        let words = ldap.readStatusWords(from: &section)
        if preset != nil { ldap.checkUse(of: roles, words, of: section) }
        ldap.readMustFind(from: &section)
        ldap.readNewEntryValues(from: &section)
        ldap.readBind(from: &section)
        ldap.readTLS(from: &section)
        ldap.readTimes(from: &section)
        section.close()
        guard let uris, !uris.isEmpty, base != nil, preset != nil else { return nil }
        return ldap
    }

    private static func readURI(_ setting: Setting, _ uri: String) {
        let schemes = ["ldap://", "ldaps://", "ldapi://"]
        if !schemes.contains(where: { uri.lowercased().hasPrefix($0) && uri.count > $0.count }) {
            setting.report(
                "\(setting.name) must be a server such as ldaps://ldap.example.org or ldapi://%2Frun%2Fslapd%2Fldapi, not"
                    + " \(uri.quoted)")
        }
    }

    /// - Returns: the roles that name attributes.
    private mutating func readRoles(from section: inout Section) -> [Setting] {
        guard var roles = section.section("roles") else { return [] }
        roles.know(Self.roles)
        var named: [Setting] = []
        for role in roles.keys where Self.roles.contains(role) {
            guard let setting = roles.setting(role) else { continue }
            // An empty list says that the site has none.
            if case .sequence(let items) = setting.node, items.isEmpty {
                self.roles[role] = []
                continue
            }
            self.roles[role] = roles.texts(role, "the name of an attribute") { setting, text in
                if Self.isAttributeName(text) { return }
                setting.report("\(setting.name) has \(text.quoted), which is no name of an attribute (RFC 4512 2.5)")
            }
            named.append(setting)
        }
        roles.close()
        return named
    }

    /// - Returns: the words, where there are any.
    private mutating func readStatusWords(from section: inout Section) -> Setting? {
        guard let setting = section.setting("status-words"), var words = section.section("status-words") else {
            return nil
        }
        var seen: [String: AccountStatus] = [:]
        for status in AccountStatus.allCases {
            guard let texts = words.texts(status.rawValue, "a value such as \"TRUE\"") else { continue }
            // Blanks around a value of an attribute mean nothing.
            let own = texts.map(\.withoutBlanks)
            for word in own {
                if word.isEmpty { setting.report("\(setting.name).\(status.rawValue) has an empty word; leave it out") }
                if let other = seen[word.lowercased()], other != status {
                    setting.report(
                        "\(setting.name) has \(word.quoted) for \(other.rawValue) and for \(status.rawValue)")
                }
                seen[word.lowercased()] = status
            }
            statusWords[status] = own
        }
        words.close()
        return statusWords.isEmpty ? nil : setting
    }

    /// What the site says of its attributes that nothing comes of is taken for a mistake.
    private func checkUse(of roles: [Setting], _ words: Setting?, of section: Section) {
        for setting in roles where !hasUse(for: setting.key) {
            setting.report("\(setting.name) has no effect with the preset \(preset): \(remedy(for: setting.key))")
        }
        if let words, !hasAttribute(of: "status") {
            words.report(
                "\(words.name) has no effect without an attribute; name it under roles, as in: roles: {status:"
                    + " [nsAccountLock]}")
        }
        if !hasAddresses {
            section.findings.report(
                section.line,
                "\(section.name) has no attribute with addresses, so that nobody would be found; name one in roles.address"
            )
        }
    }

    private mutating func readMustFind(from section: inout Section) {
        let expected = "an address such as postmaster@example.org"
        let texts = section.texts("must-find", expected) { setting, text in _ = setting.mailbox(text) }
        mustFind = (texts ?? []).compactMap { try? Mailbox($0) }
    }

    private mutating func readNewEntryValues(from section: inout Section) {
        guard var values = section.section("new-entries") else { return }
        values.know(values.keys)
        for key in values.keys {
            guard let setting = values.setting(key) else { continue }
            if !Self.isAttributeName(key) {
                setting.report(
                    "\(section.name).new-entries has \(key.quoted), which is no name of an attribute (RFC 4512 2.5)")
            }
            newEntryValues[key] = setting.text("a value such as /var/mail/%d/%u")
        }
        values.close()
    }

    private mutating func readBind(from section: inout Section) {
        let dn = section.setting("bind-dn")
        let file = section.setting("password-file")
        let variable = section.setting("password-env")
        let sasl = section.setting("sasl")
        let isClearTextAllowed = section.setting("allow-clear-text")?.flag() ?? false
        if let sasl {
            if sasl.word(of: ["external"]) != nil { bind = .external }
            if let dn { dn.report("\(dn.name) and \(sasl.name) exclude each other; leave one of them out") }
            return
        }
        guard let dn else {
            for setting in [file, variable].compactMap(\.self) {
                setting.report("\(setting.name) needs bind-dn beside it: whose password it is")
            }
            return
        }
        guard let name = dn.distinguishedName("a DN such as cn=reader,dc=example,dc=org") else { return }
        switch (file, variable) {
        case (let file?, nil):
            guard let path = file.path() else { return }
            bind = .simple(dn: name, password: .file(path), isClearTextAllowed: isClearTextAllowed)
        case (nil, let variable?):
            guard let text = variable.text("the name of an environment variable") else { return }
            bind = .simple(dn: name, password: .environment(text), isClearTextAllowed: isClearTextAllowed)
        default:
            dn.report("\(dn.name) needs its password: either password-file or password-env")
        }
    }

    private mutating func readTLS(from section: inout Section) {
        startTLS = section.setting("starttls")?.flag() ?? false
        verifies = section.setting("verify")?.flag() ?? true
        caFile = section.setting("ca-file")?.path()
        let certificate = section.setting("client-certificate")
        let key = section.setting("client-key")
        certificateFile = certificate?.path()
        keyFile = key?.path()
        if let certificate, key == nil { certificate.report("\(certificate.name) needs client-key beside it") }
        if let key, certificate == nil { key.report("\(key.name) needs client-certificate beside it") }
    }

    private mutating func readTimes(from section: inout Section) {
        let (second, minute, day) = (Duration.seconds(1), Duration.seconds(60), Duration.seconds(86_400))
        if let value = section.setting("timeout")?.duration(in: second...minute) { timeout = value }
        if let value = section.setting("connect-timeout")?.duration(in: second...minute) { connectTimeout = value }
        guard var section = section.section("cache") else { return }
        if let value = section.setting("entries")?.number(in: 0...10_000_000) { cache.entries = value }
        if let value = section.setting("positive")?.duration(in: second...day) { cache.positive = value }
        if let value = section.setting("negative")?.duration(in: .zero...day) { cache.negative = value }
        if let value = section.setting("stale")?.duration(in: .zero...(day * 7)) { cache.stale = value }
        if let value = section.setting("journal")?.path() { cache.journal = value }
        section.close()
    }
}

extension Section {
    /// A list of texts, or one alone; nil when the key is absent or has nothing that could be read.
    mutating func texts(
        _ key: String, _ expected: String, check: (Setting, String) -> Void = { _, _ in }
    ) -> [String]? {
        guard let setting = setting(key) else { return nil }
        let items: [Setting]
        if case .sequence = setting.node {
            items = setting.items(empty: "name one at least") ?? []
        } else {
            items = [setting]
        }
        let texts = items.compactMap { item in
            let text = item.text(expected)
            if let text { check(item, text) }
            return text
        }
        return texts.isEmpty ? nil : texts
    }
}

extension Setting {
    /// One of these words.
    func word(of words: [String]) -> String? {
        let expected =
            words.count == 1 ? words[0] : words.dropLast().joined(separator: ", ") + " or " + words[words.count - 1]
        guard let text = text(expected) else { return nil }
        if words.contains(text) { return text }
        refuse(expected, hint: NearestWord.hint(text, among: words))
        return nil
    }

    /// A DN. An empty one is the root of all that a server has, as a global catalogue is searched from.
    fileprivate func base() -> String? {
        if case .scalar(let scalar) = node, scalar.string.isEmpty, scalar.style != .plain { return "" }
        return distinguishedName("a DN such as dc=example,dc=org, or '' for all that the server has")
    }

    /// A DN. Semicolons between its parts, as RFC 2253 still read them, are none of RFC 4514, and servers differ in what
    /// they make of them.
    fileprivate func distinguishedName(_ expected: String) -> String? {
        guard let text = text(expected) else { return nil }
        var (meant, isEscaped, isQuoted) = ("", false, false)
        for scalar in text.unicodeScalars {
            let separates = scalar == ";" && !isEscaped && !isQuoted
            if scalar == "\"", !isEscaped { isQuoted.toggle() }
            isEscaped = scalar == "\\" && !isEscaped
            meant.unicodeScalars.append(separates ? "," : scalar)
        }
        if meant == text { return text }
        refuse(expected, hint: "; write \(meant)")
        return nil
    }

    /// A domain alone, or one with how it is served.
    fileprivate func domainRecord() -> DomainRecord? {
        guard case .mapping = node else { return ownDomain(such: "example.org").map { DomainRecord(domain: $0) } }
        guard var section = section() else { return nil }
        let name = section.setting("domain")
        if name == nil { section.require("domain", for: "domain: example.org") }
        let isRelay = section.setting("kind")?.word(of: ["local", "relay"]) == "relay"
        let catchAll = section.setting("catch-all")?.mailbox(such: "info@example.org")
        let separators = section.setting("detail-separators")
        let transport = section.setting("transport")?.transport()
        section.close()
        guard let domain = name?.ownDomain(such: "example.org") else { return nil }
        var record = DomainRecord(domain: domain, kind: isRelay ? .relay : .local, catchAll: catchAll)
        if let separators { record.detailSeparators = separators.separators() ?? [] }
        record.transport = transport
        return record
    }

    /// `TRANSPORT:NEXTHOP`, as a domain's record may have it.
    private func transport() -> String? {
        let expected = "TRANSPORT:NEXTHOP such as \"smtp:[mx.example.org]:25\""
        guard let text = text(expected) else { return nil }
        guard DomainRecord.isTransport(text), DomainRecord.hasWholeBrackets(text) else {
            refuse(expected)
            return nil
        }
        return text
    }

    /// Printable ASCII, none of which is part of an address's frame; empty for none.
    private func separators() -> [UInt8]? {
        if case .scalar(let scalar) = node, scalar.string.isEmpty { return [] }
        guard let text = text("separators such as \"+-\"") else { return nil }
        let octets = Array(text.utf8)
        guard octets.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "@") }) else {
            refuse("separators such as \"+-\"")
            return nil
        }
        return octets
    }
}

extension String {
    /// Without the blanks around it.
    fileprivate var withoutBlanks: String {
        let isBlank = { (octet: UInt8) in octet == UInt8(ascii: " ") || octet == UInt8(ascii: "\t") }
        var rest = utf8[...]
        while let first = rest.first, isBlank(first) { rest = rest.dropFirst() }
        while let last = rest.last, isBlank(last) { rest = rest.dropLast() }
        return String(decoding: rest, as: UTF8.self)
    }
}
