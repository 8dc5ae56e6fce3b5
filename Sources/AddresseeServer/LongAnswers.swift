// What long walks found out, for as long as no source has changed: who asks the same again is answered at once, and who asks
// it while the walk is under way waits for that one. One event loop's; only ever touched there.

import SMTPProtocol
import Verification

/// A bounded memory of verdicts that a walk of many lookups was needed for.
final class LongAnswers {
    /// A question and all that its answer depends on, but for the directory.
    struct Key: Hashable {
        var query: Query
        var judgement: Judgement
        var isTrusted: Bool
        /// Of the next hops, where the answer is what becomes of a recipient; else nil.
        var routes: [Route]?
        var onlyOnRecord = false
    }

    enum Answer: Sendable {
        case verdict(Verdict)
        case acceptance(Acceptance)

        /// Whether it follows from what the sources hold, and not from trouble with one.
        var isLasting: Bool {
            switch self {
            case .verdict(.couldNotTell), .acceptance(.refused(.couldNotTell)): false
            case .verdict, .acceptance: true
            }
        }

        /// Mailboxes that are in it.
        var count: Int {
            switch self {
            case .verdict(.members(let mailboxes)): mailboxes.count
            case .verdict: 0
            case .acceptance(.accepted(_, let destinations, let leftOut)): destinations.count + leftOut.count
            case .acceptance: 0
            }
        }
    }

    /// Answers that are kept at most.
    private static let answers = 64

    private var known: [(key: Key, answer: Answer, version: UInt64)] = []
    private var waiting: [Key: (version: UInt64, others: [(Answer) -> Void])] = [:]
    private var limit: Int

    /// - Parameter limit: mailboxes in all answers that are kept.
    init(limit: Int) { self.limit = limit }

    /// Forgets all answers; who waits for one goes on waiting.
    /// - Returns: what was kept, which may take long to be freed.
    func forget(limit: Int) -> [Answer] {
        let answers = known.map(\.answer)
        known = []
        self.limit = limit
        return answers
    }

    /// Whether there is nothing to be looked for.
    var isEmpty: Bool { known.isEmpty && waiting.isEmpty }

    func answer(to key: Key, version: UInt64) -> Answer? {
        guard let index = known.firstIndex(where: { $0.key == key && $0.version == version }) else { return nil }
        let found = known.remove(at: index)
        known.append(found)
        return found.answer
    }

    /// Keeps an answer, in place of those that were not asked for longest. What was kept under another version is of no use.
    /// - Returns: what is not kept any more, which may take long to be freed.
    func keep(_ answer: Answer, to key: Key, version: UInt64) -> [Answer] {
        var dropped = known.filter { $0.version != version || $0.key == key }.map(\.answer)
        known.removeAll { $0.version != version || $0.key == key }
        if !answer.isLasting || answer.count > limit || limit == 0 { return dropped }
        known.append((key, answer, version))
        var count = known.reduce(0) { $0 + $1.answer.count }
        while count > limit || known.count > Self.answers {
            let oldest = known.removeFirst().answer
            count -= oldest.count
            dropped.append(oldest)
        }
        return dropped
    }

    /// Waits for the answer if a walk for it is under way.
    /// - Returns: whether one is.
    func wait(for key: Key, version: UInt64, _ then: @escaping (Answer) -> Void) -> Bool {
        guard let under = waiting[key], under.version == version else { return false }
        waiting[key]?.others.append(then)
        return true
    }

    /// A walk for this answer is under way.
    func begin(_ key: Key, version: UInt64) {
        if waiting[key] == nil { waiting[key] = (version, []) }
    }

    /// The walk has ended.
    /// - Returns: who has waited for it besides the one who asked first.
    func end(_ key: Key, version: UInt64) -> [(Answer) -> Void] {
        guard let under = waiting[key], under.version == version else { return [] }
        waiting[key] = nil
        return under.others
    }
}
