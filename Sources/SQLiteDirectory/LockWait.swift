// How a command waits for a lock that another program holds: in small steps, not for ever, and not in silence.

import GRDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

enum LockWait {
    /// Between two attempts; nanoseconds. The first come sooner, for most locks are held for a millisecond.
    private static let steps = [1, 2, 5, 10, 20, 50].map { $0 * 1_000_000 }

    /// - Parameter waiting: told once for each wait, when it has lasted for `SQLiteStore.silentPatience`.
    static func mode(_ path: String, waiting: @escaping @Sendable (String) -> Void) -> Database.BusyMode {
        .callback { attempts in
            let before = waited(attempts)
            if before >= nanoseconds(SQLiteStore.lockPatience) { return false }
            let step = steps[min(attempts, steps.count - 1)]
            var pause = timespec(tv_sec: 0, tv_nsec: step)
            nanosleep(&pause, nil)
            let patience = nanoseconds(SQLiteStore.silentPatience)
            if before < patience, before + step >= patience {
                waiting(
                    "\(path) is locked by another program; waiting for it, at most \(Int(SQLiteStore.lockPatience)) s")
            }
            return true
        }
    }

    /// Nanoseconds of waiting before this attempt.
    private static func waited(_ attempts: Int) -> Int {
        let longest = steps[steps.count - 1]
        return steps.prefix(attempts).reduce(0, +) + max(0, attempts - steps.count) * longest
    }

    private static func nanoseconds(_ seconds: Double) -> Int { Int(seconds * 1e9) }
}
