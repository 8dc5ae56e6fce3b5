// Whether the records of a source hold together: what dangles, what goes in a loop, what can't be read. The same rules
// as in RecordEditor, for records that were written by force or by other programs.

public import MailAddress

/// Examines the records of one source against all sources.
public struct RecordCheck {
    let place: Int
    let otherSources: [any Source]
    let defaultDomain: Domain
    let limits: ExpansionLimits
    /// Whether every entry is to be read, where a sample would do.
    public let readsAll: Bool
    /// Told now and then how much is done, and of how much; nil where that is not known.
    public let progress: (_ done: Int, _ total: Int?) -> Void

    /// Steps of records that are walked; one that has more is examined in part, and that is told.
    public static let stepLimit = 5_000_000

    /// - Parameters:
    ///   - place: the source's place among all, counted from 0.
    ///   - otherSources: the remaining sources in their order.
    ///   - defaultDomain: the domain of bare names.
    ///   - limits: those of questions; what passes one is found.
    ///   - readsAll: whether every entry is to be read, where a sample would do.
    ///   - progress: told now and then how much is done, and of how much; nil where that is not known.
    public init(
        place: Int = 0, otherSources: [any Source] = [], defaultDomain: Domain,
        limits: ExpansionLimits = ExpansionLimits(), readsAll: Bool = false,
        progress: @escaping (_ done: Int, _ total: Int?) -> Void = { _, _ in }
    ) {
        self.place = place
        self.otherSources = otherSources
        self.defaultDomain = defaultDomain
        self.limits = limits
        self.readsAll = readsAll
        self.progress = progress
    }

    /// Walks from whatever the records lead to. Users lead nowhere, and are not read.
    ///
    /// - Parameters:
    ///   - reading: the records of this source, as they are in one transaction.
    ///   - total: how many steps there are, for the progress; nil when that is not known.
    public func findings(in reading: any RecordReading, total: Int? = nil) -> [Finding] {
        var sources = otherSources
        sources.insert(reading, at: min(place, sources.count))
        var work = RecordCheckWork(check: self, sources: sources, source: reading.name, total: total)
        for kind in RecordKind.allCases where kind != .user {
            do {
                let fault = { (trouble: Trouble) in
                    work.list.add(
                        Finding(.error, .directory, reason: trouble.reason), topic: "records that can't be read")
                }
                try reading.forEach(kind, in: nil, faulty: fault) { record in
                    try work.examine(record)
                }
            } catch is RecordCheckWork.Enough {
                break
            } catch {
                let reason =
                    switch error as? StoreError {
                    case .trouble(let trouble): trouble.reason
                    default: "\(error)"
                    }
                work.list.add(Finding(.error, .directory, reason: reason))
            }
        }
        return work.list.all
    }
}

/// An examination under way.
struct RecordCheckWork {
    /// Thrown to end the reading.
    struct Enough: Error {}

    let check: RecordCheck
    let sources: [any Source]
    let source: String
    let total: Int?
    var list = FindingList()
    private var steps = 0
    /// Loops that have been told, by the addresses on them.
    private var loops: Set<Set<Mailbox>> = []

    init(check: RecordCheck, sources: [any Source], source: String, total: Int?) {
        self.check = check
        self.sources = sources
        self.source = source
        self.total = total
    }

    mutating func examine(_ record: Record) throws {
        if case .domain(let domain) = record { examineTarget(of: domain) }
        if case .forward(let forward) = record, forward.keepsCopy { examineCopy(of: forward) }
        if case .moved(let moved) = record, let circle = moved.circle(limit: check.limits.depth, walk(to:)) {
            addLoop(circle)
        }
        for (role, target) in record.references {
            steps += 1
            if steps.isMultiple(of: 256) { check.progress(steps, total) }
            if steps > RecordCheck.stepLimit {
                list.add(
                    Finding(
                        .note, .directory,
                        "only the first \(RecordCheck.stepLimit) steps from record to record were examined"))
                throw Enough()
            }
            examine(target, role, of: record)
        }
    }

    private func walk(to target: Mailbox) -> Resolution {
        Expansion(
            .address(target), purpose: .resolve, sources: sources.map(\.name), defaultDomain: check.defaultDomain,
            limits: check.limits
        ).run(sources)
    }

    private mutating func examine(_ target: Mailbox, _ role: ReferenceRole, of record: Record) {
        let resolution = walk(to: target)
        let name = Reference(kind: record.kind, role: role, name: record.name).description
        switch resolution.outcome {
        case .couldNotTell(let trouble): add(trouble)
        case .loop(let path) where role != .owner: addLoop(path)
        case .limit(let kind, let path) where role != .owner:
            list.add(
                Finding(
                    .error, .configuration,
                    "the way from the \(name) passes the limit on \(kind.rawValue): \(path.arrows)",
                    advice: "point closer to the mailbox, or raise expansion-\(kind.rawValue)"),
                topic: "ways that are too long")
        case .answered:
            guard let failure = resolution.failures.first else { return }
            if case .moved(let new) = failure.reason, role == .member, failure.mailbox == target {
                let reason = "the \(name) has the member \(target), who has moved" + (new.map { " to \($0)" } ?? "")
                list.add(
                    Finding(
                        .warning, .directory, reason, advice: "put who is meant in that place, or take the member off"),
                    topic: "members who have moved")
            }
            guard resolution.chain.isEmpty, failure.reason == .unknown else { return }
            // No mail goes to an owner, or to the new address of somebody who has moved.
            let severity: Finding.Severity = role == .owner || role == .newAddress ? .warning : .error
            list.add(
                Finding(
                    severity, .directory, "the \(name) leads to \(target), where nobody is (\(role.rawValue))",
                    advice: "add \(target), or correct the \(record.kind.rawValue)"),
                topic: "records that lead to nobody")
        case .loop, .limit, .ambiguous: break
        }
    }

    private mutating func add(_ trouble: Trouble) {
        if trouble.source == source {
            list.add(Finding(.error, .directory, reason: trouble.reason), topic: "records that can't be read")
        } else {
            list.add(
                Finding(
                    .error, .unreachable,
                    "what leads into the source \(trouble.source) could not be examined: \(trouble.reason)"))
        }
    }

    /// A loop is told once, whichever record led into it.
    private mutating func addLoop(_ path: [Mailbox]) {
        guard let last = path.last, let first = path.firstIndex(of: last) else { return }
        let loop = path[first...]
        guard loops.insert(Set(loop)).inserted else { return }
        list.add(
            Finding(
                .error, .directory, "there is a loop: \(Array(loop).arrows)", advice: "break it at one of these steps"),
            topic: "loops")
    }

    private mutating func examineCopy(of forward: Forward) {
        for source in sources {
            switch source.answer(.entries([forward.address])) {
            case .entry(.user, _): return
            case .entry, .absent: continue
            case let answer: return add(source.trouble(in: answer))
            }
        }
        list.add(
            Finding(
                .warning, .directory, "the forward \(forward.address) keeps a copy, and there is no mailbox for it",
                advice: "add the user, or: addressee forward set \(forward.address) --no-keep-copy"),
            topic: "forwards with a copy for nobody")
    }

    private mutating func examineTarget(of record: DomainRecord) {
        guard case .alias(let target) = record.kind else { return }
        for source in sources {
            switch source.answer(.domain(target)) {
            case .domain(let other):
                if case .alias(let further) = other.kind {
                    list.add(
                        Finding(
                            .error, .directory,
                            "the domain \(record.domain) is an alias of \(target), which is an alias itself",
                            advice: "make it an alias of \(further)"))
                }
                return
            case .absent: continue
            case let answer: return add(source.trouble(in: answer))
            }
        }
        list.add(
            Finding(
                .error, .directory, "the domain \(record.domain) is an alias of \(target), which no source has",
                advice: "addressee domain add \(target), or addressee domain rm \(record.domain)"))
    }
}

extension Record {
    /// The address, or the domain.
    fileprivate var name: String {
        if case .domain(let domain) = self { return domain.domain.description }
        return address?.description ?? ""
    }
}
