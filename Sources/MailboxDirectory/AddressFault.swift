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
        guard let scalar = address.localPart.firstInvisible else { return nil }
        self = .invisible(scalar, in: address)
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
        case .underscore(let domain):
            "the domain \(domain) has a \"_\", which no domain for mail may have (RFC 5321 4.1.2); use another name"
        }
    }

    /// What to say to who writes a catch-all as an address.
    public static func star(_ domain: String) -> String {
        "a catch-all is part of the domain: addressee domain set \(domain) --catch-all ADDRESS"
    }
}

extension LocalPart {
    /// The first character that can't be seen, or is a space other than that of ASCII.
    fileprivate var firstInvisible: Unicode.Scalar? {
        if isASCII { return nil }
        return String(decoding: octets, as: UTF8.self).unicodeScalars.first(where: \.isInvisible)
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

    /// `U+200B zero width space`.
    fileprivate var named: String {
        let digits = String(value, radix: 16, uppercase: true)
        let name = properties.name ?? properties.nameAlias ?? "control character"
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
