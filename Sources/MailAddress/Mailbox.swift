// A mailbox: what a directory knows, a reply shows and a question asks about (RFC 5321 2.3.11).

/// A local-part at a domain. Equal when both parts are, whatever their spelling.
public struct Mailbox: Sendable {
    /// Both parts behind one reference: a mailbox is handed on a dozen times for each question.
    @usableFromInline
    final class Parts: Sendable {
        @usableFromInline let localPart: LocalPart
        @usableFromInline let domain: Domain

        @usableFromInline
        init(_ localPart: LocalPart, _ domain: Domain) {
            self.localPart = localPart
            self.domain = domain
        }
    }

    @usableFromInline let parts: Parts

    @inlinable public var localPart: LocalPart { parts.localPart }
    @inlinable public var domain: Domain { parts.domain }

    public init(localPart: LocalPart, domain: Domain) {
        parts = Parts(localPart, domain)
    }

    /// Takes a whole mailbox, without angle brackets; with the limits of its parts it has `AddressLimits.mailbox` octets
    /// at most.
    ///
    /// - Throws: what is wrong; positions count from the start of `octets`.
    public init(octets: Span<UInt8>) throws(AddressSyntaxError) {
        var index = 0
        self = try Mailbox.parse(octets, from: &index)
        guard index == octets.count else { throw Domain.fault(octets, at: index, ending: .empty) }
    }

    /// Takes a whole mailbox that a person wrote, without angle brackets.
    ///
    /// - Throws: as `init(octets:)`; positions count octets of UTF-8.
    public init(_ string: String) throws(AddressSyntaxError) {
        try self.init(octets: Array(string.utf8).span)
    }

    /// Reads the longest mailbox at `index` and leaves `index` after it; on an error `index` stays.
    ///
    /// `Mailbox = Local-part "@" ( Domain / address-literal )` (RFC 5321 4.1.2)
    ///
    /// - Throws: what is wrong; positions count from the start of `bytes`.
    public static func parse(_ bytes: Span<UInt8>, from index: inout Int) throws(AddressSyntaxError) -> Mailbox {
        var next = index
        let localPart = try LocalPart.parse(bytes, from: &next)
        guard next < bytes.count, bytes[next] == UInt8(ascii: "@") else {
            throw AddressSyntaxError.fault(bytes, at: next, ending: .missingAtSign)
        }
        next += 1
        let domain = try Domain.parse(bytes, from: &next)
        index = next
        return Mailbox(localPart: localPart, domain: domain)
    }

    /// Whether both parts are in the spelling that addresses are compared in.
    @inlinable public var isSpelledAsKey: Bool { parts.localPart.folded == nil && parts.domain.folded == nil }

    /// Whether no SMTPUTF8 is needed to say it (RFC 6531 3.4).
    public var isASCII: Bool { localPart.isASCII && domain.isASCII }

    /// Appends the spelling with the least quoting (RFC 5321 4.1.2), without angle brackets.
    public func append(to bytes: inout [UInt8]) {
        localPart.append(to: &bytes)
        bytes.append(UInt8(ascii: "@"))
        domain.append(to: &bytes)
    }
}

extension Mailbox: Hashable {
    @inlinable
    public static func == (left: Mailbox, right: Mailbox) -> Bool {
        left.parts === right.parts
            || (left.parts.localPart == right.parts.localPart && left.parts.domain == right.parts.domain)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(parts.localPart)
        hasher.combine(parts.domain)
    }
}

extension Mailbox: CustomStringConvertible {
    /// The same spelling, for a person.
    public var description: String { "\(localPart)@\(domain)" }
}
