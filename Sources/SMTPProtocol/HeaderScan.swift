// What must be known of a message's header section to see that it goes in a loop (RFC 5321 6.3): how often it was
// received, and to whom it has been delivered. Nothing else is looked at, and nothing is changed.

import MailAddress

/// Reads a header section as it streams by.
struct HeaderScan: Hashable, Sendable {
    /// Received: fields so far.
    private(set) var received = 0
    /// The values of Delivered-To: fields, as they stand there.
    private(set) var deliveredTo: [[UInt8]] = []
    /// Whether the empty line after the header section has come.
    private(set) var isOver = false
    /// The line at hand, as far as it is looked at.
    private var line: [UInt8] = []

    /// Octets of a line that are looked at: the longest name, and a mailbox with room around it.
    private static let lookedAt = 32 + AddressLimits.mailbox

    mutating func read(_ octets: Span<UInt8>, _ range: Range<Int>) {
        for index in range {
            if isOver { return }
            let octet = octets[index]
            if octet == UInt8(ascii: "\n") {
                take()
            } else if line.count < Self.lookedAt {
                line.append(octet)
            }
        }
    }

    private mutating func take() {
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        if line.isEmpty {
            isOver = true
        } else if valueStart(of: "received") != nil {
            received += 1
        } else if let start = valueStart(of: "delivered-to") {
            var value = line[start...].drop { Self.isBlank($0) }
            while let last = value.last, Self.isBlank(last) { value.removeLast() }
            deliveredTo.append(Array(value))
        }
        line.removeAll(keepingCapacity: true)
    }

    /// Where the value begins when the line is a field of this name, which is in lower case. Blanks before the colon are
    /// obsolete, but were once allowed.
    private func valueStart(of name: StaticString) -> Int? {
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
        while index < line.count, Self.isBlank(line[index]) { index += 1 }
        return index < line.count && line[index] == UInt8(ascii: ":") ? index + 1 : nil
    }

    private static func isBlank(_ octet: UInt8) -> Bool { octet == UInt8(ascii: " ") || octet == UInt8(ascii: "\t") }
}
