// Names for messages: each once, on this machine and in all of its past.

import Foundation
import NIOConcurrencyHelpers

/// What one message is called: in the log, in its Received: field, and as a file.
struct MessageID: Hashable, Sendable {
    private static let counter = NIOLockedValueBox(UInt64(0))

    private let seconds: Int
    private let microseconds: Int
    private let number: UInt64

    /// The next one.
    init() {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        seconds = now.tv_sec
        microseconds = now.tv_nsec / 1000
        number = Self.counter.withLockedValue { counter in
            counter += 1
            return counter
        }
    }

    /// An Atom: letters, digits and dots.
    var atom: String { "\(seconds).M\(microseconds)P\(getpid())Q\(number)" }

    /// As Maildir asks: time, what is unique at that time, and the machine, in whose name neither "/" nor ":" may be.
    func fileName(hostname: String) -> String {
        "\(atom)." + hostname.replacing("/", with: "\\057").replacing(":", with: "\\072")
    }

    /// `date-time` of RFC 5322 3.3, in local time with its offset, as RFC 5321 4.4 would have it.
    var date: [UInt8] {
        var time = time_t(seconds)
        var local = tm()
        localtime_r(&time, &local)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            let count = strftime(buffer.baseAddress!, buffer.count, "%a, %d %b %Y %H:%M:%S %z", &local)
            return buffer[..<count].map { UInt8(bitPattern: $0) }
        }
    }
}
