// The one place that reads a clock. Everything else is given the time.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Nanoseconds on a clock that is never set back.
typealias Nanoseconds = Int64

enum MonotonicTime {
    static func now() -> Nanoseconds {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Waits; never on an event loop.
    static func sleep(_ nanoseconds: UInt32) { usleep(nanoseconds / 1000) }
}

extension Duration {
    /// As many nanoseconds; no more than a year, so that sums can't overflow.
    var nanoseconds: Nanoseconds {
        let (seconds, attoseconds) = components
        if seconds < 0 { return 0 }
        if seconds > 31_536_000 { return 31_536_000_000_000_000 }
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
