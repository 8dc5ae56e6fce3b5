// A search filter as a value, and its one way to text. Values are octets and are always escaped; names have been
// checked.

/// A search filter (RFC 4511 4.5.1.7, RFC 4515).
public indirect enum LDAPFilter: Hashable, Sendable {
    /// True when all are; empty: always true (RFC 4526).
    case and([LDAPFilter])
    /// True when one is; empty: never true.
    case or([LDAPFilter])
    case not(LDAPFilter)
    case equal(AttributeName, [UInt8])
    /// Any of the three may be left out, not all.
    case substring(AttributeName, initial: [UInt8] = [], any: [[UInt8]] = [], final: [UInt8] = [])
    case present(AttributeName)
}

extension LDAPFilter {
    /// `filter = LPAREN filtercomp RPAREN` (RFC 4515 3). ASCII, and no NUL in it.
    public var text: String { String(decoding: octets, as: UTF8.self) }

    var octets: [UInt8] {
        var text: [UInt8] = []
        append(to: &text)
        return text
    }

    private func append(to text: inout [UInt8]) {
        text.append(UInt8(ascii: "("))
        switch self {
        case .and(let filters):
            text.append(UInt8(ascii: "&"))
            for filter in filters { filter.append(to: &text) }
        case .or(let filters):
            text.append(UInt8(ascii: "|"))
            for filter in filters { filter.append(to: &text) }
        case .not(let filter):
            text.append(UInt8(ascii: "!"))
            filter.append(to: &text)
        case .equal(let name, let value):
            Self.append(name, to: &text)
            Self.append(value, to: &text)
        case .substring(let name, let initial, let any, let final):
            Self.append(name, to: &text)
            Self.append(initial, to: &text)
            text.append(UInt8(ascii: "*"))
            for piece in any where !piece.isEmpty {
                Self.append(piece, to: &text)
                text.append(UInt8(ascii: "*"))
            }
            Self.append(final, to: &text)
        case .present(let name):
            Self.append(name, to: &text)
            text.append(UInt8(ascii: "*"))
        }
        text.append(UInt8(ascii: ")"))
    }

    private static func append(_ name: AttributeName, to text: inout [UInt8]) {
        text.append(contentsOf: name.description.utf8)
        text.append(UInt8(ascii: "="))
    }

    /// `valueencoding = 0*(normal / escaped)` (RFC 4515 3): what would be read as syntax is escaped, and so is every
    /// octet that is no printable ASCII, malformed UTF-8 with it.
    private static func append(_ value: [UInt8], to text: inout [UInt8]) {
        for octet in value {
            switch octet {
            case UInt8(ascii: "*"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "\\"), 0..<0x20, 0x7F...:
                text.append(UInt8(ascii: "\\"))
                text.append(hexDigit(octet >> 4))
                text.append(hexDigit(octet & 15))
            default: text.append(octet)
            }
        }
    }
}

/// `0`–`9`, `A`–`F`.
func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x37 + value }
