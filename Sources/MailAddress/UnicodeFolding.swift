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

    /// What IDNA makes of one label with octets over 127: its A-label in lower case or, where nothing but ASCII is left of
    /// it, just that; and how it is shown. Nil when IDNA refuses it.
    ///
    /// The mapping leaves out what can't be seen (U+200B, U+00AD) and makes one of what looks alike (full-width letters):
    /// shown is what it makes, or the label as it was given where only its case is another.
    static func mapped(_ label: [UInt8]) -> (shown: [UInt8], key: [UInt8])? {
        guard let text = String(validating: label, as: UTF8.self) else { return nil }
        var components = URLComponents()
        components.host = text
        // A host that is no name in IDNA, or has a label over 63 octets, comes back percent-encoded, not as nil.
        guard let encoded = components.encodedHost else { return nil }
        let octets = Folding.lowerASCII(Array(encoded.utf8))
        guard octets.allSatisfy({ $0.isLabelEnd || $0 == UInt8(ascii: "-") }) else { return nil }
        guard let first = octets.first, let last = octets.last, first.isLabelEnd, last.isLabelEnd else { return nil }
        components.encodedHost = encoded
        let decoded = components.host.map { Array($0.utf8) } ?? octets
        return (text.lowercased().utf8.elementsEqual(decoded) ? label : decoded, octets)
    }
}
