// Connections to a mail server that end, rest, or have a client who goes: what becomes of their places, and what the server
// is asked no more.

import AddresseeConfiguration
import MailAddress
import MailboxDirectory
import NIOCore
import NIOEmbedded
import SMTPProtocol
import Testing

@testable import AddresseeServer

struct HopPoolTests {
    /// A client that goes while the server is asked: what that will say is for nobody.
    @Test func aClientThatGoesBeforeTheAnswer() throws {
        try NextHopTests.run { server in
            let (client, hop, lines) = try NextHopTests.asked(server, "fred@example.org")
            #expect(lines.count == 2)
            client.disconnect()
            #expect(hop.isClosed)
            #expect(try hop.replies() == [])
        }
    }

    /// One that goes before there is a connection: it is for the next.
    @Test func aClientThatGoesBeforeTheConnection() throws {
        try NextHopTests.run { server in
            let client = try server.greeted()
            try client.send("MAIL FROM:<>\r\nRCPT TO:<fred@example.org>\r\n")
            let hop = try server.accepted()
            client.disconnect()
            try NextHopTests.welcome(hop)
            #expect(try hop.replies() == [])
            let (_, same, lines) = try NextHopTests.asked(server, "ann@example.org")
            #expect(same.channel === hop.channel && lines == ["MAIL FROM:<me@c.example>", "RCPT TO:<ann@example.org>"])
        }
    }

    /// A server that answers, and refuses what it took before, is not tried over another connection.
    @Test func aServerThatChangesItsMind() throws {
        try NextHopTests.run { server in
            let (client, hop, _) = try NextHopTests.asked(server, "smith1@example.org")
            try hop.send("250 ok\r\n250 ok\r\n")
            try client.send("RCPT TO:<both@example.org>\r\n")
            try hop.send("250 ok\r\n450 4.2.1 later\r\n")
            _ = try client.replies()
            try client.send("DATA\r\n")
            try hop.send("250 ok\r\n250 ok\r\n550 5.1.1 gone\r\n")
            #expect(try client.replies() == ["550 5.1.1 gone"])
            #expect(server.hops.count == 1)
        }
    }

    /// LMTP: where the connection ends before all have a reply, the message is sent again to all.
    @Test(arguments: [["250 ok\r\n"], ["550 5.2.0 no\r\n"], []])
    func anEndAmongReplies(replies: [String]) throws {
        try NextHopTests.run(.lmtp) { server in
            let (client, hop) = try NextHopTests.opened(
                server, "fred@example.org", "ann@example.org", dialect: .lmtp)
            try client.send("a\r\n.\r\n")
            for reply in replies { try hop.send(reply) }
            hop.disconnect()
            #expect(try client.replies() == [NextHopTests.lost])
        }
    }

    /// What RFC 3461 asks for is offered where every next hop does it, and no folder takes mail.
    @Test func allNextHopsNotify() throws {
        let servers = ["one", "two"].map { MailServer(dialect: .smtp, address: .host($0, port: 25)) }
        let hops = servers.map { NextHopConfiguration(name: "\($0.address)", kind: .server($0)) }
        try TestLoop.with { $0.nextHops = hops }.run { server in
            for (index, offers) in [(0, true), (1, false), (1, true), (0, false)] {
                var offered = ServerExtensions()
                offered.notifications = offers
                server.shared.learn(servers[index], offered)
                #expect(server.loop.nextHopsNotify == (index == 1 && offers))
            }
        }
        let folder = NextHopConfiguration(
            name: "folders", kind: .maildir(try MaildirTemplate("/mail/{domain}/{local-part}")))
        try TestLoop.with { $0.nextHops = [hops[0], folder] }.run { server in
            var offered = ServerExtensions()
            offered.notifications = true
            server.shared.learn(servers[0], offered)
            #expect(!server.loop.nextHopsNotify)
        }
    }

    /// Senders are rewritten as the configuration at hand says.
    @Test func rewritingIsAsTheConfigurationSays() throws {
        let maps = ["one", "two"].map { SenderRewriting.socketmap(.host($0, port: 1)) }
        try TestLoop.with { $0.senderRewriting = maps[0] }.run { server in
            func rewriter(_ rewriting: SenderRewriting?) throws -> SenderRewriter? {
                var settings = server.loop.service.configuration
                settings.senderRewriting = rewriting
                server.loop.replace(service: try Service(settings), sources: server.loop.sources)
                return server.loop.rewriter
            }
            let first = try #require(server.loop.rewriter)
            #expect(try rewriter(maps[0]) === first)
            let second = try #require(try rewriter(maps[1]))
            #expect(second !== first)
            #expect(try rewriter(nil) == nil)
        }
    }

    /// What comes of a message is a sign of life, though it is no command.
    @Test func dataIsNoSilence() throws {
        try NextHopTests.with { $0.timeouts.idle = .seconds(100) }.run { server in
            let (client, hop) = try NextHopTests.opened(server, "fred@example.org")
            for line in ["one", "two", "three"] {
                server.advance(.seconds(60))
                try client.send(line + "\r\n")
            }
            #expect(try client.replies() == [])
            try client.send(".\r\n")
            try hop.send("250 ok\r\n")
            #expect(try client.replies() == ["250 2.0.0 OK"])
            server.advance(.seconds(100))
            #expect(try client.replies() == [ConnectionTests.idle])
        }
    }
}
