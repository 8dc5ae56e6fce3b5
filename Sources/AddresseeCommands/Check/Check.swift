// `addressee check`

import AddresseeConfiguration
import ArgumentParser
import Foundation
import MailboxDirectory
import Verification

/// Examines the configured sources.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what is missing, wrong or risky in the directory.",
        discussion: """
            Examines every source: whether it can be asked, whether its records hold together, who else may read it, and \
            whether questions are answered by an index; and who else may get at the configuration and its keys. Nothing is \
            written. A line each: error, warning or note, what is so, and what to do; then a line for the source. Of a \
            source in LDAP a sample of the entries is read, and it says how many of how many; --all reads them all.

            Exit status: 0 when there is no error; 78 when an error is in the configuration, else 75 when a source can't \
            be asked, else 65.

            Example: addressee check --source people
            """)

    @Option(help: ArgumentHelp("Examine this source only. (default: every source, in order)", valueName: "name"))
    var source: String?

    @Flag(help: "Read every entry of a source in LDAP, however long that takes. (default: a sample of them)")
    var all = false

    @OptionGroup var configuration: ConfigurationOption
    @OptionGroup var json: JSONOption

    func run() throws {
        let directory = try configuration.directory()
        let places =
            if source != nil { [try directory.index(ofSource: source)] } else {
                Array(directory.configuration.sources.indices)
            }
        let output = Output.current
        var findings: [Finding] = []
        var array = JSONArray(to: output)
        try output.untilClosed {
            for place in places {
                let report = try SourceReport(of: place, in: directory, readsAll: all)
                findings += report.findings
                if json.isWanted { try array.add(report.json) } else { try report.tell(to: output) }
            }
            // One source alone says nothing of the whole.
            if source == nil {
                let report = SourceReport(
                    findings: directory.configuration.fileFindings + directory.defaultDomainFindings
                        + directory.postmasterFindings + directory.catchAllFindings)
                findings += report.findings
                if !report.findings.isEmpty {
                    if json.isWanted { try array.add(report.json) } else { try report.tell(to: output) }
                }
            }
            if json.isWanted { try array.finish() }
        }
        let status = findings.exitStatus
        if status != .yes { throw ExitCode(status.rawValue) }
    }
}

extension [Finding] {
    /// What is wrong with the configuration comes first, for the rest may follow from it.
    var exitStatus: ExitStatus {
        let causes = Set(filter { $0.severity == .error }.map(\.cause))
        if causes.contains(.configuration) { return .configuration }
        if causes.contains(.unreachable) { return .temporary }
        return causes.isEmpty ? .yes : .data
    }
}

extension Configuration {
    /// Of the files that the configuration is made of.
    fileprivate var fileFindings: [Finding] {
        var findings = exposedFiles.map { Finding(.warning, .configuration, "\($0)", advice: $0.remedy) }
        for (what, path) in tls.map({ [("certificate", $0.certificate), ("private key", $0.privateKey)] }) ?? []
        where !FileManager.default.isReadableFile(atPath: path) {
            let reason = FileManager.default.fileExists(atPath: path) ? "may not be read" : "is not there"
            findings.append(
                Finding(
                    .error, .configuration, "the \(what) \(path) \(reason), so that the server does not start",
                    advice: "correct tls, or the file's rights"))
        }
        let missing = sources.compactMap { source in
            if case .sqlite(let path) = source.kind, !FileManager.default.fileExists(atPath: path) { path } else { nil }
        }
        if let target = linkTarget, let path = missing.first {
            findings.append(
                Finding(
                    .note, .configuration,
                    "\(file) is a symbolic link to \(target), and relative paths are taken from the folder of the link:"
                        + " \(path) was looked for",
                    advice: "write that path from the root, or name the file itself with --config"))
        }
        return findings
    }
}

extension ConfiguredDirectory {
    /// Whether any source serves the default domain.
    fileprivate var defaultDomainFindings: [Finding] {
        let domain = configuration.defaultDomain
        do {
            for source in try sources() {
                switch source.answer(.domain(domain)) {
                case .absent: continue
                case .domain: return []
                // Whether it is served can't be told then, and why is told of the source.
                default: return []
                }
            }
        } catch {
            return []
        }
        return [
            Finding(
                .error, .configuration, "no source serves the default domain, \(domain)",
                advice: "addressee domain add \(domain), or name it under domains of the source that has its mailboxes")
        ]
    }
}
