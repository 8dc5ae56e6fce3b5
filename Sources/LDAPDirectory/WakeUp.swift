// A descriptor by which any thread wakes one that polls.

import CLDAP

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An eventfd, or a pipe where there is none. Closed when the last owner lets go.
final class WakeUp: Sendable {
    /// To be polled for input; -1 when none could be had.
    let descriptor: Int32
    private let writer: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        let isOpen = cldap_wake_open(&ends) == 0
        descriptor = isOpen ? ends[0] : -1
        writer = isOpen ? ends[1] : -1
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        if writer >= 0, writer != descriptor { close(writer) }
    }

    func wake() {
        var one: UInt64 = 1
        // Full means that a wake-up is under way already.
        _ = withUnsafeBytes(of: &one) { write(writer, $0.baseAddress, $0.count) }
    }

    /// Takes all wake-ups up to now.
    func clear() {
        var taken: UInt64 = 0
        while withUnsafeMutableBytes(of: &taken, { read(descriptor, $0.baseAddress, $0.count) }) > 0 {
            if writer == descriptor { return }
        }
    }

    /// Waits for a wake-up, no longer than until `deadline`.
    func wait(until deadline: Nanoseconds) {
        while true {
            let left = deadline - MonotonicTime.now()
            if left <= 0 { return }
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let result = poll(&entry, 1, Int32(clamping: left / 1_000_000 + 1))
            if result > 0 { return }
            if result < 0, errno != EINTR { return }
        }
    }
}
