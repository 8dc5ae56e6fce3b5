// Values that keep their order: an LDAP attribute is a set (RFC 4511 4.1.7), so ours begin with a number.
//
//     ordered-value = number SP mailbox [ SP name ]

import MailAddress

/// One of an attribute's values that have an order.
struct OrderedValue: Hashable, Sendable {
    var position: Int
    var mailbox: Mailbox
    /// The rest; empty where there is none.
    var name: [UInt8]

    /// Greatest position, so that one more can always be added.
    static let limit = 1_000_000_000

    init(position: Int, mailbox: Mailbox, name: [UInt8] = []) {
        self.position = position
        self.mailbox = mailbox
        self.name = name
    }

    /// - Returns: nil for what is no such value.
    init?(_ value: [UInt8]) {
        guard let space = value.firstIndex(of: UInt8(ascii: " ")), space > 0, space <= 10 else { return nil }
        var number = 0
        for digit in value[..<space] {
            guard (0x30...0x39).contains(digit) else { return nil }
            number = number * 10 + Int(digit - 0x30)
        }
        guard number <= Self.limit else { return nil }
        var index = space + 1
        guard let mailbox = try? Mailbox.parse(value.span, from: &index) else { return nil }
        var name: [UInt8] = []
        if index < value.count {
            guard value[index] == UInt8(ascii: " ") else { return nil }
            name = Array(value[(index + 1)...])
        }
        self.init(position: number, mailbox: mailbox, name: name)
    }

    /// The same values in the same order, with the numbers that they have already wherever that can be, so that little
    /// is written when little has changed.
    static func arranged(_ wanted: [[UInt8]], keeping existing: [[UInt8]]) -> [[UInt8]] {
        func rest(_ value: [UInt8]) -> [UInt8] { Array(value.drop { $0 != UInt8(ascii: " ") }) }
        var known: [[UInt8]: (position: Int, value: [UInt8])] = [:]
        for value in existing { if let one = OrderedValue(value) { known[rest(value)] = (one.position, value) } }
        var last = -1
        return wanted.map { value in
            let rest = rest(value)
            if let (position, value) = known[rest], position > last {
                last = position
                return value
            }
            last += 1
            return Array("\(last)".utf8) + rest
        }
    }

    var octets: [UInt8] {
        var octets = Array("\(position) ".utf8)
        mailbox.append(to: &octets)
        if !name.isEmpty { octets += [UInt8(ascii: " ")] + name }
        return octets
    }
}
