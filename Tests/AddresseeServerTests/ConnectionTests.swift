// A connection, whatever is spoken over it: its time, what it holds back, and its end.

import AddresseeConfiguration
import Foundation
import MailboxDirectory
import NIOCore
import NIOEmbedded
import Testing
import Verification

@testable import AddresseeServer

struct ConnectionTests {
    static let idle = "421 4.4.2 mx.example Nothing heard for too long, closing transmission channel"
    static let stopping = "421 4.3.2 mx.example Service not available, closing transmission channel"

    // MARK: Silence

    /// Only whole commands are a sign of life.
    @Test func idleClientsAreTold() throws {
        try TestLoop.with { $0.timeouts.idle = .seconds(100) }.run { server in
            let client = try server.greeted()
            server.advance(.seconds(60))
            #expect(try client.say("NOOP") == ["250 2.0.0 OK"])
            server.advance(.seconds(99))
            try client.send("NOO")
            #expect(try client.received() == "")
            server.advance(.milliseconds(999))
            #expect(try client.received() == "" && !client.socket.isOutputClosed)
            server.advance(.milliseconds(1))
            #expect(try client.replies() == [Self.idle])
            #expect(client.socket.isOutputClosed)
        }
    }

    /// Each wire in its own words, or in none.
    @Test(arguments: [
        (ListenerWire.socketmap, ""), (.tcpTable, ""), (.policy, ""), (.milter, ""),
        (.readsocket, "defer 4.4.2 No question was heard; end it with a line feed"),
    ])
    func idleOnOtherWires(wire: ListenerWire, said: String) throws {
        try TestLoop.with { $0.timeouts.idle = .seconds(100) }.run { server in
            let client = try server.client(wire: wire)
            server.advance(.milliseconds(60_000))
            // An octet, and no end of a request.
            try client.send([wire == .milter ? 0 : 49])
            server.advance(.milliseconds(39_999))
            #expect(!client.socket.isOutputClosed)
            server.advance(.milliseconds(1))
            #expect(try client.received() == said)
            #expect(client.socket.isOutputClosed)
        }
    }

    /// A mail server is silent towards a filter for as long as its client takes for a message.
    @Test func filtersMayBeSilentForLong() throws {
        try TestLoop.run { server in
            let client = try server.client(wire: .milter)
            try client.send(MilterServerTests.open)
            #expect(try client.received().dropFirst(4).first == "O")
            server.advance(.seconds(7209))
            #expect(!client.socket.isOutputClosed)
            server.advance(.seconds(1))
            #expect(client.socket.isOutputClosed)
            #expect(try client.received() == "")
        }
    }

    /// Where the configured time is longer, it counts.
    @Test func filtersMayBeSilentForLonger() throws {
        try TestLoop.with { $0.timeouts.idle = .seconds(10_000) }.run { server in
            let client = try server.client(wire: .milter)
            server.advance(.seconds(5000))
            try client.send(MilterServerTests.open)
            server.advance(.milliseconds(9_999_999))
            #expect(!client.socket.isOutputClosed)
            server.advance(.milliseconds(1))
            #expect(client.socket.isOutputClosed)
        }
    }

    /// A client that waits for its answer is not silent, nor is one that has to wait for room.
    @Test func waitingIsNoSilence() throws {
        var held: HeldSource?
        let hold = { (base: any Source) -> any Source in
            let source = HeldSource(base: base)
            held = source
            return source
        }
        try TestLoop.with(source: hold) { $0.timeouts.idle = .seconds(100) }.run { server in
            let client = try server.greeted()
            try client.send("VRFY fred@example.org\r\n")
            server.advance(.seconds(1000))
            #expect(try client.received() == "")
            while held?.isAsked == true {
                held?.answerAll()
                server.eventLoop.run()
            }
            #expect(try client.replies() == ["250 2.1.5 Fred Claude <fred@example.org>"])
            server.advance(.seconds(200))
            #expect(try client.replies() == [Self.idle])
        }
    }

    // MARK: Room

    /// Who takes nothing of what is sent is cut, after `write`; who takes something gets the whole time again.
    @Test func clientsThatDoNotRead() throws {
        try TestLoop.with { $0.timeouts.write = .seconds(10) }.run { server in
            let client = try server.greeted()
            client.socket.hold(1000)
            client.setWritable(false)
            server.advance(.milliseconds(9_999))
            #expect(!client.isClosed)
            client.socket.hold(999)
            server.advance(.milliseconds(1))
            #expect(!client.isClosed)
            // More that waits is no progress.
            client.socket.hold(5000)
            server.advance(.milliseconds(9_999))
            #expect(!client.isClosed)
            #expect(server.log.lines("connection-failed").isEmpty)
            server.advance(.milliseconds(1))
            #expect(client.isClosed)
            #expect(
                server.log.lines("connection-failed") == [
                    "info connection-failed client=127.0.0.1 reason=the client does not read its replies"
                ])
        }
    }

    @Test func roomEndsTheTime() throws {
        try TestLoop.with { $0.timeouts.write = .seconds(10) }.run { server in
            let client = try server.greeted()
            client.setWritable(false)
            server.advance(.seconds(9))
            client.setWritable(true)
            server.advance(.seconds(9))
            client.setWritable(false)
            server.advance(.seconds(9))
            #expect(!client.isClosed)
            server.advance(.seconds(1))
            #expect(client.isClosed)
        }
    }

    /// What comes in while there is no room is neither read on nor answered, and all of it is when there is.
    @Test func inputWaitsForRoom() throws {
        try TestLoop.run { server in
            let client = try server.greeted()
            client.setWritable(false)
            _ = try client.say("NOOP")
            let reads = client.socket.reads
            client.channel.read()
            client.channel.read()
            #expect(client.socket.reads == reads)
            #expect(try client.say("VRFY fred@example.org", "VRFY nobody@example.org").isEmpty)
            client.setWritable(true)
            #expect(
                try client.replies() == [
                    "250 2.1.5 Fred Claude <fred@example.org>", "550 5.1.1 String does not match anything",
                ])
            #expect(client.socket.reads == reads + 1)
        }
    }

    /// What can be said is said, though there is more that has to be waited for.
    @Test func repliesDoNotWaitForThoseAfterThem() throws {
        var held: HeldSource?
        let hold = { (base: any Source) -> any Source in
            let source = HeldSource(base: base)
            held = source
            return source
        }
        try TestLoop.run(source: hold) { server in
            let client = try server.greeted()
            #expect(try client.say("RSET", "VRFY fred@example.org", "RSET", "RSET") == ["250 2.0.0 OK"])
            #expect(held?.isAsked == true)
        }
    }

    /// So many replies are not gathered before they are sent.
    @Test func repliesAreSentInGroups() throws {
        try TestLoop.with { $0.limits.pipelinedQuestions = 4 }.run { server in
            for wire in [ListenerWire.smtp, .tcpTable] {
                let listener = ListenerConfiguration(
                    wire: wire, address: .ip(host: "0.0.0.0", port: 25), map: wire == .tcpTable ? .recipients : nil)
                let client = try server.client(of: listener)
                _ = try client.received()
                let question = wire == .smtp ? "VRFY fred@example.org\r\n" : "get fred@example.org\n"
                try client.send(String(repeating: question, count: 10))
                var groups: [Int] = []
                while let buffer = try client.channel.readOutbound(as: ByteBuffer.self) {
                    groups.append(buffer.readableBytesView.count { $0 == 10 })
                }
                #expect(groups == [4, 4, 2])
            }
        }
    }

    // MARK: The end

    /// After its last word the server throws away what comes in, and waits two seconds for the client to close.
    @Test func quit() throws {
        try TestLoop.run { server in
            let client = try server.greeted()
            #expect(try client.say("QUIT", "NOOP") == ["221 2.0.0 mx.example Service closing transmission channel"])
            #expect(client.socket.isOutputClosed && !client.isClosed)
            #expect(try client.say("NOOP") == [])
            server.advance(.milliseconds(1999))
            #expect(!client.isClosed)
            server.advance(.milliseconds(1))
            #expect(client.isClosed)
            #expect(server.shared.openConnections == 0)
            #expect(
                server.log.lines == [
                    "debug connected class=trusted client=127.0.0.1", "debug disconnected client=127.0.0.1",
                ])
        }
    }

    /// One that never takes the last word is cut after `write`, unless it takes something.
    @Test func lastWordsThatAreNotTaken() throws {
        try TestLoop.with { $0.timeouts.write = .seconds(10) }.run { server in
            let client = try server.greeted()
            client.socket.takes = false
            try client.send("QUIT\r\n")
            #expect(client.socket.isOutputClosed)
            client.socket.hold(500)
            server.advance(.seconds(10))
            #expect(client.isClosed)

            let slow = try server.greeted()
            slow.socket.takes = false
            slow.socket.hold(500)
            try slow.send("QUIT\r\n")
            server.advance(.seconds(9))
            slow.socket.hold(50)
            server.advance(.seconds(10))
            #expect(!slow.isClosed)
            slow.socket.finishClosing()
            server.advance(.seconds(2))
            #expect(slow.isClosed)
        }
    }

    /// A client that closes its side gets all its answers.
    @Test func halfClosed() throws {
        var held: HeldSource?
        let hold = { (base: any Source) -> any Source in
            let source = HeldSource(base: base)
            held = source
            return source
        }
        try TestLoop.run(source: hold) { server in
            let client = try server.greeted()
            try client.send("VRFY fred@example.org\r\nNOOP\r\n")
            client.end()
            server.advance(.seconds(1))
            #expect(!client.isClosed)
            while held?.isAsked == true {
                held?.answerAll()
                server.eventLoop.run()
            }
            #expect(try client.replies() == ["250 2.1.5 Fred Claude <fred@example.org>", "250 2.0.0 OK"])
            #expect(client.isClosed)

            // One that waits and holds nothing back.
            let other = try server.greeted()
            try other.send("VRFY fred@example.org\r\n")
            other.end()
            server.eventLoop.run()
            #expect(!other.isClosed)
            while held?.isAsked == true {
                held?.answerAll()
                server.eventLoop.run()
            }
            #expect(try other.replies() == ["250 2.1.5 Fred Claude <fred@example.org>"])
            #expect(other.isClosed)

            let silent = try server.greeted()
            silent.end()
            #expect(silent.isClosed)
        }
    }

    /// The same where there was no room for them.
    @Test func halfClosedWithoutRoom() throws {
        try TestLoop.run { server in
            let client = try server.greeted()
            client.setWritable(false)
            _ = try client.say("NOOP")
            try client.send("VRFY fred@example.org\r\n")
            client.end()
            #expect(!client.isClosed)
            client.setWritable(true)
            #expect(try client.replies() == ["250 2.1.5 Fred Claude <fred@example.org>"])
            #expect(client.isClosed)
        }
    }

    /// A client that has ended already has nothing more to say: the last word is the end.
    @Test func halfClosedAfterQuit() throws {
        try TestLoop.run { server in
            let client = try server.greeted()
            client.setWritable(false)
            _ = try client.say("NOOP")
            try client.send("QUIT\r\n")
            client.end()
            client.setWritable(true)
            #expect(try client.replies().count == 1)
            #expect(client.isClosed)
        }
    }

    /// An answer that comes while there is no room frees nobody.
    @Test func answersWithoutRoom() throws {
        var held: HeldSource?
        let hold = { (base: any Source) -> any Source in
            let source = HeldSource(base: base)
            held = source
            return source
        }
        try TestLoop.run(source: hold) { server in
            let client = try server.greeted()
            try client.send("VRFY fred@example.org\r\nNOOP\r\n")
            client.setWritable(false)
            while held?.isAsked == true {
                held?.answerAll()
                server.eventLoop.run()
            }
            #expect(try client.replies() == ["250 2.1.5 Fred Claude <fred@example.org>"])
            client.setWritable(true)
            #expect(try client.replies() == ["250 2.0.0 OK"])
        }
    }

    @Test func errors() throws {
        try TestLoop.with { $0.limits.errors = 3 }.run { server in
            let client = try server.greeted()
            #expect(try client.say("X", "NOOP", "X").count == 3)
            #expect(!client.socket.isOutputClosed)
            #expect(
                try client.say("X", "NOOP") == [
                    "500 5.5.2 Command unrecognized",
                    "421 4.7.0 mx.example Too many errors, closing transmission channel",
                ])
            #expect(client.socket.isOutputClosed)
        }
    }

    // MARK: Who may connect

    @Test(arguments: [
        (ListenerWire.smtp, "421 4.3.2 mx.example Too many connections, try again later\r\n"),
        (.socketmap, "48:TEMP 4.3.2 Too many connections, try again later,"),
        (.tcpTable, "400 4.3.2%20Too%20many%20connections,%20try%20again%20later\n"), (.policy, ""), (.milter, ""),
        (.readsocket, "defer 4.3.2 Too many connections, try again later"),
    ])
    func tooManyConnections(wire: ListenerWire, said: String) throws {
        try TestLoop.with { $0.limits.connections = 2 }.run { server in
            let first = try server.greeted()
            _ = try server.greeted()
            let third = try server.client(wire: wire)
            #expect(try third.received() == said)
            #expect(third.socket.isOutputClosed)
            #expect(server.log.lines("refused") == ["info refused client=127.0.0.1 reason=too many connections"])
            third.disconnect()
            #expect(server.shared.openConnections == 2)
            first.disconnect()
            #expect(server.shared.openConnections == 1)
            #expect(try server.client().replies().first?.hasPrefix("220") == true)
        }
    }

    @Test(arguments: [
        (ListenerWire.smtp, "554 5.7.1 mx.example No service for you\r\n"),
        (.socketmap, "29:PERM 5.7.1 No service for you,"), (.tcpTable, "400 5.7.1%20No%20service%20for%20you\n"),
        (.policy, ""), (.milter, ""), (.readsocket, "defer 5.7.1 No service for you"),
    ])
    func otherClassesAreNotAdmitted(wire: ListenerWire, said: String) throws {
        try TestLoop.run { server in
            var listener = ListenerConfiguration(wire: wire, address: .ip(host: "0.0.0.0", port: 25))
            listener.clients = ["trusted"]
            let stranger = try server.client(of: listener, from: "192.0.2.1")
            #expect(try stranger.received() == said)
            #expect(stranger.socket.isOutputClosed)
            #expect(
                server.log.lines == [
                    "info refused client=192.0.2.1 reason=the class everyone is not admitted here"
                ])
            let friend = try server.client(of: listener)
            #expect(!friend.socket.isOutputClosed)
        }
    }

    // MARK: Stopping

    /// What is under way is answered; the end comes where nothing came in and nothing had to go out between two looks.
    @Test func draining() throws {
        var held: HeldSource?
        let hold = { (base: any Source) -> any Source in
            let source = HeldSource(base: base)
            held = source
            return source
        }
        try TestLoop.run(source: hold) { server in
            let (silent, busy, waiting) = (try server.greeted(), try server.greeted(), try server.greeted())
            try waiting.send("VRFY fred@example.org\r\n")
            server.loop.drainAll()
            server.advance(.milliseconds(100))
            #expect(try busy.say("NOOP") == ["250 2.0.0 OK"])
            #expect(!silent.socket.isOutputClosed)
            server.advance(.milliseconds(100))
            #expect(try silent.replies() == [Self.stopping])
            #expect(try busy.say("NOOP") == ["250 2.0.0 OK"])
            server.advance(.milliseconds(100))
            #expect(!busy.socket.isOutputClosed)
            server.advance(.milliseconds(100))
            #expect(try busy.replies() == [Self.stopping])
            server.advance(.seconds(5))
            #expect(try waiting.replies() == [])
            while held?.isAsked == true {
                held?.answerAll()
                server.eventLoop.run()
            }
            #expect(try waiting.replies() == ["250 2.1.5 Fred Claude <fred@example.org>"])
            server.advance(.milliseconds(200))
            #expect(try waiting.replies() == [Self.stopping])
            // Who connects now is drained too.
            let late = try server.client()
            #expect(try late.replies().count == 1)
            server.advance(.milliseconds(200))
            #expect(try late.replies() == [Self.stopping])
        }
    }

    /// Half a command is a sign of life too.
    @Test func drainingWaitsForHalfCommands() throws {
        try TestLoop.run { server in
            let client = try server.greeted()
            server.loop.drainAll()
            server.advance(.milliseconds(100))
            try client.send("NO")
            server.advance(.milliseconds(100))
            #expect(!client.socket.isOutputClosed)
            try client.send("OP\r\n")
            server.advance(.milliseconds(100))
            #expect(try client.replies() == ["250 2.0.0 OK"])
            server.advance(.milliseconds(100))
            #expect(try client.replies() == [Self.stopping])
        }
    }

    @Test func stopCutsAll() throws {
        try TestLoop.run { server in
            let client = try server.greeted()
            server.loop.stopAll()
            #expect(try client.replies() == [Self.stopping])
            #expect(client.isClosed)
        }
    }

    @Test func lostConnections() throws {
        try TestLoop.run { server in
            let client = try server.greeted()
            client.channel.pipeline.fireErrorCaught(IOError(errnoCode: ECONNRESET, reason: "read"))
            #expect(client.isClosed)
            #expect(
                server.log.lines("connection-lost") == [
                    "debug connection-lost client=127.0.0.1 reason=Connection reset by peer"
                ])
        }
    }

    /// An address that a listener for all has had a client at is one of this server's own.
    @Test func ownAddresses() throws {
        try TestLoop.run { server in
            var listener = ListenerConfiguration(address: .ip(host: "127.0.0.9", port: 25))
            let one = try server.client(of: listener)
            #expect(try one.say("VRFY <postmaster@[127.0.0.77]>").last?.hasPrefix("550") == true)
            listener.address = .ip(host: "0.0.0.0", port: 25)
            let other = try server.client(of: listener)
            #expect(try other.say("VRFY <postmaster@[127.0.0.77]>").last?.hasPrefix("250") == true)
        }
    }

    /// A link-local address with its interface, an IPv4 address in an IPv6 one, and no address at all.
    @Test(arguments: [
        ("fe80::1", "fe80::1"), ("::ffff:192.0.2.7", "192.0.2.7"), ("192.0.2.1", "192.0.2.1"),
    ])
    func addresses(given: String, read: String) throws {
        let address = try SocketAddress(ipAddress: given, port: 1)
        #expect("\(ClientAddress(address, at: .ip(host: "::", port: 25)))" == read)
        #expect(ClientAddress(address, at: .unix(path: "/x")) == .unixSocket)
        #expect(ClientAddress(nil, at: .ip(host: "::", port: 25)) == ClientAddress(ipv6High: 0, low: 0))
    }
}
