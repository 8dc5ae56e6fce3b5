// Names for people as a directory has them, made fit for a reply: other programs write them, and nobody checked.

import MailAddress
import MailboxDirectory

enum PersonName {
    /// The name without what `NameFault` forbids: control characters and angle brackets become spaces, octets that are
    /// no UTF-8 are replaced, what is too long is cut at a character, and nothing but spaces is no name.
    static func clean(_ value: [UInt8]) -> String {
        if NameFault(value.span) == nil, Folding.isWellFormedUTF8(value.span) {
            return String(decoding: value, as: UTF8.self)
        }
        var text = ""
        var count = 0
        for scalar in String(decoding: value, as: UTF8.self).unicodeScalars {
            let isBad = scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) || scalar == "<" || scalar == ">"
            let kept: Unicode.Scalar = isBad ? " " : scalar
            count += kept.utf8.count
            if count > NameFault.limit { break }
            text.unicodeScalars.append(kept)
        }
        return text.unicodeScalars.allSatisfy { $0 == " " } ? "" : text
    }
}

extension Unicode.Scalar {
    fileprivate var utf8: String.UTF8View { String(Character(self)).utf8 }
}
