// The connections to a mail server: which are kept and counted, how long each answer may take, and what a failure leaves.

import AddresseeConfiguration
import DialogueTesting
import MailAddress
import MailboxDirectory
import NIOCore
import NIOEmbedded
import Testing
import Verification

@testable import AddresseeServer

struct HopConnectionTests {
    private typealias Hops = NextHopTests

    /// One message, from MAIL to the last reply.
    private static func deliver(_ server: TestLoop, over pair: (client: TestClient, hop: TestClient)) throws {
        try pair.client.send("a\r\n.\r\n")
        _ = try pair.hop.replies()
        try pair.hop.send("250 ok\r\n")
        #expect(try pair.client.replies() == ["250 2.0.0 OK"])
    }

    /// A client whose recipient the server is to be asked for.
    private static func ask(_ server: TestLoop, _ recipient: String = "fred@example.org") throws -> TestClient {
        let client = try server.greeted()
        #expect(try client.say("MAIL FROM:<me@c.example>") == ["250 2.1.0 OK"])
        try client.send("RCPT TO:<\(recipient)>\r\n")
        return client
    }

    // MARK: Counting

    /// A connection that comes to nothing leaves its place to who waits, again and again.
    @Test func aFailureGivesItsPlaceBack() throws {
        try Hops.with(connections: 1) { _ in }.run { server in
            let clients = try (0..<3).map { _ in try Self.ask(server) }
            for number in 0..<2 {
                #expect(server.hops.count == number + 1)
                try server.accepted().send("554 no\r\n")
                #expect(try clients[number].replies() == [Hops.down])
            }
            #expect(server.hops.count == 3)
            let hop = try server.accepted()
            try Hops.welcome(hop)
            #expect(try hop.replies().count == 2)
            try hop.send("250 ok\r\n250 ok\r\n")
            #expect(try clients[2].replies() == [Hops.ok])
        }
    }

    /// Nor does one that ends while it is kept, or in use, hold its place.
    @Test func anEndGivesItsPlaceBack() throws {
        try Hops.with(connections: 1) { _ in }.run { server in
            try Self.deliver(server, over: try Hops.opened(server, "fred@example.org"))
            server.hops[0].disconnect()
            let (_, used) = try Hops.opened(server, "fred@example.org")
            #expect(server.hops.count == 2)
            let waiting = try Self.ask(server)
            #expect(server.hops.count == 2)
            used.disconnect()
            #expect(server.hops.count == 3)
            #expect(try waiting.replies() == [])
        }
    }

    /// Who waits gets a connection in the order in which they asked.
    @Test func whoWaitsIsServedInOrder() throws {
        try Hops.with(connections: 1) { _ in }.run { server in
            let (client, hop) = try Hops.opened(server, "fred@example.org")
            let others = [try Self.ask(server, "ann@example.org"), try Self.ask(server, "smith1@example.org")]
            try Self.deliver(server, over: (client, hop))
            for (other, name) in zip(others, ["ann", "smith1"]) {
                #expect(try hop.replies() == ["MAIL FROM:<me@c.example>", "RCPT TO:<\(name)@example.org>"])
                try hop.send("250 ok\r\n250 ok\r\n")
                #expect(try other.replies() == [Hops.ok])
                try other.send("RSET\r\n")
                #expect(try hop.replies() == ["RSET"])
                try hop.send("250 ok\r\n")
            }
            #expect(server.hops.count == 1)
        }
    }

    /// Transactions that are given up count as uses too.
    @Test func usesWithoutAMessage() throws {
        try Hops.run { server in
            for _ in 0..<100 {
                let client = try Self.ask(server)
                if server.hops.count == 1, !server.hops[0].channel.isActive { try Hops.welcome(try server.accepted()) }
                _ = try server.hops[0].replies()
                try server.hops[0].send("250 ok\r\n250 ok\r\n")
                #expect(try client.replies() == [Hops.ok])
                try client.send("RSET\r\n")
                try server.hops[0].send("250 ok\r\n")
            }
            #expect(server.hops.count == 1 && server.hops[0].isClosed)
        }
    }

    /// Of two connections that were kept and have been closed, the second is not tried either.
    @Test func staleConnectionsAreNotTriedAgain() throws {
        try Hops.run { server in
            let pairs = [
                try Hops.opened(server, "fred@example.org"), try Hops.opened(server, "ann@example.org"),
            ]
            for pair in pairs { try Self.deliver(server, over: pair) }
            #expect(server.hops.count == 2)
            let client = try Self.ask(server)
            let used = try pairs.firstIndex { try !$0.hop.replies().isEmpty }
            let index = try #require(used)
            pairs[index].hop.disconnect()
            #expect(server.hops.count == 3)
            #expect(try pairs[1 - index].hop.replies() == [])
            let hop = try server.accepted()
            try Hops.welcome(hop)
            #expect(try hop.replies() == ["MAIL FROM:<me@c.example>", "RCPT TO:<fred@example.org>"])
            try hop.send("250 ok\r\n250 ok\r\n")
            #expect(try client.replies() == [Hops.ok])
            #expect(server.log.lines("next-hop-failed").isEmpty)
        }
    }

    /// A connection that was kept and fails at DATA is tried anew once, with all that the server had taken.
    @Test func dataIsTriedAgain() throws {
        try Hops.run { server in
            let client = try Self.ask(server)
            let first = try server.accepted()
            try Hops.welcome(first)
            try first.send("250 ok\r\n250 ok\r\n")
            #expect(try client.replies() == [Hops.ok])
            try client.send("DATA\r\n")
            _ = try first.replies()
            first.disconnect()
            let second = try server.accepted()
            try Hops.welcome(second)
            #expect(try second.replies() == ["MAIL FROM:<me@c.example>", "RCPT TO:<fred@example.org>"])
            try second.send("250 ok\r\n250 ok\r\n")
            #expect(try second.replies() == ["DATA"])
            second.disconnect()
            #expect(server.hops.count == 2)
            #expect(try client.replies() == [Hops.lost])
        }
    }

    // MARK: What goes

    /// Connections that nobody uses end with their hop, and when the server stops; each with QUIT.
    @Test(arguments: [true, false])
    func keptConnectionsEnd(stops: Bool) throws {
        try Hops.run { server in
            try Self.deliver(server, over: try Hops.opened(server, "fred@example.org"))
            #expect(!server.hops[0].isClosed)
            if stops {
                server.loop.stopAll()
            } else {
                var settings = server.loop.service.configuration
                settings.nextHops = []
                server.loop.replace(service: try Service(settings), sources: server.loop.sources)
            }
            #expect(server.hops[0].isClosed)
            #expect(try server.hops[0].replies() == ["QUIT"])
        }
    }

    /// A hop that is in the new configuration as it was keeps its connections, and one with other settings does not.
    @Test(arguments: [false, true])
    func keptOverAReload(changes: Bool) throws {
        try Hops.run { server in
            try Self.deliver(server, over: try Hops.opened(server, "fred@example.org"))
            var settings = server.loop.service.configuration
            settings.hostname = "other.example"
            if changes { settings.nextHops[0].name = "other" }
            server.loop.replace(service: try Service(settings), sources: server.loop.sources)
            #expect(server.hops[0].isClosed == changes)
            _ = try Self.ask(server)
            #expect(server.hops.count == (changes ? 2 : 1))
        }
    }

    // MARK: Time

    /// Each of the replies that come after one another has the whole time.
    @Test func eachReplyHasItsTime() throws {
        try Hops.with { $0.timeouts.nextHop.reply = .seconds(11) }.run { server in
            let (client, hop, lines) = try Hops.asked(server, "both@example.org")
            #expect(lines.count == 3)
            for _ in 0..<3 {
                server.advance(.milliseconds(10_999))
                #expect(try client.replies() == [])
                try hop.send("250 ok\r\n")
            }
            #expect(try client.replies() == [Hops.ok])
            // When all have come, nothing is waited for.
            server.advance(.seconds(100))
            #expect(!hop.isClosed)
        }
        try Hops.with { $0.timeouts.nextHop.reply = .seconds(11) }.run { server in
            let (client, hop, _) = try Hops.asked(server, "fred@example.org")
            server.advance(.seconds(10))
            try hop.send("250 ok\r\n")
            server.advance(.milliseconds(10_999))
            #expect(!hop.isClosed)
            server.advance(.milliseconds(1))
            #expect(hop.isClosed)
            #expect(try client.replies() == [Hops.down])
        }
    }

    /// So has each recipient's of LMTP.
    @Test func eachReplyToAMessageHasItsTime() throws {
        try Hops.with(.lmtp) { $0.timeouts.nextHop.end = .seconds(14) }.run { server in
            let (client, hop) = try Hops.opened(server, "fred@example.org", "ann@example.org", dialect: .lmtp)
            try client.send("a\r\n.\r\n")
            for _ in 0..<2 {
                server.advance(.milliseconds(13_999))
                #expect(try client.replies() == [])
                try hop.send("250 ok\r\n")
            }
            #expect(try client.replies() == ["250 2.0.0 OK"])
        }
    }

    /// The server is not waited for while the client sends its message, nor while a connection is kept.
    @Test func nothingIsWaitedFor() throws {
        let change = { (settings: inout Configuration) in
            settings.timeouts.idle = .seconds(1000)
            settings.timeouts.nextHop.reply = .seconds(5)
            settings.timeouts.nextHop.data = .seconds(5)
            settings.timeouts.nextHop.end = .seconds(5)
        }
        try Hops.with(change: change).run { server in
            let (client, hop) = try Hops.opened(server, "fred@example.org")
            server.advance(.seconds(100))
            try client.send("half\r\n")
            server.advance(.seconds(100))
            #expect(!hop.isClosed)
            try Self.deliver(server, over: (client, hop))
            server.advance(.seconds(19))
            #expect(!hop.isClosed)
        }
    }

    /// A server that takes half an hour to fail is left alone for half a minute.
    @Test func theLongestRest() throws {
        try Hops.with { $0.timeouts.nextHop.reply = .seconds(1800) }.run { server in
            server.loop.introduce()
            _ = try server.accepted()
            server.advance(.seconds(1800))
            #expect(server.log.lines("next-hop-failed").count == 1)
            server.advance(.milliseconds(29_999))
            #expect(try Self.ask(server).replies() == [Hops.down])
            server.advance(.milliseconds(1))
            let client = try Self.ask(server)
            #expect(server.hops.count == 2)
            // One that answers again is used as before.
            try Hops.welcome(try server.accepted())
            try server.hops[1].send("250 ok\r\n250 ok\r\n")
            #expect(try client.replies() == [Hops.ok])
        }
    }

    // MARK: Many recipients

    /// A list of so many members elsewhere.
    private static func list(_ count: Int) throws -> TestLoop.Setting {
        let members = try (0..<count).map { ListMember(mailbox: try Mailbox("x\($0)@else.example")) }
        let records: [Record] = [
            .domain(DomainRecord(domain: try Domain("example.org"))),
            .list(MailingList(address: try Mailbox("big@example.org")), members: members),
        ]
        let source = try MemoryStore(name: "lists", records).source
        var setting = Hops.with { _ in }
        setting.source = { _ in source }
        return setting
    }

    /// After a "not now" nobody else is asked for: the message goes to none of them.
    @Test func notNowEndsTheQuestions() throws {
        try Self.list(300).run { server in
            let client = try Self.ask(server, "big@example.org")
            for _ in 0..<200 { server.advance(.milliseconds(1)) }
            let hop = try server.accepted()
            try Hops.welcome(hop)
            #expect(try hop.replies().count == 257)
            var replies = Array(repeating: "250 ok\r\n", count: 257)
            replies[100] = "450 4.2.1 later\r\n"
            try hop.send(replies.joined())
            #expect(try hop.replies() == [])
            #expect(try client.replies() == ["450 4.2.1 The next mail server can't take it now, try again later"])
        }
    }

    /// Who is refused is left out, be it of the first that were asked for together or of the others.
    @Test(arguments: [0, 255, 256, 299])
    func refusalsOfMany(refused: Int) throws {
        try Self.list(300).run { server in
            let client = try Self.ask(server, "big@example.org")
            for _ in 0..<200 { server.advance(.milliseconds(1)) }
            let hop = try server.accepted()
            try Hops.welcome(hop)
            var number = 0
            for count in [256, 44] {
                let lines = try hop.replies().filter { !$0.hasPrefix("MAIL") }
                #expect(lines.count == count)
                var replies = number == 0 ? "250 ok\r\n" : ""
                for _ in lines {
                    replies += number == refused ? "550 5.1.1 gone\r\n" : "250 ok\r\n"
                    number += 1
                }
                #expect(try client.replies() == [])
                try hop.send(replies)
            }
            #expect(try client.replies() == [Hops.ok])
            let line = try #require(server.log.lines("left-out").first)
            #expect(line.contains("recipients=x\(refused)@else.example"))
        }
    }

    /// A reply that ends the connection fails all that were asked for, whatever those before it were told.
    @Test func goodbyeAmidRecipients() throws {
        try Hops.run { server in
            let (client, hop, _) = try Hops.asked(server, "both@example.org")
            try hop.send("250 ok\r\n250 ok\r\n421 4.3.2 bye\r\n")
            #expect(try client.replies() == [Hops.lost])
            #expect(hop.isClosed)
            #expect(server.log.lines("next-hop-failed").count == 1)
        }
    }
}

/// A mail server that can't be reached, over a socket: the log tells why.
struct UnreachableHopTests {
    @Test(arguments: [true, false])
    func whyItCanNotBeReached(isUnixSocket: Bool) async throws {
        let log = LogBook()
        nonisolated(unsafe) var address = ServerAddress.unix(path: "/nowhere/socket")
        if !isUnixSocket {
            // A port that has just been free.
            try await ScriptedServer([]).run { port in address = .host("127.0.0.1", port: port) }
        }
        let hop = NextHopConfiguration(name: "gone", kind: .server(MailServer(dialect: .smtp, address: address)))
        let dialogue = try Dialogue(name: "message", text: MessageServerTests.dialogue)
        let ask: @Sendable (Int) async throws -> Void = { port in
            try await SocketPeer.connected(port: port) { peer in
                let replies = try await MessageServerTests.replies(
                    3, to: "MAIL FROM:<>\r\nRCPT TO:<fred@example.org>\r\n", over: peer)
                #expect(replies.last == NextHopTests.down)
            }
        }
        try await ServedDirectory.serve(dialogue, log: log, change: { $0.nextHops = [hop] }, ask)
        let reason = isUnixSocket ? "No such file or directory" : "Connection refused"
        #expect(
            log.lines("next-hop-failed").first == "error next-hop-failed next-hop=gone reason=\(address): \(reason)")
    }
}
