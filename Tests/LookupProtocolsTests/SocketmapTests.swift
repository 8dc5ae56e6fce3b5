// Netstrings and socketmap requests from octets, whole and in pieces; replies to octets.

import LookupProtocols
import Testing

typealias Step = LookupStep<MapRequest, MapAnswer>

/// What a wire makes of all these octets, given in pieces of this size.
func steps<Wire: LookupWire>(
    of octets: [UInt8], by wire: Wire, pieces size: Int
) -> [LookupStep<Wire.Request, Wire.Answer>] {
    var wire = wire
    var held: [UInt8] = []
    var found: [LookupStep<Wire.Request, Wire.Answer>] = []
    var index = 0
    while index < octets.count {
        let end = min(index + size, octets.count)
        held += octets[index..<end]
        index = end
        pieces: while true {
            let step = wire.next(held.span)
            switch step {
            case .incomplete(let consumed):
                held.removeFirst(consumed)
                break pieces
            case .ask(_, let next), .answer(_, let next):
                held.removeFirst(next)
                found.append(step)
            case .fail:
                found.append(step)
                return found
            }
        }
    }
    return found
}

func ask(_ map: String, _ key: String, next: Int) -> Step {
    .ask(MapRequest(map: Array(map.utf8), key: Array(key.utf8)), next: next)
}

struct SocketmapTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var octets: String
        var steps: [Step]

        init(_ octets: String, _ steps: [Step]) {
            self.octets = octets
            self.steps = steps
        }

        var testDescription: String { String(octets.prefix(60)) }
    }

    static let long = String(repeating: "x", count: 10_001)

    static let rows: [Row] = [
        Row("19:mailboxes a@b.org.u,", [ask("mailboxes", "a@b.org.u", next: 23)]),
        Row("3:m k,3:m l,", [ask("m", "k", next: 6), ask("m", "l", next: 6)]),
        // The key is the rest, spaces and commas and all; it may be empty.
        Row("9:m \"a b\",c,", [ask("m", "\"a b\",c", next: 12)]),
        Row("2:m ,", [ask("m", "", next: 5)]),
        // No map, or no space: the next request is still found.
        Row("0:,3:m k,", [.answer(SocketmapWire.noMap, next: 3), ask("m", "k", next: 6)]),
        Row("1:m,3:m k,", [.answer(SocketmapWire.noMap, next: 4), ask("m", "k", next: 6)]),
        Row("2: k,", [.answer(SocketmapWire.noMap, next: 5)]),
        // What is not a netstring.
        Row("x", [.fail(SocketmapWire.malformed)]),
        Row(":m k,", [.fail(SocketmapWire.malformed)]),
        Row("-1:m,", [.fail(SocketmapWire.malformed)]),
        Row(" 3:m k,", [.fail(SocketmapWire.malformed)]),
        Row("3 :m k,", [.fail(SocketmapWire.malformed)]),
        Row("03:m k,", [.fail(SocketmapWire.malformed)]),
        Row("00:,", [.fail(SocketmapWire.malformed)]),
        Row("3:m k;", [.fail(SocketmapWire.malformed)]),
        Row("3:m k\n", [.fail(SocketmapWire.malformed)]),
        Row("1234567890:", [.fail(SocketmapWire.malformed)]),
        Row("99999999999999999999:", [.fail(SocketmapWire.malformed)]),
        Row("GET / HTTP/1.1\r\n", [.fail(SocketmapWire.malformed)]),
        Row("3:m k,3:m k", [ask("m", "k", next: 6)]),
        // At the limit, and over it.
        Row("10000:m " + long.dropFirst(3) + ",", [ask("m", String(long.dropFirst(3)), next: 10_007)]),
    ]

    @Test(arguments: rows, [1, 2, 3, 7, 100_000])
    func read(row: Row, size: Int) {
        #expect(steps(of: Array(row.octets.utf8), by: SocketmapWire(), pieces: size) == row.steps)
    }

    /// One too long is read past, whatever the pieces, and the connection goes on; unless it does not end as one does.
    @Test(arguments: [1, 2, 3, 7, 4096, 100_000], [",", ";"])
    func oversize(size: Int, end: String) {
        let octets = Array("10001:\(Self.long)\(end)3:m k,".utf8)
        let found = steps(of: octets, by: SocketmapWire(), pieces: size)
        guard end == "," else {
            #expect(found == [.fail(SocketmapWire.malformed)])
            return
        }
        #expect(found.count == 2)
        if case .answer(SocketmapWire.oversize, _)? = found.first {} else { Issue.record("\(found)") }
        #expect(found.last == ask("m", "k", next: 6))
    }

    /// A length is nothing to make room for.
    @Test func hugeLengthsHoldNothing() {
        var framing = NetstringFraming(limit: 10)
        #expect(framing.next(Array("999999999:abc".utf8).span) == .incomplete(consumed: 13))
        #expect(framing.next(Array("999999999:abc".utf8).span) == .incomplete(consumed: 13))
    }

    @Test(arguments: [
        (MapAnswer.found(Array("fred@example.org".utf8)), "19:OK fred@example.org,"),
        (.absent, "9:NOTFOUND ,"), (.temporary("4.4.3 why"), "14:TEMP 4.4.3 why,"),
        (.permanent("5.5.2 why"), "14:PERM 5.5.2 why,"),
    ])
    func reply(answer: MapAnswer, octets: String) {
        #expect(String(decoding: SocketmapWire.reply(answer), as: UTF8.self) == octets)
    }

    /// Never cut off: at the limit whole, over it "not now".
    @Test func longValues() {
        let most = [UInt8](repeating: 97, count: LookupLimits.socketmapReply - 3)
        #expect(SocketmapWire.reply(.found(most)).count == LookupLimits.socketmapReply + 8)
        #expect(SocketmapWire.reply(.found(most + [97])) == SocketmapWire.reply(SocketmapWire.tooLong))
    }
}
