// What stands in RCPT TO:<...> (RFC 5321 4.1.1.3). A source route is read and dropped.

/// A recipient as the client names it.
public enum ForwardPath: Hashable, Sendable {
    /// `<Postmaster>` without a domain, in any case (RFC 5321 4.5.1).
    case postmaster
    case mailbox(Mailbox)

    /// Reads a path that starts at `index` with "<", and leaves `index` after its ">"; on an error `index` stays. A
    /// source route is dropped (RFC 5321 3.6.1, appendix C).
    ///
    /// `"<Postmaster>" / Forward-path`, `Forward-path = Path` (RFC 5321 4.1.1.3, 4.1.2)
    ///
    /// - Throws: what is wrong, `empty` for `<>`; positions count from the start of `bytes`.
    public static func parse(
        _ bytes: Span<UInt8>, from index: inout Int
    ) throws(AddressSyntaxError) -> ForwardPath {
        if isPostmaster(bytes, at: index) {
            index += 2 + LocalPart.postmaster.octets.count
            return .postmaster
        }
        return .mailbox(try Path.parse(bytes, from: &index))
    }

    private static func isPostmaster(_ bytes: Span<UInt8>, at index: Int) -> Bool {
        let name = LocalPart.postmaster.key
        guard index >= 0, bytes.count - index >= name.count + 2 else { return false }
        guard bytes[index] == UInt8(ascii: "<") else { return false }
        guard bytes[index + 1 + name.count] == UInt8(ascii: ">") else { return false }
        for offset in name.indices where bytes[index + 1 + offset] | 0x20 != name[offset] { return false }
        return true
    }
}
