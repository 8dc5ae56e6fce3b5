// A golden session: what the client says (C:), what the server must answer (S:), and under which settings. The format
// is described in Tests/Dialogues/README.md.

public import SMTPProtocol
public import Verification

/// What is wrong with a file of the tests.
public struct DialogueError: Error, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}

/// One line of the client, and every line that the server answers.
public struct Exchange: Hashable, Sendable {
    /// Without CRLF; nil where the server speaks first.
    public var client: [UInt8]?
    public var server: [String] = []
    public var line: Int
}

/// A session that is played, with the settings it needs.
public struct Dialogue: Sendable, CustomStringConvertible {
    public var name: String
    /// The name of the directory file, without its extension.
    public var directory = "demo"
    public var form = ReplyForm.enhanced
    public var client = ClientClass.trusted
    /// Whether an ambiguous name is answered with the possibilities.
    public var namesPossibilities = true
    public var hostname = "mx.example"
    public var recipients = 1000
    public var errors = 20
    public var offersTLS = false
    /// Whether there is a next hop, which takes every message.
    public var takesMail = false
    /// Whether the lines may be sent in one go.
    public var isPipelined = true
    /// Whether it can be played over a socket too, where a client has no settings that a server would not take.
    public var isForSockets = true
    public var exchanges: [Exchange] = []

    public var description: String { name }

    public init(name: String, text: String) throws {
        self.name = name
        var number = 0
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            if line.isEmpty || line.hasPrefix("#") || line.hasPrefix("DEVIATION:") { continue }
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw DialogueError("\(name):\(number): neither a line nor a directive") }
            let value = parts[1].hasPrefix(" ") ? String(parts[1].dropFirst()) : String(parts[1])
            switch parts[0] {
            case "C": exchanges.append(Exchange(client: try Self.octets(value), line: number))
            case "M": try takeMessageLine(value, at: number)
            case "S":
                if exchanges.isEmpty { exchanges.append(Exchange(client: nil, line: number)) }
                exchanges[exchanges.count - 1].server.append(value)
            default: try take(String(parts[0]), value, at: number)
            }
        }
        for exchange in exchanges where exchange.server.isEmpty {
            throw DialogueError("\(name):\(exchange.line): no answer is given for this line")
        }
    }

    /// The lines of one message are one exchange: only the last of them is answered.
    private mutating func takeMessageLine(_ value: String, at number: Int) throws {
        let octets = try Self.octets(value)
        if let last = exchanges.last, last.server.isEmpty, let client = last.client {
            exchanges[exchanges.count - 1].client = client + [13, 10] + octets
        } else {
            exchanges.append(Exchange(client: octets, line: number))
        }
    }

    private mutating func take(_ directive: String, _ value: String, at number: Int) throws {
        switch (directive, value) {
        case ("directory", _): directory = value
        case ("form", "plain"): form = .plain
        case ("form", "enhanced"): form = .enhanced
        case ("client", _): client = try Self.clientClass(value)
        case ("possibilities", "named"): namesPossibilities = true
        case ("possibilities", "unnamed"): namesPossibilities = false
        case ("hostname", _): hostname = value
        case ("recipients", _): recipients = Int(value) ?? recipients
        case ("errors", _): errors = Int(value) ?? errors
        case ("tls", "offered"): offersTLS = true
        case ("mail", "taken"): takesMail = true
        case ("pipelining", "no"): isPipelined = false
        case ("sockets", "no"): isForSockets = false
        default: throw DialogueError("\(name):\(number): unknown directive \(directive): \(value)")
        }
    }

    /// The classes that dialogues name.
    public static func clientClass(_ name: String) throws -> ClientClass {
        switch name {
        case "trusted": .trusted
        case "everyone": .everyone
        case "existence":
            ClientClass(
                name: name, networks: [], disclosure: Disclosure(vrfy: .existence, expn: .full, rcpt: .existence))
        case "open": ClientClass(name: name, networks: [], disclosure: .full)
        default: throw DialogueError("no class \(name)")
        }
    }

    /// `{0D}` is that octet; `{a*600}` is 600 times that character.
    static func octets(_ text: String) throws -> [UInt8] {
        var octets: [UInt8] = []
        var rest = Substring(text)
        while let open = rest.firstIndex(of: "{") {
            octets += Array(rest[..<open].utf8)
            guard let close = rest[open...].firstIndex(of: "}") else { throw DialogueError("no } in \(text)") }
            let inner = rest[rest.index(after: open)..<close]
            let parts = inner.split(separator: "*")
            if parts.count == 2, let count = Int(parts[1]) {
                for _ in 0..<count { octets += Array(parts[0].utf8) }
            } else if let octet = UInt8(inner, radix: 16) {
                octets.append(octet)
            } else {
                throw DialogueError("{\(inner)} is no octet")
            }
            rest = rest[rest.index(after: close)...]
        }
        return octets + Array(rest.utf8)
    }
}
