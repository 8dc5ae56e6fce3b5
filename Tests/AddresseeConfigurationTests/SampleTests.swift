// The sample, which `addressee init` writes with values of its own: it says the truth about keys, defaults and limits.

import AddresseeSample
import Foundation
import MailAddress
import Testing

@testable import AddresseeConfiguration

@Suite struct SampleTests {
    /// config/addressee.yaml of this repository.
    static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("config/addressee.yaml").path

    /// The sample with the "#" taken off its settings. Those that follow "An example:" show no default.
    static func uncommented(withExamples: Bool) -> String {
        var isExample = false
        var lines: [Substring] = []
        for line in Sample.configuration.split(separator: "\n", omittingEmptySubsequences: false) {
            let isSetting = line.hasPrefix("#") && !line.hasPrefix("# ") || line.hasPrefix("#  ")
            if !isSetting { isExample = line.hasSuffix("An example:") }
            lines.append(isSetting && (withExamples || !isExample) ? line.dropFirst() : line)
        }
        return lines.joined(separator: "\n")
    }

    @Test func theTemplateIsTheSample() {
        let text = ConfigurationTemplate.text(
            hostname: "mail.example.org", defaultDomain: "example.org", listen: "127.0.0.1:2525",
            database: "directory.sqlite")
        #expect(text == Sample.configuration)
    }

    @Test func theFileLoads() throws {
        let configuration = try Configuration.load(file: Self.file)
        #expect(configuration.hostname == "mail.example.org")
        #expect(configuration.listeners == [.standard])
    }

    @Test func whatIsCommentedOutIsTheDefault() throws {
        let sample = try Configuration.parse(Sample.configuration, file: "a")
        #expect(try Configuration.parse(Self.uncommented(withExamples: false), file: "a") == sample)
        let defaults = Configuration(
            file: "a", hostname: sample.hostname, defaultDomain: sample.defaultDomain, sources: sample.sources)
        #expect(sample == defaults)
    }

    @Test func theExamplesAreTaken() throws {
        let yaml = Self.uncommented(withExamples: true)
            .replacing("smtp: 127.0.0.1:2525", with: "smtp: unix:/run/smtp")
        let configuration = try Configuration.parse(yaml, file: "a")
        #expect(configuration.listeners[0].unixMode == 0o660)
        #expect(configuration.listeners[0].clients == ["trusted", "everyone"])
        #expect(configuration.tls?.privateKey == "private-key.pem")
    }

    @Test func everyKeyIsInTheSample() throws {
        let yaml = Self.uncommented(withExamples: true)
        let findings = Findings(file: "a")
        _ = Configuration.read(yaml, findings)
        #expect(findings.keys.count > 30)
        // The sample of LDAP is in a file of its own: LDAPSourceTests. Of two ways to name postsrsd one is in prose.
        let elsewhere: Set = ["sources.ldap", "srs.forward", "srs.reverse"]
        #expect(findings.keys.subtracting(try KeyPaths.all(in: yaml)).subtracting(elsewhere).isEmpty)
    }

    /// The prose above a setting of the sample, one line of text; that of several settings in a row stands above the first.
    private static func prose(above path: String) -> String {
        let (section, key) = (path.split(separator: ".").first ?? "", path.split(separator: ".").last ?? "")
        var (isInside, prose, isAfterSetting) = (false, "", false)
        for line in Sample.configuration.split(separator: "\n") {
            let text = line.drop { " #-".contains($0) }
            let isTop = line.hasPrefix("\(section):") || line.hasPrefix("#\(section):")
            if isTop { isInside = true }
            if path == section ? isTop : isInside && text.hasPrefix("\(key):") { return prose }
            let isProse = line.drop { $0 == " " }.hasPrefix("# ") && !line.hasPrefix("#  ")
            if isProse {
                prose = (isAfterSetting ? "" : prose) + " " + text
                isAfterSetting = false
            } else {
                isAfterSetting = true
            }
        }
        return ""
    }

    /// Numbers and times.
    private static let limits = [
        "limits.connections", "limits.recipients", "limits.pipelined-questions", "limits.errors",
        "limits.remembered-recipients", "limits.message-size", "limits.trace-fields", "limits.expansion-depth",
        "limits.expansion-addresses", "limits.expansion-lookups", "limits.possibilities", "timeouts.idle",
        "timeouts.write", "timeouts.shutdown", "timeouts.next-hop-connect", "timeouts.next-hop-reply",
        "timeouts.next-hop-data", "timeouts.next-hop-block", "timeouts.next-hop-end", "threads",
        "clients.questions-per-minute", "next-hops.connections",
    ]

    /// A number that is surely too large is refused with the largest, and that stands above the setting in the sample.
    @Test(arguments: limits)
    func limitsAreInTheSample(setting: String) throws {
        let parts = setting.split(separator: ".")
        let wrong = (parts.last ?? "") + ": 99999999999999999999"
        let yaml =
            switch parts[0] {
            case "threads": String(wrong)
            case "clients": "clients: [{name: a, \(wrong)}]"
            case "next-hops": "next-hops: [{name: a, smtp: \"m:25\", \(wrong)}]"
            default: "\(parts[0]): {\(wrong)}"
            }
        let problem = try #require(Case.problems(in: ConfigurationTests.required + yaml).first)
        let range = try #require(problem.firstMatch(of: /from ([0-9]+)[a-z]* to ([0-9]+[a-z]?)/))
        let prose = Self.prose(above: setting)
        #expect(prose.firstMatch(of: try Regex("to \(range.2)\\b")) != nil, "\(setting): \(range.0), but \(prose)")
    }

    /// A wrong word is refused with those that are right, and these are told above the setting in the sample.
    @Test(arguments: ["clients.vrfy", "clients.expn", "clients.rcpt", "log.level", "next-hops.takes", "next-hops.tls"])
    func wordsAreInTheSample(setting: String) throws {
        let parts = setting.split(separator: ".")
        let yaml =
            switch parts[0] {
            case "clients": "clients: [{name: a, \(parts[1]): [frobnicate]}]"
            case "next-hops": "next-hops: [{name: a, smtp: \"m:25\", \(parts[1]): [frobnicate]}]"
            default: "\(parts[0]): {\(parts[1]): [frobnicate]}"
            }
        let problem = try #require(Case.problems(in: ConfigurationTests.required + yaml).first)
        let words = try #require(problem.firstMatch(of: /(?:must be|must hold) (.*), not/)).1
            .replacing(" or ", with: ", ").split(separator: ", ")
        #expect(words.count > 1)
        let prose = Self.prose(above: setting)
        for word in words { #expect(prose.contains(word), "\(setting): \(word) is not in \(prose)") }
    }

    /// What the prose above each setting must speak of, so that no setting stands under another's.
    private static let subjects: KeyValuePairs = [
        "hostname": "name in the greeting", "default-domain": "domain of bare names", "sources": "The directories",
        "sources.name": "its own name", "sources.sqlite": "SQLite file", "listeners": "Where to listen",
        "listeners.smtp": "ADDRESS:PORT", "listeners.enhanced-codes": "enhanced codes in replies",
        "listeners.possibilities": "answered with the possibilities", "listeners.clients": "may connect",
        "listeners.starttls": "STARTTLS is offered", "listeners.unix-mode": "its mode",
        "listeners.socketmap": "socketmap_table", "listeners.tcp-table": "tcp_table", "listeners.map": "its map",
        "listeners.policy": "policy delegation", "listeners.milter": "(milter)",
        "listeners.readsocket": "${readsocket}", "listeners.qmail-deliverable": "qmail-deliverabled",
        "next-hops": "Where messages go", "next-hops.name": "Unique, for logs",
        "next-hops.maildir": "A Maildir for each mailbox", "next-hops.follow-links": "symbolic links",
        "next-hops.takes": "Whose mail it takes", "next-hops.domains": "in these domains",
        "next-hops.recipients": "for these recipients", "next-hops.smtp": "over SMTP or LMTP",
        "next-hops.detail": "gets the detail", "next-hops.tls": "starttls, or implicit",
        "next-hops.tls-name": "name that its certificate must have", "next-hops.ca-file": "Whose certificates are good",
        "next-hops.connections": "Connections to it at once", "next-hops.lmtp": "LMTP, as Dovecot speaks it",
        "srs": "rewrites the senders", "srs.socketmap": "postsrsd 1", "clients": "Classes of clients",
        "clients.name": "A class without", "clients.networks": "Networks as", "clients.trusted": "trusted clients only",
        "clients.relay": "domains elsewhere", "clients.vrfy": "VRFY. full", "clients.expn": "EXPN. full",
        "clients.rcpt": "RCPT. full", "clients.questions-per-minute": "Questions (RCPT, VRFY, EXPN",
        "tls": "certificate for STARTTLS", "tls.certificate": "the chain", "tls.private-key": "its key",
        "limits.connections": "Connections at once, on all listeners",
        "limits.recipients": "Recipients of one transaction",
        "limits.pipelined-questions": "unanswered, or answered and unsent", "limits.errors": "Bad commands",
        "limits.remembered-recipients": "Addresses that are remembered", "limits.message-size": "Octets of a message",
        "limits.trace-fields": "Received: fields", "limits.expansion-depth": "redirections in a row",
        "limits.expansion-addresses": "addresses, 1 to", "limits.expansion-lookups": "look-ups, 1 to",
        "limits.possibilities": "when a name is ambiguous", "timeouts.idle": "next command",
        "timeouts.write": "takes nothing of its replies", "timeouts.shutdown": "told to stop",
        "timeouts.next-hop-connect": "to connect", "timeouts.next-hop-reply": "answer MAIL or RCPT",
        "timeouts.next-hop-data": "answer DATA", "timeouts.next-hop-block": "take more of a message",
        "timeouts.next-hop-end": "answer its end", "threads": "Event loops", "log.level": "trace, debug",
    ]

    @Test func theProseIsAboutTheSettingBelowIt() {
        for (setting, subject) in Self.subjects {
            let prose = Self.prose(above: setting)
            #expect(prose.contains(subject), "\(setting): \(prose)")
        }
    }

    /// And no setting is left out there.
    @Test func everySettingHasItsProse() {
        let findings = Findings(file: "a")
        _ = Configuration.read(Self.uncommented(withExamples: true), findings)
        // The sections without prose of their own, and what is told in that of another: see everyKeyIsInTheSample.
        let others: Set = ["limits", "timeouts", "log", "sources.ldap", "srs.forward", "srs.reverse"]
        #expect(findings.keys.subtracting(Self.subjects.map(\.key)).subtracting(others).isEmpty)
    }

    @Test func everyLimitIsTried() {
        let findings = Findings(file: "a")
        _ = Configuration.read(Self.uncommented(withExamples: true), findings)
        let known = findings.keys.filter { $0.hasPrefix("limits.") || $0.hasPrefix("timeouts.") }
        #expect(known.subtracting(Self.limits).isEmpty)
    }

    struct Values: Sendable {
        var hostname = "mail.example.org"
        var domain = "example.org"
        var listen = "127.0.0.1:2525"
        var database = "/var/lib/addressee/directory.sqlite"
    }

    @Test(arguments: [
        Values(), Values(listen: "[::1]:2525"), Values(listen: "unix:/run/smtp"), Values(domain: "bücher.example"),
        Values(database: "/a b"), Values(database: "/a: b"), Values(database: "/a #b"), Values(database: "/\"a\\"),
        Values(database: "/ü\n\t\u{7F}"), Values(database: "/a:"),
        Values(hostname: "[192.0.2.1]"), Values(hostname: "null"),
        Values(database: "/{a}"), Values(database: "/'a'"),
    ])
    func theTemplateParsesWhateverItsValuesAre(_ values: Values) throws {
        let yaml = ConfigurationTemplate.text(
            hostname: values.hostname, defaultDomain: values.domain, listen: values.listen, database: values.database)
        let configuration = try Configuration.parse(yaml, file: "a")
        #expect(configuration.hostname == values.hostname)
        #expect(configuration.defaultDomain.description == values.domain)
        #expect(configuration.listeners[0].address.description == values.listen)
        #expect(configuration.sources[0].kind == .sqlite(path: values.database))
    }
}
