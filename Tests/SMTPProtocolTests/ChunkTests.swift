// BDAT (RFC 3030), and the parameters of RFC 3461.

import MailAddress
import SMTPProtocol
import Testing

struct ChunkTests {
    private static func talk(notifies: Bool = false, size: UInt64? = 100) -> Talk {
        var talk = Talk {
            $0.takesMail = true
            $0.offersNotifications = notifies
            $0.messageSize = size
        }
        _ = talk.say("EHLO c.example")
        _ = talk.say("MAIL FROM:<>")
        _ = talk.say("RCPT TO:<a@b.example>")
        return talk
    }

    @Test(arguments: [1, 3, 100]) func aMessageInChunks(size: Int) {
        var talk = Self.talk()
        #expect(talk.give("BDAT 5") == .openMessage)
        talk.session.messageOpened()
        #expect(talk.heard() == "")
        var (content, progress) = talk.give(data: Array("ab\r\n.BDAT 4 LAST".utf8), inPiecesOf: size)
        #expect(content == Array("ab\r\n.".utf8))
        #expect(progress == .chunk(next: 5))
        #expect(talk.heard() == "250 2.0.0 5 octets received")
        #expect(talk.say("RCPT TO:<x@b.example>") == "503 5.5.1 The message goes on with BDAT, or RSET")
        #expect(talk.say("DATA") == "503 5.5.1 The message goes on with BDAT, or RSET")
        #expect(talk.give("BDAT 4 last") == .go)
        (content, progress) = talk.give(data: Array("c\r\n.QUIT".utf8), inPiecesOf: size)
        #expect(content == Array("c\r\n.".utf8))
        #expect(progress == .handOn(next: 4))
        talk.session.messageEnded(ReplyCatalogue.ok)
        #expect(talk.heard() == "250 2.0.0 OK")
    }

    /// The last line need have no end, and may be a field.
    @Test(arguments: [
        "Delivered-To: fred@b.example", "Delivered-To:\r\n fred@b.example", "X: y\r\n\r\nDelivered-To: a@b",
    ])
    func deliveredToInALineWithoutEnd(text: String) throws {
        var talk = Self.talk()
        _ = talk.give("BDAT \(text.utf8.count) LAST")
        talk.session.messageOpened()
        _ = talk.give(data: Array(text.utf8), inPiecesOf: 100)
        #expect(talk.session.message?.deliveredTo == (text.hasPrefix("X") ? [] : [try Mailbox("fred@b.example")]))
    }

    @Test func emptyChunks() {
        var talk = Self.talk()
        #expect(talk.give("BDAT 0") == .openMessage)
        talk.session.messageOpened()
        #expect(talk.session.isChunkWhole)
        #expect(Self.nothing(to: &talk) == .chunk(next: 0))
        #expect(talk.heard() == "250 2.0.0 0 octets received")
        _ = talk.give("BDAT 0 LAST")
        #expect(Self.nothing(to: &talk) == .handOn(next: 0))
    }

    private static func nothing(to talk: inout Talk) -> Session.DataProgress {
        let octets: [UInt8] = []
        return talk.session.receivedData(octets.span, from: 0) { _ in }
    }

    @Test func chunksThatAreRefusedAreReadPast() {
        var talk = Talk { $0.takesMail = true }
        #expect(talk.give("BDAT 6 LAST") == .go)
        #expect(talk.give(data: Array("QUIT\r\nNOOP".utf8), inPiecesOf: 4).progress == .refused(next: 6))
        #expect(talk.heard() == "503 5.5.1 MAIL first")
        _ = talk.say("MAIL FROM:<>")
        _ = talk.give("BDAT 2")
        #expect(talk.give(data: Array("xx".utf8), inPiecesOf: 2).progress == .refused(next: 2))
        #expect(talk.heard() == "554 5.5.1 No valid recipients")
        var other = Self.talk()
        _ = other.give("BDAT 3 LAST")
        other.session.messageEnded(ReplyCatalogue.notHandedOn)
        #expect(other.heard() == "")
        #expect(other.give(data: Array("abc".utf8), inPiecesOf: 2).progress == .refused(next: 3))
        #expect(other.heard() == ReplyCatalogue.notHandedOn.description)
        #expect(other.say("NOOP") == "250 2.0.0 OK")
    }

    /// Nobody can tell where the chunk ends, so nothing after it is read.
    @Test(arguments: [
        "BDAT", "BDAT ", "BDAT -1 LAST", "BDAT +5", "BDAT 0x5", "BDAT 5x", "BDAT x", "BDAT 5 LASTX", "BDAT 6 FIRST",
        "BDAT 5 LAST LAST", "BDAT LAST", "bdat 5.0 last", "BDAT 5,LAST", "BDAT 99999999999999999999999", "BDAT \u{661}",
        "BDAT 5\u{1}", "BDAT 5\r", "BDAT 5\0 LAST", "BDAT 5\(String(repeating: " ", count: 600))LAST",
    ])
    func aSizeThatCantBeRead(line: String) {
        for takesMail in [true, false] {
            var talk = takesMail ? Self.talk() : Talk()
            #expect(talk.give(line) == .close)
            #expect(talk.heard().hasPrefix("50"))
            #expect(talk.session.isClosed)
            #expect(talk.give("NOOP") == .close)
        }
        // After the replies that are due.
        var talk = Self.talk()
        talk.give("RCPT TO:<c@b.example>")
        #expect(talk.give(line) == .wait)
        #expect(talk.answer() == .go)
        #expect(talk.give(line) == .close)
        #expect(talk.heard().hasPrefix("250 2.1.5 OK\n50"))
    }

    /// One that is too long to be looked at ends the session when it is its turn, and nothing is taken in between.
    @Test func aLineTooLongBeforeAChunk() {
        var talk = Self.talk()
        #expect(talk.session.receivedOverlongLine(beginsChunk: true) == .close)
        #expect(talk.heard() == "500 5.5.2 Line too long")
        var other = Self.talk()
        other.give("RCPT TO:<c@b.example>")
        #expect(other.session.receivedOverlongLine(beginsChunk: true) == .go)
        #expect(other.give("RCPT TO:<d@b.example>") == .wait)
        #expect(other.give("NOOP") == .wait)
        #expect(other.answer() == .close)
        #expect(other.heard() == "250 2.1.5 OK\n500 5.5.2 Line too long")
        let zeros = String(repeating: "0", count: 2000)
        for (line, isChunk) in [
            ("BDAT \(zeros)5", true), ("bdat\t\(zeros)", true), ("BDAT\(zeros)", false), ("NOOP \(zeros)", false),
        ] {
            for cut in [3, 100, 1500] {
                var framing = LineFraming()
                let octets = Array("\(line)\r\n".utf8)
                var rest = octets
                if case .incomplete(let consumed) = framing.next(octets.span.extracting(..<cut), from: 0) {
                    rest.removeFirst(consumed)
                }
                guard case .overlong(_, let beginsChunk) = framing.next(rest.span, from: 0) else {
                    Issue.record("not overlong")
                    return
                }
                #expect(beginsChunk == isChunk, "\(line.prefix(8)) cut at \(cut)")
            }
        }
    }

    @Test func whereNoMailIsTaken() {
        var talk = Talk()
        #expect(talk.give("BDAT 5 LAST") == .go)
        #expect(talk.give(data: Array("NOOP\r\n".utf8), inPiecesOf: 2).progress == .refused(next: 5))
        #expect(talk.heard() == "502 5.5.1 Command not implemented")
    }

    @Test func oneThatHoldsTheWholeOfTwoToThe64() {
        var talk = Self.talk()
        #expect(talk.give("BDAT 99999999999999999999") == .close)
        #expect(talk.heard() == "552 5.3.4 Message size exceeds the limit")
        var other = Self.talk()
        _ = other.give("BDAT 18446744073709551614")
        other.session.messageOpened()
        #expect(other.give(data: Array(repeating: 120, count: 200), inPiecesOf: 50).progress == .more)
    }

    static let chunks: [([String], String?)] = [
        (["a\r", "\nb\r\n"], nil), (["a\0"], "550"), (["a\r\n", "\0"], "550"), (["a\nb"], "550"), (["a\rb"], "550"),
        (["a\r"], "550"),
        ([String(repeating: "x", count: 60), String(repeating: "x", count: 41)], "552"),
    ]

    @Test(arguments: chunks) func lineEndsAndSize(chunks: [String], code: String?) {
        var talk = Self.talk()
        var isRefused = false
        for (index, chunk) in chunks.enumerated() {
            let isLast = index == chunks.count - 1
            let action = talk.give("BDAT \(chunk.utf8.count)" + (isLast ? " LAST" : ""))
            if action == .openMessage { talk.session.messageOpened() }
            let progress = talk.give(data: Array(chunk.utf8), inPiecesOf: 2).progress
            if case .refused = progress { isRefused = true }
        }
        #expect(isRefused == (code != nil))
        if let code { #expect(talk.heard().split(separator: "\n").last?.hasPrefix(code) == true) }
    }

    @Test func resetEndsAMessageInChunks() {
        var talk = Self.talk()
        _ = talk.give("BDAT 1")
        talk.session.messageOpened()
        _ = talk.give(data: [120], inPiecesOf: 1)
        #expect(talk.give("RSET") == .forget)
        #expect(talk.session.message == nil)
        _ = talk.heard()
        #expect(talk.say("DATA") == "503 5.5.1 MAIL first")
    }

    static let parameters: [(String, String?, String?)] = [
        ("RCPT TO:<x@b.example> NOTIFY=success,DELAY ORCPT=rfc822;a+2Bb@c", "SUCCESS,DELAY", "rfc822;a+2Bb@c"),
        ("RCPT TO:<x@b.example> NOTIFY=NEVER", "NEVER", nil),
        ("RCPT TO:<x@b.example> ORCPT=x400;", nil, "x400;"),
    ]

    @Test(arguments: parameters) func parametersOfRecipients(line: String, notify: String?, original: String?) {
        var talk = Self.talk(notifies: true)
        guard case .ask = talk.give(line) else {
            Issue.record("\(talk.heard())")
            return
        }
        let parameters = talk.session.recipientParameters
        #expect(parameters?.notify.map { String(decoding: $0, as: UTF8.self) } == notify)
        #expect(parameters?.original.map { String(decoding: $0, as: UTF8.self) } == original)
    }

    @Test(arguments: [
        "NOTIFY=", "NOTIFY=NEVER,SUCCESS", "NOTIFY=SUCCESS,", "NOTIFY=NEVER NOTIFY=NEVER", "ORCPT=", "ORCPT=;x",
        "ORCPT=a b;x",
        "ORCPT=rfc822;a+2b", "ORCPT=rfc822;a=b", "ORCPT=rfc822;a+", "ORCPT=rfc822;ü",
        "ORCPT=rfc822;\(String(repeating: "x", count: 500))",
    ]) func parametersThatAreNone(text: String) {
        var talk = Self.talk(notifies: true)
        #expect(talk.say("RCPT TO:<x@b.example> \(text)").first == "5", "\(text)")
    }

    @Test func parametersThatAreNotOffered() {
        var talk = Self.talk()
        let reply = "555 5.5.4 Parameter not recognized or not implemented"
        #expect(talk.say("RCPT TO:<x@b.example> NOTIFY=NEVER") == reply)
        _ = talk.say("RSET")
        #expect(talk.say("MAIL FROM:<> RET=FULL") == reply)
        #expect(talk.say("MAIL FROM:<> ENVID=x") == reply)
    }

    @Test(arguments: [
        ("RET=full ENVID=a+3D", true), ("RET=HDRS", true), ("RET=", false), ("RET=BODY", false), ("ENVID=", false),
        ("ENVID=a+3d", false), ("ENVID=\(String(repeating: "x", count: 101))", false), ("RET=FULL RET=FULL", false),
        ("ENVID=\(String(repeating: "x", count: 100))", true),
    ]) func parametersOfMail(text: String, isTaken: Bool) {
        var talk = Self.talk(notifies: true)
        _ = talk.say("RSET")
        #expect((talk.say("MAIL FROM:<a@b.example> \(text)").first ?? "2") == (isTaken ? "2" : "5"), "\(text)")
    }

    /// Each makes the command longer by what its own document says, and no more.
    @Test(arguments: [
        ("MAIL FROM:<>", "", 0), ("MAIL FROM:<>", "SIZE=1", 26), ("MAIL FROM:<>", "BODY=7BIT", 14),
        ("MAIL FROM:<>", "SMTPUTF8", 10), ("MAIL FROM:<>", "RET=FULL", 9), ("MAIL FROM:<>", "ENVID=x", 107),
        ("MAIL FROM:<>", "RET=HDRS ENVID=x", 116), ("RCPT TO:<x@b.example>", "", 0),
        ("RCPT TO:<x@b.example>", "NOTIFY=NEVER", 540), ("RCPT TO:<x@b.example>", "ORCPT=rfc822;x", 540),
    ]) func roomOfParameters(command: String, parameters: String, room: Int) {
        for more in [0, 1] {
            var talk = Self.talk(notifies: true)
            if command.hasPrefix("MAIL") { _ = talk.say("RSET") }
            let blanks = SMTPLimits.commandLine - 2 + room + more - command.utf8.count - parameters.utf8.count
            let line = command + String(repeating: " ", count: blanks) + parameters
            let taken = command.hasPrefix("MAIL") ? "250 2.1.0 OK" : "250 2.1.5 OK"
            #expect(talk.say(line) == (more == 0 ? taken : "500 5.5.2 Line too long"))
        }
    }

    @Test func longestOriginalRecipient() {
        for (count, reply) in [(493, "250 2.1.5 OK"), (494, "501 5.5.4 Syntax error in arguments")] {
            var talk = Self.talk(notifies: true)
            let value = "rfc822;" + String(repeating: "x", count: count)
            #expect(talk.say("RCPT TO:<x@b.example> ORCPT=\(value)") == reply)
        }
    }
}
