// Ctrl-C while measuring: the measuring ends, and what there is gets printed.

import Glibc
import Synchronization

/// Takes SIGINT for as long as it lives.
final class StopSignal {
    private static let isRaised = Atomic<Bool>(false)
    private let former: sigaction

    init() {
        Self.isRaised.store(false, ordering: .relaxed)
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in StopSignal.isRaised.store(true, ordering: .relaxed) }
        var former = sigaction()
        sigaction(SIGINT, &action, &former)
        self.former = former
    }

    deinit {
        var former = former
        sigaction(SIGINT, &former, nil)
    }

    var isRaised: Bool { Self.isRaised.load(ordering: .relaxed) }
}
