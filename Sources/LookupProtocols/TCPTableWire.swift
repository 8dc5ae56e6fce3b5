// Postfix's tcp_table(5): `get SP key LF`, answered with `200 SP value LF`, `400 SP why LF` or `500 SP why LF`. What is
// not printing, white space and "%" stand as %XX both ways. A request names no map: each listener has one.

import MailAddress

/// One tcp_table connection.
public struct TCPTableWire: LookupWire, Hashable {
    /// The map that all requests are for.
    private let map: [UInt8]
    private var framing = NewlineFraming(limit: LookupLimits.tcpTableRequest)

    public init(map: [UInt8]) {
        self.map = map
    }

    public mutating func next(_ bytes: Span<UInt8>) -> LookupStep<MapRequest, MapAnswer> {
        switch framing.next(bytes) {
        case .incomplete(let consumed): return .incomplete(consumed: consumed)
        case .overlong(let next): return .answer(Self.overlong, next: next)
        case .line(let end, let next):
            let line = bytes.array(0..<end)
            guard line.starts(with: "get ".utf8), let key = PercentEncoding.decoded(line[4...]) else {
                return .answer(Self.malformed, next: next)
            }
            return .ask(MapRequest(map: map, key: key), next: next)
        }
    }

    /// 500 is "not found" to Postfix: so whatever else can't be answered is 400, for good or not. A reply over the limit
    /// would be thrown away by the client, which then asks nine times more: it is "not now", and never a shorter list.
    public static func append(_ answer: MapAnswer, to output: inout [UInt8]) { output += line(answer) }

    private static func line(_ answer: MapAnswer) -> [UInt8] {
        switch answer {
        case .found(let value):
            let line = Self.line("200 ", value)
            return line.count <= LookupLimits.tcpTableReply ? line : Self.line(tooLong)
        case .absent: return Self.line("500 ", Array("not found".utf8))
        case .temporary(let text), .permanent(let text): return Self.line("400 ", text)
        }
    }

    static func line(_ code: String, _ text: [UInt8]) -> [UInt8] {
        Array(code.utf8) + PercentEncoding.encoded(text) + [UInt8(ascii: "\n")]
    }

    public static let malformed = MapAnswer.permanent("5.5.2 A request is \"get\", a space, and a key with %XX escapes")
    public static let overlong = MapAnswer.permanent(
        "5.5.2 The request is longer than \(LookupLimits.tcpTableRequest) octets")
    public static let tooLong = MapAnswer.tooLong(LookupLimits.tcpTableReply)
}
