// Where a listener listens: ADDRESS:PORT, [ADDRESS]:PORT or unix:/path.

import Verification

/// Where to listen.
public enum ListenAddress: Hashable, Sendable {
    /// An IPv4 or IPv6 address, without brackets, and a port; port 0 takes any free one.
    case ip(host: String, port: Int)
    /// The path of a Unix socket, at most `unixPathLimit` octets.
    case unix(path: String)

    /// The octets of `sun_path` in Linux, less the one that ends it.
    public static let unixPathLimit = 107

    /// Reads `127.0.0.1:2525`, `[::1]:2525` or `unix:/run/addressee.sock`.
    ///
    /// - Throws: when it is none of them; names are not looked up.
    public init(_ text: String) throws(ListenAddressError) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard !path.isEmpty else { throw .malformed }
            guard path.utf8.count <= Self.unixPathLimit else { throw .pathTooLong }
            self = .unix(path: path)
            return
        }
        guard text != "unix" else { throw .malformed }
        let isAddress = ClientAddress(text) != nil
        guard let colon = text.lastIndex(of: ":") else {
            throw isAddress ? .missingPort(expected: "\(text):2525") : .malformed
        }
        var host = String(text[..<colon])
        let digits = String(text[text.index(after: colon)...])
        // `::1:25` is an address without a port, but surely not what was meant.
        if isAddress, ClientAddress(host) == nil || !digits.isDecimal { throw .missingPort(expected: "[\(text)]:2525") }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard host.contains(":"), ClientAddress(host) != nil else { throw .malformed }
        } else {
            if host == "*" || host.isEmpty { throw .wildcard(port: digits) }
            if host == "localhost" { throw .localhost(port: digits) }
            guard ClientAddress(host) != nil, host != "unix" else { throw .malformed }
            guard !host.contains(":") else { throw .missingBrackets(expected: "[\(host)]:\(digits)") }
        }
        guard digits.isDecimal, digits == "0" || digits.first != "0", let port = Int(digits), port <= 65535 else {
            throw .badPort
        }
        self = .ip(host: host, port: port)
    }
}

extension ListenAddress: CustomStringConvertible {
    /// As the configuration has it.
    public var description: String {
        switch self {
        case .ip(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

/// Why a listen address was refused.
public enum ListenAddressError: Error, Hashable, Sendable {
    case malformed
    /// An IPv6 address and a port without brackets between them.
    case missingBrackets(expected: String)
    /// An address alone.
    case missingPort(expected: String)
    /// `*:25` or `:25`.
    case wildcard(port: String)
    case localhost(port: String)
    /// No number from 0 to 65535.
    case badPort
    case pathTooLong
}

extension ListenAddressError: CustomStringConvertible {
    /// What was expected, for a person.
    public var description: String {
        switch self {
        case .malformed: "expected ADDRESS:PORT, [IPV6-ADDRESS]:PORT or unix:/path/to/socket"
        case .missingBrackets(let expected): "an IPv6 address stands in brackets: \(expected)"
        case .missingPort(let expected): "the port is missing: \(expected)"
        case .wildcard(let port): "for all addresses write 0.0.0.0:\(port) or [::]:\(port)"
        case .localhost(let port): "names are not looked up; write 127.0.0.1:\(port) or [::1]:\(port)"
        case .badPort: "the port must be a number from 0 to 65535"
        case .pathTooLong: "the path of a Unix socket has at most \(ListenAddress.unixPathLimit) octets"
        }
    }
}
