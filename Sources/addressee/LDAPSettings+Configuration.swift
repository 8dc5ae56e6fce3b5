// What a configuration says of an LDAP source, in the terms of the room that knows LDAP; and what that tells, as lines of
// the log.

import AddresseeCommands
import AddresseeConfiguration
import LDAPDirectory
import Logging
import MailboxDirectory
import Verification

extension LDAPSettings {
    /// - Throws: for a word that the configuration takes and LDAP does not know.
    init(_ source: LDAPSourceConfiguration, name: String) throws(CommandFailure) {
        guard let preset = LDAPPreset(rawValue: source.preset) else {
            throw CommandFailure(.configuration, "the source \(name) has an unknown preset, \(source.preset)")
        }
        var roles: [LDAPRole: [AttributeName]] = [:]
        for (word, attributes) in source.roles {
            guard let role = LDAPRole(rawValue: word) else {
                throw CommandFailure(.configuration, "the source \(name) has an unknown role, \(word)")
            }
            roles[role] = try attributes.map { text throws(CommandFailure) in
                try AttributeName.checked(text, name: name, what: "roles.\(word)")
            }
        }
        self.init(uris: source.uris, base: source.base, preset: preset, roles: roles, domains: source.domains)
        schema = schema.telling(source.statusWords)
        mustFind = source.mustFind
        bind = LDAPBind(source.bind)
        tls = LDAPTLS(
            startTLS: source.startTLS, verifies: source.verifies, caFile: source.caFile,
            certificateFile: source.certificateFile, keyFile: source.keyFile)
        timeout = source.timeout
        connectTimeout = source.connectTimeout
        cache = LDAPCacheSettings(
            entries: source.cache.entries, positive: source.cache.positive, negative: source.cache.negative,
            stale: source.cache.stale)
        cache.journal = source.cache.journal
        if let writeBase = source.writeBase { self.writeBase = writeBase }
        for (word, value) in source.newEntryValues {
            newEntryValues[try AttributeName.checked(word, name: name, what: "new-entries")] = value
        }
    }

    /// For a command, which asks once: it is told what is true now.
    func withoutCache() -> LDAPSettings {
        var settings = self
        settings.cache.entries = 0
        return settings
    }
}

extension AttributeName {
    fileprivate static func checked(
        _ text: String, name: String, what: String
    ) throws(CommandFailure) -> AttributeName {
        if let attribute = AttributeName(text) { return attribute }
        throw CommandFailure(
            .configuration,
            "the source \(name) has \"\(text)\" in \(what), which is no name of an attribute (RFC 4512 2.5)")
    }
}

extension LDAPBind {
    fileprivate init(_ bind: LDAPSourceConfiguration.Bind) {
        switch bind {
        case .anonymous: self = .anonymous
        case .external: self = .external
        case .simple(let dn, .file(let path), let isClearTextAllowed):
            self = .simple(dn: dn, password: .file(path), isClearTextAllowed: isClearTextAllowed)
        case .simple(let dn, .environment(let name), let isClearTextAllowed):
            self = .simple(dn: dn, password: .environment(name), isClearTextAllowed: isClearTextAllowed)
        }
    }
}

extension Logger {
    /// What an examination of a source found: a line each, and how many they are.
    func tell(_ findings: [Finding], source: String) {
        for finding in findings { tell(finding, source: source) }
        info("source-examined", metadata: ["source": "\(source)", "findings": "\(findings.count)"])
    }

    private func tell(_ finding: Finding, source: String) {
        var metadata: Metadata = ["source": "\(source)", "found": "\(finding.text)"]
        if !finding.advice.isEmpty { metadata["do"] = "\(finding.advice)" }
        switch finding.severity {
        case .error: error("source-examined", metadata: metadata)
        case .warning: warning("source-examined", metadata: metadata)
        case .note: debug("source-examined", metadata: metadata)
        }
    }

    /// What has happened to the connections of a source.
    func tell(_ event: LDAPEvent, source: String) {
        switch event {
        case .connected(let uri): info("source-connected", metadata: ["source": "\(source)", "server": "\(uri)"])
        case .lost(let uri, let reason):
            warning("source-lost", metadata: ["source": "\(source)", "server": "\(uri)", "reason": "\(reason)"])
        case .failed(let uri, let reason):
            error("source-failed", metadata: ["source": "\(source)", "server": "\(uri)", "reason": "\(reason)"])
        case .leftOut(let uri, let reason):
            warning("source-left-out", metadata: ["source": "\(source)", "server": "\(uri)", "reason": "\(reason)"])
        case .doubted(let uri, let reason):
            error("source-doubted", metadata: ["source": "\(source)", "server": "\(uri)", "reason": "\(reason)"])
        case .trusted(let uri): info("source-trusted", metadata: ["source": "\(source)", "server": "\(uri)"])
        case .servedStale(let age, let reason):
            warning(
                "answered-from-memory",
                metadata: ["source": "\(source)", "age": "\(age.components.seconds)s", "reason": "\(reason)"])
        }
    }
}
