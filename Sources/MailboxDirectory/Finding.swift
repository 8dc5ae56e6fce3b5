// What an examination of a source found: a fault, a risk, or something to know.

/// One thing that is missing, wrong or risky, and what to do about it.
public struct Finding: Hashable, Sendable {
    public enum Severity: String, Hashable, Sendable, CaseIterable {
        /// Questions are answered wrongly or not at all.
        case error
        /// They are answered, but slowly, or others may read or change what they should not.
        case warning
        /// Worth knowing, or what could not be examined.
        case note
    }

    /// Where the fault lies, which is who can mend it.
    public enum Cause: String, Hashable, Sendable, CaseIterable {
        /// The directory holds something wrong.
        case directory
        /// The source can't be asked now.
        case unreachable
        /// The configuration says something that is not so.
        case configuration
    }

    public var severity: Severity
    public var cause: Cause
    /// What is so, in one clause without a full stop.
    public var text: String
    /// What to do, likewise; empty where nothing need be done.
    public var advice: String

    public init(_ severity: Severity, _ cause: Cause, _ text: String, advice: String = "") {
        self.severity = severity
        self.cause = cause
        self.text = text
        self.advice = advice
    }

    /// A reason as stores give it: what is so, a semicolon, and what to do.
    public init(_ severity: Severity, _ cause: Cause, reason: String) {
        self.init(severity, cause, reason)
        let octets = Array(reason.utf8)
        let mark = [UInt8(ascii: ";"), UInt8(ascii: " ")]
        guard let end = octets.indices.dropLast().last(where: { octets[$0] == mark[0] && octets[$0 + 1] == mark[1] })
        else { return }
        text = String(decoding: octets[..<end], as: UTF8.self)
        advice = String(decoding: octets[(end + 2)...], as: UTF8.self)
    }

    /// One line: what is so, and what to do.
    public var line: String { advice.isEmpty ? text : "\(text); \(advice)" }
}

/// Findings in the order in which they came up: each once, and of one topic no more than a person wants to read.
public struct FindingList: Sendable {
    /// Findings of one topic that are told one by one; the rest are counted.
    public static let namedOfATopic = 20

    private var findings: [Finding] = []
    private var seen: Set<Finding> = []
    private var topics: [(name: String, count: Int, like: Finding)] = []

    public init() {}

    public mutating func add(_ finding: Finding) {
        if seen.insert(finding).inserted { findings.append(finding) }
    }

    /// - Parameters:
    ///   - finding: named while there are few of the topic, else only counted.
    ///   - topic: what those beyond the limit are called, as in `records that lead nowhere`.
    public mutating func add(_ finding: Finding, topic: String) {
        if seen.contains(finding) { return }
        let index = topics.firstIndex { $0.name == topic } ?? topics.count
        if index == topics.count { topics.append((topic, 0, finding)) }
        topics[index].count += 1
        if topics[index].count <= Self.namedOfATopic { add(finding) }
    }

    public mutating func add(_ more: [Finding]) {
        for finding in more { add(finding) }
    }

    /// All of them, with a line for those that were only counted.
    public var all: [Finding] {
        findings
            + topics.filter { $0.count > Self.namedOfATopic }.map { topic in
                Finding(
                    topic.like.severity, topic.like.cause,
                    "there are \(topic.count - Self.namedOfATopic) more \(topic.name)",
                    advice: "mend those above, and check again")
            }
    }
}
