// Plays a dialogue to whatever answers SMTP, and tells every difference.

/// The server's end, as a client sees it: a session in memory, or a socket.
public protocol DialoguePeer: AnyObject {
    func send(_ octets: [UInt8]) async throws
    /// What has come next, waiting for it where it has to come over a wire; empty when the server has closed.
    func receive() async throws -> [UInt8]
}

/// How a client's lines are cut.
public enum Cutting: String, Sendable, CaseIterable {
    /// Each line when the last is answered.
    case lineByLine
    /// Likewise, octet by octet.
    case octetByOctet
    /// All at once.
    case pipelined
}

extension Dialogue {
    /// Plays the dialogue.
    /// - Returns: a sentence a difference; empty when all is as it should be.
    public func play(to peer: any DialoguePeer, _ cutting: Cutting) async throws -> [String] {
        var reader = ReplyReader(peer: peer)
        var differences: [String] = []
        if cutting == .pipelined {
            try await peer.send(exchanges.flatMap { $0.client.map { $0 + [13, 10] } ?? [] })
        }
        for exchange in exchanges {
            if let client = exchange.client, cutting != .pipelined {
                let line = client + [13, 10]
                let pieces = cutting == .octetByOctet ? line.map { [$0] } : [line]
                for piece in pieces { try await peer.send(piece) }
            }
            var heard: [String] = []
            for line in exchange.server where line.dropFirst(3).first == " " || line.utf8.count == 3 {
                guard let reply = try await reader.reply() else { break }
                heard += reply
            }
            if heard != exchange.server {
                differences.append(
                    """
                    \(name):\(exchange.line): \(cutting): expected
                    \(exchange.server.joined(separator: "\n"))
                    heard
                    \(heard.joined(separator: "\n"))
                    """)
            }
            if heard.isEmpty { return differences }
        }
        let last = exchanges.last?.server.last ?? ""
        if last.hasPrefix("221") || last.hasPrefix("421"), try await reader.reply() != nil {
            differences.append("\(name): \(cutting): more is said after the last reply")
        }
        return differences
    }
}

/// Takes replies apart: lines with a hyphen after the code, and one without.
struct ReplyReader {
    let peer: any DialoguePeer
    private var octets: [UInt8] = []

    init(peer: any DialoguePeer) { self.peer = peer }

    /// The lines of the next reply; nil when the server has closed.
    mutating func reply() async throws -> [String]? {
        var lines: [String] = []
        while true {
            guard let line = try await line() else { return lines.isEmpty ? nil : lines }
            lines.append(line)
            if line.dropFirst(3).first != "-" { return lines }
        }
    }

    private mutating func line() async throws -> String? {
        while true {
            if let end = octets.firstIndex(of: 10) {
                let line = String(decoding: octets[..<end].dropLast(), as: UTF8.self)
                octets.removeFirst(end + 1)
                return line
            }
            let more = try await peer.receive()
            if more.isEmpty { return nil }
            octets += more
        }
    }
}
