// What forward-path and reverse-path have in common: angle brackets, source route, length (RFC 5321 4.1.2).

enum Path {
    /// Reads a path with its angle brackets and leaves `index` after it; on an error `index` stays.
    ///
    /// `Path = "<" [ A-d-l ":" ] Mailbox ">"` (RFC 5321 4.1.2)
    static func parse(_ bytes: Span<UInt8>, from index: inout Int) throws(AddressSyntaxError) -> Mailbox {
        guard index >= 0, index < bytes.count, bytes[index] == UInt8(ascii: "<") else { throw .missingAngleBracket }
        var next = index + 1
        if next < bytes.count, bytes[next] == UInt8(ascii: "@") {
            try skipRoute(bytes, from: &next, limit: index + AddressLimits.path)
        }
        guard next < bytes.count, bytes[next] != UInt8(ascii: ">") else { throw .empty }
        let mailbox = try Mailbox.parse(bytes, from: &next)
        guard next < bytes.count, bytes[next] == UInt8(ascii: ">") else {
            throw Domain.fault(bytes, at: next, ending: .missingAngleBracket)
        }
        next += 1
        guard next - index <= AddressLimits.path else { throw .pathTooLong }
        index = next
        return mailbox
    }

    // A-d-l = At-domain *( "," At-domain )     At-domain = "@" Domain     (RFC 5321 4.1.2)
    // Takes the ":" too, and address literals, which RFC 821 4.1.2 had there.
    // DEVIATION: a U-label in a route is refused, though RFC 6531 3.3 has it: a route is dropped, and `isASCII` of what
    // is left would hide that SMTPUTF8 was needed; test `refusedForwardPaths`.
    private static func skipRoute(
        _ bytes: Span<UInt8>, from index: inout Int, limit: Int
    ) throws(AddressSyntaxError) {
        while true {
            guard index < bytes.count, bytes[index] == UInt8(ascii: "@") else { throw .badSourceRoute }
            index += 1
            do throws(AddressSyntaxError) {
                if case .international = try Domain.scan(bytes, from: &index) { throw .badSourceRoute }
            } catch {
                throw .badSourceRoute
            }
            guard index <= limit else { throw .pathTooLong }
            guard index < bytes.count else { throw .badSourceRoute }
            let octet = bytes[index]
            index += 1
            if octet == UInt8(ascii: ":") { return }
            guard octet == UInt8(ascii: ",") else { throw .badSourceRoute }
        }
    }
}
