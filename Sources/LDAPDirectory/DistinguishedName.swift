// Distinguished names as text (RFC 4514): the escaping of values, and a form to compare by.

import MailAddress

/// The making of distinguished names.
public enum DistinguishedName {
    /// `attribute=value`, the value escaped.
    public static func component(_ name: AttributeName, _ value: [UInt8]) -> String {
        "\(name.description)=\(escaped(value))"
    }

    /// A value that may stand in a name. RFC 4514 asks that a leading space or `#`, a trailing space and any of
    /// `"+,;<>\` be escaped, and NUL as hexadecimal; `=` and all that is no printable ASCII are escaped too.
    public static func escaped(_ value: [UInt8]) -> String {
        var text: [UInt8] = []
        for (index, octet) in value.enumerated() {
            let isAtEnd = index == 0 || index == value.count - 1
            switch octet {
            case UInt8(ascii: " ") where isAtEnd, UInt8(ascii: "#") where index == 0, UInt8(ascii: "\""),
                UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "<"), UInt8(ascii: ">"),
                UInt8(ascii: "\\"), UInt8(ascii: "="), 0..<0x20, 0x7F...:
                text.append(UInt8(ascii: "\\"))
                text.append(hexDigit(octet >> 4))
                text.append(hexDigit(octet & 15))
            default: text.append(octet)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The attributes and values of which the first component of a name is made, in lower case and unescaped
    /// (RFC 4514 3); none for what is no name.
    static func naming(_ name: [UInt8]) -> [(attribute: [UInt8], value: [UInt8])] {
        var pairs: [(attribute: [UInt8], value: [UInt8])] = []
        var attribute: [UInt8]?
        var text: [UInt8] = []
        func take() {
            if let attribute { pairs.append((EntryReader.trimmed(attribute), EntryReader.trimmed(text))) }
            attribute = nil
            text = []
        }
        var index = 0
        while index < name.count, name[index] != UInt8(ascii: ",") {
            switch name[index] {
            case UInt8(ascii: "="):
                if attribute == nil {
                    attribute = Folding.fold(text)
                    text = []
                } else {
                    text.append(name[index])
                }
            case UInt8(ascii: "+"): take()
            case UInt8(ascii: "\\"):
                let digits = String(decoding: name[(index + 1)...].prefix(2), as: UTF8.self)
                if digits.utf8.count == 2, let octet = UInt8(digits, radix: 16) {
                    text.append(octet)
                    index += 2
                } else if index + 1 < name.count {
                    text.append(name[index + 1])
                    index += 1
                }
            default: text.append(name[index])
            }
            index += 1
        }
        take()
        return pairs.map { ($0.attribute, Folding.fold($0.value)) }
    }

    /// For telling whether a name was met before: ASCII lower case, without spaces around `,` and `=`. Names that are
    /// equal in other ways are taken for different, which costs a search and no more.
    static func key(_ name: [UInt8]) -> [UInt8] {
        var key: [UInt8] = []
        var pendingSpaces = 0
        for octet in name {
            switch octet {
            case UInt8(ascii: " "):
                if let last = key.last, last != UInt8(ascii: ","), last != UInt8(ascii: "=") { pendingSpaces += 1 }
            case UInt8(ascii: ","), UInt8(ascii: "="):
                pendingSpaces = 0
                key.append(octet)
            default:
                for _ in 0..<pendingSpaces { key.append(UInt8(ascii: " ")) }
                pendingSpaces = 0
                key.append((0x41...0x5A).contains(octet) ? octet | 0x20 : octet)
            }
        }
        return key
    }
}
