// A source in trouble is asked as often as one that is well, and a client that asks too much goes on asking: of thousands of
// equal lines a second the log keeps one, and of all kinds together a few.

import NIOConcurrencyHelpers
import NIOCore

/// What was told of late, by any event loop.
final class LogLimit<Subject: Hashable & Sendable>: Sendable {
    /// After so long a subject is told of again.
    private let interval = TimeAmount.seconds(1)
    /// Lines in such a time: a reason may hold what changes with each question, and a flood comes from many clients.
    private let lines: Int

    private struct Told {
        var time: NIODeadline
        var untold = 0
    }

    private let told = NIOLockedValueBox<[Subject: Told]>([:])

    init(lines: Int = 64) {
        self.lines = lines
    }

    /// - Returns: how many like this one were not told of since the last that was; nil when this one is not to be told of
    ///   either.
    func admit(_ subject: Subject, now: NIODeadline = .now()) -> Int? {
        told.withLockedValue { told in
            if let last = told[subject], now - last.time < interval {
                told[subject]?.untold += 1
                return nil
            }
            let untold = told[subject]?.untold ?? 0
            if told.count >= lines, told[subject] == nil {
                told = told.filter { now - $0.value.time < interval }
                if told.count >= lines { return nil }
            }
            told[subject] = Told(time: now)
            return untold
        }
    }
}
