// The rules of the session: order, pipelining, limits, closing (RFC 5321 4.1.4, RFC 2920 3.2, RFC 3207 4.2).

import MailAddress
import SMTPProtocol
import Testing

struct SessionTests {
    static let unknown = ReplyCatalogue.recipientUnknown

    /// A reply of many lines is made as it is sent, and nothing comes between them.
    @Test func longRepliesComeInPieces() throws {
        let people = try (0..<5000).map { NamedMailbox(name: "Member \($0)", mailbox: try Mailbox("m\($0)@b.example")) }
        let members = try #require(ReplyCatalogue.members(people))
        #expect(members.lineCount == people.count)
        var talk = Talk()
        talk.give("EXPN staff")
        talk.give("VRFY other")
        let overlong = talk.session.receivedOverlongLine()
        #expect(overlong == .go)
        talk.answer(members)
        #expect(talk.session.isSaying && talk.session.isWaiting)
        // What was asked after it is answered meanwhile, and waits; so does what comes in.
        talk.answer(ReplyCatalogue.recipientUnknown)
        #expect(talk.give("NOOP") == .wait)
        var lines = talk.heard().split(separator: "\n")
        #expect(lines.count > 100 && lines.count < 1000)
        #expect(talk.heard() == "")
        while talk.session.isSaying {
            #expect(talk.session.sayMore() == .go)
            let piece = talk.heard().split(separator: "\n")
            #expect(!piece.isEmpty && piece.count < 1000)
            lines += piece
        }
        #expect(lines.count == people.count + 2)
        #expect(lines.dropLast(3).allSatisfy { $0.hasPrefix("250-2.1.5 Member ") })
        #expect(lines[people.count - 1] == "250 2.1.5 Member 4999 <m4999@b.example>")
        #expect(lines[people.count].hasPrefix("550 ") && lines[people.count + 1].hasPrefix("500 "))
        #expect(!talk.session.isWaiting)
        #expect(talk.say("NOOP").hasPrefix("250"))
    }

    /// The server has to stop: half a reply is broken off, and never followed by another that looks like its end.
    @Test func longRepliesAreBrokenOff() throws {
        let people = try (0..<5000).map { NamedMailbox(name: "", mailbox: try Mailbox("m\($0)@b.example")) }
        var talk = Talk()
        talk.give("EXPN staff")
        talk.answer(try #require(ReplyCatalogue.members(people)))
        talk.session.end(with: ReplyCatalogue.shuttingDown(Array("mx.example".utf8)))
        #expect(talk.heard().split(separator: "\n").allSatisfy { $0.hasPrefix("250-") })
        #expect(!talk.session.isSaying && talk.session.isClosed)
    }

    /// RFC 5321 4.1.4: at any time, and without effect on the transaction (4.1.1.6 to 4.1.1.9).
    @Test func beforeHelloAndAmidATransaction() {
        var talk = Talk()
        for line in ["VRFY a", "EXPN a", "NOOP", "HELP", "RSET"] { #expect(talk.say(line).hasPrefix("2")) }
        #expect(talk.say("EHLO c").hasPrefix("250"))
        #expect(talk.say("MAIL FROM:<a@b.example>") == "250 2.1.0 OK")
        for line in ["VRFY a", "EXPN a", "NOOP", "HELP"] { #expect(talk.say(line).hasPrefix("2")) }
        // A VRFY that is answered 250 is no recipient.
        #expect(talk.say("DATA") == "554 5.5.1 No valid recipients")
        #expect(talk.say("RCPT TO:<c@b.example>") == "250 2.1.5 OK")
        for line in ["VRFY a", "EXPN a", "NOOP", "HELP", "XYZ", "RCPT TO:<>", "STARTTLS"] { _ = talk.say(line) }
        #expect(talk.say("DATA").hasPrefix("554 5.3.2"))
    }

    @Test func order() {
        var talk = Talk()
        #expect(talk.say("RCPT TO:<a@b.example>") == "503 5.5.1 MAIL first")
        #expect(talk.say("DATA") == "503 5.5.1 MAIL first")
        _ = talk.say("EHLO c")
        #expect(talk.say("RCPT TO:<a@b.example>") == "503 5.5.1 MAIL first")
        #expect(talk.say("MAIL FROM:<>") == "250 2.1.0 OK")
        #expect(talk.say("MAIL FROM:<>").hasPrefix("503 5.5.1"))
        // The transaction that is open stays open.
        #expect(talk.say("RCPT TO:<a@b.example>") == "250 2.1.5 OK")
        #expect(talk.say("RSET") == "250 2.0.0 OK")
        #expect(talk.say("RCPT TO:<a@b.example>") == "503 5.5.1 MAIL first")
        for hello in ["EHLO c", "HELO c"] {
            #expect(talk.say("MAIL FROM:<>") == "250 2.1.0 OK")
            #expect(talk.say(hello).hasPrefix("250"))
            #expect(talk.say("DATA") == "503 5.5.1 MAIL first")
        }
        // RFC 5321 4.1.4: after a refused EHLO the state is what it was.
        #expect(talk.say("MAIL FROM:<>") == "250 2.1.0 OK")
        #expect(talk.say("EHLO").hasPrefix("501"))
        #expect(talk.say("RCPT TO:<a@b.example>") == "250 2.1.5 OK")
        #expect(talk.say("DATA").hasPrefix("554 5.3.2"))
        #expect(talk.say("MAIL FROM:<>") == "250 2.1.0 OK")
    }

    @Test func refusedSenderOpensNothing() {
        for line in [
            "MAIL FROM:<a>", "MAIL FROM:<> SIZE=99999999999", "MAIL FROM:<> X=Y", "MAIL FROM:<\u{E9}@b.example>",
        ] {
            var talk = Talk()
            _ = talk.say(line)
            #expect(talk.say("RCPT TO:<a@b.example>") == "503 5.5.1 MAIL first")
        }
    }

    @Test func answersLateAndOutOfOrder() {
        var talk = Talk()
        _ = talk.say("MAIL FROM:<>")
        for index in 1...4 {
            guard case .ask = talk.give("RCPT TO:<a\(index)@b.example>") else {
                _ = Issue.record("not asked")
                return
            }
        }
        guard case .ask = talk.give("VRFY x") else {
            _ = Issue.record("not asked")
            return
        }
        #expect(talk.heard() == "")
        talk.answer(Self.unknown, at: 2)
        talk.answer(ReplyCatalogue.full, at: 3)
        #expect(talk.heard() == "")
        talk.answer()
        #expect(talk.heard() == "250 2.1.5 OK")
        talk.answer()
        #expect(talk.heard() == "250 2.1.5 OK\n550 5.1.1 No such user here")
        talk.answer(Self.unknown)
        #expect(talk.heard() == "550 5.1.1 No such user here\n452 4.2.2 Mailbox full")
        #expect(!talk.session.isWaiting)
        #expect(talk.say("DATA").hasPrefix("554 5.3.2"))
    }

    /// Every order in which four answers can come gives the same replies.
    @Test func everyOrderOfAnswers() {
        func permutations(_ items: [Int]) -> [[Int]] {
            items.isEmpty
                ? [[]]
                : items.indices.flatMap { index -> [[Int]] in
                    var rest = items
                    let item = rest.remove(at: index)
                    return permutations(rest).map { [item] + $0 }
                }
        }
        let replies = [ReplyCatalogue.recipientOK, Self.unknown, ReplyCatalogue.full, ReplyCatalogue.disabled]
        let expected = replies.map(\.description).joined(separator: "\n")
        for order in permutations([0, 1, 2, 3]) {
            var talk = Talk()
            _ = talk.say("MAIL FROM:<>")
            for index in 0..<4 { talk.give("RCPT TO:<a\(index)@b.example>") }
            let tickets = talk.asked.map(\.ticket)
            for index in order { talk.session.answered(replies[index], to: tickets[index]) }
            #expect(talk.heard() == expected, "\(order)")
            // An answer that comes twice, or to nobody, changes nothing.
            for ticket in tickets + [0, -1, 99] { talk.session.answered(Self.unknown, to: ticket) }
            #expect(talk.heard() == "")
        }
    }

    @Test(arguments: [
        "EHLO c", "HELO c", "MAIL FROM:<>", "DATA", "RSET", "NOOP", "HELP", "QUIT", "STARTTLS", "XYZ", "", "RCPT TO:<>",
        "RCPT TO:<\u{E9}@b.example>", "VRFY", "TURN",
    ])
    func waitsForItsTurn(line: String) {
        var talk = Talk()
        _ = talk.say("MAIL FROM:<>")
        talk.give("RCPT TO:<a@b.example>")
        #expect(talk.give(line) == .wait)
        #expect(talk.heard() == "")
        talk.answer()
        #expect(talk.heard() == "250 2.1.5 OK")
        #expect(talk.give(line) != .wait)
        #expect(talk.heard() != "")
    }

    @Test func slotsAreBounded() {
        var talk = Talk { $0.slots = 3 }
        _ = talk.say("MAIL FROM:<>")
        for index in 0..<3 { talk.give("RCPT TO:<a\(index)@b.example>") }
        #expect(talk.asked.count == 3)
        #expect(talk.give("RCPT TO:<b@b.example>") == .wait)
        // Answered, but not at the head: no slot is free.
        talk.answer(at: 1)
        #expect(talk.give("VRFY x") == .wait)
        talk.answer()
        #expect(talk.heard() == "250 2.1.5 OK\n250 2.1.5 OK")
        guard case .ask = talk.give("VRFY x") else {
            _ = Issue.record("not asked")
            return
        }
    }

    /// Nothing is left of a line too long, so it can't be given again: its reply takes its place.
    @Test func overlongLineAmongQuestions() {
        var talk = Talk()
        _ = talk.say("MAIL FROM:<>")
        talk.give("RCPT TO:<a@b.example>")
        #expect(talk.session.receivedOverlongLine() == .go)
        guard case .ask = talk.give("RCPT TO:<c@b.example>") else {
            _ = Issue.record("not asked")
            return
        }
        talk.answer(Self.unknown, at: 1)
        #expect(talk.heard() == "")
        talk.answer()
        #expect(talk.heard() == "250 2.1.5 OK\n500 5.5.2 Line too long\n550 5.1.1 No such user here")
        #expect(talk.session.receivedOverlongLine() == .go)
        #expect(talk.heard() == "500 5.5.2 Line too long")
    }

    @Test func floodOfOverlongLines() {
        var talk = Talk { $0.errors = 3 }
        talk.give("VRFY a")
        for _ in 0..<1000 { #expect(talk.session.receivedOverlongLine() == .go) }
        guard case .ask = talk.give("VRFY b") else {
            _ = Issue.record("not asked")
            return
        }
        #expect(talk.answer(Self.unknown) == .close)
        let said = talk.heard().split(separator: "\n")
        #expect(said.count == 5)
        #expect(said.last?.hasPrefix("421 4.7.0") == true)
        #expect(talk.session.isClosed)
        #expect(talk.give("NOOP") == .close)
    }

    @Test func recipientsLimit() {
        var talk = Talk { $0.recipients = 100 }
        _ = talk.say("MAIL FROM:<>")
        for index in 0..<100 { #expect(talk.say("RCPT TO:<a\(index)@b.example>") == "250 2.1.5 OK") }
        // RFC 5321 4.5.3.1.10: 452, never 552.
        #expect(talk.say("RCPT TO:<x@b.example>") == "452 4.5.3 Too many recipients")
        #expect(talk.say("VRFY x").hasPrefix("250"))
        #expect(talk.say("DATA").hasPrefix("554 5.3.2"))
        _ = talk.say("MAIL FROM:<>")
        #expect(talk.say("RCPT TO:<x@b.example>") == "250 2.1.5 OK")
    }

    /// Those that are refused don't count, and those that wait are not let past the limit.
    @Test func recipientsLimitAndPipelining() {
        var talk = Talk { $0.recipients = 100 }
        _ = talk.say("MAIL FROM:<>")
        for index in 0..<98 { _ = talk.say("RCPT TO:<a\(index)@b.example>") }
        talk.give("RCPT TO:<b@b.example>")
        talk.give("RCPT TO:<c@b.example>")
        #expect(talk.give("RCPT TO:<d@b.example>") == .wait)
        talk.answer(Self.unknown)
        talk.answer()
        _ = talk.heard()
        #expect(talk.say("RCPT TO:<d@b.example>") == "250 2.1.5 OK")
        #expect(talk.say("RCPT TO:<e@b.example>") == "452 4.5.3 Too many recipients")
    }

    @Test func tooManyErrors() {
        var talk = Talk { $0.errors = 3 }
        #expect(talk.say("X") == "500 5.5.2 Command unrecognized")
        #expect(talk.say("NOOP") == "250 2.0.0 OK")
        #expect(talk.say("DATA") == "503 5.5.1 MAIL first")
        #expect(talk.give("TURN") == .close)
        #expect(
            talk.heard()
                == "502 5.5.1 Command not implemented\n421 4.7.0 mx.example Too many errors, closing transmission channel"
        )
        #expect(talk.give("NOOP") == .close)
        #expect(talk.session.receivedOverlongLine() == .close)
        #expect(talk.heard() == "")
    }

    /// A list of addresses may hold many that are malformed: that is what is asked about.
    @Test func badAddressesAreNoErrors() {
        var talk = Talk { $0.errors = 3 }
        _ = talk.say("MAIL FROM:<>")
        for _ in 0..<50 {
            #expect(talk.say("RCPT TO:<a@>").hasPrefix("501 5.1.3"))
            #expect(talk.say("VRFY a@").hasPrefix("501 5.1.3"))
        }
    }

    @Test func utf8HoldsForTheTransaction() {
        var talk = Talk()
        _ = talk.say("MAIL FROM:<> SMTPUTF8")
        talk.give("RCPT TO:<fr\u{E9}d@b.example>")
        #expect(describe(talk.asked[0].query) == "rcpt fr\u{E9}d@b.example utf8")
        talk.answer()
        _ = talk.heard()
        // RFC 6531 3.7.4.2: for VRFY its own parameter counts.
        #expect(talk.say("VRFY fr\u{E9}d").hasPrefix("553 5.6.7"))
        talk.give("VRFY fred")
        #expect(describe(talk.asked[0].query) == "vrfy name fred")
        talk.answer()
        _ = talk.heard()
        _ = talk.say("RSET")
        _ = talk.say("MAIL FROM:<>")
        #expect(talk.say("RCPT TO:<fr\u{E9}d@b.example>").hasPrefix("553 5.6.7"))
        talk.give("RCPT TO:<fred@b.example>")
        #expect(describe(talk.asked[0].query) == "rcpt fred@b.example")
    }

    @Test func startTLS() {
        var talk = Talk { $0.offersTLS = true }
        #expect(talk.say("EHLO c").contains("250-STARTTLS"))
        _ = talk.say("MAIL FROM:<>")
        #expect(talk.give("STARTTLS") == .startTLS)
        #expect(talk.heard() == "220 2.0.0 Ready to start TLS")
        #expect(talk.session.client?.isExtended == true)
        talk.session.tlsStarted()
        // RFC 3207 4.2: what the client said of itself is forgotten too.
        #expect(talk.session.client == nil)
        #expect(talk.say("DATA") == "503 5.5.1 MAIL first")
        #expect(!talk.say("EHLO c").contains("STARTTLS"))
        #expect(talk.say("STARTTLS") == "503 5.5.1 TLS is active already")
        #expect(!talk.say("HELP").contains("STARTTLS"))
    }

    /// Nothing is offered that gets 500 or 502 (RFC 5321 4.2.4).
    @Test(arguments: [true, false], [true, false])
    func keywords(offersVerify: Bool, offersExpand: Bool) {
        for form in [ReplyForm.plain, .enhanced] {
            var talk = Talk {
                $0.form = form
                $0.offersVerify = offersVerify
                $0.offersExpand = offersExpand
                $0.messageSize = nil
            }
            let lines = talk.say("EHLO c").split(separator: "\n").dropFirst().map { String($0.dropFirst(4)) }
            #expect(lines.contains("VRFY") == offersVerify)
            #expect(lines.contains("EXPN") == offersExpand)
            #expect(lines.contains("ENHANCEDSTATUSCODES") == (form == .enhanced))
            #expect(
                lines.filter { !["VRFY", "EXPN", "ENHANCEDSTATUSCODES"].contains($0) }
                    == ["PIPELINING", "8BITMIME", "SIZE", "SMTPUTF8", "HELP"])
        }
    }

    @Test func quit() {
        var talk = Talk()
        #expect(talk.give("QUIT") == .close)
        #expect(talk.heard() == "221 2.0.0 mx.example Service closing transmission channel")
        #expect(talk.give("NOOP") == .close)
        #expect(talk.heard() == "")
    }

    @Test func endedFromOutside() {
        var talk = Talk()
        _ = talk.say("MAIL FROM:<>")
        for index in 0..<3 { talk.give("RCPT TO:<a\(index)@b.example>") }
        talk.answer()
        talk.answer(at: 1)
        talk.session.end(with: ReplyCatalogue.shuttingDown(Array("mx.example".utf8)))
        talk.session.end(with: ReplyCatalogue.idle(Array("mx.example".utf8)))
        talk.answer()
        #expect(
            talk.heard() == "250 2.1.5 OK\n421 4.3.2 mx.example Service not available, closing transmission channel")
        #expect(!talk.session.isWaiting)
    }

    /// RFC 2034 4: on each line but the greeting and the answers to HELO and EHLO; 354 is never said.
    @Test func plainFormHasNoEnhancedCodes() {
        var talk = Talk { $0.form = .plain }
        for line in [
            "EHLO c", "MAIL FROM:<>", "RCPT TO:<a@b.example>", "DATA", "RSET", "NOOP", "XYZ", "VRFY", "HELP", "MAIL X",
        ] {
            for reply in talk.say(line).split(separator: "\n") {
                #expect(!reply.dropFirst(4).prefix(6).contains(".") || reply.dropFirst(4).hasPrefix("mx."), "\(reply)")
            }
        }
    }
}
