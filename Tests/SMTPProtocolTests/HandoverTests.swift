// The client's side of SMTP and LMTP: what is sent, and what comes of what a server says.

import MailAddress
import SMTPProtocol
import Testing

struct HandoverTests {
    /// What came of octets: each event as a word.
    private static func hear(_ handover: inout Handover, _ text: String, inPiecesOf size: Int = .max) -> [String] {
        var events: [String] = []
        var kept: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            kept += rest.prefix(size)
            rest = rest.dropFirst(size)
            while true {
                let (event, consumed) = handover.received(kept.span)
                kept.removeFirst(consumed)
                guard let event else { break }
                switch event {
                case .ready: events.append("ready")
                case .startTLS: events.append("tls")
                case .answered(let reply): events.append("\(reply.code)")
                case .failed(let fault): events.append("failed: \(fault)")
                }
                if kept.isEmpty { break }
            }
        }
        return events
    }

    private static func sent(_ handover: inout Handover) -> String {
        var text = ""
        handover.takeOutput { text = String(decoding: $0, as: UTF8.self) }
        return text
    }

    private static func make(isLocal: Bool = false, usesStartTLS: Bool = false) -> Handover {
        Handover(isLocal: isLocal, name: Array("mx.example".utf8), usesStartTLS: usesStartTLS)
    }

    @Test(arguments: [Int.max, 1, 2, 7]) func greetingAndPipelining(size: Int) {
        var handover = Self.make()
        #expect(Self.hear(&handover, "220-a\r\n220 hello\r\n", inPiecesOf: size) == [])
        #expect(Self.sent(&handover) == "EHLO mx.example\r\n")
        #expect(
            Self.hear(&handover, "250-b\r\n250-pipelining\r\n250-SIZE 1000\r\n250 DSN\r\n", inPiecesOf: size) == [
                "ready"
            ])
        #expect(handover.extensions.pipelining && handover.extensions.notifications && !handover.extensions.utf8)
        #expect(handover.extensions.sizeLimit == 1000)
        handover.send(Array("A".utf8))
        handover.send(Array("B".utf8))
        #expect(Self.sent(&handover) == "A\r\nB\r\n")
        #expect(Self.hear(&handover, "250 a\r\n550 5.1.1 b\r\n", inPiecesOf: size) == ["250", "550"])
        #expect(Self.hear(&handover, "421 bye\r\n", inPiecesOf: size) == ["failed: it says 421 bye"])
    }

    @Test func oneAfterTheOtherWithoutPipelining() {
        var handover = Self.make()
        _ = Self.hear(&handover, "220 hello\r\n250 b\r\n")
        _ = Self.sent(&handover)
        handover.send(Array("A".utf8))
        handover.send(Array("B".utf8))
        #expect(Self.sent(&handover) == "A\r\n")
        #expect(Self.hear(&handover, "250 a\r\n") == ["250"])
        #expect(Self.sent(&handover) == "B\r\n")
    }

    /// RFC 1870 4: 0 is no limit, and none is stated without a number.
    @Test(
        arguments: [
            ("SIZE 1000", true, 1000), ("size 1", true, 1), ("SIZE", true, nil), ("SIZE 0", true, nil),
            ("SIZE many", true, nil), ("SIZES 5", false, nil), ("8BITMIME", false, nil),
        ] as [(String, Bool, UInt64?)])
    func sizeOfMessages(line: String, isOffered: Bool, limit: UInt64?) {
        let extensions = ServerExtensions(HeardReply(code: 250, lines: [Array("SIZE 7".utf8), Array(line.utf8)]))
        #expect(extensions.size == isOffered)
        #expect(extensions.sizeLimit == limit)
    }

    @Test func heloWhereEHLOIsUnknown() {
        var handover = Self.make()
        #expect(Self.hear(&handover, "220 hello\r\n500 what?\r\n") == [])
        #expect(Self.sent(&handover) == "EHLO mx.example\r\nHELO mx.example\r\n")
        #expect(Self.hear(&handover, "250 ok\r\n") == ["ready"])
        #expect(handover.extensions == ServerExtensions())
    }

    @Test func lmtpSaysLHLOAndHasAReplyForEachRecipient() {
        var handover = Self.make(isLocal: true)
        _ = Self.hear(&handover, "220 hello\r\n")
        #expect(Self.sent(&handover) == "LHLO mx.example\r\n")
        _ = Self.hear(&handover, "250 ok\r\n")
        handover.expect(2)
        #expect(Self.hear(&handover, "250 a\r\n452 b\r\n250 c\r\n") == ["250", "452", "failed: it says 250 c"])
        var refused = Self.make(isLocal: true)
        #expect(
            Self.hear(&refused, "220 hello\r\n500 what?\r\n") == [
                "failed: it refuses LHLO, does it speak SMTP? 500 what?"
            ])
    }

    @Test func startTLS() {
        var handover = Self.make(usesStartTLS: true)
        #expect(Self.hear(&handover, "220 hello\r\n250-b\r\n250 STARTTLS\r\n") == [])
        #expect(Self.sent(&handover) == "EHLO mx.example\r\nSTARTTLS\r\n")
        #expect(Self.hear(&handover, "220 go\r\n") == ["tls"])
        handover.tlsStarted()
        #expect(Self.sent(&handover) == "EHLO mx.example\r\n")
        #expect(Self.hear(&handover, "250 b\r\n") == ["ready"])
    }

    @Test(arguments: [
        ("220 hello\r\n250 b\r\n", "it does not offer STARTTLS"),
        ("220 hello\r\n500 what?\r\n", "it refuses EHLO and HELO, does it speak LMTP? 500 what?"),
        ("220 hello\r\n250-b\r\n250 STARTTLS\r\n454 later\r\n", "it refuses STARTTLS: 454 later"),
        (
            "220 hello\r\n250-b\r\n250 STARTTLS\r\n220 go\r\n250 forged\r\n",
            "it sends something between STARTTLS and the handshake"
        ),
    ]) func nothingIsSentWithoutTLS(text: String, fault: String) {
        var handover = Self.make(usesStartTLS: true)
        #expect(Self.hear(&handover, text) == ["failed: \(fault)"])
        _ = Self.sent(&handover)
        handover.send(Array("MAIL FROM:<>".utf8))
        #expect(Self.sent(&handover) == "")
    }

    @Test(arguments: [
        "554 no\r\n", "250 hello\r\n", "22 hello\r\n", "199 x\r\n", "600 x\r\n", "220x hello\r\n", "\r\n",
        "220-a\r\n250 b\r\n",
        "SSH-2.0-OpenSSH\r\n", "220 \(String(repeating: "x", count: 5000))",
        String(repeating: "220-x\r\n", count: 300),
    ]) func whatIsNoWelcome(text: String) {
        var handover = Self.make()
        let events = Self.hear(&handover, text)
        #expect(events.count == 1 && events[0].hasPrefix("failed: "), "\(events)")
    }

    /// Who is too many may come in another transaction, whatever the server says (RFC 5321 4.5.3.1.10).
    @Test(arguments: [
        ("552 too many", "452 4.5.3 The next mail server takes no more recipients at once"),
        ("550 5.5.3 too many", "452 4.5.3 The next mail server takes no more recipients at once"),
        ("552 5.2.2 full", "552 5.2.2 full"), ("550 5.1.1 no", "550 5.1.1 no"), ("452 4.5.3 later", "452 4.5.3 later"),
    ]) func tooManyAreNotRefusedForGood(line: String, told: String) throws {
        var reader = ReplyReader()
        guard case .reply(let reply, _) = reader.next(Array((line + "\r\n").utf8).span, from: 0) else {
            Issue.record("no reply")
            return
        }
        #expect(ReplyCatalogue.nextHopRefused(reply, isTold: true, isOfRecipient: true).description == told)
    }

    @Test(arguments: [
        ("550 5.1.1 no", true, "550 5.1.1 no"),
        ("550 5.1.1 no", false, "550 5.1.1 The next mail server refuses it"),
        ("551 5.1.6 try <a@b.example>", false, "550 5.1.6 The next mail server refuses it"),
        ("450 4.2.1 later", true, "450 4.2.1 later"),
        ("552 5.7.26 no", true, "552 5.0.0 no"),
        ("550 4.1.1 odd", true, "550 5.0.0 4.1.1 odd"),
        ("500 5.5.1 what?", true, "451 4.3.0 The next mail server can't take it now, try again later"),
        ("555 no", false, "451 4.3.0 The next mail server can't take it now, try again later"),
        ("354 go", false, "451 4.3.0 The next mail server can't take it now, try again later"),
        ("530 5.7.0 TLS first", true, "451 4.3.0 The next mail server can't take it now, try again later"),
        ("421 4.3.2 bye", false, "451 4.3.2 The next mail server can't take it now, try again later"),
        ("554 \u{FC}", true, "554 5.0.0 ??"),
        ("521 5.3.2 no mail here", false, "554 5.3.2 The next mail server refuses it"),
        ("556 5.1.10 null MX", true, "554 5.0.0 null MX"), ("553 5.1.3 no name", true, "553 5.1.3 no name"),
        ("451 4.7.1 wait", true, "451 4.7.1 wait"), ("452 4.3.1 full", true, "452 4.3.1 full"),
        ("454 4.7.0 no TLS now", true, "451 4.7.0 no TLS now"),
        ("557 5.7.1 odd", true, "451 4.3.0 The next mail server can't take it now, try again later"),
    ]) func refusalsAsTheyArePassedOn(line: String, isTold: Bool, told: String) throws {
        var reader = ReplyReader()
        let octets = Array((line + "\r\n").utf8)
        guard case .reply(let reply, _) = reader.next(octets.span, from: 0) else {
            Issue.record("no reply")
            return
        }
        #expect(ReplyCatalogue.nextHopRefused(reply, isTold: isTold).description == told)
    }

    @Test func commands() throws {
        var server = ServerExtensions()
        var parameters = Command.MailParameters()
        (parameters.size, parameters.eightBit, parameters.utf8) = (9, true, false)
        (parameters.returned, parameters.envelopeID) = (.headers, Array("q+2B".utf8))
        let mailbox = try Mailbox("\"a b\"@bücher.example")
        func mail() -> String {
            String(decoding: HandoverCommands.mail(.mailbox(mailbox), parameters, to: server), as: UTF8.self)
        }
        #expect(mail() == "MAIL FROM:<\"a b\"@xn--bcher-kva.example>")
        (server.size, server.eightBit, server.notifications) = (true, true, true)
        #expect(
            mail() == "MAIL FROM:<\"a b\"@xn--bcher-kva.example> SIZE=9 BODY=8BITMIME RET=HDRS ENVID=q+2B")
        (server.utf8, parameters.utf8) = (true, true)
        #expect(mail().hasPrefix("MAIL FROM:<\"a b\"@bücher.example> SIZE=9 BODY=8BITMIME SMTPUTF8"))
        #expect(HandoverCommands.mail(.null, .init(), to: server) == Array("MAIL FROM:<>".utf8))
        var wishes = Command.RecipientParameters()
        (wishes.notify, wishes.original) = (Array("NEVER".utf8), Array("rfc822;a".utf8))
        let line = HandoverCommands.recipient(mailbox, wishes, utf8: false, to: server)
        #expect(
            String(decoding: line, as: UTF8.self)
                == "RCPT TO:<\"a b\"@xn--bcher-kva.example> NOTIFY=NEVER ORCPT=rfc822;a")
        server.notifications = false
        #expect(HandoverCommands.recipient(mailbox, wishes, utf8: false, to: server).last == UInt8(ascii: ">"))
    }

    @Test(arguments: [1, 2, 3, 5, 1000]) func dotsAreStuffed(size: Int) {
        for (text, stuffed) in [
            ("", ".\r\n"), (".\r\n", "..\r\n.\r\n"), ("a\r\n.b\r\n..c\r\nd.\r\n", "a\r\n..b\r\n...c\r\nd.\r\n.\r\n"),
            ("no end", "no end\r\n.\r\n"), ("\r\n.", "\r\n..\r\n.\r\n"),
        ] {
            var stuffing = DotStuffing()
            var output: [UInt8] = []
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                let piece = Array(rest.prefix(size))
                rest = rest.dropFirst(size)
                stuffing.stuff(piece.span) {
                    output += piece[$0]
                } dot: {
                    output.append(UInt8(ascii: "."))
                }
            }
            stuffing.end.withUTF8Buffer { output += $0 }
            #expect(String(decoding: output, as: UTF8.self) == stuffed)
        }
    }
}
