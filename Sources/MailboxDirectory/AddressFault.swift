// What an address on record may not be. Addresses that others have are read whatever they are; those that are written here
// must be such as every mail server takes, and look like what they are. RecordEditor, the import of many users and the
// configuration ask here.

public import MailAddress

/// Why an address can't go on record.
public enum AddressFault: Error, Hashable, Sendable {
    /// More than `AddressLimits.localPartOnRecord` octets.
    case tooLong(Mailbox)
    /// `*` for a local-part, by which other programs mean a catch-all.
    case star(Mailbox)
    /// A character of the local-part that can't be seen, or looks like a space.
    case invisible(Unicode.Scalar, in: Mailbox)
    /// A character that comes into a local-part by pasting only: a quotation mark other than `"`, or what stands for a
    /// character that was lost.
    case unlikely(Unicode.Scalar, in: Mailbox)
    /// A domain with "_" can't be one that is served here.
    case underscore(Domain)

    /// Nil when a mailbox of ours may have the address.
    public init?(ofRecord address: Mailbox) {
        let octets = address.localPart.octets
        if octets.count > AddressLimits.localPartOnRecord {
            self = .tooLong(address)
        } else if octets == [UInt8(ascii: "*")] {
            self = .star(address)
        } else {
            self.init(ofTarget: address)
        }
    }

    /// Nil when a record may point to the address, which others may have.
    public init?(ofTarget address: Mailbox) {
        if address.localPart.isASCII { return nil }
        let scalars = String(decoding: address.localPart.octets, as: UTF8.self).unicodeScalars
        if let scalar = scalars.first(where: \.isInvisible) {
            self = .invisible(scalar, in: address)
        } else if let scalar = scalars.first(where: \.isUnlikely) {
            self = .unlikely(scalar, in: address)
        } else {
            return nil
        }
    }

    /// Nil when the domain may be served here.
    public init?(ofDomain domain: Domain) {
        guard domain.hasUnderscore else { return nil }
        self = .underscore(domain)
    }
}

extension AddressFault: CustomStringConvertible {
    /// One line: what is wrong, and what to do.
    public var description: String {
        switch self {
        case .tooLong(let address):
            "\(address) has more than \(AddressLimits.localPartOnRecord) octets before \"@\", which many servers do not take;"
                + " choose a shorter name"
        case .star(let address):
            "\(address) would be a mailbox of that name; \(Self.star(address.domain.description))"
        case .invisible(let scalar, let address):
            "\(address.visibly) holds \(scalar.named), which can't be seen; leave it out"
        case .unlikely(let scalar, let address) where scalar.isApostrophe(in: address):
            "\(address) holds \(scalar.named), which nobody types in an address; write ' in its place"
        case .unlikely(let scalar, let address):
            "\(address) holds \(scalar.named), which nobody types in an address; leave it out"
        case .underscore(let domain):
            "the domain \(domain) has a \"_\", which no domain for mail may have (RFC 5321 4.1.2); use another name"
        }
    }

    /// What to say to who writes a catch-all as an address.
    public static func star(_ domain: String) -> String {
        "a catch-all is part of the domain: addressee domain set \(domain) --catch-all ADDRESS"
    }
}

extension Unicode.Scalar {
    fileprivate var isInvisible: Bool {
        if isASCII { return false }
        switch properties.generalCategory {
        case .control, .format, .spaceSeparator, .lineSeparator, .paragraphSeparator: return true
        default: return properties.isDefaultIgnorableCodePoint
        }
    }

    /// Quotation marks of any script but those of ASCII, low and full-width ones too; characters that stand for lost ones
    /// or have no meaning of their own. Letters, digits, marks and symbols are what RFC 6531 3.3 is for.
    fileprivate var isUnlikely: Bool {
        if isASCII { return false }
        switch properties.generalCategory {
        case .initialPunctuation, .finalPunctuation, .privateUse: return true
        default: return properties.isNoncharacterCodePoint || Self.others.contains(self)
        }
    }

    /// Low and full-width quotation marks, and the replacement character.
    private static let others: Set<Unicode.Scalar> = [
        "\u{201A}", "\u{201E}", "\u{2E42}", "\u{301D}", "\u{301E}", "\u{301F}", "\u{FF02}", "\u{FF07}", "\u{FFFD}",
    ]

    /// Whether it stands within a word, where a word processor has put it for an apostrophe.
    fileprivate func isApostrophe(in address: Mailbox) -> Bool {
        guard ["\u{2018}", "\u{2019}", "\u{201B}", "\u{FF07}"].contains(self) else { return false }
        let scalars = Array(String(decoding: address.localPart.octets, as: UTF8.self).unicodeScalars)
        guard let place = scalars.firstIndex(of: self), place > 0, place + 1 < scalars.count else { return false }
        return scalars[place - 1].properties.isAlphabetic && scalars[place + 1].properties.isAlphabetic
    }

    /// `U+200B zero width space`.
    fileprivate var named: String {
        let digits = String(value, radix: 16, uppercase: true)
        let name =
            properties.name ?? properties.nameAlias
            ?? (properties.generalCategory == .control ? "control character" : "a character without a name")
        return "U+\(String(repeating: "0", count: max(0, 4 - digits.utf8.count)))\(digits) \(name.lowercased())"
    }
}

extension Mailbox {
    /// The address with `<U+200B>` for what can't be seen: a line must not be turned round by what it complains of.
    fileprivate var visibly: String {
        var text = ""
        for scalar in description.unicodeScalars {
            if scalar.isInvisible {
                text += "<U+\(String(scalar.value, radix: 16, uppercase: true))>"
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
