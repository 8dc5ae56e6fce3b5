// The part after "@": a domain name or an address literal, as spelled and as compared.
// Domain+Parsing.swift reads it from the wire; AddressLiteral.swift knows what stands in brackets.

/// A domain name or an address literal. `==` and hash use `key`, so case, U-label or A-label, and the many spellings of
/// one IPv6 address do not matter.
public struct Domain: Sendable {
    /// As given: `USC-ISI.ARPA`, `[192.0.2.1]` or `bücher.example`; at most `AddressLimits.domain` octets. Of what is not
    /// ASCII, what IDNA makes of it: so nothing is shown, or kept, that is another name than it looks.
    public let octets: [UInt8]

    /// For comparing: A-labels in lower case, or a literal in its canonical text. ASCII always.
    @inlinable
    public var key: [UInt8] { folded ?? octets }

    /// The key where it is not `octets`: most are, and a value with one reference is the cheaper to hand on.
    @usableFromInline
    let folded: [UInt8]?

    /// Takes a whole `Domain / address-literal` (RFC 5321 4.1.2, RFC 6531 3.3).
    ///
    /// - Throws: what is wrong; positions count from the first octet.
    public init(octets: [UInt8]) throws(AddressSyntaxError) {
        var index = 0
        let form = try Self.scan(octets.span, from: &index)
        guard index == octets.count else { throw Self.fault(octets.span, at: index, ending: .empty) }
        try self.init(octets, form: form)
    }

    /// Takes a pair that a store has kept. Nothing is checked: `key` must be that of `Domain(octets:)`.
    public init(stored octets: [UInt8], key: [UInt8]) {
        self.octets = octets
        folded = key == octets ? nil : key
    }

    /// Takes a whole `Domain / address-literal` that a person wrote.
    ///
    /// - Throws: as `init(octets:)`.
    public init(_ string: String) throws(AddressSyntaxError) {
        try self.init(octets: Array(string.utf8))
    }

    /// Whether it is an address in brackets (RFC 5321 4.1.3).
    public var isLiteral: Bool { octets.first == UInt8(ascii: "[") }

    /// The literal of an IPv4 address for one that is mapped to IPv6 (`[IPv6:::ffff:192.0.2.1]`, RFC 4291 2.5.5.2), which is
    /// the same address; nil for all others.
    public var mappedIPv4: Domain? {
        var index = 0
        guard isLiteral, case .ipv6(let address)? = try? AddressLiteral.parse(octets.span, from: &index),
            address.groups[..<5].allSatisfy({ $0 == 0 }), address.groups[5] == 0xFFFF
        else { return nil }
        let numbers = address.groups[6...].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        let text = AddressLiteral.ipv4(numbers).canonical([])
        return Domain(stored: text, key: text)
    }

    /// Whether one of its names holds "_", which hosts elsewhere have, and no domain that is served here may (RFC 5321
    /// 4.1.2).
    public var hasUnderscore: Bool { !isLiteral && key.contains(UInt8(ascii: "_")) }

    /// Whether no SMTPUTF8 is needed to say it (RFC 6531 3.4).
    public var isASCII: Bool { Folding.isASCII(octets) }

    /// Appends the spelling that was given.
    public func append(to bytes: inout [UInt8]) { bytes.append(contentsOf: octets) }
}

extension Domain: Hashable {
    @inlinable
    public static func == (left: Domain, right: Domain) -> Bool { left.key == right.key }

    public func hash(into hasher: inout Hasher) { key.hashWords(into: &hasher) }
}

extension Domain: CustomStringConvertible {
    /// The spelling that was given, for a person.
    public var description: String { String(decoding: octets, as: UTF8.self) }
}
