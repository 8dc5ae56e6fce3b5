// Finds command lines in what has come in. Only CR LF ends a line: a bare CR or a bare LF does not (RFC 5321 2.3.8).

import MailAddress

/// Where lines end. It keeps no bytes: the caller holds what has not been consumed.
public struct LineFraming: Sendable {
    public enum Result: Equatable, Sendable {
        /// A line ends before `end`; the next begins at `next`.
        case line(end: Int, next: Int)
        /// A line that was longer than `SMTPLimits.longestLine` is over; the next begins at `next`, unless it was the
        /// command before a chunk: then what follows is no line.
        case overlong(next: Int, beginsChunk: Bool)
        /// No whole line; bytes before `consumed` are done with, the rest must be kept.
        case incomplete(consumed: Int)
    }

    private var isDiscarding = false
    /// Of the line that is discarded.
    private var beginsChunk = false

    public init() {}

    /// - Parameter start: where the line begins; at most `bytes.count`.
    public mutating func next(_ bytes: Span<UInt8>, from start: Int) -> Result {
        var index = start
        let end = bytes.count
        while let newline = bytes.index(of: UInt8(ascii: "\n"), from: index) {
            index = newline + 1
            if newline > start, bytes[newline - 1] == UInt8(ascii: "\r") {
                guard isDiscarding || index - start > SMTPLimits.longestLine else {
                    return .line(end: newline - 1, next: index)
                }
                if !isDiscarding { beginsChunk = CommandParser.beginsChunk(bytes.extracting(start..<index)) }
                isDiscarding = false
                return .overlong(next: index, beginsChunk: beginsChunk)
            }
        }
        guard isDiscarding || end - start > SMTPLimits.longestLine else { return .incomplete(consumed: start) }
        // Of a line too long nothing is kept but a CR that may be half of its end.
        if !isDiscarding { beginsChunk = CommandParser.beginsChunk(bytes.extracting(start..<end)) }
        isDiscarding = true
        let keepsLast = end > start && bytes[end - 1] == UInt8(ascii: "\r")
        return .incomplete(consumed: keepsLast ? end - 1 : end)
    }
}
