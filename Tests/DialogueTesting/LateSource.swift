// A source whose answers have to be waited for, now and then not: what a directory in LDAP with a cache is like.

import Dispatch
public import MailboxDirectory

/// Answers what another source answers, some time later and on another thread; every fifth lookup at once.
public final class LateSource: Source {
    private let base: any Source
    private var asked = 0

    public init(base: any Source) {
        self.base = base
    }

    public var name: String { base.name }
    public var answersAtOnce: Bool { false }

    public func answer(_ lookup: Lookup) -> Answer { base.answer(lookup) }

    public func ask(_ lookup: Lookup, later: @escaping @Sendable (Answer) -> Void) -> Answer? {
        let answer = base.answer(lookup)
        asked += 1
        if asked.isMultiple(of: 5) { return answer }
        // Later ones may well be there before earlier ones.
        let delay = DispatchTimeInterval.microseconds(asked * 7919 % 3000)
        DispatchQueue.global().asyncAfter(deadline: .now() + delay) { later(answer) }
        return nil
    }
}
