// What must be known of a message's header section to see that it goes in a loop (RFC 5321 6.3): how often it was
// received, and to whom it has been delivered. Nothing else is looked at, and nothing is changed.

import MailAddress

/// Reads a header section as it streams by.
struct HeaderScan: Hashable, Sendable {
    /// Received: fields so far.
    private(set) var received = 0
    /// Delivered-To: fields so far.
    private(set) var deliveries = 0
    /// Whether the header section is over, or was none.
    private(set) var isOver = false
    private var isFirst = true
    /// The line at hand, as far as it is looked at.
    private var line: [UInt8] = []
    /// What the Delivered-To: field at hand says so far, unfolded; nil in other fields.
    private var value: [UInt8]?
    /// What those before it say.
    private var mailboxes: [Mailbox] = []

    /// Octets of a line that are looked at (RFC 5322 2.1.1).
    private static let lineLength = 998
    /// Octets of a folded field that are looked at: a mailbox with room for comments around it.
    private static let fieldLength = 4 * lineLength

    /// The mailboxes of the Delivered-To: fields so far.
    var deliveredTo: [Mailbox] {
        if isOver || line.isEmpty { return told }
        // Of a message in chunks the last line may have no end (RFC 3030).
        var whole = self
        whole.take()
        return whole.told
    }

    private var told: [Mailbox] { mailboxes + (value.flatMap { Mailbox(field: $0) }.map { [$0] } ?? []) }

    mutating func read(_ octets: Span<UInt8>, _ range: Range<Int>) {
        for index in range {
            if isOver { return }
            let octet = octets[index]
            if octet == UInt8(ascii: "\n") {
                take()
            } else if line.count < Self.lineLength {
                line.append(octet)
            }
        }
    }

    private mutating func take() {
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        let wasFirst = isFirst
        // Such a line before the fields is of a mailbox file, and no field.
        isFirst = wasFirst && MessageStart.isFromLine(line)
        if line.isEmpty {
            isOver = true
        } else if !isFirst, !HeaderField.isField(line), wasFirst || !HeaderField.isBlank(line[0]) {
            // What is neither a field nor goes on with one is of the body.
            isOver = true
        } else if HeaderField.isBlank(line[0]) {
            // The field goes on (RFC 5322 2.2.3).
            if let count = value?.count, count < Self.fieldLength { value?.append(contentsOf: line) }
        } else {
            mailboxes = told
            value = nil
            if HeaderField.valueStart(in: line, of: "received") != nil {
                received += 1
            } else if let start = HeaderField.valueStart(in: line, of: "delivered-to") {
                deliveries += 1
                value = Array(line[start...])
            }
        }
        line.removeAll(keepingCapacity: true)
    }
}

/// The form of header fields (RFC 5322 2.2).
enum HeaderField {
    static func isBlank(_ octet: UInt8) -> Bool { octet == UInt8(ascii: " ") || octet == UInt8(ascii: "\t") }

    /// Whether a line begins a field: `field-name *WSP ":"`, `field-name = 1*ftext` (RFC 5322 3.6.8, 4.5.8).
    static func isField(_ line: [UInt8]) -> Bool {
        let nameEnd = line.firstIndex { $0 <= 32 || $0 >= 127 || $0 == UInt8(ascii: ":") } ?? line.count
        return nameEnd > 0 && line[nameEnd...].first { !isBlank($0) } == UInt8(ascii: ":")
    }

    /// Where the value begins when the line is a field of this name, which is in lower case. Blanks before the colon are
    /// obsolete, but were once allowed.
    static func valueStart(in line: [UInt8], of name: StaticString) -> Int? {
        let count = name.utf8CodeUnitCount
        guard line.count > count else { return nil }
        let isNamed = name.withUTF8Buffer { name in
            for index in 0..<count {
                let octet = line[index]
                let lower = octet >= UInt8(ascii: "A") && octet <= UInt8(ascii: "Z") ? octet + 32 : octet
                if lower != name[index] { return false }
            }
            return true
        }
        if !isNamed { return nil }
        var index = count
        while index < line.count, isBlank(line[index]) { index += 1 }
        return index < line.count && line[index] == UInt8(ascii: ":") ? index + 1 : nil
    }
}

extension Mailbox {
    /// The mailbox that a field says: with comments and blanks around and in it, in angle brackets or not, after a name or
    /// not (RFC 5322 3.2.2, 3.4, 4.4). Nil where it is none.
    fileprivate init?(field value: [UInt8]) {
        var text: [UInt8] = []
        var (depth, isQuoted, isEscaped) = (0, false, false)
        scan: for octet in value {
            let wasEscaped = isEscaped
            isEscaped = !wasEscaped && octet == UInt8(ascii: "\\") && (depth > 0 || isQuoted)
            if depth > 0 {
                if wasEscaped { continue }
                if octet == UInt8(ascii: "(") { depth += 1 }
                if octet == UInt8(ascii: ")") { depth -= 1 }
            } else if isQuoted {
                if octet == UInt8(ascii: "\""), !wasEscaped { isQuoted = false }
                text.append(octet)
            } else {
                switch octet {
                case UInt8(ascii: "("): depth = 1
                case UInt8(ascii: "<"): text = []
                case UInt8(ascii: ">"): break scan
                case UInt8(ascii: " "), UInt8(ascii: "\t"): break
                default:
                    isQuoted = octet == UInt8(ascii: "\"")
                    text.append(octet)
                }
            }
        }
        // A source route says nothing (RFC 5321 appendix C), nor does a dot after the whole name (RFC 1034 3.1).
        if text.first == UInt8(ascii: "@"), let colon = text.firstIndex(of: UInt8(ascii: ":")) {
            text.removeFirst(colon + 1)
        }
        if text.last == UInt8(ascii: ".") { text.removeLast() }
        guard let mailbox = try? Mailbox(octets: text.span) else { return nil }
        self = mailbox
    }
}
