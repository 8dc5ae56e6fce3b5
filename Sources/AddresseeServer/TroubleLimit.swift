// A source in trouble is asked as often as one that is well: of thousands of equal lines a second the log keeps one.

import MailboxDirectory
import NIOConcurrencyHelpers
import NIOCore

/// Which troubles were told of late, by any event loop.
final class TroubleLimit: Sendable {
    /// After so long a trouble that goes on is told again.
    static let interval = TimeAmount.seconds(1)
    /// Troubles that are known; a reason may hold what changes with each question.
    static let known = 64

    private struct Told {
        var time: NIODeadline
        var untold = 0
    }

    private let told = NIOLockedValueBox<[Trouble: Told]>([:])

    /// - Returns: how many questions like this one were not told of since the last that was; nil when this one is not to be
    ///   told either.
    func admit(_ trouble: Trouble, now: NIODeadline = .now()) -> Int? {
        told.withLockedValue { told in
            if let last = told[trouble], now - last.time < Self.interval {
                told[trouble]?.untold += 1
                return nil
            }
            let untold = told[trouble]?.untold ?? 0
            if told.count >= Self.known { told.removeAll(keepingCapacity: true) }
            told[trouble] = Told(time: now)
            return untold
        }
    }
}
