// A mail server that messages are handed to, over SMTP or LMTP.

import MailAddress
import Verification

/// A mail server as the next hop: where it is, what it speaks, and how the way to it is kept safe.
public struct MailServer: Hashable, Sendable {
    /// What it speaks.
    public enum Dialect: String, Hashable, Sendable {
        /// RFC 5321.
        case smtp
        /// RFC 2033.
        case lmtp
    }

    /// TLS on the way. With any, its certificate is verified, and nothing is sent where that fails.
    public enum Security: String, Hashable, Sendable, CaseIterable {
        case none
        /// STARTTLS, without which nothing is sent (RFC 3207).
        case startTLS = "starttls"
        /// From the first octet on, as on port 465 (RFC 8314 3.3).
        case implicit
    }

    public var dialect: Dialect
    public var address: ServerAddress
    public var security: Security
    /// The name that its certificate must have.
    public var tlsName: String?
    /// PEM: whose certificates are good; nil for those that the system trusts.
    public var authorities: String?
    /// Connections at once, from the whole of this server.
    public var connections: Int

    /// As many as a Postfix serves unless it is told otherwise (default_process_limit).
    public static let standardConnections = 100

    public init(
        dialect: Dialect, address: ServerAddress, security: Security = .none, tlsName: String? = nil,
        authorities: String? = nil, connections: Int = MailServer.standardConnections
    ) {
        self.dialect = dialect
        self.address = address
        self.security = security
        self.tlsName = tlsName
        self.authorities = authorities
        self.connections = connections
    }
}

extension MailServer {
    static let keys = ["tls", "tls-name", "ca-file", "connections"]

    /// Reads the keys of one next hop that belong to a server.
    static func read(_ dialect: Dialect, at setting: Setting, from section: inout Section) -> MailServer? {
        let example = dialect == .smtp ? "mail.example.org:25" : "unix:/run/dovecot/lmtp"
        let security = section.setting("tls")
        let tlsName = section.setting("tls-name")
        let authorities = section.setting("ca-file")
        let connections = section.setting("connections")?.number(in: 1...100_000)
        guard let address = setting.server(such: example) else { return nil }
        var server = MailServer(dialect: dialect, address: address)
        if let value = security?.choice(of: Security.self) { server.security = value }
        if let connections { server.connections = connections }
        if server.security == .none, let useless = tlsName ?? authorities {
            useless.report("\(useless.name) has no use without \"tls: starttls\" or \"tls: implicit\"")
        }
        if let name = tlsName?.domain(such: "mail.example.org") {
            server.tlsName = String(decoding: name.key, as: UTF8.self)
        } else if case .host(let host, _) = server.address {
            server.tlsName = host
        } else if server.security != .none, tlsName == nil {
            section.require("tls-name", for: "tls-name: mail.example.org")
        }
        server.authorities = authorities?.path()
        return server
    }
}

extension Setting {
    /// A server; the path of a Unix socket from the folder of the configuration when it is relative.
    func server(such example: String) -> ServerAddress? {
        guard let text = text("a server such as \(example)") else { return nil }
        do {
            let address = try ServerAddress(text)
            guard case .unix(let path) = address else { return address }
            return try ServerAddress("unix:" + findings.resolve(path))
        } catch {
            report("\(name) \(text.quoted): \(error)")
            return nil
        }
    }
}

/// Where a server is found: a name or an address with a port, or a Unix socket.
public enum ServerAddress: Hashable, Sendable {
    /// A domain name or an IP address, without brackets, and a port.
    case host(String, port: Int)
    case unix(path: String)

    /// Reads `mail.example.org:25`, `192.0.2.1:25`, `[2001:db8::1]:25` or `unix:/run/dovecot/lmtp`.
    ///
    /// - Throws: when it is none of them.
    public init(_ text: String) throws(ServerAddressError) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard !path.isEmpty else { throw .malformed }
            guard path.utf8.count <= ListenAddress.unixPathLimit else { throw .pathTooLong }
            self = .unix(path: path)
            return
        }
        let isAddress = ClientAddress(text) != nil && text != "unix"
        if isAddress, text.contains(":") { throw .missingPort(expected: "[\(text)]:25") }
        guard let colon = text.lastIndex(of: ":") else {
            guard isAddress || Self.isName(text) else { throw .malformed }
            throw .missingPort(expected: "\(text):25")
        }
        var host = String(text[..<colon])
        let digits = String(text[text.index(after: colon)...])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard host.contains(":"), ClientAddress(host) != nil else { throw .malformed }
        } else {
            guard !host.contains(":") else { throw .missingPort(expected: "[\(text)]:25") }
            guard ClientAddress(host) != nil || Self.isName(host), host != "unix" else { throw .malformed }
        }
        guard digits.isDecimal, digits.first != "0", let port = Int(digits), port <= 65535 else { throw .badPort }
        self = .host(host, port: port)
    }

    private static func isName(_ text: String) -> Bool {
        guard let domain = try? Domain(text) else { return false }
        return !domain.isLiteral && domain.isASCII
    }
}

extension ServerAddress: CustomStringConvertible {
    /// As the configuration has it.
    public var description: String {
        switch self {
        case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

/// Why the address of a server was refused.
public enum ServerAddressError: Error, Hashable, Sendable, CustomStringConvertible {
    case malformed
    case missingPort(expected: String)
    /// No number from 1 to 65535.
    case badPort
    case pathTooLong

    /// What was expected, for a person.
    public var description: String {
        switch self {
        case .malformed: "expected NAME:PORT, ADDRESS:PORT, [IPV6-ADDRESS]:PORT or unix:/path/to/socket"
        case .missingPort(let expected): "the port is missing: \(expected)"
        case .badPort: "the port must be a number from 1 to 65535"
        case .pathTooLong: "the path of a Unix socket has at most \(ListenAddress.unixPathLimit) octets"
        }
    }
}
