// What can be wrong with an address: a closed set, one case a fault, each with a sentence for a person.
// It never repeats the input, which may hold anything.

/// Why an address was refused. Positions count octets from the start of the bytes that were given, the first being 0.
public enum AddressSyntaxError: Error, Hashable, Sendable {
    /// Nothing stands where a path, a local-part or a domain must (RFC 5321 4.1.2).
    case empty
    /// A local-part without "@" and a domain.
    case missingAtSign
    /// A path that does not open with "<" or does not close with ">".
    case missingAngleBracket
    /// More than `AddressLimits.localPart` octets.
    case localPartTooLong
    /// More than `AddressLimits.domain` octets, in the spelling given or in A-labels.
    case domainTooLong
    /// More than `AddressLimits.label` octets between two dots.
    case labelTooLong
    /// More than `AddressLimits.path` octets with the angle brackets and the source route.
    case pathTooLong
    /// Octets over 127 that are no UTF-8 (RFC 3629).
    case malformedUTF8(at: Int)
    /// A quoted string without its closing quote.
    case unterminatedQuote
    /// An octet of 0–31 or 127.
    case controlCharacter(at: Int)
    /// A dot at an end of a domain, or beside another dot in one.
    case misplacedDot(at: Int)
    /// A hyphen at an end of a label.
    case misplacedHyphen(at: Int)
    /// An octet that may not stand there.
    case unexpectedOctet(at: Int)
    /// Square brackets without an address as RFC 5321 4.1.3 has it.
    case badLiteral
    /// A source route that is not `@domain,@domain:` (RFC 5321 appendix C).
    case badSourceRoute
    /// A label with non-ASCII characters that IDNA refuses (RFC 5890).
    case badInternationalName
}

extension AddressSyntaxError: CustomStringConvertible {
    /// One sentence for a person.
    public var description: String {
        switch self {
        case .empty: "The address or a part of it is empty."
        case .missingAtSign: "The address has no \"@\" and domain."
        case .missingAngleBracket: "The address must stand between \"<\" and \">\"."
        case .localPartTooLong: "The part before \"@\" is longer than \(AddressLimits.localPart) octets."
        case .domainTooLong: "The domain is longer than \(AddressLimits.domain) octets."
        case .labelTooLong: "A part of the domain is longer than \(AddressLimits.label) octets."
        case .pathTooLong: "The address is longer than \(AddressLimits.path) octets with its brackets and route."
        case .malformedUTF8(let index): "The octet at position \(index + 1) is not well-formed UTF-8."
        case .unterminatedQuote: "The quoted part before \"@\" has no closing quote."
        case .controlCharacter(let index): "There is a control character at position \(index + 1)."
        case .misplacedDot(let index): "The dot at position \(index + 1) has no name on both of its sides."
        case .misplacedHyphen(let index): "The hyphen at position \(index + 1) is at the end of a part of the domain."
        case .unexpectedOctet(let index): "The character at position \(index + 1) may not stand there."
        case .badLiteral: "The square brackets hold no address such as [192.0.2.1] or [IPv6:2001:db8::1]."
        case .badSourceRoute: "The source route is not of the form \"@domain,@domain:\"."
        case .badInternationalName: "The domain has an international part that IDNA does not allow."
        }
    }

    /// Why a production had to stop at `index`, where something else was due. `ending` is the fault when the bytes are
    /// at their end, or at the ">" of the path.
    static func fault(_ bytes: Span<UInt8>, at index: Int, ending: AddressSyntaxError) -> AddressSyntaxError {
        guard index < bytes.count else { return ending }
        switch bytes[index] {
        case UInt8(ascii: ">") where ending != .missingAngleBracket: return ending
        case UInt8(ascii: "."): return .misplacedDot(at: index)
        case let octet where octet.isControl: return .controlCharacter(at: index)
        case 0x80... where UTF8Sequence.length(in: bytes, at: index) == nil: return .malformedUTF8(at: index)
        default: return .unexpectedOctet(at: index)
        }
    }
}
