// An address in square brackets instead of a domain name (RFC 5321 4.1.3), and its canonical text, by which spellings of
// one address are equal. IPv6Address.swift knows the forms of IPv6.

/// What stands between the brackets of an address literal.
enum AddressLiteral: Hashable {
    case ipv4([UInt8])
    case ipv6(IPv6Address)
    case general

    /// Reads an address literal with its brackets and leaves `index` after it.
    ///
    /// `address-literal = "[" ( IPv4-address-literal / IPv6-address-literal / General-address-literal ) "]"`
    /// (RFC 5321 4.1.2)
    static func parse(_ bytes: Span<UInt8>, from index: inout Int) throws(AddressSyntaxError) -> AddressLiteral {
        let start = index + 1
        var end = start
        while end < bytes.count, bytes[end].isDcontent {
            guard end - index < AddressLimits.domain else { throw .domainTooLong }
            end += 1
        }
        guard end < bytes.count, bytes[end] == UInt8(ascii: "]") else { throw .badLiteral }
        guard end + 1 - index <= AddressLimits.domain else { throw .domainTooLong }
        let content = bytes.extracting(start..<end)
        guard let literal = ipv4Literal(content) ?? taggedLiteral(content) else { throw .badLiteral }
        index = end + 1
        return literal
    }

    private static func ipv4Literal(_ content: Span<UInt8>) -> AddressLiteral? {
        ipv4(content, from: 0).map { .ipv4($0) }
    }

    // IPv6-address-literal = "IPv6:" IPv6-addr     General-address-literal = Standardized-tag ":" 1*dcontent
    // Standardized-tag = Ldh-str     Ldh-str = *( ALPHA / DIGIT / "-" ) Let-dig     (RFC 5321 4.1.3)
    private static func taggedLiteral(_ content: Span<UInt8>) -> AddressLiteral? {
        var colon = 0
        while colon < content.count, content[colon].isLetDig || content[colon] == UInt8(ascii: "-") { colon += 1 }
        guard colon > 0, colon + 1 < content.count, content[colon] == UInt8(ascii: ":") else { return nil }
        guard content[colon - 1].isLetDig else { return nil }
        let tag = Folding.lowerASCII(content.array(0..<colon))
        // Once it says IPv6, it may not pass as some other kind of address.
        guard tag == Array("ipv6".utf8) else { return .general }
        return IPv6Address(content, from: colon + 1).map { .ipv6($0) }
    }

    /// Reads four numbers from `start` to the end of `content`; nil when it is anything else.
    ///
    /// `IPv4-address-literal = Snum 3("." Snum)`, `Snum = 1*3DIGIT`, 0 through 255 (RFC 5321 4.1.3)
    static func ipv4(_ content: Span<UInt8>, from start: Int) -> [UInt8]? {
        var numbers: [UInt8] = []
        var index = start
        while numbers.count < 4 {
            if !numbers.isEmpty {
                guard index < content.count, content[index] == UInt8(ascii: ".") else { return nil }
                index += 1
            }
            let first = index
            var value = 0
            while index < content.count, index - first < 3, content[index].isDigit {
                value = value * 10 + Int(content[index] - 0x30)
                index += 1
            }
            guard index > first, let number = UInt8(exactly: value) else { return nil }
            numbers.append(number)
        }
        return index == content.count ? numbers : nil
    }

    /// The one text, in lower case and with brackets, that all spellings of this address share. `octets` is the
    /// spelling, which an address of unknown kind can only keep.
    func canonical(_ octets: [UInt8]) -> [UInt8] {
        switch self {
        case .ipv4(let numbers): Array("[\(numbers.map(String.init).joined(separator: "."))]".utf8)
        case .ipv6(let address): Array("[ipv6:\(address.text)]".utf8)
        case .general: Folding.lowerASCII(octets)
        }
    }
}
