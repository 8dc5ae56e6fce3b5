// Reads a domain name from the wire (RFC 5321 4.1.2, with U-labels as in RFC 6531 3.3). It reads no further than the
// limit allows, however long the input is.

extension Domain {
    /// What a scan found out, so that the key need not look again.
    enum Form {
        case ascii
        case international
        case literal(AddressLiteral)
    }

    /// Reads the longest domain or address literal at `index` and leaves `index` after it; on an error `index` stays.
    ///
    /// - Throws: what is wrong; positions count from the start of `bytes`.
    public static func parse(_ bytes: Span<UInt8>, from index: inout Int) throws(AddressSyntaxError) -> Domain {
        var next = index
        let form = try scan(bytes, from: &next)
        let domain = try Domain(bytes.array(index..<next), form: form)
        index = next
        return domain
    }

    /// `Domain / address-literal` (RFC 5321 4.1.2)
    static func scan(_ bytes: Span<UInt8>, from index: inout Int) throws(AddressSyntaxError) -> Form {
        guard index >= 0, index < bytes.count else { throw .empty }
        if bytes[index] == UInt8(ascii: "[") { return .literal(try AddressLiteral.parse(bytes, from: &index)) }
        return try scanName(bytes, from: &index)
    }

    // Domain = sub-domain *("." sub-domain)     (RFC 5321 4.1.2)
    private static func scanName(_ bytes: Span<UInt8>, from index: inout Int) throws(AddressSyntaxError) -> Form {
        let start = index
        var end = start
        var next = start
        var form = Form.ascii
        while true {
            let label = next
            if try scanLabel(bytes, from: &next, limit: start + AddressLimits.domain) { form = .international }
            guard next > label else { break }
            end = next
            guard next < bytes.count, bytes[next] == UInt8(ascii: ".") else { break }
            next += 1
        }
        guard end > start else { throw fault(bytes, at: start, ending: .empty) }
        index = end
        return form
    }

    // sub-domain = Let-dig [Ldh-str] / U-label     Ldh-str = *( ALPHA / DIGIT / "-" ) Let-dig
    // (RFC 5321 4.1.2, RFC 6531 3.3), with "_" wherever a letter may stand.
    // Returns whether it was a U-label. Leaves `index` where it is when there is no sub-domain.
    private static func scanLabel(
        _ bytes: Span<UInt8>, from index: inout Int, limit: Int
    ) throws(AddressSyntaxError) -> Bool {
        let start = index
        var international = false
        var next = start
        while next < bytes.count {
            let octet = bytes[next]
            if octet.isLabelEnd {
                next += 1
                index = next
            } else if octet == UInt8(ascii: "-") {
                guard next > start else { break }
                next += 1
            } else if octet >= 0x80 {
                guard let length = UTF8Sequence.length(in: bytes, at: next) else { throw .malformedUTF8(at: next) }
                international = true
                next += length
                index = next
            } else {
                break
            }
            guard next <= limit else { throw .domainTooLong }
        }
        // A U-label is measured as its A-label (RFC 5890 4.2), in `init(_:form:)`.
        guard international || index - start <= AddressLimits.label else { throw .labelTooLong }
        return international
    }

    /// Why a domain had to stop at `index`.
    static func fault(
        _ bytes: Span<UInt8>, at index: Int, ending: AddressSyntaxError
    ) -> AddressSyntaxError {
        if index < bytes.count, bytes[index] == UInt8(ascii: "-") { return .misplacedHyphen(at: index) }
        return AddressSyntaxError.fault(bytes, at: index, ending: ending)
    }

    /// Takes octets that `scan` has read, and gives them their key.
    init(_ octets: [UInt8], form: Form) throws(AddressSyntaxError) {
        switch form {
        case .ascii:
            self.init(stored: octets, key: Folding.fold(octets))
        case .international:
            let (shown, key) = try Self.mapped(octets)
            self.init(stored: shown, key: key)
        case .literal(let literal):
            let key = literal.canonical(octets)
            self.init(stored: octets, key: key == octets ? octets : key)
        }
    }

    /// What keyboards for Chinese and Japanese give for a dot: U+3002, U+FF0E and U+FF61 (RFC 3490 3.1).
    private static let wideDots: [[UInt8]] = [[0xE3, 0x80, 0x82], [0xEF, 0xBC, 0x8E], [0xEF, 0xBD, 0xA1]]

    /// What stands between dots, of either kind.
    private static func labels(of octets: [UInt8]) -> [[UInt8]] {
        var labels: [[UInt8]] = [[]]
        var index = 0
        while index < octets.count {
            let rest = octets[index...]
            let isWide = octets[index] >= 0xE3 && wideDots.contains { rest.starts(with: $0) }
            if isWide || octets[index] == UInt8(ascii: ".") {
                labels.append([])
            } else {
                labels[labels.count - 1].append(octets[index])
            }
            index += isWide ? 3 : 1
        }
        return labels
    }

    /// The name as it is shown, and in A-labels and lower case. Each label by itself, so that an ASCII label is taken or
    /// refused alike whether its neighbours are U-labels or A-labels.
    private static func mapped(
        _ octets: [UInt8]
    ) throws(AddressSyntaxError) -> (shown: [UInt8], key: [UInt8]) {
        var (shown, key): ([UInt8], [UInt8]) = ([], [])
        for spelled in labels(of: octets) {
            if spelled.isEmpty { throw .badInternationalName }
            if !key.isEmpty {
                shown.append(UInt8(ascii: "."))
                key.append(UInt8(ascii: "."))
            }
            if Folding.isASCII(spelled) {
                // One that stands by a wide dot has not been looked at by itself.
                guard let last = spelled.last, last.isLabelEnd, spelled[0].isLabelEnd else {
                    throw .badInternationalName
                }
                guard spelled.count <= AddressLimits.label else { throw .labelTooLong }
                shown += spelled
                key += Folding.lowerASCII(spelled)
            } else {
                guard let mapped = Folding.mapped(spelled) else { throw .badInternationalName }
                shown += mapped.shown
                key += mapped.key
            }
        }
        guard shown.count <= AddressLimits.domain, key.count <= AddressLimits.domain else { throw .domainTooLong }
        return (shown, key)
    }
}
