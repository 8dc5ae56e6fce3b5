// The maps of SRS, played by a small server: which keys are asked, what comes of each answer, and of a connection that ends.

import AddresseeConfiguration
import Foundation
import MailAddress
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing
import Verification

@testable import AddresseeServer

struct SenderMapTests {
    /// Asks a map of each sender, one after the other.
    private static func ask(
        _ senders: [String], _ rewriting: SenderRewriting, reverse: Bool = false, patience: TimeAmount = .seconds(60)
    ) async throws -> [String] {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let rewriter = try await eventLoop.submit {
            NIOLoopBound(
                SenderRewriter(rewriting, eventLoop: eventLoop, patience: patience), eventLoop: eventLoop)
        }.get()
        var answers: [String] = []
        for sender in senders {
            let mailbox = try Mailbox(sender)
            let answer: String = await withCheckedContinuation { continuation in
                eventLoop.execute {
                    let done: (SenderRewriter.Answer) -> Void = { answer in
                        switch answer {
                        case .rewritten(let mailbox): continuation.resume(returning: mailbox.description)
                        case .kept: continuation.resume(returning: "kept")
                        case .failed(let reason): continuation.resume(returning: "failed: \(reason)")
                        case .tooLong(let octets): continuation.resume(returning: "too long: \(octets)")
                        }
                    }
                    if reverse { rewriter.value.reverse(mailbox, done) } else { rewriter.value.forward(mailbox, done) }
                }
            }
            answers.append(answer)
        }
        try await eventLoop.submit { rewriter.value.close() }.get()
        return answers
    }

    private static func netstring(_ text: String) -> String { "\(text.utf8.count):\(text)," }

    @Test func answers() async throws {
        let server = ScriptedServer(
            ["OK srs0=x@us.example", "OK me@c.example", "NOTFOUND ", "TEMP busy", "PERM broken", "OK nonsense"].map(
                Self.netstring))
        try await server.run { port in
            let answers = try await Self.ask(
                Array(repeating: "me@c.example", count: 6), .socketmap(.host("127.0.0.1", port: port)))
            #expect(
                answers == [
                    "srs0=x@us.example", "kept", "kept", "failed: busy", "failed: broken",
                    "failed: nonsense is no address",
                ])
        }
        #expect(server.questions == Array(repeating: Self.netstring("forward me@c.example"), count: 6))
        #expect(server.connections == 1)
    }

    /// The key is without quotes; the map for the way back is another.
    @Test func keys() async throws {
        let server = ScriptedServer([Self.netstring("OK me@c.example")])
        try await server.run { port in
            let answers = try await Self.ask(
                ["\"a b\"@us.example"], .socketmap(.host("127.0.0.1", port: port)), reverse: true)
            #expect(answers == ["me@c.example"])
        }
        #expect(server.questions == [Self.netstring("reverse a b@us.example")])
        let (forward, reverse) = (ScriptedServer(["200 x@us.example\n"]), ScriptedServer(["500 no\n"]))
        try await forward.run { one in
            try await reverse.run { other in
                let rewriting = SenderRewriting.tcpTables(
                    forward: .host("127.0.0.1", port: one), reverse: .host("127.0.0.1", port: other))
                let there = try await Self.ask(["me@c.example"], rewriting)
                let back = try await Self.ask(["me@c.example"], rewriting, reverse: true)
                #expect(there == ["x@us.example"] && back == ["kept"])
            }
        }
        #expect(forward.questions == ["get me@c.example\n"] && reverse.questions == ["get me@c.example\n"])
    }

    /// A connection that was kept and has ended says nothing of the map; a new one that ends does.
    @Test func connections() async throws {
        let answer = Self.netstring("OK x@us.example")
        let server = ScriptedServer([answer + "!", answer])
        try await server.run { port in
            let address = ServerAddress.host("127.0.0.1", port: port)
            let answers = try await Self.ask(Array(repeating: "me@c.example", count: 3), .socketmap(address))
            // The third is asked twice: the connection ends, and then a new one does.
            #expect(answers == ["x@us.example", "x@us.example", "failed: \(address) does not answer"])
        }
        #expect(server.connections == 3)
    }

    /// A map that says nothing, or not all of it, is not waited for without end.
    @Test(arguments: ["", "9:NOT"])
    func patience(answer: String) async throws {
        let server = ScriptedServer([answer])
        try await server.run { port in
            let address = ServerAddress.host("127.0.0.1", port: port)
            let answers = try await Self.ask(["me@c.example"], .socketmap(address), patience: .seconds(1))
            #expect(answers == ["failed: \(address) does not answer"])
        }
        #expect(server.connections == 1)
    }

    /// A notification for an address that was made here goes to whom the map says, wherever that is.
    @Test func notifications() async throws {
        let server = ScriptedServer(
            ["OK me@far.example", "NOTFOUND ", "TEMP busy", "OK you@far.example"].map(Self.netstring))
        try await server.run { port in
            let change: MessageServerTests.Change = { configuration, _ in
                configuration.senderRewriting = .socketmap(.host("127.0.0.1", port: port))
            }
            try await MessageServerTests.serve(change: change) { peer, place in
                _ = try await MessageServerTests.replies(2, to: "MAIL FROM:<>\r\n", over: peer)
                for (recipient, reply) in [
                    ("srs0=a=b@example.org", "250 2.1.5 OK"), ("srs0=c=d@example.org", "550 5.1.1 No such user here"),
                    ("srs0=e=f@example.org", "451 4.3.0 The message can't be handed on now, try again later"),
                    ("me@far.example", "550 5.7.1 Relaying denied: not a domain of this server"),
                    // Made by a server that has the same map, under a domain that is not known here.
                    ("srs1=g=h@other.test", "250 2.1.5 OK"),
                ] {
                    let replies = try await MessageServerTests.replies(1, to: "RCPT TO:<\(recipient)>\r\n", over: peer)
                    #expect(replies == [reply])
                }
                let replies = try await MessageServerTests.replies(2, to: "DATA\r\nx\r\n.\r\n", over: peer)
                #expect(replies.last == "250 2.0.0 OK")
                #expect(place.messages("far.example/me").count == 1)
                #expect(place.messages("far.example/you").count == 1)
            }
        }
        #expect(
            server.questions
                == ["srs0=a=b@example.org", "srs0=c=d@example.org", "srs0=e=f@example.org", "srs1=g=h@other.test"].map {
                    Self.netstring("reverse \($0)")
                })
    }

    /// One transaction has one sender: the map is asked for it once, however many recipients it goes on to.
    @Test func aSenderIsAskedForOnce() async throws {
        let map = ScriptedServer((0..<6).map { Self.netstring("OK srs\($0)@us.example") })
        let hop = ScriptedServer([], greeting: "220 x\r\n")
        let senders = ["me@c.example", "you@c.example"]
        try await map.run { mapPort in
            try await hop.run { hopPort in
                let change: MessageServerTests.Change = { configuration, _ in
                    configuration.senderRewriting = .socketmap(.host("127.0.0.1", port: mapPort))
                    configuration.nextHops[0].route.places = [.mailboxes]
                    let server = MailServer(dialect: .smtp, address: .host("127.0.0.1", port: hopPort))
                    configuration.nextHops.append(
                        NextHopConfiguration(
                            name: "outside", kind: .server(server), route: Route(places: [.elsewhere])))
                }
                try await MessageServerTests.serve(change: change) { peer, _ in
                    var count = 6  // the greeting too
                    for sender in senders {
                        let recipients = ["far", "keeper", "many"].map { "RCPT TO:<\($0)@example.org>\r\n" }
                        let text = "MAIL FROM:<\(sender)>\r\n\(recipients.joined())RSET\r\n"
                        let replies = try await MessageServerTests.replies(count, to: text, over: peer)
                        #expect(replies.suffix(5).allSatisfy { $0.hasPrefix("25") }, "\(replies)")
                        count = 5
                    }
                }
            }
        }
        #expect(map.questions == senders.map { Self.netstring("forward \($0)") })
        let mail = hop.questions.filter { $0.hasPrefix("MAIL") }
        #expect(mail == ["MAIL FROM:<srs0@us.example>\r\n", "MAIL FROM:<srs1@us.example>\r\n"])
    }

    /// Whose mail stays at this site keeps its sender, whatever server has the mailbox.
    @Test func sendersAreKeptAtThisSite() async throws {
        let map = ScriptedServer([Self.netstring("OK srs0@us.example")])
        let hop = ScriptedServer([], greeting: "220 x\r\n")
        try await map.run { mapPort in
            try await hop.run { hopPort in
                let change: MessageServerTests.Change = { configuration, _ in
                    configuration.senderRewriting = .socketmap(.host("127.0.0.1", port: mapPort))
                    let server = MailServer(dialect: .smtp, address: .host("127.0.0.1", port: hopPort))
                    configuration.nextHops = [NextHopConfiguration(name: "inside", kind: .server(server))]
                }
                try await MessageServerTests.serve(change: change) { peer, _ in
                    let text = "MAIL FROM:<me@c.example>\r\nRCPT TO:<fred@example.org>\r\n"
                    let replies = try await MessageServerTests.replies(3, to: text, over: peer)
                    #expect(replies.last == "250 2.1.5 OK")
                }
            }
        }
        #expect(map.questions.isEmpty)
        #expect(hop.questions.contains("MAIL FROM:<me@c.example>\r\n"))
    }

    /// What is no answer ends the connection, and nobody answers for it.
    @Test func malformedAnswers() async throws {
        let server = ScriptedServer(["nonsense", Self.netstring("WHAT x"), Self.netstring("NOTFOUND ")])
        try await server.run { port in
            let address = ServerAddress.host("127.0.0.1", port: port)
            let answers = try await Self.ask(Array(repeating: "me@c.example", count: 3), .socketmap(address))
            let failed = "failed: \(address) does not answer"
            #expect(answers == [failed, failed, "kept"])
        }
    }
}
