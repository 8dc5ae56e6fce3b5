// The asking side of socketmap and tcp_table.

import LookupProtocols
import Testing

struct MapClientTests {
    private static func answers(_ dialect: MapClientWire.Dialect, _ text: String, inPiecesOf size: Int) -> [String] {
        var wire = MapClientWire(dialect)
        var kept: [UInt8] = []
        var answers: [String] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            kept += rest.prefix(size)
            rest = rest.dropFirst(size)
            pieces: while true {
                switch wire.next(kept.span) {
                case .incomplete(let consumed):
                    kept.removeFirst(consumed)
                    break pieces
                case .malformed: return answers + ["malformed"]
                case .answer(let answer, let next):
                    kept.removeFirst(next)
                    switch answer {
                    case .found(let value): answers.append("found " + String(decoding: value, as: UTF8.self))
                    case .absent: answers.append("absent")
                    case .temporary(let text), .permanent(let text):
                        answers.append("\(answer.word) " + String(decoding: text, as: UTF8.self))
                    }
                }
            }
        }
        return answers
    }

    @Test(arguments: [1, 3, 1000]) func socketmap(size: Int) {
        let text = "6:OK a@b,3:OK ,9:NOTFOUND ,8:NOTFOUND,10:TEMP later,9:TIMEOUT x,8:PERM no!,"
        #expect(
            Self.answers(.socketmap, text, inPiecesOf: size)
                == ["found a@b", "absent", "absent", "absent", "temporary later", "temporary x", "permanent no!"])
        for wrong in ["5:what?,", "x", "01:a,", "3:OK a,"] {
            #expect(Self.answers(.socketmap, wrong, inPiecesOf: size) == ["malformed"], "\(wrong)")
        }
    }

    @Test(arguments: [1, 3, 1000]) func tcpTable(size: Int) {
        #expect(
            Self.answers(.tcpTable, "200 a%20b\n200 \n400 not%25now\r\n500 no\n", inPiecesOf: size)
                == ["found a b", "absent", "temporary not%now", "absent"])
        for wrong in ["what?\n", "200\n", "300 x\n", "200 %2\n", String(repeating: "x", count: 5000) + "\n"] {
            #expect(Self.answers(.tcpTable, wrong, inPiecesOf: size) == ["malformed"], "\(wrong.prefix(9))")
        }
    }

    @Test func requests() {
        let request = MapRequest(map: Array("forward".utf8), key: Array("a b%@é".utf8))
        #expect(MapClientWire(.socketmap).request(request) == Array("15:forward a b%@é,".utf8))
        #expect(MapClientWire(.tcpTable).request(request) == Array("get a%20b%25@%C3%A9\n".utf8))
    }
}
