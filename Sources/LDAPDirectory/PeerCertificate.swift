// What a server's certificate says of itself (RFC 5280 4.1), read to tell why it was not taken: libldap says no more than
// that it was not. Nothing is trusted by what is read here.

/// The names and the time of a certificate.
struct PeerCertificate: Hashable, Sendable {
    /// DNS names and addresses (RFC 5280 4.2.1.6), as text; where it has none, its common names (RFC 6125 6.4.4).
    var names: [String] = []
    /// `YYYYMMDDHHMMSS`, in UTC; empty where it can't be read.
    var begin = ""
    var end = ""
    /// Whether it may be a server's: it names no purposes, or that one (RFC 5280 4.2.1.12).
    var isForServers = true

    /// - Parameter octets: the certificate in DER.
    init(_ octets: [UInt8]) {
        guard let certificate = DER(octets[...])?.children.first?.children else { return }
        // The version is there or not; serial number, algorithm and issuer come before the validity.
        let fields = certificate.first?.tag == 0xA0 ? certificate.dropFirst() : certificate[...]
        if let validity = fields.dropFirst(3).first?.children, validity.count == 2 {
            begin = Self.time(validity[0])
            end = Self.time(validity[1])
        }
        let subject = fields.dropFirst(4).first?.children.flatMap(\.children).map(\.children) ?? []
        // id-at-commonName, 2.5.4.3.
        names = subject.filter { $0.count == 2 && Array($0[0].content) == [0x55, 0x04, 0x03] }
            .map { String(decoding: $0[1].content, as: UTF8.self) }
        guard let extensions = fields.first(where: { $0.tag == 0xA3 })?.children.first?.children else { return }
        // id-ce-extKeyUsage, 2.5.29.37; id-kp-serverAuth, 1.3.6.1.5.5.7.3.1; anyExtendedKeyUsage, 2.5.29.37.0.
        for one in extensions.map(\.children) where one.first.map({ Array($0.content) }) == [0x55, 0x1D, 0x25] {
            let purposes = (one.last.flatMap { DER($0.content) }?.children ?? []).map { Array($0.content) }
            isForServers = purposes.contains { Self.serverPurposes.contains($0) }
        }
        // id-ce-subjectAltName, 2.5.29.17.
        for one in extensions.map(\.children) where one.first.map({ Array($0.content) }) == [0x55, 0x1D, 0x11] {
            let alternatives = one.last.flatMap { DER($0.content) }?.children ?? []
            if alternatives.contains(where: { [0x82, 0x87].contains($0.tag) }) {
                names = alternatives.compactMap(Self.name)
            }
        }
    }

    private static let serverPurposes: [[UInt8]] = [
        [0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01], [0x55, 0x1D, 0x25, 0x00],
    ]

    private static func name(_ value: DER) -> String? {
        switch value.tag {
        case 0x82: String(decoding: value.content, as: UTF8.self)
        case 0x87 where value.content.count == 4: value.content.map { "\($0)" }.joined(separator: ".")
        default: nil
        }
    }

    /// Of a UTCTime the first two digits are left out: from 50 on they are 19 (RFC 5280 4.1.2.5.1).
    private static func time(_ value: DER) -> String {
        let digits = String(decoding: value.content, as: UTF8.self).prefix { $0.isNumber }
        if value.tag == 0x18 { return String(digits) }
        return (digits < "5" ? "20" : "19") + digits
    }

    /// Why it is not taken for this host, as a clause and what to do; `now` as `begin` has it.
    func fault(host: String, now: String) -> String {
        if !begin.isEmpty, now < begin {
            return "its certificate is not valid before \(begin) UTC; set the clock, or get another certificate"
        }
        if !end.isEmpty, now > end { return "its certificate has expired, at \(end) UTC; get another" }
        if !isForServers {
            return "its certificate is not for servers (its extended key usage has no serverAuth); get one that is"
        }
        if !names.isEmpty, !names.contains(where: { Self.fits($0, host) }) {
            return "its certificate is for \(names.joined(separator: ", ")), not for \(host); name the server so in"
                + " uris, or give it a certificate for that name"
        }
        return "its certificate is signed by an authority that is unknown here; name the authority's own certificate as"
            + " ca-file"
    }

    /// A name may begin with `*.`, which stands for one label (RFC 6125 6.4.3).
    private static func fits(_ name: String, _ host: String) -> Bool {
        let (name, host) = (name.lowercased(), host.lowercased())
        if name == host { return true }
        guard name.hasPrefix("*."), let dot = host.firstIndex(of: ".") else { return false }
        return host[dot...] == name.dropFirst()
    }
}

/// One value in DER (X.690 8.1), and those within it.
struct DER {
    let tag: UInt8
    let content: ArraySlice<UInt8>

    /// The first value; nil for what is none.
    init?(_ octets: ArraySlice<UInt8>) {
        guard octets.count >= 2 else { return nil }
        tag = octets[octets.startIndex]
        var start = octets.startIndex + 2
        var length = Int(octets[octets.startIndex + 1])
        if length > 127 {
            let count = length - 128
            guard count <= 4, octets.endIndex - start >= count else { return nil }
            length = octets[start..<(start + count)].reduce(0) { $0 << 8 | Int($1) }
            start += count
        }
        guard octets.endIndex - start >= length else { return nil }
        content = octets[start..<(start + length)]
    }

    /// Those within it, up to one that is none.
    var children: [DER] {
        var children: [DER] = []
        var rest = content
        while let child = DER(rest) {
            children.append(child)
            rest = rest[child.content.endIndex...]
        }
        return children
    }
}
