// Where a thread that waits finds its answer.

import MailboxDirectory
import Synchronization

final class AnswerSlot: Sendable {
    private let answer = Mutex<Answer?>(nil)
    private let arrival = WakeUp()

    func put(_ new: Answer) {
        answer.withLock { $0 = new }
        arrival.wake()
    }

    /// - Returns: nil when there is none at the deadline.
    func wait(until deadline: Nanoseconds) -> Answer? {
        while true {
            if let answer = answer.withLock({ $0 }) { return answer }
            let now = MonotonicTime.now()
            if now >= deadline { return nil }
            // Looked at now and then too, for there may have been no descriptor to wake with.
            arrival.wait(until: min(deadline, now + 100_000_000))
        }
    }
}
