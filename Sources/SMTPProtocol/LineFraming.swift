// Finds command lines in what has come in. Only CR LF ends a line: a bare CR or a bare LF does not (RFC 5321 2.3.8).

/// Where lines end. It keeps no bytes: the caller holds what has not been consumed.
public struct LineFraming: Sendable {
    public enum Result: Equatable, Sendable {
        /// A line ends before `end`; the next begins at `next`.
        case line(end: Int, next: Int)
        /// A line that was longer than `SMTPLimits.longestLine` is over; the next begins at `next`.
        case overlong(next: Int)
        /// No whole line; bytes before `consumed` are done with, the rest must be kept.
        case incomplete(consumed: Int)
    }

    private var isDiscarding = false

    public init() {}

    /// - Parameter start: where the line begins; at most `bytes.count`.
    public mutating func next(_ bytes: Span<UInt8>, from start: Int) -> Result {
        var index = start
        let end = bytes.count
        while index < end {
            if bytes[index] == UInt8(ascii: "\n"), index > start, bytes[index - 1] == UInt8(ascii: "\r") {
                let isOverlong = isDiscarding || index + 1 - start > SMTPLimits.longestLine
                isDiscarding = false
                return isOverlong ? .overlong(next: index + 1) : .line(end: index - 1, next: index + 1)
            }
            index += 1
        }
        guard isDiscarding || end - start > SMTPLimits.longestLine else { return .incomplete(consumed: start) }
        // Of a line too long nothing is kept but a CR that may be half of its end.
        isDiscarding = true
        let keepsLast = end > start && bytes[end - 1] == UInt8(ascii: "\r")
        return .incomplete(consumed: keepsLast ? end - 1 : end)
    }
}
