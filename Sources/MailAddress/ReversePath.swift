// What stands in MAIL FROM:<...> (RFC 5321 4.1.1.2). A source route is read and dropped.

/// A sender as the client names it.
public enum ReversePath: Hashable, Sendable {
    /// `<>`: the message is a notification, and nobody is to be told when it fails (RFC 5321 4.5.5).
    case null
    case mailbox(Mailbox)

    /// Reads a path that starts at `index` with "<", and leaves `index` after its ">"; on an error `index` stays. A
    /// source route is dropped (RFC 5321 3.6.1, appendix C).
    ///
    /// `Reverse-path = Path / "<>"` (RFC 5321 4.1.2)
    ///
    /// - Throws: what is wrong; positions count from the start of `bytes`.
    public static func parse(
        _ bytes: Span<UInt8>, from index: inout Int
    ) throws(AddressSyntaxError) -> ReversePath {
        if index >= 0, bytes.count - index >= 2, bytes[index] == UInt8(ascii: "<"),
            bytes[index + 1] == UInt8(ascii: ">")
        {
            index += 2
            return .null
        }
        return .mailbox(try Path.parse(bytes, from: &index))
    }
}
