// The lengths that an address may have. All are octets, never characters (RFC 5321 4.5.3.1): a name of 40 characters
// in UTF-8 can be too long.

/// The greatest lengths in octets that are read or made.
public enum AddressLimits {
    /// Local-part that is read, without its quotes and backslashes. RFC 5321 4.5.3.1.1 has 64, and 4.5.3.1 wants no limits
    /// where that can be had: senders made for one message, and rewritten ones (VERP, SRS), have more.
    public static let localPart = 255

    /// Local-part of a mailbox that goes on record here (RFC 5321 4.5.3.1.1).
    public static let localPartOnRecord = 64

    /// Domain or address literal with its brackets, as spelled and as A-labels (RFC 5321 4.5.3.1.2).
    public static let domain = 255

    /// One label of a domain; a U-label counts as its A-label (RFC 1035 2.3.4, RFC 5890 4.2).
    public static let label = 63

    /// Mailbox as spelled: a local-part in quotes with a backslash before each octet, "@", and a domain.
    public static let mailbox = 2 * localPart + 3 + domain

    /// Path with its angle brackets and source route: a mailbox, and beside it as much as RFC 5321 4.5.3.1.3 has for all.
    public static let path = mailbox + 256

    /// Local-parts that are tried as the base of one with a detail (RFC 5233): with more separators, those that leave the
    /// shortest. Each is a lookup that anybody can ask for; names on record have few.
    public static let detailBases = 8
}
