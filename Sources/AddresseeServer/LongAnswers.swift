// What long walks found out, for as long as no source has changed: who asks the same again is answered at once, and who asks
// it while the walk is under way waits for that one. One event loop's; only ever touched there.

import LookupProtocols
import Verification

/// An answer that may be kept.
protocol LongAnswer: Sendable {
    /// Mailboxes that are in it, or as many as take its room.
    var mailboxCount: Int { get }
}

extension Verdict: LongAnswer {
    var mailboxCount: Int {
        if case .members(let mailboxes) = self { mailboxes.count } else { 0 }
    }
}

extension Acceptance: LongAnswer {
    var mailboxCount: Int {
        if case .accepted(_, let destinations, let leftOut, _) = self { destinations.count + leftOut.count } else { 0 }
    }
}

extension MapAnswer: LongAnswer {
    var mailboxCount: Int {
        // An address and what stands between two of them has 20 octets or so.
        if case .found(let value) = self { value.count / 20 } else { 0 }
    }
}

/// A bounded memory of answers that a walk of many lookups was needed for. A question is its own key.
final class LongAnswers {
    /// Answers that are kept at most.
    private static let answers = 64

    private var known: [(key: AnyHashable, answer: any LongAnswer, version: UInt64)] = []
    private var waiting: [AnyHashable: (version: UInt64, others: [(any LongAnswer) -> Void])] = [:]
    private var limit: Int

    /// - Parameter limit: mailboxes in all answers that are kept.
    init(limit: Int) { self.limit = limit }

    /// Forgets all answers; who waits for one goes on waiting.
    /// - Returns: what was kept, which may take long to be freed.
    func forget(limit: Int) -> [any LongAnswer] {
        let answers = known.map(\.answer)
        known = []
        self.limit = limit
        return answers
    }

    /// Whether there is nothing to be looked for.
    var isEmpty: Bool { known.isEmpty && waiting.isEmpty }

    func answer<Asked: DirectoryQuestion>(to question: Asked, version: UInt64) -> Asked.Answer? {
        let key = AnyHashable(question)
        guard let index = known.firstIndex(where: { $0.version == version && $0.key == key }) else { return nil }
        let found = known.remove(at: index)
        known.append(found)
        return found.answer as? Asked.Answer
    }

    /// Keeps an answer, in place of those that were not asked for longest. What was kept under another version is of no use.
    /// - Parameter isLasting: whether it follows from what the sources hold, and not from trouble with one.
    /// - Returns: what is not kept any more, which may take long to be freed.
    func keep(
        _ answer: some LongAnswer, to question: some DirectoryQuestion, version: UInt64, isLasting: Bool = true
    ) -> [any LongAnswer] {
        let key = AnyHashable(question)
        var dropped = known.filter { $0.version != version || $0.key == key }.map(\.answer)
        known.removeAll { $0.version != version || $0.key == key }
        if !isLasting || answer.mailboxCount > limit || limit == 0 { return dropped }
        known.append((key, answer, version))
        var count = known.reduce(0) { $0 + $1.answer.mailboxCount }
        while count > limit || known.count > Self.answers {
            let oldest = known.removeFirst().answer
            count -= oldest.mailboxCount
            dropped.append(oldest)
        }
        return dropped
    }

    /// Waits for the answer if a walk for it is under way.
    /// - Returns: whether one is.
    func wait<Asked: DirectoryQuestion>(
        for question: Asked, version: UInt64, _ then: @autoclosure () -> (Asked.Answer) -> Void
    ) -> Bool {
        let key = AnyHashable(question)
        guard let under = waiting[key], under.version == version else { return false }
        let then = then()
        waiting[key]?.others.append { answer in
            if let answer = answer as? Asked.Answer { then(answer) }
        }
        return true
    }

    /// A walk for this answer is under way.
    func begin(_ question: some DirectoryQuestion, version: UInt64) {
        let key = AnyHashable(question)
        if waiting[key] == nil { waiting[key] = (version, []) }
    }

    /// The walk has ended.
    /// - Returns: who has waited for it besides the one who asked first.
    func end(_ question: some DirectoryQuestion, version: UInt64) -> [(any LongAnswer) -> Void] {
        let key = AnyHashable(question)
        guard let under = waiting[key], under.version == version else { return [] }
        waiting[key] = nil
        return under.others
    }
}
