// Reads a local-part from the wire (RFC 5321 4.1.2, with UTF-8 as in RFC 6531 3.3). It reads no further than the limit
// allows, however long the input is.

extension LocalPart {
    /// Reads the longest local-part at `index` and leaves `index` after it; on an error `index` stays.
    ///
    /// `Local-part = Dot-string / Quoted-string` (RFC 5321 4.1.2), the dots of a Dot-string anywhere.
    ///
    /// - Throws: what is wrong; positions count from the start of `bytes`.
    public static func parse(
        _ bytes: Span<UInt8>, from index: inout Int
    ) throws(AddressSyntaxError) -> LocalPart {
        guard index >= 0, index < bytes.count else { throw .empty }
        return bytes[index] == UInt8(ascii: "\"")
            ? try quotedString(bytes, from: &index) : try dotString(bytes, from: &index)
    }

    // Dot-string = Atom *("." Atom)     Atom = 1*atext     atext =/ UTF8-non-ascii
    // (RFC 5321 4.1.2, RFC 6531 3.3)
    // DEVIATION: a dot may be the first, the last, or beside another, where RFC 5321 4.1.2 has an Atom on both sides of
    // it: carriers have given out such addresses. They are written in quotes (`needsQuotes`); test `accepted`.
    private static func dotString(
        _ bytes: Span<UInt8>, from index: inout Int
    ) throws(AddressSyntaxError) -> LocalPart {
        let start = index
        var next = start
        while next < bytes.count {
            let octet = bytes[next]
            if octet.isAtext || octet == UInt8(ascii: ".") {
                next += 1
            } else if octet >= 0x80 {
                guard let length = UTF8Sequence.length(in: bytes, at: next) else { throw .malformedUTF8(at: next) }
                next += length
            } else {
                break
            }
            guard next - start <= AddressLimits.localPart else { throw .localPartTooLong }
        }
        guard next > start else {
            throw bytes[start] == UInt8(ascii: "@")
                ? .empty : AddressSyntaxError.fault(bytes, at: start, ending: .empty)
        }
        index = next
        return LocalPart(folding: bytes.array(start..<next))
    }

    // Quoted-string = DQUOTE *QcontentSMTP DQUOTE     QcontentSMTP = qtextSMTP / quoted-pairSMTP
    // qtextSMTP = %d32-33 / %d35-91 / %d93-126 / UTF8-non-ascii     quoted-pairSMTP = %d92 %d32-126
    // (RFC 5321 4.1.2, RFC 6531 3.3)
    // DEVIATION: `""` is refused, since a mailbox without a name cannot be kept; test `refusedMailboxes`.
    private static func quotedString(
        _ bytes: Span<UInt8>, from index: inout Int
    ) throws(AddressSyntaxError) -> LocalPart {
        var octets: [UInt8] = []
        octets.reserveCapacity(AddressLimits.localPartOnRecord)
        var next = index + 1
        while next < bytes.count {
            var octet = bytes[next]
            if octet == UInt8(ascii: "\"") {
                guard !octets.isEmpty else { throw .empty }
                index = next + 1
                return LocalPart(folding: octets)
            }
            if octet == UInt8(ascii: "\\") {
                next += 1
                guard next < bytes.count else { throw .unterminatedQuote }
                octet = bytes[next]
                guard octet < 0x80 else { throw .unexpectedOctet(at: next) }
            }
            guard !octet.isControl else { throw .controlCharacter(at: next) }
            guard let length = UTF8Sequence.length(in: bytes, at: next) else { throw .malformedUTF8(at: next) }
            guard octets.count + length <= AddressLimits.localPart else { throw .localPartTooLong }
            for offset in 0..<length { octets.append(bytes[next + offset]) }
            next += length
        }
        throw .unterminatedQuote
    }
}
