// Ctrl-C while measuring: the measuring ends, and what there is gets printed.

import Glibc

/// Takes SIGINT for as long as it lives; one at a time.
final class StopSignal {
    // Safe because a signal handler may write a sig_atomic_t, and nobody reads it between two system calls.
    nonisolated(unsafe) private static let raised: UnsafeMutablePointer<sig_atomic_t> = {
        let memory = UnsafeMutablePointer<sig_atomic_t>.allocate(capacity: 1)
        memory.initialize(to: 0)
        return memory
    }()

    private let former: sigaction

    init() {
        Self.raised.pointee = 0
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in StopSignal.raised.pointee = 1 }
        var former = sigaction()
        sigaction(SIGINT, &action, &former)
        self.former = former
    }

    deinit {
        var former = former
        sigaction(SIGINT, &former, nil)
    }

    var isRaised: Bool { Self.raised.pointee != 0 }
}
