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
        var (isInside, prose, isAfterSetting) = (section == key, "", false)
        for line in Sample.configuration.split(separator: "\n") {
            let text = line.drop { " #-".contains($0) }
            if line.hasPrefix("\(section):") || line.hasPrefix("#\(section):") { isInside = true }
            if isInside, text.hasPrefix("\(key):") { return prose }
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
