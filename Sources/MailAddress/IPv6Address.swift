// An IPv6 address in the forms that RFC 5321 4.1.3 takes, and in the one that RFC 5952 4 gives.

struct IPv6Address: Hashable {
    /// Eight groups of 16 bits.
    let groups: [UInt16]

    /// Reads an address from `start` to the end of `content`; nil when it is anything else.
    ///
    /// `IPv6-addr = IPv6-full / IPv6-comp / IPv6v4-full / IPv6v4-comp` (RFC 5321 4.1.3)
    init?(_ content: Span<UInt8>, from start: Int) {
        var index = start
        var isTail = false
        guard let head = Self.groups(content, from: &index, tail: &isTail) else { return nil }
        if index == content.count {
            guard head.count == 8 else { return nil }
            groups = head
            return
        }
        // "::" represents at least 2 groups of zeros, so 6 may stand beside it, the IPv4 tail being two of them.
        guard !isTail, Self.isCompression(content, at: index) else { return nil }
        index += 2
        guard let tail = Self.groups(content, from: &index, tail: &isTail) else { return nil }
        guard index == content.count, head.count + tail.count <= 6 else { return nil }
        groups = head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
    }

    // [IPv6-hex *(":" IPv6-hex)] [":"] [IPv4-address-literal]     (RFC 5321 4.1.3)
    // Stops before "::". `tail` becomes true when an IPv4 address ended it.
    private static func groups(_ content: Span<UInt8>, from index: inout Int, tail: inout Bool) -> [UInt16]? {
        var groups: [UInt16] = []
        while index < content.count, !isCompression(content, at: index) {
            if !groups.isEmpty {
                guard content[index] == UInt8(ascii: ":") else { return nil }
                index += 1
            }
            if let numbers = AddressLiteral.ipv4(content, from: index) {
                groups.append(UInt16(numbers[0]) << 8 | UInt16(numbers[1]))
                groups.append(UInt16(numbers[2]) << 8 | UInt16(numbers[3]))
                index = content.count
                tail = true
            } else {
                guard let group = hex(content, from: &index) else { return nil }
                groups.append(group)
            }
            guard groups.count <= 8 else { return nil }
        }
        return groups
    }

    // IPv6-hex = 1*4HEXDIG     (RFC 5321 4.1.3)
    private static func hex(_ content: Span<UInt8>, from index: inout Int) -> UInt16? {
        let first = index
        var group: UInt16 = 0
        while index < content.count, index - first < 4, let digit = content[index].hexValue {
            group = group << 4 | digit
            index += 1
        }
        return index > first ? group : nil
    }

    private static func isCompression(_ content: Span<UInt8>, at index: Int) -> Bool {
        index + 1 < content.count && content[index] == UInt8(ascii: ":") && content[index + 1] == UInt8(ascii: ":")
    }

    /// Lower case, no leading zeros, and the first of the longest runs of two or more zero groups as "::" (RFC 5952 4).
    /// Always groups, never a dotted tail: a key needs one spelling.
    var text: String {
        var longest = 0..<0
        var start = 0
        while start < groups.count {
            var end = start
            while end < groups.count, groups[end] == 0 { end += 1 }
            if end - start >= 2, end - start > longest.count { longest = start..<end }
            start = max(end, start + 1)
        }
        let words = groups.map { String($0, radix: 16) }
        guard !longest.isEmpty else { return words.joined(separator: ":") }
        let head = words[..<longest.lowerBound].joined(separator: ":")
        return head + "::" + words[longest.upperBound...].joined(separator: ":")
    }
}
