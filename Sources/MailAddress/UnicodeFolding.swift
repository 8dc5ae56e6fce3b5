// Folding of what is not ASCII: NFC and lower case (RFC 6532 3.1), and U-label to A-label (RFC 5890, with the mapping of
// UTS 46). The one file in this room that may import Foundation; nothing in ASCII may come here.

internal import Foundation

extension Folding {
    /// NFC and lower case; nil when the octets are no UTF-8.
    static func foldUnicode(_ octets: [UInt8]) -> [UInt8]? {
        guard let text = String(validating: octets, as: UTF8.self) else { return nil }
        // Lowering can undo NFC (U+0130 becomes two scalars), and must see what NFC makes (U+212A becomes K): so both.
        let lowered = text.precomposedStringWithCanonicalMapping.lowercased()
        return Array(lowered.precomposedStringWithCanonicalMapping.utf8)
    }

    /// The A-label of one U-label, in lower case; nil when IDNA refuses it.
    static func aLabel(_ label: [UInt8]) -> [UInt8]? {
        guard let text = String(validating: label, as: UTF8.self) else { return nil }
        var components = URLComponents()
        components.host = text
        // A host that is no name in IDNA comes back percent-encoded, not as nil. And an ideographic full stop (U+3002)
        // comes back as ".", though it parts no labels in SMTP.
        guard let encoded = components.encodedHost else { return nil }
        let octets = Folding.lowerASCII(Array(encoded.utf8))
        guard octets.allSatisfy({ $0.isLetDig || $0 == UInt8(ascii: "-") }) else { return nil }
        guard let first = octets.first, let last = octets.last, first.isLetDig, last.isLetDig else { return nil }
        return octets
    }
}
