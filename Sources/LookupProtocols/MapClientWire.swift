// The asking side of socketmap_table(5) and tcp_table(5): what this server asks of maps that others serve.

import MailAddress

/// A connection to a server of maps. Its answers come in the order of the questions.
public struct MapClientWire: Hashable, Sendable {
    public enum Dialect: Hashable, Sendable {
        case socketmap
        /// One map, whose name is not sent.
        case tcpTable
    }

    /// What the octets so far come to.
    public enum Step: Hashable, Sendable {
        /// An answer; the next begins at `next`.
        case answer(MapAnswer, next: Int)
        /// No whole answer; octets before `consumed` are done with, the rest must be kept.
        case incomplete(consumed: Int)
        /// This is no answer, and so nobody can tell where the next begins.
        case malformed
    }

    private let spoken: Dialect
    private var netstrings = NetstringFraming(limit: LookupLimits.socketmapReply)
    private var lines = NewlineFraming(limit: LookupLimits.tcpTableReply)

    public init(_ spoken: Dialect) {
        self.spoken = spoken
    }

    public func request(_ request: MapRequest) -> [UInt8] {
        var octets: [UInt8] = []
        switch spoken {
        case .socketmap: NetstringFraming.append(request.map + [UInt8(ascii: " ")] + request.key, to: &octets)
        case .tcpTable: octets = TCPTableWire.line("get ", request.key)
        }
        return octets
    }

    /// The first answer of what has not been consumed.
    public mutating func next(_ bytes: Span<UInt8>) -> Step {
        switch spoken {
        case .socketmap:
            switch netstrings.next(bytes) {
            case .incomplete(let consumed): return .incomplete(consumed: consumed)
            case .malformed, .oversize: return .malformed
            case .netstring(let start, let end, let next):
                return Self.socketmap(bytes.array(start..<end)).map { .answer($0, next: next) } ?? .malformed
            }
        case .tcpTable:
            switch lines.next(bytes) {
            case .incomplete(let consumed): return .incomplete(consumed: consumed)
            case .overlong: return .malformed
            case .line(let end, let next):
                return Self.tcpTable(bytes.array(0..<end)).map { .answer($0, next: next) } ?? .malformed
            }
        }
    }

    /// `OK SP data`, `NOTFOUND SP`, `TEMP SP why`, `TIMEOUT SP why`, `PERM SP why`; the space may be missing at the end.
    private static func socketmap(_ text: [UInt8]) -> MapAnswer? {
        let space = text.firstIndex(of: UInt8(ascii: " ")) ?? text.count
        let rest = Array(text.dropFirst(space + 1))
        switch String(decoding: text[..<space], as: UTF8.self) {
        case "OK": return rest.isEmpty ? .absent : .found(rest)
        case "NOTFOUND": return .absent
        case "TEMP", "TIMEOUT": return .temporary(rest)
        case "PERM": return .permanent(rest)
        default: return nil
        }
    }

    /// `200 SP value`, `400 SP why`, `500 SP why`, with %XX escapes.
    private static func tcpTable(_ line: [UInt8]) -> MapAnswer? {
        guard line.count >= 4, line[3] == UInt8(ascii: " "), let text = PercentEncoding.decoded(line[4...]) else {
            return nil
        }
        switch line[0] {
        case UInt8(ascii: "2"): return text.isEmpty ? .absent : .found(text)
        case UInt8(ascii: "4"): return .temporary(text)
        case UInt8(ascii: "5"): return .absent
        default: return nil
        }
    }
}
