// tcp_table requests from octets, whole and in pieces; replies to octets.

import LookupProtocols
import Testing

struct TCPTableTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var octets: String
        var steps: [Step]

        init(_ octets: String, _ steps: [Step]) {
            self.octets = octets
            self.steps = steps
        }

        var testDescription: String { String(octets.prefix(60)) }
    }

    static let malformed = TCPTableWire.malformed
    static let long = String(repeating: "x", count: LookupLimits.tcpTableRequest - 4)

    static let rows: [Row] = [
        Row("get a@b\n", [ask("m", "a@b", next: 8)]),
        Row("get a@b\nget c@d\n", [ask("m", "a@b", next: 8), ask("m", "c@d", next: 8)]),
        // Escapes in either case; and what a lenient client leaves as it is.
        Row("get a%20b%25%2c%C3%bc\n", [ask("m", "a b%,ü", next: 22)]),
        Row("get a b\n", [ask("m", "a b", next: 8)]), Row("get \"a b\"@c\n", [ask("m", "\"a b\"@c", next: 12)]),
        Row("get \n", [ask("m", "", next: 5)]), Row("get %0a\n", [ask("m", "\n", next: 8)]),
        // By hand: the CR is the end's. One that is meant is escaped.
        Row("get a@b\r\n", [ask("m", "a@b", next: 9)]), Row("get a%0D\r\n", [ask("m", "a\r", next: 10)]),
        // No request: the next is still found.
        Row("\nget a\n", [.answer(malformed, next: 1), ask("m", "a", next: 6)]),
        Row("get\n", [.answer(malformed, next: 4)]), Row("GET a\n", [.answer(malformed, next: 6)]),
        Row("put a b\n", [.answer(malformed, next: 8)]), Row(" get a\n", [.answer(malformed, next: 7)]),
        Row("get\ta\n", [.answer(malformed, next: 6)]),
        Row("get %\n", [.answer(malformed, next: 6)]), Row("get a%2\n", [.answer(malformed, next: 8)]),
        Row("get %zz\n", [.answer(malformed, next: 8)]), Row("get %2 \n", [.answer(malformed, next: 8)]),
        Row("get a@b", []), Row("", []),
        // At the limit.
        Row("get \(long)\n", [ask("m", long, next: 10_001)]), Row("get \(long)\r\n", [ask("m", long, next: 10_002)]),
    ]

    @Test(arguments: rows, [1, 2, 3, 7, 100_000])
    func read(row: Row, size: Int) {
        let found = steps(of: Array(row.octets.utf8), by: TCPTableWire(map: [UInt8(ascii: "m")]), pieces: size)
        #expect(found == row.steps)
    }

    /// One too long is read past, whatever the pieces, and the connection goes on.
    @Test(arguments: [1, 2, 3, 7, 4096, 1_000_000], [10_001, 10_002, 10_003, 50_000])
    func overlong(size: Int, length: Int) {
        let octets = Array((String(repeating: "x", count: length) + "\nget k\n").utf8)
        let found = steps(of: octets, by: TCPTableWire(map: [UInt8(ascii: "m")]), pieces: size)
        #expect(found.count == 2)
        if case .answer(TCPTableWire.overlong, _)? = found.first {} else { Issue.record("\(found)") }
        #expect(found.last == ask("m", "k", next: 6))
    }

    @Test(arguments: [
        (MapAnswer.found(Array("fred@example.org".utf8)), "200 fred@example.org\n"),
        (.found(Array("a@b, c%d@e".utf8)), "200 a@b,%20c%25d@e\n"), (.found(Array("ü\n".utf8)), "200 %C3%BC%0A\n"),
        (.absent, "500 not%20found\n"), (.temporary("4.4.3 why"), "400 4.4.3%20why\n"),
        // 500 would be "not found".
        (.permanent("5.5.2 why"), "400 5.5.2%20why\n"),
    ])
    func reply(answer: MapAnswer, octets: String) {
        #expect(String(decoding: TCPTableWire.reply(answer), as: UTF8.self) == octets)
    }

    /// Never cut off: at the limit whole, over it "not now". What counts is what is sent.
    @Test func longValues() {
        let most = [UInt8](repeating: 97, count: LookupLimits.tcpTableReply - 5)
        #expect(TCPTableWire.reply(.found(most)).count == LookupLimits.tcpTableReply)
        #expect(TCPTableWire.reply(.found(most + [97])) == TCPTableWire.reply(TCPTableWire.tooLong))
        #expect(TCPTableWire.reply(.found(Array(most.dropLast(3)) + [32])).count == LookupLimits.tcpTableReply)
        #expect(TCPTableWire.reply(.found(Array(most.dropLast(2)) + [32])) == TCPTableWire.reply(TCPTableWire.tooLong))
    }
}
