// The classes of ASCII octets that the address productions are made of. Letters are tested first: they are the most.

extension UInt8 {
    /// `ALPHA / DIGIT` (Let-dig, RFC 5321 4.1.2).
    @inline(__always)
    var isLetDig: Bool {
        switch self {
        case 0x61...0x7A, 0x41...0x5A, 0x30...0x39: true
        default: false
        }
    }

    /// What may be at the ends of a label: Let-dig and "_".
    ///
    /// DEVIATION: RFC 5321 4.1.2 has no "_", and there are hosts called so that send mail; test `accepted`.
    @inline(__always)
    var isLabelEnd: Bool { isLetDig || self == UInt8(ascii: "_") }

    /// `DIGIT` (RFC 5234 B.1).
    @inline(__always)
    var isDigit: Bool { self &- 0x30 < 10 }

    /// `A` to `Z`.
    @inline(__always)
    var isUpper: Bool { self &- 0x41 < 26 }

    /// 0–31 and 127, which no address may hold (RFC 5321 4.1.2).
    @inline(__always)
    var isControl: Bool { self < 0x20 || self == 0x7F }

    /// `atext` without UTF8-non-ascii (RFC 5322 3.2.3).
    @inline(__always)
    var isAtext: Bool {
        if isLetDig { return true }
        switch self {
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "/"),
            UInt8(ascii: "="), UInt8(ascii: "?"), UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"),
            UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"), UInt8(ascii: "~"):
            return true
        default:
            return false
        }
    }

    /// `dcontent = %d33-90 / %d94-126` (RFC 5321 4.1.3).
    @inline(__always)
    var isDcontent: Bool { (33...90).contains(self) || (94...126).contains(self) }

    /// The value of a HEXDIG in either case (RFC 5234 B.1); nil for anything else.
    var hexValue: UInt16? {
        switch self {
        case 0x30...0x39: UInt16(self - 0x30)
        case 0x61...0x66: UInt16(self - 0x61 + 10)
        case 0x41...0x46: UInt16(self - 0x41 + 10)
        default: nil
        }
    }
}
