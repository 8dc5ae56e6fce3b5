// The socketmap protocol of Postfix and sendmail: a netstring each for `map SP key` and for the reply
// (socketmap_table(5), "PROTOCOL").

import MailAddress

/// One socketmap connection.
public struct SocketmapWire: LookupWire, Hashable {
    private var framing = NetstringFraming(limit: LookupLimits.socketmapRequest)

    public init() {}

    public mutating func next(_ bytes: Span<UInt8>) -> LookupStep<MapRequest, MapAnswer> {
        switch framing.next(bytes) {
        case .incomplete(let consumed): return .incomplete(consumed: consumed)
        case .malformed: return .fail(Self.malformed)
        case .oversize(let next): return .answer(Self.oversize, next: next)
        case .netstring(let start, let end, let next):
            guard let request = Self.request(bytes, start..<end) else { return .answer(Self.noMap, next: next) }
            return .ask(request, next: next)
        }
    }

    /// `mapname SP key`; the key is the rest, whatever stands in it. Nil when there is no map or no space.
    private static func request(_ bytes: Span<UInt8>, _ range: Range<Int>) -> MapRequest? {
        var space = range.lowerBound
        while space < range.upperBound, bytes[space] != UInt8(ascii: " ") { space += 1 }
        guard space > range.lowerBound, space < range.upperBound else { return nil }
        return MapRequest(
            map: bytes.array(range.lowerBound..<space), key: bytes.array(space + 1..<range.upperBound))
    }

    /// `OK SP data`, `NOTFOUND SP`, `TEMP SP why` or `PERM SP why`. A reply over the limit would be cut off by the
    /// client, or its connection: it is "not now" instead, and never a shorter list.
    public static func append(_ answer: MapAnswer, to output: inout [UInt8]) {
        switch answer {
        case .found(let value):
            if value.count + 3 > LookupLimits.socketmapReply { return append(tooLong, to: &output) }
            NetstringFraming.append("OK ", value, to: &output)
        case .absent: NetstringFraming.append("NOTFOUND ", [], to: &output)
        case .temporary(let text): NetstringFraming.append("TEMP ", text, to: &output)
        case .permanent(let text): NetstringFraming.append("PERM ", text, to: &output)
        }
    }

    public static let malformed = MapAnswer.permanent("5.5.2 Malformed netstring")
    public static let oversize = MapAnswer.permanent(
        "5.5.2 The request is longer than \(LookupLimits.socketmapRequest) octets")
    public static let noMap = MapAnswer.permanent("5.5.4 A request is the name of a map, a space, and a key")
    public static let tooLong = MapAnswer.tooLong(LookupLimits.socketmapReply)
}
