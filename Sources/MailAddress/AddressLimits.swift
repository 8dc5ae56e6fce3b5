// The lengths that an address may have. All are octets, never characters (RFC 5321 4.5.3.1): a name of 40 characters
// in UTF-8 can be too long.

/// The greatest lengths in octets that are read or made.
public enum AddressLimits {
    /// Local-part, without its quotes and backslashes (RFC 5321 4.5.3.1.1).
    public static let localPart = 64

    /// Domain or address literal with its brackets, as spelled and as A-labels (RFC 5321 4.5.3.1.2).
    public static let domain = 255

    /// One label of a domain; a U-label counts as its A-label (RFC 1035 2.3.4, RFC 5890 4.2).
    public static let label = 63

    /// Path with its angle brackets and source route (RFC 5321 4.5.3.1.3).
    public static let path = 256

    /// Mailbox as spelled: what is left of a path when its angle brackets are taken away.
    public static let mailbox = path - 2
}
