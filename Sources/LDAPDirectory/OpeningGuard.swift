// Keeps the opening of a connection to its time: libldap waits without end for a server that goes silent in a TLS
// handshake.

import CLDAP
import Synchronization

/// Belongs to one handle, and outlives its `LDAP *`.
///
/// `@unchecked Sendable` is safe because what it points to is locked in C.
final class OpeningGuard: @unchecked Sendable {
    private let state: OpaquePointer?
    private let isOver = Mutex(false)
    private let end = WakeUp()

    init(_ ld: OpaquePointer) { state = cldap_guard_new(ld) }

    deinit { if let state { cldap_guard_free(state) } }

    /// Shuts the socket down at this time, unless it is told before that all is well.
    func watch(until deadline: Nanoseconds) {
        _ = OwnThread.start { [self] in
            while !isOver.withLock({ $0 }) {
                if MonotonicTime.now() >= deadline {
                    if let state { cldap_guard_cut(state) }
                    return
                }
                end.wait(until: deadline)
            }
        }
    }

    /// The connection is open, or given up.
    func finish() {
        isOver.withLock { $0 = true }
        end.wake()
        if let state { cldap_guard_end(state) }
    }
}
