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
    /// Whether what a line is was told by its first octets, before its end.
    private var isLongLine = false
    /// Reads the value of a Delivered-To: field; nil while another field is read.
    private var value: MailboxField?
    /// What those before it say.
    private var mailboxes: [Mailbox] = []

    /// Octets of a line that tell what it is (RFC 5322 2.1.1).
    private static let lineLength = 998

    /// The mailboxes of the Delivered-To: fields so far.
    var deliveredTo: [Mailbox] {
        if isOver || line.isEmpty { return told }
        // Of a message in chunks the last line may have no end (RFC 3030).
        var whole = self
        whole.endLine()
        return whole.told
    }

    private var told: [Mailbox] { mailboxes + (value?.mailbox.map { [$0] } ?? []) }

    mutating func read(_ octets: Span<UInt8>, _ range: Range<Int>) {
        for index in range {
            if isOver { return }
            let octet = octets[index]
            if octet == UInt8(ascii: "\n") {
                endLine()
            } else if isLongLine {
                value?.read(octet)
            } else {
                line.append(octet)
                if line.count == Self.lineLength {
                    isLongLine = true
                    take()
                }
            }
        }
    }

    private mutating func endLine() {
        if !isLongLine {
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            take()
        }
        isLongLine = false
        line.removeAll(keepingCapacity: true)
    }

    /// Takes a line, or the beginning of a long one.
    private mutating func take() {
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
            for octet in line { value?.read(octet) }
        } else {
            mailboxes = told
            value = nil
            if HeaderField.valueStart(in: line, of: "received") != nil {
                received += 1
            } else if let start = HeaderField.valueStart(in: line, of: "delivered-to") {
                deliveries += 1
                value = MailboxField()
                for octet in line[start...] { value?.read(octet) }
            }
        }
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

/// Reads the mailbox that a field says: with comments and blanks around and in it, however long, in angle brackets or not,
/// after a name or not (RFC 5322 3.2.2, 3.4, 4.4).
private struct MailboxField: Hashable, Sendable {
    /// Without comments and blanks.
    private var text: [UInt8] = []
    private var depth = 0
    private var isQuoted = false
    private var isEscaped = false
    /// Whether more stands there than is kept, or than any mailbox has.
    private var isTooLong = false
    private var isOver = false

    /// Octets that are kept: a mailbox with a source route before it.
    private static let limit = 4 * 998

    mutating func read(_ octet: UInt8) {
        if isOver { return }
        let wasEscaped = isEscaped
        isEscaped = !wasEscaped && octet == UInt8(ascii: "\\") && (depth > 0 || isQuoted)
        if depth > 0 {
            if wasEscaped { return }
            if octet == UInt8(ascii: "(") { depth += 1 }
            if octet == UInt8(ascii: ")") { depth -= 1 }
        } else if isQuoted {
            if octet == UInt8(ascii: "\""), !wasEscaped { isQuoted = false }
            keep(octet)
        } else {
            switch octet {
            case UInt8(ascii: "("): depth = 1
            case UInt8(ascii: "<"): (text, isTooLong) = ([], false)
            case UInt8(ascii: ">"): isOver = true
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): break
            default:
                isQuoted = octet == UInt8(ascii: "\"")
                keep(octet)
            }
        }
    }

    private mutating func keep(_ octet: UInt8) {
        if text.count < Self.limit { text.append(octet) } else { isTooLong = true }
    }

    /// Nil where it says none.
    var mailbox: Mailbox? {
        if isTooLong { return nil }
        var text = text
        // A source route says nothing (RFC 5321 appendix C), nor does a dot after the whole name (RFC 1034 3.1).
        if text.first == UInt8(ascii: "@"), let colon = text.firstIndex(of: UInt8(ascii: ":")) {
            text.removeFirst(colon + 1)
        }
        if text.last == UInt8(ascii: ".") { text.removeLast() }
        return try? Mailbox(octets: text.span)
    }
}
