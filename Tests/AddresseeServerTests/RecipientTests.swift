// Recipients where mail is taken: each mailbox once, no more of them than may be, what goes on with each, and what the log
// says of those that can't be had.

import AddresseeConfiguration
import MailAddress
import MailboxDirectory
import NIOCore
import NIOEmbedded
import Testing
import Verification

@testable import AddresseeServer

struct RecipientTests {
    private typealias Hops = NextHopTests

    /// Has the server take what it is asked for, and gives what that was.
    private static func taken(_ hop: TestClient) throws -> [String] {
        let lines = try hop.replies()
        try hop.send(String(repeating: "250 ok\r\n", count: lines.count))
        return lines
    }

    /// Who has been asked for already is not asked for again, whatever leads there; after RSET all begins anew.
    @Test func eachMailboxOnce() throws {
        try Hops.run { server in
            let (client, hop, _) = try Hops.asked(server, "claude@example.org")
            try hop.send("250 ok\r\n250 ok\r\n")
            #expect(try client.replies() == [Hops.ok])
            #expect(try client.say("RCPT TO:<FRED@example.org>") == [Hops.ok])
            try client.send("RCPT TO:<both@example.org>\r\n")
            #expect(try Self.taken(hop) == ["RCPT TO:<ann@example.org>"])
            #expect(try client.replies() == [Hops.ok])
            try client.send("RSET\r\nMAIL FROM:<you@c.example>\r\n")
            #expect(try Self.taken(hop) == ["RSET"])
            try client.send("RCPT TO:<fred@example.org>\r\n")
            #expect(try Self.taken(hop) == ["MAIL FROM:<you@c.example>", "RCPT TO:<fred@example.org>"])
            #expect(try client.replies() == ["250 2.0.0 OK", "250 2.1.0 OK", Hops.ok])
        }
    }

    /// So it does after EHLO, which ends the transaction too (RFC 5321 4.1.4), and after a message.
    @Test(arguments: ["EHLO c", "DATA"])
    func anotherTransaction(line: String) throws {
        try Hops.run { server in
            let (client, hop, _) = try Hops.asked(server, "fred@example.org")
            try hop.send("250 ok\r\n250 ok\r\n")
            _ = try client.replies()
            try client.send(line + "\r\n")
            if line == "DATA" {
                #expect(try hop.replies() == ["DATA"])
                try hop.send("354 go\r\n")
                try client.send("a\r\n.\r\n")
                _ = try hop.replies()
                try hop.send("250 ok\r\n")
            } else {
                #expect(try Self.taken(hop) == ["RSET"])
            }
            _ = try client.replies()
            #expect(try client.say("RCPT TO:<fred@example.org>") == ["503 5.5.1 MAIL first"])
            try client.send("MAIL FROM:<you@c.example>\r\nRCPT TO:<fred@example.org>\r\n")
            #expect(
                try Self.taken(hop).suffix(2) == ["MAIL FROM:<you@c.example>", "RCPT TO:<fred@example.org>"])
            #expect(try client.replies() == ["250 2.1.0 OK", Hops.ok])
        }
    }

    /// No more mailboxes in one transaction than one address may lead to, and those that are in it count once.
    @Test func tooManyMailboxes() throws {
        try Hops.with { $0.expansion.addresses = 2 }.run { server in
            let (client, hop, _) = try Hops.asked(server, "fred@example.org")
            try hop.send("250 ok\r\n250 ok\r\n")
            try client.send("RCPT TO:<ann@example.org>\r\n")
            _ = try Self.taken(hop)
            #expect(try client.replies() == [Hops.ok, Hops.ok])
            #expect(
                try client.say("RCPT TO:<smith1@example.org>", "RCPT TO:<ann@example.org>") == [
                    "452 4.5.3 The recipients lead to too many mailboxes: send to this one in another transaction",
                    Hops.ok,
                ])
            #expect(try hop.replies() == [])
        }
    }

    /// What is asked of a notification goes with the first of several, and with a redirection as the client has it.
    @Test(arguments: [
        ("both@example.org", ["fred@example.org", "ann@example.org"]), ("claude@example.org", ["fred@example.org"]),
    ])
    func notifications(recipient: String, mailboxes: [String]) throws {
        try Hops.run { server in
            server.loop.introduce()
            try Hops.welcome(try server.accepted(), "250-inside\r\n250-PIPELINING\r\n250 DSN\r\n")
            let client = try server.greeted()
            _ = try client.say("EHLO c", "MAIL FROM:<me@c.example> RET=FULL")
            try client.send("RCPT TO:<\(recipient)> NOTIFY=SUCCESS\r\n")
            let lines = try server.hops[0].replies()
            #expect(lines.first == "MAIL FROM:<me@c.example> RET=FULL")
            #expect(lines.dropFirst().first?.hasSuffix(" NOTIFY=SUCCESS ORCPT=rfc822;\(recipient)") == true)
            #expect(
                Set(lines.dropFirst().map { $0.split(separator: " ")[1].dropFirst(4).dropLast() })
                    == Set(mailboxes.map { $0[...] }))
            #expect(lines.dropFirst(2).allSatisfy { $0.hasSuffix(">") })
        }
    }

    /// Notifications are offered where every next hop does what they ask for, and none is a folder.
    @Test(arguments: [(true, true), (false, false)])
    func notificationsAreForAll(hasBoth: Bool, isOffered: Bool) throws {
        let change = { (settings: inout Configuration) in
            let other = MailServer(dialect: .smtp, address: .host("127.0.0.1", port: 2526))
            settings.nextHops.append(NextHopConfiguration(name: "outside", kind: .server(other)))
        }
        try Hops.with(change: change).run { server in
            server.loop.introduce()
            #expect(server.hops.count == 2)
            for (number, offers) in [true, hasBoth].enumerated() {
                try Hops.welcome(try server.accepted(number), offers ? "250-x\r\n250 DSN\r\n" : "250 x\r\n")
            }
            let keywords = try server.greeted().say("EHLO c")
            #expect(keywords.contains { $0.hasSuffix("DSN") } == isOffered)
        }
        let withFolder = { (settings: inout Configuration) in
            guard let template = try? MaildirTemplate("/nowhere/{domain}/{local-part}") else { return }
            settings.nextHops.append(NextHopConfiguration(name: "folders", kind: .maildir(template)))
        }
        try Hops.with(change: withFolder).run { server in
            server.loop.introduce()
            try Hops.welcome(try server.accepted(), Hops.helloWithDSN)
            let keywords = try server.greeted().say("EHLO c")
            #expect(!keywords.contains { $0.hasSuffix("DSN") })
        }
    }

    /// Each of those who are refused behind one address is named in the log, though the client hears of one.
    @Test func allWhoAreRefusedAreNamed() throws {
        try Hops.run { server in
            let (client, hop, _) = try Hops.asked(server, "both@example.org")
            try hop.send("250 ok\r\n550 5.1.1 a\r\n550 5.1.1 b\r\n")
            #expect(try client.replies() == ["550 5.1.1 The next mail server refuses it"])
            let lines = server.log.lines("refused-by-next-hop")
            #expect(lines.count == 2)
            for (name, reply) in [("fred", "a"), ("ann", "b")] {
                #expect(
                    lines.contains(
                        "warning refused-by-next-hop about=both@example.org next-hop=inside "
                            + "recipients=\(name)@example.org reply=550 5.1.1 \(reply)"))
            }
        }
    }

    /// A message that was begun with SMTPUTF8 goes to no server without, whoever its recipients are (RFC 6531 3.2).
    @Test(arguments: [true, false])
    func messagesInUTF8(isTaken: Bool) throws {
        try Hops.run { server in
            let client = try server.greeted()
            _ = try client.say("EHLO c", "MAIL FROM:<me@c.example> SMTPUTF8")
            try client.send("RCPT TO:<fred@example.org>\r\n")
            let hop = try server.accepted()
            try Hops.welcome(hop, isTaken ? "250-x\r\n250 SMTPUTF8\r\n" : "250 x\r\n")
            #expect(try hop.replies() == (isTaken ? ["MAIL FROM:<me@c.example> SMTPUTF8"] : []))
            #expect(
                try client.replies()
                    == (isTaken ? [] : ["550 5.6.7 The next mail server does not take SMTPUTF8"]))
        }
    }

    // MARK: Trouble

    /// Loops, limits and a directory in trouble are told in the log, whatever was asked; the client is told to come again.
    @Test(arguments: [
        (
            "loop1@example.org",
            "error loop about=loop1@example.org path=loop1@example.org -> loop2@example.org -> loop1@example.org"
        ),
        ("broken@example.org", "error could-not-tell about=broken@example.org reason=it broke source=people"),
        ("claude@example.org", "error limit-passed about=claude@example.org limit=lookups path=claude@example.org"),
    ])
    func trouble(address: String, line: String) throws {
        let questions: [(wire: ListenerWire, text: String, answer: String)] = [
            (.smtp, "VRFY \(address)\r\n", "451 4."), (.smtp, "MAIL FROM:<>\r\nRCPT TO:<\(address)>\r\n", "451 4."),
            (.socketmap, QuestionTests.netstring("recipients \(address)"), "TEMP 4."),
            (.tcpTable, "get \(address)\n", "400 4."), (.policy, QuestionTests.policy(address), "action=451 4."),
            (.readsocket, "rcpt \(address)\n", "defer 451 4."),
        ]
        let hop = NextHopConfiguration(
            name: "inside", kind: .server(MailServer(dialect: .smtp, address: .host("127.0.0.1", port: 2525))))
        for takesMail in [false, true] {
            var setting = TestLoop.with {
                if takesMail { $0.nextHops = [hop] }
                if address.hasPrefix("claude") { $0.expansion.lookups = 1 }
            }
            setting.source = { BrokenSource(base: $0) }
            for question in questions {
                try setting.run { server in
                    let client = try QuestionTests.client(server, question.wire)
                    try client.send(question.text)
                    let said = try client.received()
                    #expect(said.contains(question.answer), "\(said)")
                    let told = ["loop", "limit-passed", "could-not-tell"].flatMap { server.log.lines($0) }
                    #expect(told == [line])
                }
            }
        }
    }
}

/// Can't tell of one address.
private final class BrokenSource: Source {
    private let base: any Source

    init(base: any Source) { self.base = base }

    var name: String { "people" }

    func answer(_ lookup: Lookup) -> Answer {
        if case .entries(let mailboxes) = lookup, mailboxes.contains(where: { $0.localPart.description == "broken" }) {
            return .couldNotTell(Trouble(source: name, reason: "it broke"))
        }
        return base.answer(lookup)
    }
}
