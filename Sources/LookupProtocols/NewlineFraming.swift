// Lines that end with LF. A CR before it is the end's too: who asks by hand sends one, and programs escape theirs.

import MailAddress

/// Where lines end. It keeps no bytes: the caller holds what has not been consumed.
struct NewlineFraming: Hashable, Sendable {
    enum Result: Hashable, Sendable {
        /// A line holds the octets before `end`; the next begins at `next`.
        case line(end: Int, next: Int)
        /// One that was longer than the limit is over; the next begins at `next`.
        case overlong(next: Int)
        /// No whole line; octets before `consumed` are done with, the rest must be kept.
        case incomplete(consumed: Int)
    }

    private let limit: Int
    /// Octets of the line at hand that hold no end.
    private var scanned = 0
    /// Whether the line at hand is too long already, and is read past.
    private var isOverlong = false

    /// - Parameter limit: octets that a line may hold, its end left out.
    init(limit: Int) {
        self.limit = limit
    }

    mutating func next(_ bytes: Span<UInt8>) -> Result {
        guard let index = bytes.index(of: UInt8(ascii: "\n"), from: scanned) else {
            let index = bytes.count
            // One octet more may be a CR.
            if isOverlong || index > limit + 1 {
                isOverlong = true
                scanned = 0
                return .incomplete(consumed: index)
            }
            scanned = index
            return .incomplete(consumed: 0)
        }
        scanned = 0
        let end = index > 0 && bytes[index - 1] == UInt8(ascii: "\r") ? index - 1 : index
        if isOverlong || end > limit {
            isOverlong = false
            return .overlong(next: index + 1)
        }
        return .line(end: end, next: index + 1)
    }
}
