// Long work of one event loop: done in turns of some milliseconds, between which the loop serves its connections.

import NIOCore

/// What is still to be done, one piece a turn. Only ever touched on its loop.
final class TurnQueue {
    /// Between the end of a turn and the next. A task that is due at once would be run before the loop looks at its sockets.
    private static let pause = TimeAmount.milliseconds(1)
    /// Of so many turns one is for what has taken many already, so that the many short can't hold up the long for ever.
    private static let share = 4

    private var short = CircularBuffer<() -> Void>()
    private var long = CircularBuffer<() -> Void>()
    private var count = 0
    private var isScheduled = false
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// - Parameter isLong: whether it has had many turns, and so goes after what has not.
    func add(isLong: Bool = false, _ work: @escaping () -> Void) {
        if isLong { long.append(work) } else { short.append(work) }
        schedule()
    }

    private func schedule() {
        if isScheduled || short.isEmpty && long.isEmpty { return }
        isScheduled = true
        eventLoop.assumeIsolated().scheduleTask(in: Self.pause) { [self] in
            isScheduled = false
            count += 1
            if count % Self.share == 0, let work = long.popFirst() {
                work()
            } else if let work = short.popFirst() ?? long.popFirst() {
                work()
            }
            schedule()
        }
    }
}
