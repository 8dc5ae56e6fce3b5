// A message on its way through: what is handed on of it, and why it is refused in the end. It keeps no octets but a few of
// the header section.

public import MailAddress

/// Reads mail data from 354 to the end of the message.
public struct MessageReader: Hashable, Sendable {
    /// Why a message is refused. What is left of it is read past, since nothing can be said before its end.
    public enum Fault: Hashable, Sendable {
        /// RFC 1870 6.3.
        case tooBig
        /// A CR without LF, or an LF without CR (RFC 5321 2.3.8, 4.1.1.4).
        case bareLineEnd
        /// A NUL (RFC 5322 3.5): a server that takes octets up to one would read another message out of it.
        case nul
        /// More Received: or Delivered-To: fields than are allowed (RFC 5321 6.3).
        case loop
        /// It could not be handed on.
        case refused(Reply)

        public var reply: Reply {
            switch self {
            case .tooBig: ReplyCatalogue.messageTooBig
            case .bareLineEnd: ReplyCatalogue.bareLineEnd
            case .nul: ReplyCatalogue.nulInMessage
            case .loop: ReplyCatalogue.messageLoops
            case .refused(let reply): reply
            }
        }
    }

    /// Octets of the message so far, dots that were stuffed not counted (RFC 1870 3).
    public private(set) var size: UInt64 = 0
    /// The first fault; from then on nothing is handed on.
    public internal(set) var fault: Fault?
    /// The mailboxes of Delivered-To: fields.
    public var deliveredTo: [Mailbox] { header.deliveredTo }
    private var framing = DataFraming()
    private var lineEnds = LineEndCheck()
    private var header = HeaderScan()
    private let sizeLimit: UInt64
    private let traceFields: Int

    /// - Parameters:
    ///   - sizeLimit: octets; nil for no limit.
    ///   - traceFields: Received: fields, and Delivered-To: fields, that a message may have.
    public init(sizeLimit: UInt64?, traceFields: Int) {
        self.sizeLimit = sizeLimit ?? .max
        self.traceFields = traceFields
    }

    /// Reads on.
    /// - Parameter content: called with each range that is to be handed on.
    /// - Returns: where to go on, and whether the message is over.
    mutating func read(
        _ octets: Span<UInt8>, from start: Int, _ content: (Range<Int>) -> Void
    ) -> (next: Int, isEnd: Bool) {
        var next = start
        while next < octets.count {
            let piece = framing.next(octets, from: next)
            next = piece.next
            if fault == nil { take(octets, piece.content, content) }
            if piece.isEnd { return (next, true) }
        }
        return (next, false)
    }

    /// Reads part of a chunk (RFC 3030), in which nothing is stuffed.
    mutating func readChunk(_ octets: Span<UInt8>, _ range: Range<Int>, _ content: (Range<Int>) -> Void) {
        lineEnds.read(octets, range)
        if fault == nil { take(octets, range, content) }
    }

    /// The last chunk is over.
    mutating func endChunks() {
        if lineEnds.isAfterCR, fault == nil { fault = .bareLineEnd }
    }

    private mutating func take(_ octets: Span<UInt8>, _ range: Range<Int>, _ content: (Range<Int>) -> Void) {
        if framing.holdsBareLineEnd || lineEnds.holdsBareLineEnd {
            fault = .bareLineEnd
            return
        }
        if range.isEmpty { return }
        if octets.extracting(range).index(of: 0, from: 0) != nil {
            fault = .nul
            return
        }
        size += UInt64(range.count)
        if size > sizeLimit {
            fault = .tooBig
            return
        }
        if !header.isOver {
            header.read(octets, range)
            if max(header.received, header.deliveries) > traceFields {
                fault = .loop
                return
            }
        }
        content(range)
    }
}

/// Looks for a CR without LF, and an LF without CR, where no dots are stuffed.
private struct LineEndCheck: Hashable {
    private(set) var holdsBareLineEnd = false
    private(set) var isAfterCR = false

    mutating func read(_ octets: Span<UInt8>, _ range: Range<Int>) {
        for index in range {
            let octet = octets[index]
            if isAfterCR != (octet == UInt8(ascii: "\n")) { holdsBareLineEnd = true }
            isAfterCR = octet == UInt8(ascii: "\r")
        }
    }
}
