// The values of the parameters for notifications (RFC 3461 4).

public import MailAddress

enum NotificationSyntax {
    /// `"NEVER" / 1#( "SUCCESS" / "FAILURE" / "DELAY" )` (RFC 3461 4.1), in upper case.
    static func isNotify(_ value: [UInt8]) -> Bool {
        let text = String(decoding: value, as: UTF8.self)
        if text == "NEVER" { return true }
        let words = text.split(separator: ",", omittingEmptySubsequences: false)
        return words.allSatisfy { $0 == "SUCCESS" || $0 == "FAILURE" || $0 == "DELAY" }
    }

    /// Octets of an original recipient (RFC 3461 4.2).
    static let longestOriginalRecipient = 500

    /// `addr-type ";" xtext` (RFC 3461 4.2).
    static func isOriginalRecipient(_ value: [UInt8]) -> Bool {
        guard value.count <= longestOriginalRecipient, let semicolon = value.firstIndex(of: UInt8(ascii: ";")),
            semicolon > 0
        else {
            return false
        }
        return value[..<semicolon].allSatisfy(isAtom) && isXText(value[(semicolon + 1)...])
    }

    /// An xtext of 100 octets at most (RFC 3461 4.4).
    static func isEnvelopeID(_ value: [UInt8]) -> Bool {
        (1...100).contains(value.count) && isXText(value[...])
    }

    /// `xtext = *( xchar / hexchar )` (RFC 3461 4).
    private static func isXText(_ text: ArraySlice<UInt8>) -> Bool {
        var index = text.startIndex
        while index < text.endIndex {
            let octet = text[index]
            if octet == UInt8(ascii: "+") {
                guard index + 2 < text.endIndex, text[(index + 1)...(index + 2)].allSatisfy(isUpperHex) else {
                    return false
                }
                index += 3
            } else {
                if octet < 33 || octet > 126 || octet == UInt8(ascii: "=") { return false }
                index += 1
            }
        }
        return true
    }

    /// What stands for an address as an xtext, with its type: a non-ASCII one has the type of RFC 6533, whose form is
    /// UTF-8 itself where SMTPUTF8 is in use.
    static func originalRecipient(_ address: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        let isASCII = address.allSatisfy { $0 < 128 }
        var text = Array((isASCII ? "rfc822;" : "utf-8;").utf8)
        for octet in address {
            let isPlain = octet > 32 && octet != 127 && octet != UInt8(ascii: "+") && octet != UInt8(ascii: "=")
            if isPlain {
                text.append(octet)
            } else {
                text += [UInt8(ascii: "+"), digits[Int(octet >> 4)], digits[Int(octet & 15)]]
            }
        }
        return text
    }

    private static func isAtom(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private static func isUpperHex(_ octet: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet)
            || (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(octet)
    }
}

extension Command.RecipientParameters {
    /// These with the address as it was first given, unless the client has named one (RFC 3461 4.2, 5.2.1), or it is too
    /// long for that.
    public static func given(_ parameters: Self?, for path: ForwardPath, utf8: Bool) -> Self? {
        var whole = parameters ?? Self()
        if whole.original == nil, case .mailbox(let mailbox) = path, utf8 || mailbox.isASCII {
            var address: [UInt8] = []
            mailbox.append(to: &address)
            let original = NotificationSyntax.originalRecipient(address)
            if original.count <= NotificationSyntax.longestOriginalRecipient { whole.original = original }
        }
        return whole.notify == nil && whole.original == nil ? nil : whole
    }
}
