// The part before "@": what it is when its quoting is undone, and how it is spelled with the least quoting.
// Spellings that mean the same are equal (RFC 5321 4.1.2). LocalPart+Parsing.swift reads it from the wire.

/// A local-part, its quoting undone. `==` and hash use `key`, so case and quoting do not matter.
public struct LocalPart: Sendable {
    /// As given, without quotes and backslashes; at most `AddressLimits.localPart` octets.
    public let octets: [UInt8]

    /// For comparing: lower case; when not ASCII, NFC and lower case.
    @inlinable
    public var key: [UInt8] { folded ?? octets }

    /// The key where it is not `octets`: most are, and a value with one reference is the cheaper to hand on.
    @usableFromInline
    let folded: [UInt8]?

    /// The mailbox that every domain must have (RFC 5321 4.5.1).
    public static let postmaster = LocalPart(folding: Array("postmaster".utf8))

    /// Takes any octets that a Quoted-string may carry (RFC 5321 4.1.2, RFC 6531 3.3), without quotes around them.
    ///
    /// - Throws: `empty`, `localPartTooLong`, `controlCharacter` or `malformedUTF8`.
    public init(octets: [UInt8]) throws(AddressSyntaxError) {
        guard !octets.isEmpty else { throw .empty }
        guard octets.count <= AddressLimits.localPart else { throw .localPartTooLong }
        let bytes = octets.span
        var index = 0
        while index < bytes.count {
            guard !bytes[index].isControl else { throw .controlCharacter(at: index) }
            guard let length = UTF8Sequence.length(in: bytes, at: index) else { throw .malformedUTF8(at: index) }
            index += length
        }
        self.init(folding: octets)
    }

    /// Takes a pair that a store has kept. Nothing is checked: `key` must be what `Folding.fold(octets)` gives.
    public init(stored octets: [UInt8], key: [UInt8]) {
        self.octets = octets
        folded = key == octets ? nil : key
    }

    /// Takes octets that are known to be well-formed.
    init(folding octets: [UInt8]) {
        self.init(stored: octets, key: Folding.fold(octets))
    }

    /// Whether no SMTPUTF8 is needed to say it (RFC 6531 3.4).
    public var isASCII: Bool { Folding.isASCII(octets) }

    /// Whether it is `postmaster`, in any case (RFC 5321 4.5.1).
    public var isPostmaster: Bool { key == Self.postmaster.key }

    /// What may be the base of this local-part, the rest being a detail, the longest first: what stands before each octet
    /// that is one of `separators`, which are ASCII (RFC 5233 4). `jean-luc+news` has `jean-luc` and `jean`.
    ///
    /// - Returns: `AddressLimits.detailBases` at most, the shortest of all; none of them empty.
    public func bases(separators: [UInt8]) -> [LocalPart] {
        var bases: [LocalPart] = []
        var index = octets.startIndex
        while bases.count < AddressLimits.detailBases, let next = firstSeparator(separators, after: index) {
            bases.append(LocalPart(folding: Array(octets[..<next])))
            index = next
        }
        if bases.count > 1 { bases.reverse() }
        return bases
    }

    /// Whether there is any base.
    public func hasBase(separators: [UInt8]) -> Bool { firstSeparator(separators, after: octets.startIndex) != nil }

    private func firstSeparator(_ separators: [UInt8], after index: Int) -> Int? {
        // An octet over 127 is a piece of a character, and no separator.
        octets.indices.dropFirst(index + 1).first { octets[$0] < 0x80 && separators.contains(octets[$0]) }
    }
}

extension LocalPart: Hashable {
    @inlinable
    public static func == (left: LocalPart, right: LocalPart) -> Bool { left.key == right.key }

    public func hash(into hasher: inout Hasher) { key.hashWords(into: &hasher) }
}

extension LocalPart: CustomStringConvertible {
    /// Whether it is no Dot-string, and so must stand in quotes.
    ///
    /// `Dot-string = Atom *("." Atom)`, `Atom = 1*atext` (RFC 5321 4.1.2)
    public var needsQuotes: Bool {
        var afterDot = true
        for octet in octets {
            if octet == UInt8(ascii: ".") {
                if afterDot { return true }
                afterDot = true
            } else if octet.isAtext || octet >= 0x80 {
                afterDot = false
            } else {
                return true
            }
        }
        return afterDot
    }

    /// Whether it is read without quotes too, whatever it is written with: of atext and dots, which may stand anywhere.
    public var isReadWithoutQuotes: Bool {
        octets.allSatisfy { $0.isAtext || $0 == UInt8(ascii: ".") || $0 >= 0x80 }
    }

    /// Appends the spelling with the least quoting (RFC 5321 4.1.2).
    public func append(to bytes: inout [UInt8]) {
        guard needsQuotes else {
            bytes.append(contentsOf: octets)
            return
        }
        bytes.append(UInt8(ascii: "\""))
        for octet in octets {
            if octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
            bytes.append(octet)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// The same spelling, for a person.
    public var description: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
