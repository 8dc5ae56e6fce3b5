// Threads of this room's own, for libldap may wait, and nothing that others need may wait with it.

import CLDAP

enum OwnThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Runs `body` on a new thread that nobody joins.
    /// - Returns: whether there could be one.
    static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        let start = Unmanaged.passRetained(Body(body))
        let code = cldap_start_thread(
            { pointer in
                if let pointer { Unmanaged<Body>.fromOpaque(pointer).takeRetainedValue().run() }
            }, start.toOpaque())
        if code != 0 { start.release() }
        return code == 0
    }
}
