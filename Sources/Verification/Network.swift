// Where clients come from, and the networks that classes of clients are told by: IPv4 and IPv6 in CIDR notation
// (RFC 4632, RFC 4291 2.3), and Unix sockets. Read by hand on bytes; nothing is resolved here.

public import MailAddress

/// Where a client comes from.
public enum ClientAddress: Hashable, Sendable {
    /// The 32 bits, first octet highest.
    case ipv4(UInt32)
    /// The 128 bits, high half first. Build it with `init(ipv6High:low:)`, so that a mapped IPv4 address becomes `ipv4`.
    case ipv6(UInt64, UInt64)
    /// A local process, over a Unix socket.
    case unixSocket

    public init(ipv4 bytes: (UInt8, UInt8, UInt8, UInt8)) {
        self = .ipv4(UInt32(bytes.0) << 24 | UInt32(bytes.1) << 16 | UInt32(bytes.2) << 8 | UInt32(bytes.3))
    }

    /// Takes an IPv6 address; `::ffff:a.b.c.d` (RFC 4291 2.5.5.2) becomes `ipv4`, since that is who the client is.
    public init(ipv6High high: UInt64, low: UInt64) {
        self = high == 0 && low >> 32 == 0xFFFF ? .ipv4(UInt32(truncatingIfNeeded: low)) : .ipv6(high, low)
    }

    /// Reads `192.0.2.1`, `2001:db8::1` (no brackets, no zone) or `unix`; nil when it is anything else.
    public init?(_ text: String) {
        guard text != "unix" else {
            self = .unixSocket
            return
        }
        switch NetworkText.read(Array(text.utf8)[...]) {
        case .ipv4(let bits): self = .ipv4(bits)
        case .ipv6(let high, let low): self.init(ipv6High: high, low: low)
        case nil: return nil
        }
    }
}

extension ClientAddress {
    /// The address as a domain: `[192.0.2.1]`, `[IPv6:2001:db8::1]` (RFC 5321 4.1.3); nil for a Unix socket.
    public var literal: Domain? {
        switch self {
        case .ipv4: try? Domain("[\(self)]")
        case .ipv6: try? Domain("[IPv6:\(self)]")
        case .unixSocket: nil
        }
    }
}

extension ClientAddress: CustomStringConvertible {
    /// `192.0.2.1`, `2001:db8::1` (RFC 5952 4) or `unix`.
    public var description: String {
        switch self {
        case .ipv4(let bits): NetworkText.ipv4(bits).text
        case .ipv6(let high, let low): NetworkText.ipv6(high, low).text
        case .unixSocket: "unix"
        }
    }
}

/// A network in CIDR notation, one address, or all Unix sockets (`unix`). An IPv4 client is in IPv4 networks only:
/// `::/0` does not hold it.
public struct Network: Hashable, Sendable {
    private let base: ClientAddress
    /// The bits of `base` that count: 0...32 or 0...128.
    private let prefix: Int

    private init(base: ClientAddress, prefix: Int) {
        self.base = base
        self.prefix = prefix
    }

    /// Reads `192.0.2.0/24`, `2001:db8::/32`, `192.0.2.1` or `unix`. A network of mapped addresses
    /// (`::ffff:192.0.2.0/120`) is the IPv4 network.
    ///
    /// - Throws: when it is none of them, or when bits are set beyond the prefix.
    public init(_ text: String) throws(NetworkSyntaxError) {
        guard text != "unix" else {
            self.init(base: .unixSocket, prefix: 0)
            return
        }
        let parts = Array(text.utf8).split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = NetworkText.read(parts[0]) else { throw .notANetwork }
        var prefix = address.width
        if parts.count == 2 {
            guard let length = NetworkText.decimal(parts[1], upTo: address.width) else {
                throw .badPrefix(maximum: address.width)
            }
            prefix = length
        }
        guard address.masked(prefix) == address else {
            throw .hostBits(expected: "\(address.masked(prefix).text)/\(prefix)")
        }
        switch address {
        case .ipv4(let bits):
            self.init(base: .ipv4(bits), prefix: prefix)
        case .ipv6(let high, let low):
            let base = ClientAddress(ipv6High: high, low: low)
            if case .ipv4 = base, prefix >= 96 {
                self.init(base: base, prefix: prefix - 96)
            } else {
                self.init(base: .ipv6(high, low), prefix: prefix)
            }
        }
    }

    /// Whether the client comes from here.
    public func contains(_ client: ClientAddress) -> Bool {
        switch (base, client) {
        case (.ipv4(let bits), .ipv4(let other)):
            NetworkText.ipv4(other).masked(prefix) == .ipv4(bits)
        case (.ipv6(let high, let low), .ipv6(let otherHigh, let otherLow)):
            NetworkText.ipv6(otherHigh, otherLow).masked(prefix) == .ipv6(high, low)
        case (.unixSocket, .unixSocket):
            true
        default:
            false
        }
    }

    /// Loopback (RFC 1122 3.2.1.3, RFC 4291 2.5.3) and Unix sockets.
    public static let thisMachine = [
        Network(base: .ipv4(0x7F00_0000), prefix: 8), Network(base: .ipv6(0, 1), prefix: 128),
        Network(base: .unixSocket, prefix: 0),
    ]
}

extension Network: CustomStringConvertible {
    /// As it would be written in a configuration: one address stands without its prefix.
    public var description: String {
        switch base {
        case .unixSocket: "unix"
        case .ipv4: prefix == 32 ? "\(base)" : "\(base)/\(prefix)"
        case .ipv6: prefix == 128 ? "\(base)" : "\(base)/\(prefix)"
        }
    }
}

/// Why a network was refused.
public enum NetworkSyntaxError: Error, Hashable, Sendable {
    /// No address stands before the slash.
    case notANetwork
    /// What stands after the slash is no number of 0 to `maximum`.
    case badPrefix(maximum: Int)
    /// Bits are set beyond the prefix; `expected` is the network that holds that address.
    case hostBits(expected: String)
}

extension NetworkSyntaxError: CustomStringConvertible {
    /// What was expected, for a person.
    public var description: String {
        switch self {
        case .notANetwork: "expected a network such as 192.0.2.0/24 or 2001:db8::/32, one address, or unix"
        case .badPrefix(let maximum): "expected a number from 0 to \(maximum) after the slash"
        case .hostBits(let expected): "bits are set beyond the prefix; write \(expected)"
        }
    }
}

/// The bits of an address as they were written, before `::ffff:a.b.c.d` is taken for what it means.
private enum NetworkText: Equatable {
    case ipv4(UInt32)
    case ipv6(UInt64, UInt64)

    var width: Int {
        switch self {
        case .ipv4: 32
        case .ipv6: 128
        }
    }

    /// The first `prefix` bits; the others are zero.
    func masked(_ prefix: Int) -> NetworkText {
        // Swift's `<<` gives zero when it shifts by the whole width or more.
        switch self {
        case .ipv4(let bits): .ipv4(bits & UInt32.max << (32 - prefix))
        case .ipv6(let high, let low):
            .ipv6(high & UInt64.max << max(0, 64 - prefix), low & UInt64.max << min(64, 128 - prefix))
        }
    }

    static func read(_ bytes: ArraySlice<UInt8>) -> NetworkText? {
        if let bits = ipv4(bytes) { return .ipv4(bits) }
        return ipv6(bytes)
    }

    /// A decimal number without leading zeros, which some programs would take for octal.
    static func decimal(_ bytes: ArraySlice<UInt8>, upTo maximum: Int) -> Int? {
        guard (1...3).contains(bytes.count), bytes.count == 1 || bytes.first != UInt8(ascii: "0") else { return nil }
        var number = 0
        for byte in bytes {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return number <= maximum ? number : nil
    }

    private static func ipv4(_ bytes: ArraySlice<UInt8>) -> UInt32? {
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard let octet = decimal(part, upTo: 255) else { return nil }
            bits = bits << 8 | UInt32(octet)
        }
        return bits
    }

    /// The three forms of RFC 4291 2.2; "::" stands for one group of zeros or more.
    private static func ipv6(_ bytes: ArraySlice<UInt8>) -> NetworkText? {
        let colon = UInt8(ascii: ":")
        let compression = bytes.indices.dropLast().first { bytes[$0] == colon && bytes[$0 + 1] == colon }
        let all: [UInt16]
        if let compression {
            guard let head = groups(bytes[..<compression], mayEndInIPv4: false),
                let tail = groups(bytes[(compression + 2)...], mayEndInIPv4: true), head.count + tail.count <= 7
            else { return nil }
            all = head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
        } else {
            guard let groups = groups(bytes, mayEndInIPv4: true), groups.count == 8 else { return nil }
            all = groups
        }
        let high = all[..<4].reduce(0) { $0 << 16 | UInt64($1) }
        return .ipv6(high, all[4...].reduce(0) { $0 << 16 | UInt64($1) })
    }

    private static func groups(_ bytes: ArraySlice<UInt8>, mayEndInIPv4: Bool) -> [UInt16]? {
        guard !bytes.isEmpty else { return [] }
        var groups: [UInt16] = []
        let parts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if mayEndInIPv4, index == parts.count - 1, let bits = ipv4(part) {
                groups += [UInt16(bits >> 16), UInt16(truncatingIfNeeded: bits)]
            } else if let group = hexadecimal(part) {
                groups.append(group)
            } else {
                return nil
            }
        }
        return groups
    }

    private static func hexadecimal(_ bytes: ArraySlice<UInt8>) -> UInt16? {
        guard !bytes.isEmpty, bytes.count <= 4 else { return nil }
        var group: UInt16 = 0
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): group = group << 4 | UInt16(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): group = group << 4 | UInt16(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): group = group << 4 | UInt16(byte - UInt8(ascii: "A") + 10)
            default: return nil
            }
        }
        return group
    }

    /// Dotted, or as RFC 5952 4 has it: lower case, and the first of the longest runs of zero groups as "::".
    var text: String {
        switch self {
        case .ipv4(let bits):
            return "\(bits >> 24).\(bits >> 16 & 0xFF).\(bits >> 8 & 0xFF).\(bits & 0xFF)"
        case .ipv6(let high, let low):
            let shifts: [UInt64] = [48, 32, 16, 0]
            let groups = shifts.map { high >> $0 & 0xFFFF } + shifts.map { low >> $0 & 0xFFFF }
            let zeros = NetworkText.longestZeros(groups)
            let words = groups.map { String($0, radix: 16) }
            guard zeros.count >= 2 else { return words.joined(separator: ":") }
            return words[..<zeros.lowerBound].joined(separator: ":") + "::"
                + words[zeros.upperBound...].joined(separator: ":")
        }
    }

    private static func longestZeros(_ groups: [UInt64]) -> Range<Int> {
        var longest = 0..<0
        var start = 0
        for index in 0...groups.count where index == groups.count || groups[index] != 0 {
            if index - start > longest.count { longest = start..<index }
            start = index + 1
        }
        return longest
    }
}
