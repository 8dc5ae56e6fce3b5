// Whether an LDAP directory can be asked, and whether it answers as it should: every server by itself, and what they
// have in common told once. Nothing is written.

public import MailboxDirectory

/// Examines one LDAP source. It waits for its servers: not for an event loop.
public struct LDAPCheck: Sendable {
    /// How many entries are read.
    public enum Extent: Sendable {
        /// A sample, and some thousands are counted: little enough for every start of a server.
        case start
        /// A sample, and all are counted.
        case sample
        case everything
    }

    let name: String
    let settings: LDAPSettings
    let extent: Extent

    /// - Parameters:
    ///   - name: the name of the source in the configuration.
    ///   - settings: its servers, and what is read of them.
    ///   - extent: how many entries are read.
    public init(name: String, settings: LDAPSettings, extent: Extent = .start) {
        self.name = name
        self.settings = settings
        self.extent = extent
    }

    /// Examines it on a thread of its own, which ends with that; nobody waits.
    /// - Parameter told: called there with the findings; never called where no thread can be had.
    public func begin(_ told: @escaping @Sendable ([Finding]) -> Void) {
        _ = OwnThread.start { told(findings()) }
    }

    public func findings() -> [Finding] {
        var list = FindingList()
        list.add(settingFindings)
        var servers: [LDAPServerCheck] = []
        for uri in settings.uris {
            var server = LDAPServerCheck(uri: uri, name: name, settings: settings, extent: extent)
            server.run()
            servers.append(server)
        }
        let working = servers.filter(\.isWorking)
        for server in servers where !server.isWorking {
            for var finding in server.list.all {
                // Another one answers in its place.
                if !working.isEmpty, finding.severity == .error { finding.severity = .warning }
                if server.isConnected, !finding.text.hasPrefix(server.uri) {
                    finding.text = "\(server.uri): \(finding.text)"
                }
                list.add(finding)
            }
        }
        // Of several servers, what is so of all of them is so of the directory.
        var common = working.first?.list.all ?? []
        for server in working.dropFirst() {
            let own = Set(server.list.all)
            common.removeAll { !own.contains($0) }
        }
        list.add(common)
        let isCommon = Set(common)
        for server in working {
            for var finding in server.list.all where !isCommon.contains(finding) {
                finding.text = "\(server.uri): \(finding.text)"
                list.add(finding)
            }
        }
        list.add(ServerComparison(servers.filter(\.isConnected)).findings)
        return list.all
    }

    /// What the configuration alone shows.
    var settingFindings: [Finding] {
        var findings: [Finding] = []
        for uri in settings.uris {
            let scheme = uri.lowercased()
            if scheme.hasPrefix("ldap:"), !LDAPURL.isLoopback(uri), !settings.tls.startTLS,
                case .simple(_, _, isClearTextAllowed: true) = settings.bind
            {
                findings.append(
                    Finding(
                        .warning, .configuration, "\(uri): the password goes over the network in the clear",
                        advice: "set starttls: true, or use ldaps://"))
            }
        }
        let hasTLS = settings.tls.startTLS || settings.uris.contains { $0.lowercased().hasPrefix("ldaps:") }
        if hasTLS, !settings.tls.verifies {
            findings.append(
                Finding(
                    .warning, .configuration, "certificates are not verified, so that anybody can pose as the server",
                    advice: "leave out verify: false, and name who signed it as ca-file"))
        }
        if !DistinguishedName.isWithin(settings.writeBase, settings.base) {
            findings.append(
                Finding(
                    .error, .configuration,
                    "the write-base \(settings.writeBase) is not below the base \(settings.base), so that nobody would find"
                        + " what is written there",
                    advice: "correct it"))
        }
        if settings.domains.isEmpty, !settings.schema.rules.contains(where: { $0.kind == .domain }) {
            findings.append(
                Finding(
                    .error, .configuration,
                    "no domain is named, and this preset has no entries for domains, so that no"
                        + " address is served",
                    advice: "name them under domains"))
        }
        return findings
    }
}
