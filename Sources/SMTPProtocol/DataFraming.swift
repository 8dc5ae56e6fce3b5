// Finds the end of mail data and undoes dot-stuffing (RFC 5321 4.1.1.4, 4.5.2). Only CR LF ends a line, here as in
// commands: no other sequence of octets around a dot ends a message (RFC 5321 2.3.8).

/// Where mail data ends. It keeps no octets: every piece that it gives may be handed on at once.
public struct DataFraming: Hashable, Sendable {
    /// What the octets so far come to.
    public struct Piece: Hashable, Sendable {
        /// Octets of the message; may be empty.
        public var content: Range<Int>
        /// Where to go on.
        public var next: Int
        /// Whether the message is over; the octets from `next` on are commands.
        public var isEnd = false
    }

    /// Whether a CR without LF, or an LF without CR, has been met. Such a message means one thing to one server and
    /// another to the next, which is how messages are smuggled into others.
    public private(set) var holdsBareLineEnd = false
    private var place = Place.lineStart

    private enum Place: Hashable {
        case lineStart
        case text
        case afterCR
        /// After a dot that begins a line: it was stuffed, or begins the end.
        case afterDot
        case afterDotCR
    }

    public init() {}

    /// - Parameter start: the first octet that has not been looked at; at most `octets.count`.
    public mutating func next(_ octets: Span<UInt8>, from start: Int) -> Piece {
        var index = start
        let end = octets.count
        while index < end {
            let octet = octets[index]
            switch place {
            case .text: follow(octet)
            case .afterCR:
                if octet == UInt8(ascii: "\n") {
                    place = .lineStart
                } else {
                    holdsBareLineEnd = true
                    follow(octet)
                }
            case .lineStart:
                if octet == UInt8(ascii: ".") {
                    place = .afterDot
                    return Piece(content: start..<index, next: index + 1)
                }
                follow(octet)
            case .afterDot:
                // Here `index` is `start`: the dot itself ended the piece before.
                if octet == UInt8(ascii: "\r") {
                    place = .afterDotCR
                    return Piece(content: start..<start, next: index + 1)
                }
                follow(octet)
            case .afterDotCR:
                if octet == UInt8(ascii: "\n") {
                    place = .lineStart
                    return Piece(content: start..<start, next: index + 1, isEnd: true)
                }
                holdsBareLineEnd = true
                follow(octet)
            }
            index += 1
        }
        return Piece(content: start..<end, next: end)
    }

    /// An octet that neither ends a line nor begins the end.
    private mutating func follow(_ octet: UInt8) {
        if octet == UInt8(ascii: "\r") {
            place = .afterCR
        } else {
            if octet == UInt8(ascii: "\n") { holdsBareLineEnd = true }
            place = .text
        }
    }
}
