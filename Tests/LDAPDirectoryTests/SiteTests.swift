// The small sites of Tests/LDAP/sites, one for each schema that sites have: every question is asked of a real slapd.

import DirectoryTesting
import Foundation
import LDAPDirectory
import MailAddress
import MailboxDirectory
import SMTPProtocol
import Testing
import Verification

private let presets: [LDAPPreset] = LDAPPreset.allCases.filter { $0 != .addressee }

@Suite(.enabled(if: hasSlapd)) struct SiteTests {
    @Test(arguments: presets)
    func questions(preset: LDAPPreset) throws {
        let file = ToolChild.folder.appending(path: "sites/\(preset.rawValue).questions")
        let text = try String(contentsOf: file, encoding: .utf8)
        let child = try ToolChild("slapd.py", ["--site", preset.rawValue])
        let base = try #require(child.said["base"] as? String)
        var settings = LDAPSettings(
            uris: [child.uri], base: base, preset: preset, domains: try domains(text))
        settings.cache.entries = 0
        let directory = LDAPDirectory(name: "site", settings: settings)
        defer { directory.close() }
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.components(separatedBy: " | ")
            guard parts.count == 2 else { continue }
            let answer = try self.answer(parts[0], directory)
            #expect(answer == parts[1].trimmingCharacters(in: .whitespaces), "\(preset.rawValue): \(parts[0])")
        }
    }

    /// A server that does not know the schema would find nobody; that is not "absent".
    @Test func wrongPresets() throws {
        let child = try ToolChild("slapd.py", ["--site", "nis"])
        let base = try #require(child.said["base"] as? String)
        for preset in [LDAPPreset.addressee, .qmail, .ad, .netscape, .postfixbook, .courier] {
            let domain = DomainRecord(domain: try Domain("example.org"))
            let settings = LDAPSettings(uris: [child.uri], base: base, preset: preset, domains: [domain])
            let directory = LDAPDirectory(name: "site", settings: settings)
            guard case .couldNotTell(let trouble) = directory.answer(.entries([try Mailbox("fred@example.org")])) else {
                Issue.record("\(preset) is sure")
                continue
            }
            #expect(trouble.reason.contains("choose the preset that fits it"))
        }
    }

    /// The line `# domains: example.org` of the file.
    private func domains(_ text: String) throws -> [DomainRecord] {
        let line = text.split(separator: "\n").first { $0.hasPrefix("# domains:") } ?? "# domains: example.org"
        return try line.split(separator: " ").dropFirst(2).map { DomainRecord(domain: try Domain(String($0))) }
    }

    private func answer(_ question: String, _ directory: LDAPDirectory) throws -> String {
        let words = question.split(separator: " ", maxSplits: 1).map(String.init)
        let domain = try Domain("example.org")
        func walk(_ question: Question, _ purpose: Purpose) -> Resolution {
            Expansion(question, purpose: purpose, sources: ["site"], defaultDomain: domain).run([directory])
        }
        if words[0] == "resolve" {
            guard let mailbox = try? Mailbox(words[1]) else { return "malformed" }
            return resolved(walk(.address(mailbox), .resolve))
        }
        let isExpand = words[0] == "expand"
        guard let subject = try? Subject(Array(words[1].utf8).span) else { return "malformed" }
        let resolution = walk(Question(subject), isExpand ? .expand(.administrator) : .verify)
        let judgement = Judgement(wire: isExpand ? .expand : .verify, disclosure: .full, utf8: true)
        let verdict = judgement.verdict(on: resolution)
        var lines = verdict.reply(on: judgement.wire, form: .enhanced).lines(withEnhancedCode: true)
            .map { $0.prefix(3) + " " + $0.dropFirst(4) }
        if isExpand { lines.sort() }
        return lines.joined(separator: " / ")
    }

    private func resolved(_ resolution: Resolution) -> String {
        switch resolution.outcome {
        case .answered: break
        case .couldNotTell(let trouble): return "could not tell: \(trouble.reason)"
        default: return resolution.text
        }
        let recipients = resolution.recipients.map(\.mailbox.description).sorted()
        if !recipients.isEmpty { return recipients.joined(separator: ", ") }
        switch resolution.failures.first?.reason {
        case .disabled: return "disabled"
        case .suspended: return "suspended"
        case .moved(let to): return "moved " + (to?.description ?? "")
        default: return "unknown"
        }
    }
}
