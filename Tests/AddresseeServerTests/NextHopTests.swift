// A mail server as the next hop, played by the test: what it is told, what the client hears of its replies at each step, how
// long it may take, and which connections are kept.

import AddresseeConfiguration
import MailAddress
import MailboxDirectory
import NIOCore
import NIOEmbedded
import Testing
import Verification

@testable import AddresseeServer

struct NextHopTests {
    static let ok = "250 2.1.5 OK"
    static let down = "451 4.4.1 The next mail server can't be reached now, try again later"
    static let lost = "451 4.4.2 The next mail server broke off, try again later"
    static let busy = "451 4.3.2 All connections to the next mail server are in use, try again later"
    static let hello = "250-inside\r\n250-PIPELINING\r\n250-SIZE\r\n250 8BITMIME\r\n"
    static let helloWithDSN = "250-inside\r\n250-DSN\r\n" + hello

    /// A server whose mail goes to another.
    static func run(_ dialect: MailServer.Dialect = .smtp, _ body: (TestLoop) throws -> Void) throws {
        try with(dialect) { _ in }.run(body)
    }

    /// The same with other settings.
    static func with(
        _ dialect: MailServer.Dialect = .smtp, connections: Int = 100,
        change: @escaping (inout Configuration) -> Void
    ) -> TestLoop.Setting {
        TestLoop.with {
            let server = MailServer(
                dialect: dialect, address: .host("127.0.0.1", port: 2525), connections: connections)
            $0.nextHops = [
                NextHopConfiguration(
                    name: "inside", kind: .server(server), route: Route(places: Set(RecipientPlace.allCases)))
            ]
            change(&$0)
        }
    }

    /// Has the server greet and offer what it offers.
    static func welcome(_ hop: TestClient, _ hello: String = hello, command: String = "EHLO") throws {
        try hop.send("220 inside\r\n")
        #expect(try hop.replies() == ["\(command) mx.example"])
        try hop.send(hello)
    }

    /// A client that has said MAIL and RCPT, which the server has been asked.
    static func asked(
        _ server: TestLoop, _ recipients: String..., sender: String = "me@c.example", hello: String = hello,
        command: String = "EHLO"
    ) throws -> (client: TestClient, hop: TestClient, lines: [String]) {
        let client = try server.greeted()
        let before = server.hops.count
        #expect(try client.say("MAIL FROM:<\(sender)>") == ["250 2.1.0 OK"])
        try client.send(recipients.map { "RCPT TO:<\($0)>\r\n" }.joined())
        if server.hops.count == before {
            return (client, server.hops[before - 1], try server.hops[before - 1].replies())
        }
        let hop = try server.accepted()
        try welcome(hop, hello, command: command)
        return (client, hop, try hop.replies())
    }

    /// The same, where the server has taken the recipients, and DATA.
    static func opened(
        _ server: TestLoop, _ recipients: String..., dialect: MailServer.Dialect = .smtp
    ) throws -> (client: TestClient, hop: TestClient) {
        let client = try server.greeted()
        let before = server.hops.count
        _ = try client.say("MAIL FROM:<me@c.example>")
        for recipient in recipients {
            try client.send("RCPT TO:<\(recipient)>\r\n")
            if server.hops.count > before, !server.hops[before].channel.isActive {
                try welcome(try server.accepted(), command: dialect == .lmtp ? "LHLO" : "EHLO")
            }
            let hop = server.hops[server.hops.count - 1]
            let lines = try hop.replies().filter { $0 != "RSET" }
            try hop.send(String(repeating: "250 2.0.0 ok\r\n", count: lines.count))
            #expect(try client.replies() == [ok])
        }
        let hop = server.hops[server.hops.count - 1]
        try client.send("DATA\r\n")
        #expect(try hop.replies() == ["DATA"])
        try hop.send("354 go\r\n")
        #expect(try client.replies() == ["354 Start mail input; end with <CRLF>.<CRLF>"])
        return (client, hop)
    }

    // MARK: A message

    @Test func aMessage() throws {
        try Self.run { server in
            let (client, hop) = try Self.opened(server, "claude@example.org")
            try client.send("Subject: x\r\n\r\n..dots\r\n.\r\nNOOP\r\n")
            let lines = try hop.replies()
            #expect(lines.prefix(2) == ["X-Original-To: claude@example.org", "Delivered-To: claude@example.org"])
            #expect(lines[2].hasPrefix("Received: from [127.0.0.1] ([127.0.0.1])"))
            #expect(lines[3].hasPrefix("\tby mx.example with SMTP id "))
            #expect(lines[4].hasPrefix("\tfor <claude@example.org>; "))
            #expect(lines.suffix(3) == ["Subject: x", "..dots", "."])
            // Nothing is said before the server has spoken.
            #expect(try client.replies() == [])
            try hop.send("250 2.0.0 queued as 1\r\n")
            #expect(try client.replies() == ["250 2.0.0 OK", "250 2.0.0 OK"])
            let line = try #require(server.log.lines("message-delivered").first)
            let fields = line.split(separator: " ").filter { !$0.hasPrefix("id=") }.joined(separator: " ")
            #expect(
                fields == "info message-delivered client=127.0.0.1 from=<me@c.example> mailboxes=1 next-hop=inside "
                    + "reply=250 2.0.0 queued as 1 size=21 to=claude@example.org")
        }
    }

    /// What the client has told goes on, as far as the server takes it.
    @Test(arguments: [
        (
            Self.helloWithDSN,
            [
                "MAIL FROM:<me@c.example> SIZE=1512 BODY=8BITMIME RET=HDRS ENVID=e1",
                "RCPT TO:<fred@example.org> NOTIFY=NEVER ORCPT=rfc822;fred@example.org",
            ]
        ),
        ("250 inside\r\n", ["MAIL FROM:<me@c.example>"]),
    ])
    func parameters(hello: String, lines: [String]) throws {
        try Self.run { server in
            server.loop.introduce()
            try Self.welcome(try server.accepted(), Self.helloWithDSN)
            let client = try server.greeted()
            _ = try client.say("EHLO c")
            #expect(try client.say("MAIL FROM:<me@c.example> SIZE=1000 BODY=8BITMIME RET=HDRS ENVID=e1").count == 1)
            server.hops[0].disconnect()
            try client.send("RCPT TO:<fred@example.org> NOTIFY=NEVER\r\n")
            let hop = try server.accepted()
            try Self.welcome(hop, hello)
            #expect(try hop.replies() == lines)
        }
    }

    /// Without PIPELINING one command after the other.
    @Test func oneByOne() throws {
        try Self.run { server in
            let (client, hop, lines) = try Self.asked(server, "fred@example.org", hello: "250 inside\r\n")
            #expect(lines == ["MAIL FROM:<me@c.example>"])
            try hop.send("250 ok\r\n")
            #expect(try hop.replies() == ["RCPT TO:<fred@example.org>"])
            #expect(try client.replies() == [])
            try hop.send("250 ok\r\n")
            #expect(try client.replies() == [Self.ok])
        }
    }

    // MARK: Replies at each step

    @Test(arguments: [
        ("220 x", nil), ("554 5.7.1 no", "451 4.4.1"), ("421 busy", "451 4.4.1"), ("450 x", "451 4.4.1"),
        ("nonsense", "451 4.4.1"),
    ])
    func greetings(line: String, reply: String?) throws {
        try Self.run { server in
            let client = try server.greeted()
            try client.send("MAIL FROM:<>\r\nRCPT TO:<fred@example.org>\r\n")
            _ = try client.replies()
            try server.accepted().send(line + "\r\n")
            #expect(try client.replies().first?.prefix(9) == reply.map { Substring($0) })
            #expect(server.hops[0].isClosed == (reply != nil))
        }
    }

    /// To MAIL and to RCPT, each with what the client hears.
    @Test(arguments: [
        ("250 ok", "250 ok", Self.ok), ("250 ok", "251 will forward", Self.ok),
        ("250 ok", "550 5.1.1 no such user", "550 5.1.1 no such user"),
        ("250 ok", "450 4.2.1 later", "450 4.2.1 later"), ("250 ok", "452 4.2.2 full", "452 4.2.2 full"),
        ("250 ok", "551 5.1.6 other", "550 5.1.6 other"), ("250 ok", "553 5.1.3 bad", "553 5.1.3 bad"),
        ("250 ok", "500 5.5.2 what", "451 4.3.0 The next mail server can't take it now, try again later"),
        ("250 ok", "452 4.5.3 too many", "452 4.5.3 too many"),
        ("250 ok", "552 too many", "452 4.5.3 The next mail server takes no more recipients at once"),
        ("250 ok", "552 5.2.2 full", "552 5.2.2 full"), ("250 ok", "421 4.3.2 bye", Self.lost),
        ("550 5.7.1 not you", "503 5.5.1 MAIL first", "550 5.7.1 not you"),
        ("451 4.7.1 later", "503 5.5.1 MAIL first", "451 4.7.1 later"),
        ("421 4.3.2 bye", "421 4.3.2 bye", Self.lost),
    ])
    func recipients(mail: String, recipient: String, heard: String) throws {
        try Self.run { server in
            let (client, hop, lines) = try Self.asked(server, "fred@example.org")
            #expect(lines == ["MAIL FROM:<me@c.example>", "RCPT TO:<fred@example.org>"])
            try hop.send("\(mail)\r\n\(recipient)\r\n")
            #expect(try client.replies() == [heard])
            #expect(hop.isClosed == (heard == Self.lost))
            let refusals = server.log.lines("refused-by-next-hop")
            if heard == Self.ok || heard == Self.lost {
                #expect(refusals.isEmpty)
            } else {
                let reply = mail == "250 ok" ? recipient : mail
                #expect(
                    refusals == [
                        "warning refused-by-next-hop about=fred@example.org next-hop=inside reply=\(reply)"
                    ])
            }
        }
    }

    /// Of several behind one address, who is refused for good is left out; "not now" of one is that of all.
    @Test(arguments: [
        ("250 ok", "250 ok", Self.ok, 0), ("250 ok", "550 5.1.1 gone", Self.ok, 1),
        ("550 5.1.1 gone", "250 ok", Self.ok, 1),
        ("250 ok", "450 4.2.1 later", "450 4.2.1 The next mail server can't take it now, try again later", 0),
        ("550 5.1.1 a", "451 4.3.0 b", "451 4.3.0 The next mail server can't take it now, try again later", 0),
        ("550 5.1.1 a", "550 5.1.1 b", "550 5.1.1 The next mail server refuses it", 0),
    ])
    func severalBehindOne(first: String, second: String, heard: String, leftOut: Int) throws {
        try Self.run { server in
            let (client, hop, lines) = try Self.asked(server, "both@example.org")
            #expect(Set(lines.dropFirst()) == ["RCPT TO:<fred@example.org>", "RCPT TO:<ann@example.org>"])
            try hop.send("250 ok\r\n\(first)\r\n\(second)\r\n")
            #expect(try client.replies() == [heard])
            #expect(server.log.lines("left-out").count == leftOut)
            if leftOut > 0 {
                let refused = lines[first.hasPrefix("5") ? 1 : 2].dropFirst("RCPT TO:<".count).dropLast()
                #expect(
                    server.log.lines("left-out") == [
                        "warning left-out about=both@example.org next-hop=inside recipients=\(refused) "
                            + "reply=550 5.1.1 gone"
                    ])
            }
        }
    }

    /// One address after the other, whatever the client sends in one go.
    @Test func oneAfterTheOther() throws {
        try Self.run { server in
            let (client, hop, lines) = try Self.asked(server, "fred@example.org", "ann@example.org")
            #expect(lines == ["MAIL FROM:<me@c.example>", "RCPT TO:<fred@example.org>"])
            try hop.send("250 ok\r\n250 ok\r\n")
            #expect(try hop.replies() == ["RCPT TO:<ann@example.org>"])
            try hop.send("550 5.1.1 no\r\n")
            #expect(try client.replies() == [Self.ok, "550 5.1.1 no"])
        }
    }

    /// A server that closes before it greets can't be reached.
    @Test func noGreeting() throws {
        try Self.run { server in
            let client = try server.greeted()
            try client.send("MAIL FROM:<>\r\nRCPT TO:<fred@example.org>\r\n")
            try server.accepted().disconnect()
            #expect(try client.replies().last == Self.down)
        }
    }

    /// Who has a place that no next hop takes is named.
    @Test func noRoute() throws {
        try Self.with { $0.nextHops[0].route.places = [.mailboxes] }.run { server in
            let client = try server.greeted()
            let replies = try client.say("MAIL FROM:<>", "RCPT TO:<staff@example.org>")
            #expect(replies.last == "550 5.4.4 No way is known to where mail for this recipient goes")
            #expect(
                server.log.lines("no-next-hop") == [
                    "warning no-next-hop about=staff@example.org do=let one of next-hops take it, see its \"takes\" "
                        + "recipient=kay@elsewhere.example"
                ])
        }
    }

    /// What needs SMTPUTF8 goes to servers that have it, and not beside what goes without.
    @Test func utf8() throws {
        try Self.run { server in
            let (client, _, lines) = try Self.asked(server, "ueber@example.org")
            #expect(lines == [])
            #expect(try client.replies() == ["550 5.6.7 The next mail server does not take SMTPUTF8"])
        }
        let hello = "250-inside\r\n250-PIPELINING\r\n250 SMTPUTF8\r\n"
        try Self.run { server in
            let (_, _, lines) = try Self.asked(server, "ueber@example.org", hello: hello)
            #expect(lines.first == "MAIL FROM:<me@c.example> SMTPUTF8")
        }
        try Self.run { server in
            let (client, hop, _) = try Self.asked(server, "fred@example.org", hello: hello)
            try hop.send("250 ok\r\n250 ok\r\n")
            #expect(try client.replies() == [Self.ok])
            let replies = try client.say("RCPT TO:<ueber@example.org>")
            #expect(replies.first?.hasPrefix("452 4.5.3 Mail for this recipient needs SMTPUTF8") == true)
        }
    }

    /// Recipients that the server knows of and that are not wanted: the transaction begins anew before DATA.
    @Test func partOfAGroupIsTakenBack() throws {
        try Self.run { server in
            let (client, hop, _) = try Self.asked(server, "smith1@example.org")
            try hop.send("250 ok\r\n250 ok\r\n")
            try client.send("RCPT TO:<both@example.org>\r\n")
            #expect(try hop.replies().count == 2)
            try hop.send("250 ok\r\n450 4.2.1 later\r\n")
            #expect(try client.replies().count == 2)
            try client.send("DATA\r\n")
            #expect(try hop.replies() == ["RSET", "MAIL FROM:<me@c.example>", "RCPT TO:<smith1@example.org>"])
            try hop.send("250 ok\r\n250 ok\r\n250 ok\r\n")
            #expect(try hop.replies() == ["DATA"])
        }
    }

    @Test(arguments: [
        ("451 4.3.0 later", "451 4.3.0 later"), ("554 5.7.1 no", "554 5.7.1 no"),
        ("503 5.5.1 what", "451 4.3.0 The next mail server can't take it now, try again later"),
        ("250 ok", "451 4.3.0 The next mail server can't take it now, try again later"),
        ("421 4.3.2 bye", "451 4.3.2 bye"),
    ])
    func data(reply: String, heard: String) throws {
        try Self.run { server in
            let (client, hop, _) = try Self.asked(server, "fred@example.org")
            try hop.send("250 ok\r\n250 ok\r\n")
            _ = try client.replies()
            try client.send("DATA\r\n")
            _ = try hop.replies()
            try hop.send(reply + "\r\n")
            #expect(try client.replies() == [heard])
            let line = try #require(server.log.lines("message-not-delivered").first)
            #expect(line.hasPrefix("warning ") && line.contains("reason=127.0.0.1:2525: \(reply)"))
        }
    }

    @Test(arguments: [
        ("250 2.0.0 taken", "250 2.0.0 OK"), ("451 4.3.0 later", "451 4.3.0 later"),
        ("452 4.3.1 full", "452 4.3.1 full"), ("550 5.7.1 spam", "550 5.7.1 spam"),
        ("554 5.6.0 virus", "554 5.6.0 virus"), ("552 5.3.4 too big", "552 5.3.4 too big"),
        ("421 4.3.2 bye", Self.lost),
    ])
    func end(reply: String, heard: String) throws {
        try Self.run { server in
            let (client, hop) = try Self.opened(server, "fred@example.org")
            try client.send("a\r\n.\r\n")
            _ = try hop.replies()
            try hop.send(reply + "\r\n")
            let replies = try client.replies()
            #expect(replies.first?.prefix(3) == heard.prefix(3))
            if !reply.hasPrefix("421") { #expect(replies == [heard]) }
            #expect(hop.isClosed == reply.hasPrefix("421"))
            let (delivered, not) = (
                server.log.lines("message-delivered"), server.log.lines("message-not-delivered")
            )
            #expect(delivered.count == (reply.hasPrefix("2") ? 1 : 0))
            #expect(not.count == (reply.hasPrefix("2") ? 0 : 1))
            #expect(not.allSatisfy { $0.contains("reason=127.0.0.1:2525: \(reply)") })
        }
    }

    /// Its words may name others than the client knows.
    @Test func wordsAboutOthers() throws {
        try Self.run { server in
            let (client, hop) = try Self.opened(server, "claude@example.org")
            try client.send("a\r\n.\r\n")
            try hop.send("554 5.7.1 fred@example.org is on holiday\r\n")
            #expect(try client.replies() == ["554 5.7.1 The next mail server refuses it"])
        }
    }

    /// LMTP has a reply for each: all have it, or none, or some.
    @Test(arguments: [
        ("250 ok", "250 ok", "250 2.0.0 OK"), ("451 4.2.0 a", "550 5.2.0 b", "451 4.2.0"),
        ("550 5.2.0 a", "451 4.2.0 b", "451 4.2.0"), ("550 5.2.0 a", "550 5.2.1 b", "550 5.2.0"),
        ("250 ok", "550 5.2.0 b", "554 5.3.0 The message reached 1 of 2 mailboxes; don't send it again to all"),
        ("452 4.2.2 a", "250 ok", "554 5.3.0 The message reached 1 of 2 mailboxes; don't send it again to all"),
    ])
    func local(first: String, second: String, heard: String) throws {
        try Self.run(.lmtp) { server in
            let (client, hop) = try Self.opened(server, "fred@example.org", "ann@example.org", dialect: .lmtp)
            try client.send("a\r\n.\r\n")
            try hop.send(first + "\r\n")
            #expect(try client.replies() == [])
            try hop.send(second + "\r\n")
            #expect(try client.replies().first?.hasPrefix(heard) == true)
            if heard.hasPrefix("554") {
                let (name, reply) = first.hasPrefix("250") ? ("ann", second) : ("fred", first)
                #expect(
                    server.log.lines("message-not-delivered").first?.contains(
                        "reason=127.0.0.1:2525: of 2 recipients 1 have it, and it refuses \(name)@example.org: \(reply)"
                    )
                        == true)
            }
        }
    }

    @Test func eightBitNeedsA8BitServer() throws {
        try Self.run { server in
            let client = try server.greeted()
            _ = try client.say("EHLO c", "MAIL FROM:<me@c.example> BODY=8BITMIME")
            try client.send("RCPT TO:<fred@example.org>\r\n")
            let hop = try server.accepted()
            try Self.welcome(hop, "250 inside\r\n")
            try hop.send("250 ok\r\n")
            try hop.send("250 ok\r\n")
            _ = try client.say("DATA")
            try hop.send("354 go\r\n")
            _ = try client.replies()
            try client.send(Array("a".utf8) + [0xE9] + Array("\r\n.\r\n".utf8))
            server.eventLoop.run()
            #expect(
                try client.replies() == [
                    "554 5.6.3 The next mail server takes 7-bit messages only, and this one has 8-bit octets"
                ])
            #expect(hop.isClosed)
        }
    }

    /// A message that is none is refused when it is whole, and the server forgets it.
    @Test(arguments: [
        ("a\nb\r\n.\r\n", "550 5.5.2 A bare CR or bare LF is in the message: lines end with CR LF"),
        ("Delivered-To: claude@example.org\r\n\r\na\r\n.\r\n", "554 5.4.6 The message goes in a loop"),
        ("Delivered-To: fred@example.org\r\n\r\na\r\n.\r\n", "554 5.4.6 The message goes in a loop"),
    ])
    func refusedMessages(message: String, reply: String) throws {
        try Self.run { server in
            let (client, hop) = try Self.opened(server, "claude@example.org")
            try client.send(message)
            #expect(try client.replies() == [reply])
            #expect(hop.isClosed)
            let line = try #require(server.log.lines("message-refused").first)
            #expect(line.contains("from=<me@c.example>") && line.contains("reply=\(reply.prefix(3))"))
        }
    }

    // MARK: Time

    /// So long, and no longer, is each step waited for.
    @Test(arguments: [
        ("greeting", 11), ("EHLO", 11), ("MAIL", 11), ("RCPT", 11), ("DATA", 13), ("end", 14),
    ])
    func timeouts(step: String, seconds: Int64) throws {
        let change = { (settings: inout Configuration) in
            settings.timeouts.idle = .seconds(100)
            settings.timeouts.nextHop.connect = .seconds(10)
            settings.timeouts.nextHop.reply = .seconds(11)
            settings.timeouts.nextHop.block = .seconds(12)
            settings.timeouts.nextHop.data = .seconds(13)
            settings.timeouts.nextHop.end = .seconds(14)
        }
        try Self.with(change: change).run { server in
            let client = try server.greeted()
            try client.send("MAIL FROM:<>\r\nRCPT TO:<fred@example.org>\r\n")
            let hop = try server.accepted()
            if step != "greeting" { try hop.send("220 x\r\n") }
            if step != "greeting", step != "EHLO" { try hop.send(Self.hello) }
            if step == "RCPT" { try hop.send("250 ok\r\n") }
            if step == "DATA" || step == "end" {
                try hop.send("250 ok\r\n250 ok\r\n")
                try client.send("DATA\r\n")
            }
            if step == "end" {
                try hop.send("354 go\r\n")
                try client.send("a\r\n.\r\n")
            }
            _ = try client.replies()
            server.advance(.seconds(seconds) - .milliseconds(1))
            #expect(try client.replies() == [])
            #expect(!hop.isClosed)
            server.advance(.milliseconds(1))
            if step == "DATA" {
                // Nothing of it was sent: another connection is tried, and that is refused.
                let other = try server.accepted()
                try other.send("554 no\r\n")
            }
            #expect(try client.replies() == [Self.down])
            #expect(hop.isClosed)
            let lines = server.log.lines("next-hop-failed") + server.log.lines("message-not-delivered")
            if step != "DATA" { #expect(lines.last?.contains("127.0.0.1:2525: no answer in \(seconds) s") == true) }
        }
    }

    /// A server that takes nothing of a message for the whole of `block`, and the client waits meanwhile.
    @Test func block() throws {
        try Self.with { $0.timeouts.nextHop.block = .seconds(12) }.run { server in
            let (client, hop) = try Self.opened(server, "fred@example.org")
            try client.send("one\r\n")
            hop.setWritable(false)
            try client.send("two\r\n")
            server.advance(.seconds(11))
            hop.setWritable(true)
            server.advance(.seconds(11))
            #expect(try hop.replies().suffix(2) == ["one", "two"])
            hop.setWritable(false)
            server.advance(.milliseconds(11_999))
            #expect(!hop.isClosed)
            server.advance(.milliseconds(1))
            server.eventLoop.run()
            #expect(hop.isClosed)
            try client.send("three\r\n.\r\n")
            #expect(try client.replies() == [Self.lost])
            #expect(
                server.log.lines("message-not-delivered").first?.contains(
                    "127.0.0.1:2525: takes nothing of the message for 12 s") == true)
        }
    }

    /// Where the server takes nothing more, the client is not read from.
    @Test func aSlowServerHoldsTheClient() throws {
        try Self.run { server in
            let (client, hop) = try Self.opened(server, "fred@example.org")
            hop.setWritable(false)
            try client.send("one\r\n")
            try client.send("two\r\n")
            let reads = client.socket.reads
            client.channel.read()
            #expect(client.socket.reads == reads)
            hop.setWritable(true)
            server.eventLoop.run()
            #expect(client.socket.reads == reads + 1)
        }
    }

    /// What fails at once is tried at once; what takes its time is left alone for as long as that was.
    @Test func restAfterASlowFailure() throws {
        try Self.with { $0.timeouts.nextHop.reply = .seconds(8) }.run { server in
            func ask() throws -> TestClient {
                let client = try server.greeted()
                try client.send("MAIL FROM:<>\r\nRCPT TO:<fred@example.org>\r\n")
                return client
            }
            var client = try ask()
            try server.accepted().send("554 no\r\n")
            #expect(try client.replies().last == Self.down)
            client = try ask()
            #expect(server.hops.count == 2)
            _ = try server.accepted()
            server.advance(.seconds(8))
            #expect(try client.replies().last == Self.down)
            server.advance(.milliseconds(7999))
            client = try ask()
            #expect(try client.replies().last == Self.down)
            #expect(server.hops.count == 2)
            server.advance(.milliseconds(1))
            _ = try ask()
            #expect(server.hops.count == 3)
        }
    }

    // MARK: Connections

    /// A connection serves one message after the other, is kept for twenty seconds, and ends with QUIT.
    @Test func connectionsAreKept() throws {
        try Self.run { server in
            for number in 0..<3 {
                let (client, hop) = try Self.opened(server, "fred@example.org")
                try client.send("\(number)\r\n.\r\n")
                _ = try hop.replies()
                try hop.send("250 ok\r\n")
                #expect(try client.replies() == ["250 2.0.0 OK"])
                server.advance(.seconds(19))
            }
            #expect(server.hops.count == 1)
            let hop = server.hops[0]
            server.advance(.milliseconds(999))
            #expect(!hop.isClosed)
            server.advance(.milliseconds(1))
            #expect(hop.isClosed)
            #expect(try hop.replies() == ["QUIT"])
        }
    }

    /// A transaction that is given up leaves nothing behind.
    @Test(arguments: [
        ("250 ok", true), ("500 what", false), ("421 bye", false),
    ])
    func reset(reply: String, isKept: Bool) throws {
        try Self.run { server in
            let (client, hop, _) = try Self.asked(server, "fred@example.org")
            try hop.send("250 ok\r\n250 ok\r\n")
            try client.send("RSET\r\n")
            #expect(try hop.replies() == ["RSET"])
            try hop.send(reply + "\r\n")
            #expect(hop.isClosed == !isKept)
        }
    }

    /// A message that breaks off must not be taken for whole.
    @Test func aClientThatGoes() throws {
        try Self.run { server in
            let (client, hop) = try Self.opened(server, "fred@example.org")
            try client.send("half\r\n")
            client.disconnect()
            #expect(hop.isClosed)
            // Nor may QUIT be, which is text there.
            #expect(try hop.replies().suffix(1) == ["half"])
        }
    }

    /// One that was kept and has been closed meanwhile says nothing of the server.
    @Test func staleConnections() throws {
        try Self.run { server in
            let (client, hop) = try Self.opened(server, "fred@example.org")
            try client.send("a\r\n.\r\n")
            try hop.send("250 ok\r\n")
            _ = try hop.replies()
            _ = try client.replies()
            try client.send("MAIL FROM:<me@c.example>\r\nRCPT TO:<fred@example.org>\r\n")
            #expect(try hop.replies().count == 2)
            hop.disconnect()
            #expect(server.hops.count == 2)
            let other = try server.accepted()
            try Self.welcome(other)
            #expect(try other.replies() == ["MAIL FROM:<me@c.example>", "RCPT TO:<fred@example.org>"])
            try other.send("250 ok\r\n250 ok\r\n")
            #expect(try client.replies() == ["250 2.1.0 OK", Self.ok])
            // A new one that ends so is trouble.
            let third = try server.greeted()
            try third.send("MAIL FROM:<me@c.example>\r\nRCPT TO:<fred@example.org>\r\n")
            let fresh = try server.accepted()
            try Self.welcome(fresh)
            fresh.disconnect()
            #expect(try third.replies().last == Self.lost)
            #expect(server.hops.count == 3)
        }
    }

    /// A hundred messages over one connection.
    @Test func usesAreCounted() throws {
        try Self.run { server in
            for _ in 0..<100 {
                let (client, hop) = try Self.opened(server, "fred@example.org")
                try client.send("a\r\n.\r\n")
                _ = try hop.replies()
                try hop.send("250 ok\r\n")
                client.disconnect()
            }
            #expect(server.hops.count == 1)
            #expect(server.hops[0].isClosed)
            #expect(try server.hops[0].replies() == ["QUIT"])
        }
    }

    /// As many connections as may be; who needs another waits for one, as long as for a connection.
    @Test func connectionsAreCounted() throws {
        try Self.with(connections: 2) { $0.timeouts.nextHop.connect = .seconds(10) }.run { server in
            var all: [(client: TestClient, hop: TestClient)] = []
            for _ in 0..<2 { all.append(try Self.opened(server, "fred@example.org")) }
            let third = try server.greeted()
            try third.send("MAIL FROM:<>\r\nRCPT TO:<fred@example.org>\r\n")
            let fourth = try server.greeted()
            server.advance(.seconds(5))
            try fourth.send("MAIL FROM:<>\r\nRCPT TO:<ann@example.org>\r\n")
            #expect(server.hops.count == 2)
            server.advance(.milliseconds(4_999))
            #expect(try third.replies().count == 1)
            server.advance(.milliseconds(1))
            #expect(try third.replies() == [Self.busy])
            #expect(
                server.log.lines("next-hop-failed") == [
                    "error next-hop-failed next-hop=inside reason=127.0.0.1:2525: all 2 connections that this event "
                        + "loop may have are in use"
                ])
            // The first that is free is for who waits.
            try all[0].client.send("a\r\n.\r\n")
            _ = try all[0].hop.replies()
            try all[0].hop.send("250 ok\r\n")
            #expect(try all[0].hop.replies() == ["MAIL FROM:<>", "RCPT TO:<ann@example.org>"])
            #expect(server.hops.count == 2)
            // So is the place of one that ends.
            let fifth = try server.greeted()
            try fifth.send("MAIL FROM:<>\r\nRCPT TO:<ann@example.org>\r\n")
            #expect(server.hops.count == 2)
            all[1].client.disconnect()
            #expect(server.hops.count == 3)
        }
    }

    /// The connections are shared evenly among the event loops.
    @Test func connectionsAreShared() throws {
        try Self.with(connections: 3) { $0.threads = 2 }.run { server in
            _ = try Self.opened(server, "fred@example.org")
            let other = try server.greeted()
            try other.send("MAIL FROM:<>\r\nRCPT TO:<ann@example.org>\r\n")
            #expect(server.hops.count == 1)
        }
    }

    /// Where MAIL was refused, the next recipient is asked for with another MAIL.
    @Test func aRefusedSenderIsAskedForAgain() throws {
        try Self.run { server in
            let (client, hop, _) = try Self.asked(server, "fred@example.org")
            try hop.send("451 4.7.1 later\r\n503 5.5.1 MAIL first\r\n")
            #expect(try client.replies() == ["451 4.7.1 later"])
            try client.send("RCPT TO:<ann@example.org>\r\n")
            #expect(try hop.replies() == ["RSET", "MAIL FROM:<me@c.example>", "RCPT TO:<ann@example.org>"])
            try hop.send("250 ok\r\n250 ok\r\n250 ok\r\n")
            #expect(try client.replies() == [Self.ok])
        }
    }

    /// What a hop offers is learned before the first message, and decides what is offered to clients.
    @Test func introduction() throws {
        try TestLoop.run { server in
            let keywords = try server.greeted().say("EHLO c")
            #expect(!keywords.contains { $0.hasSuffix("DSN") })
        }
        try Self.run { server in
            func keywords() throws -> [String] { try server.greeted().say("EHLO c") }
            let before = try keywords()
            #expect(!before.contains { $0.hasSuffix("DSN") })
            server.loop.introduce()
            try Self.welcome(try server.accepted(), Self.helloWithDSN)
            let after = try keywords()
            #expect(after.contains { $0.hasSuffix("DSN") })
        }
    }

    /// Where a hop is no longer in the configuration, what is under way is finished, and nothing new begins.
    @Test func hopsThatGo() throws {
        try Self.run { server in
            let (client, hop) = try Self.opened(server, "fred@example.org")
            let early = try server.greeted()
            _ = try early.say("MAIL FROM:<>")
            var settings = server.loop.service.configuration
            settings.nextHops = []
            server.loop.replace(service: try Service(settings), sources: server.loop.sources)
            #expect(
                try early.say("RCPT TO:<fred@example.org>") == [
                    "451 4.3.0 The message can't be handed on now, try again later"
                ])
            try client.send("a\r\n.\r\n")
            try hop.send("250 ok\r\n")
            #expect(try client.replies() == ["250 2.0.0 OK"])
            #expect(hop.isClosed)
        }
    }

    /// VRFY promises to forward where RCPT does, and nowhere else.
    @Test(arguments: [
        (Set(RecipientPlace.allCases), "251 2.1.5 User not local; will forward to <fred@elsewhere.example>"),
        (Set([RecipientPlace.mailboxes]), "551 5.1.6 User not local; please try <fred@elsewhere.example>"),
    ])
    func promises(places: Set<RecipientPlace>, reply: String) throws {
        try Self.with { $0.nextHops[0].route.places = places }.run { server in
            let client = try server.greeted()
            #expect(try client.say("VRFY far@example.org") == [reply])
        }
    }

    /// After a message that was refused the next transaction begins anew.
    @Test func afterARefusal() throws {
        try Self.run { server in
            let (client, hop, _) = try Self.asked(server, "fred@example.org")
            try hop.send("250 ok\r\n250 ok\r\n")
            try client.send("DATA\r\n")
            try hop.send("451 4.3.0 later\r\n")
            #expect(try client.replies().last == "451 4.3.0 later")
            _ = try hop.replies()
            try client.send("MAIL FROM:<me@c.example>\r\nRCPT TO:<ann@example.org>\r\n")
            // The connection that has to be reset is not at hand yet: there is another.
            let other = try server.accepted()
            try Self.welcome(other)
            #expect(try other.replies() == ["MAIL FROM:<me@c.example>", "RCPT TO:<ann@example.org>"])
            try other.send("250 ok\r\n250 ok\r\n")
            #expect(try client.replies() == ["250 2.1.0 OK", Self.ok])
        }
    }

    /// The recipient is told in Received: where there is one only.
    @Test func severalRecipients() throws {
        try Self.run { server in
            let (client, hop) = try Self.opened(server, "fred@example.org", "ann@example.org")
            try client.send("Subject: x\r\n.\r\n")
            let lines = try hop.replies()
            #expect(lines.first?.hasPrefix("Received: ") == true)
            #expect(!lines.contains { $0.contains("for <") })
        }
    }

    /// Members who take no mail now are left out, with a line in the log.
    @Test func membersWhoTakeNoMail() throws {
        let domain = try Domain("example.org")
        let members = try ["fred", "fat", "nap"].map { try Mailbox("\($0)@example.org") }
        let records: [Record] = [
            .domain(DomainRecord(domain: domain)), .user(User(address: members[0])),
            .user(User(address: members[1], status: .full)), .user(User(address: members[2], status: .suspended)),
            .list(
                MailingList(address: try Mailbox("team@example.org")),
                members: members.map { ListMember(mailbox: $0) }),
        ]
        let source = try MemoryStore(name: "lists", records).source
        var setting = Self.with { _ in }
        setting.source = { _ in source }
        try setting.run { server in
            let (client, hop, lines) = try Self.asked(server, "team@example.org")
            #expect(lines == ["MAIL FROM:<me@c.example>", "RCPT TO:<fred@example.org>"])
            try hop.send("250 ok\r\n250 ok\r\n")
            #expect(try client.replies() == [Self.ok])
            let line = try #require(server.log.lines("left-out").first)
            #expect(line.contains("fat@example.org") && line.contains("nap@example.org"))
        }
    }

    // MARK: Senders and servers

    /// The owner of a list is the sender of what it sends on; one transaction has one sender.
    @Test func anotherSender() throws {
        let domain = try Domain("example.org")
        let owner = try Mailbox("owner@example.org")
        let records: [Record] = [
            .domain(DomainRecord(domain: domain)), .user(User(address: try Mailbox("fred@example.org"))),
            .list(
                MailingList(address: try Mailbox("owned@example.org"), owner: owner),
                members: [ListMember(mailbox: try Mailbox("kay@elsewhere.example"))]),
        ]
        let source = try MemoryStore(name: "lists", records).source
        var setting = Self.with { _ in }
        setting.source = { _ in source }
        try setting.run { server in
            let (client, hop, _) = try Self.asked(server, "fred@example.org")
            try hop.send("250 ok\r\n250 ok\r\n")
            #expect(try client.replies() == [Self.ok])
            #expect(
                try client.say("RCPT TO:<owned@example.org>") == [
                    "452 4.5.3 Mail for this recipient goes on from another sender than for those before: send to it "
                        + "in another transaction"
                ])
            let (other, next, lines) = try Self.asked(server, "owned@example.org")
            #expect(lines == ["MAIL FROM:<owner@example.org>", "RCPT TO:<kay@elsewhere.example>"])
            try next.send("250 ok\r\n250 ok\r\n")
            #expect(try other.replies() == [Self.ok])
            // A notification stays one.
            let (_, _, null) = try Self.asked(server, "owned@example.org", sender: "")
            #expect(null.first == "MAIL FROM:<>")
        }
    }

    /// What is asked for notifications goes with a recipient, and not with what a list sends on.
    @Test func notifications() throws {
        let domain = try Domain("example.org")
        let records: [Record] = [
            .domain(DomainRecord(domain: domain)), .user(User(address: try Mailbox("fred@example.org"))),
            .list(
                MailingList(address: try Mailbox("owned@example.org"), owner: try Mailbox("owner@example.org")),
                members: [ListMember(mailbox: try Mailbox("kay@elsewhere.example"))]),
        ]
        let source = try MemoryStore(name: "lists", records).source
        var setting = Self.with { _ in }
        setting.source = { _ in source }
        for (recipient, lines) in [
            (
                "owned@example.org", ["MAIL FROM:<owner@example.org>", "RCPT TO:<kay@elsewhere.example>"]
            ),
            (
                "fred@example.org",
                [
                    "MAIL FROM:<me@c.example> RET=HDRS ENVID=e1",
                    "RCPT TO:<fred@example.org> NOTIFY=NEVER ORCPT=rfc822;fred@example.org",
                ]
            ),
        ] {
            try setting.run { server in
                server.loop.introduce()
                let hop = try server.accepted()
                try Self.welcome(hop, "250-inside\r\n250-PIPELINING\r\n250 DSN\r\n")
                let client = try server.greeted()
                #expect(try client.say("EHLO c").contains { $0.hasSuffix("DSN") })
                #expect(try client.say("MAIL FROM:<me@c.example> RET=HDRS ENVID=e1") == ["250 2.1.0 OK"])
                try client.send("RCPT TO:<\(recipient)> NOTIFY=NEVER\r\n")
                #expect(try hop.replies() == lines)
            }
        }
    }

    @Test func twoServers() throws {
        let two = { (settings: inout Configuration) in
            let other = MailServer(dialect: .smtp, address: .host("127.0.0.1", port: 2526))
            settings.nextHops[0].route.places = [.mailboxes]
            settings.nextHops.append(
                NextHopConfiguration(name: "outside", kind: .server(other), route: Route(places: [.elsewhere])))
        }
        try Self.with(change: two).run { server in
            let (client, hop, _) = try Self.asked(server, "fred@example.org")
            try hop.send("250 ok\r\n250 ok\r\n")
            #expect(try client.replies() == [Self.ok])
            #expect(
                try client.say("RCPT TO:<far@example.org>").first?.hasPrefix(
                    "452 4.5.3 Mail for this recipient goes to another server")
                    == true)
            // One address that leads to both.
            #expect(
                try client.say("RCPT TO:<many@example.org>") == [
                    "550 5.4.4 Mail for this recipient would have to go to two mail servers, both or neither"
                ])
            #expect(
                server.log.lines("no-next-hop") == [
                    "warning no-next-hop about=many@example.org do=let one mail server take all that one address "
                        + "leads to reason=its mail goes to inside and to outside"
                ])
        }
    }
}
