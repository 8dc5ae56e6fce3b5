// What a name on record may not be: a user's full name, a login, a list's title or the name of a member. RecordEditor
// and the import of many users both ask here. It sees octets, which are all that an import has of a field.

/// What is wrong with a name. Its text ends a sentence that begins with which name it is.
public enum NameFault: Error, Hashable, Sendable {
    case tooLong
    case controlCharacter
    case angleBracket
    /// Not empty, but nothing to be seen.
    case blank
    /// A login is one word.
    case space

    /// Longest name on record, in octets: a reply line has 512, of which a path may take 256 (RFC 5321 4.5.3.1.5).
    public static let limit = 200

    /// Nil when it can be a login: a name without blanks.
    public init?(login: String) {
        guard login.unicodeScalars.contains(where: \.properties.isWhitespace) else { return nil }
        self = .space
    }

    /// Nil when the name is good.
    /// - Parameter octets: the name in UTF-8.
    public init?(_ octets: Span<UInt8>) {
        if octets.count > Self.limit {
            self = .tooLong
            return
        }
        var last: UInt8 = 0
        var isBlank = !octets.isEmpty
        for index in octets.indices {
            let octet = octets[index]
            // U+0080 to U+009F are C2 80 to C2 9F.
            if octet < 32 || octet == 127 || (last == 0xC2 && octet < 0xA0) {
                self = .controlCharacter
                return
            }
            if octet == UInt8(ascii: "<") || octet == UInt8(ascii: ">") {
                self = .angleBracket
                return
            }
            if octet != UInt8(ascii: " ") { isBlank = false }
            last = octet
        }
        if !isBlank { return nil }
        self = .blank
    }
}

extension NameFault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooLong: "is longer than \(Self.limit) octets; shorten it"
        case .controlCharacter: "holds a control character; leave it out"
        case .angleBracket: "holds < or >, which in a reply enclose the mailbox; leave them out"
        case .space: "holds a space; it is one word, by which somebody logs in"
        case .blank: "is nothing but spaces; leave it out to have none"
        }
    }
}
