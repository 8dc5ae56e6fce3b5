// What was found in one source, for people and for programs.

import AddresseeConfiguration
import MailboxDirectory
import Verification

/// The findings of one source, or of none in particular.
struct SourceReport {
    var source: SourceConfiguration?
    var findings: [Finding]

    init(findings: [Finding]) { self.findings = findings }

    /// Examines a source, among the others.
    /// - Parameter readsAll: whether every entry is read, where a sample would do.
    init(of place: Int, in directory: ConfiguredDirectory, readsAll: Bool) throws {
        let configuration = directory.configuration
        let source = configuration.sources[place]
        self.source = source
        let wiring = try ConfiguredDirectory.wiring()
        let progress = CheckProgress()
        defer { progress.bar.clear() }
        do {
            let others = try configuration.sources.indices.filter { $0 != place }
                .map { try wiring.openSource(configuration.sources[$0]) }
            let records = RecordCheck(
                place: place, otherSources: others, defaultDomain: configuration.defaultDomain,
                limits: configuration.expansion, readsAll: readsAll, progress: progress.show)
            findings = try wiring.checkSource(source, records)
        } catch let failure as CommandFailure {
            let cause: Finding.Cause = failure.status == .configuration ? .configuration : .unreachable
            findings = [Finding(.error, cause, reason: failure.message)]
        } catch let trouble as Trouble {
            findings = [Finding(.error, .unreachable, reason: trouble.reason)]
        }
    }

    /// A line a finding, and one for the source.
    func tell(to output: Output) throws {
        var lines = Lines(to: output)
        for finding in findings {
            let severity = finding.severity.rawValue
            let shown = output.isColoured ? "\u{1B}[\(finding.severity.colour)m\(severity)\u{1B}[0m" : severity
            try lines.write("\(shown) \(finding.line.printable)\n")
        }
        if let source { try lines.write("\(source.name): \(summary(of: source))".printable + "\n") }
        try lines.finish()
    }

    private func summary(of source: SourceConfiguration) -> String {
        let count = findings.count == 1 ? "1 finding" : "\(findings.count) findings"
        if findings.isEmpty { return "in order" }
        if findings.allSatisfy({ $0.severity == .note }) { return "in order, \(count)" }
        return "\(source.location), \(count)"
    }

    /// One object; `source` is null for what is of no source in particular.
    var json: JSON {
        .object([
            "source": JSON(source?.name), "kind": JSON(source?.kindWord), "location": JSON(source?.location),
            "findings": .array(
                findings.map { finding in
                    .object([
                        "severity": .string(finding.severity.rawValue), "cause": .string(finding.cause.rawValue),
                        "text": .string(finding.text), "advice": .string(finding.advice),
                    ])
                }),
        ])
    }
}

/// The bar of one examination, whose total comes with the work.
private final class CheckProgress {
    var bar = ProgressBar(total: nil, to: .current, of: "records")

    func show(_ done: Int, _ total: Int?) {
        bar.total = total
        bar.show(done, done: done)
    }
}

extension SourceConfiguration {
    fileprivate var kindWord: String {
        switch kind {
        case .sqlite: "sqlite"
        case .ldap: "ldap"
        }
    }

    /// The file, or the servers.
    fileprivate var location: String {
        switch kind {
        case .sqlite(let path): path
        case .ldap(let ldap): ldap.uris.joined(separator: " ")
        }
    }
}

extension Finding.Severity {
    /// Bold red, yellow, or cyan, as terminals number them.
    fileprivate var colour: String {
        switch self {
        case .error: "1;31"
        case .warning: "33"
        case .note: "36"
        }
    }
}
