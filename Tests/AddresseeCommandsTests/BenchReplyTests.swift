// Replies are counted alike however they are cut into pieces.

import AddresseeConfiguration
import Testing

@testable import AddresseeCommands

@Suite struct BenchReplyTests {
    static let streams: [(text: String, codes: [Int])] = [
        ("", []),
        ("250 2.1.5 OK\r\n", [250]),
        ("250\r\n", [250]),
        ("250 \r\n", [250]),
        ("250 OK\n", [250]),
        ("250-Fred <fred@example.org>\r\n250-Sam <sam@example.com>\r\n250 Wilma <wilma@example.org>\r\n", [250]),
        ("550 no\r\n250-a\r\n250 b\r\n251 c\r\n", [550, 250, 251]),
        ("553-5.1.4 Ambiguous; Possibilities are\r\n553 5.1.4 <a@b>\r\n252 x\r\n", [553, 252]),
        ("220 mail.example.org ESMTP\r\n250-\r\n250\r\n421 4.7.0 bye\r\n", [220, 250, 421]),
    ]

    /// All codes in the octets when they come in two pieces.
    private func codes(_ text: String, _ wire: BenchWire = .smtp, cutAt cut: Int) throws -> [Int] {
        let bytes = Array(text.utf8)
        var codes: [Int] = []
        var rest: [UInt8] = []
        for piece in [bytes[..<cut], bytes[cut...]] {
            rest += piece
            var index = 0
            try rest.withUnsafeBytes { octets in
                while let reply = try ReplyScanner.next(wire, in: octets, from: &index) { codes.append(reply.code) }
            }
            rest.removeFirst(index)
        }
        #expect(rest.isEmpty)
        return codes
    }

    @Test(arguments: streams) func counts(_ stream: (text: String, codes: [Int])) throws {
        for cut in 0...stream.text.utf8.count { #expect(try codes(stream.text, cutAt: cut) == stream.codes) }
    }

    static let otherStreams: [(wire: BenchWire, text: String, words: [String])] = [
        (.tcpTable, "200 fred@example.org\n500 not%20found\n400 x\n", ["200", "500", "400"]),
        (.socketmap, "19:OK fred@example.org,9:NOTFOUND ,", ["OK", "NOTFOUND"]),
        (
            .socketmap, "8:NOTFOUND,3:OK ,10:TEMP 4.4.3,7:TIMEOUT,10:PERM 5.5.4,",
            ["NOTFOUND", "OK", "TEMP", "TIMEOUT", "PERM"]
        ),
        (.policy, "action=DUNNO\n\naction=550 5.1.1 No such user here\n\n", ["DUNNO", "550"]),
        (.policy, "x=y\naction=451 4.4.3 Later\nz=\n\naction=OK\n\n", ["451", "OK"]),
    ]

    @Test(arguments: otherStreams)
    func countsOnOtherWires(_ stream: (wire: BenchWire, text: String, words: [String])) throws {
        for cut in 0...stream.text.utf8.count {
            let codes = try codes(stream.text, stream.wire, cutAt: cut)
            #expect(codes.map(BenchAnswer.name) == stream.words)
        }
    }

    @Test(arguments: [
        (BenchWire.socketmap, "250 OK\r\n"), (.socketmap, "4:OK x;"), (.socketmap, "5:HELLO,"), (.socketmap, ":,"),
        (.socketmap, "99999999:"), (.policy, "\n"), (.policy, "action=\n\n"), (.policy, "action=HOLD\n\n"),
        (.policy, "250 OK\n\n"), (.tcpTable, "OK\n"),
    ])
    func refusesOnOtherWires(_ wire: BenchWire, _ text: String) {
        #expect(throws: NotAReply.self) { try codes(text, wire, cutAt: 0) }
    }

    @Test(arguments: [
        "hello\r\n", "\r\n", "25\r\n", "25x OK\r\n", "250OK\r\n", "150 x\r\n", "600 x\r\n", "250-a\r\nb\r\n",
    ])
    func refuses(_ text: String) {
        #expect(throws: NotAReply.self) { try codes(text, cutAt: 0) }
    }

    @Test func onlyWhatIsInTheTimeCounts() {
        var tally = BenchTally()
        tally.count(250, nanoseconds: 1)
        tally.isCounting = true
        tally.count(550, nanoseconds: 1000)
        tally.count(250, nanoseconds: 2000)
        tally.count(250, nanoseconds: 3000)
        tally.isCounting = false
        tally.count(550, nanoseconds: 1)
        #expect(tally.questions == 3)
        #expect(tally.replies.map(\.code) == [250, 550])
        #expect(tally.replies.map(\.count) == [2, 1])
        let report = BenchReport(plan: BenchPlan(server: .unix(path: "/x")), tally: tally, seconds: 0.5)
        #expect(
            report.json == """
                {"rate":6,"p50":2.0,"p99":3.0,"p999":3.0,"questions":3,"seconds":0.5,"replies":{"250":2,"550":1},\
                "wire":"smtp","verb":"rcpt","connections":8,"inFlight":32}
                """)
        #expect(
            report.table == """
                rcpt, 8 x 32 in flight, 0.5 s
                questions                3
                rate                     6 /s
                p50                    2.0 µs
                p99                    3.0 µs
                p99.9                  3.0 µs
                250                      2
                550                      1
                """)
        let paced = BenchReport(plan: BenchPlan(server: .unix(path: "/x"), rate: 5000), tally: tally, seconds: 0.5)
        #expect(paced.table.hasPrefix("rcpt, 8 x 32 in flight, 0.5 s, 5,000 /s asked for\n"))
    }
}
