// What there is very much of: done and freed on another thread than the event loop's, and handed to a mail server in pieces.

import AddresseeConfiguration
import DialogueTesting
import Foundation
import Logging
import MailAddress
import MailboxDirectory
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import SMTPProtocol
import Testing
import Verification

@testable import AddresseeServer

@Suite struct LongWorkTests {
    /// Says where it was freed.
    private final class Freed: Sendable {
        let eventLoop: any EventLoop
        let onLoop: EventLoopPromise<Bool>

        init(_ eventLoop: any EventLoop) {
            self.eventLoop = eventLoop
            onLoop = eventLoop.makePromise()
        }

        deinit { onLoop.succeed(eventLoop.inEventLoop) }
    }

    private static func context(on eventLoop: any EventLoop) throws -> LoopContext {
        let settings = Configuration(
            file: "none", hostname: "mx.example", defaultDomain: try Domain("example.org"), sources: [], listeners: [],
            clients: [.trusted], limits: SessionLimits(), threads: 1)
        let log = ServerLog(Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return LoopContext(
            service: try Service(settings), sources: [], shared: SharedState(log: log), eventLoop: eventLoop)
    }

    /// Where the work for so many mailboxes is done, where what it was done with is freed, and where what is let go.
    private static func places(mailboxes: Int) async throws -> [Bool] {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let freed = eventLoop.makePromise(of: [Bool].self)
        let gate = DispatchSemaphore(value: 0)
        let done = try await eventLoop.submit { () -> NIOLoopBound<EventLoopPromise<Bool>> in
            let context = try context(on: eventLoop)
            let worked = eventLoop.makePromise(of: Bool.self)
            var (used, kept): (Freed?, Freed?) = (Freed(eventLoop), Freed(eventLoop))
            if let used, let kept {
                let work = { @Sendable [used] in
                    let isHere = used.eventLoop.inEventLoop
                    // Until nothing on the loop holds it.
                    if !isHere { gate.wait() }
                    return isHere
                }
                context.aside(mailboxes, work, then: worked.succeed)
                context.letGo(kept, mailboxes: mailboxes)
                EventLoopFuture.whenAllSucceed([used.onLoop.futureResult, kept.onLoop.futureResult], on: eventLoop)
                    .cascade(to: freed)
            }
            (used, kept) = (nil, nil)
            eventLoop.execute { gate.signal() }
            return NIOLoopBound(worked, eventLoop: eventLoop)
        }.get()
        let work = try await eventLoop.flatSubmit { done.value.futureResult }.get()
        return [work] + (try await freed.futureResult.get())
    }

    @Test func muchIsDoneElsewhere() async throws {
        #expect(try await Self.places(mailboxes: LoopContext.many) == [false, false, false])
    }

    @Test func littleIsDoneHere() async throws {
        #expect(try await Self.places(mailboxes: LoopContext.many - 1) == [true, true, true])
    }

    /// What is dropped is told, so that it can be freed elsewhere.
    @Test func longAnswersTellWhatTheyDrop() throws {
        func key(_ name: String) throws -> Inquiry {
            Inquiry(.expand(.mailbox(try Mailbox("\(name)@example.org")), utf8: true), by: .trusted)
        }
        let member = NamedMailbox(name: "", mailbox: try Mailbox("u@example.org"))
        func answer(_ count: Int) -> Verdict { .members(Array(repeating: member, count: count)) }
        let long = LongAnswers(limit: 10)
        #expect(long.keep(answer(4), to: try key("a"), version: 1).map(\.mailboxCount) == [])
        #expect(long.keep(answer(5), to: try key("b"), version: 1).map(\.mailboxCount) == [])
        // In its own place, then in that of the oldest, then too much for any.
        #expect(long.keep(answer(3), to: try key("a"), version: 1).map(\.mailboxCount) == [4])
        #expect(long.keep(answer(6), to: try key("c"), version: 1).map(\.mailboxCount) == [5])
        #expect(long.keep(answer(11), to: try key("d"), version: 1).map(\.mailboxCount) == [])
        // Of another state of the directory.
        #expect(long.keep(answer(1), to: try key("e"), version: 2).map(\.mailboxCount) == [3, 6])
        #expect(long.forget(limit: 10).map(\.mailboxCount) == [1])
        #expect(long.isEmpty)
    }
}

/// A mail server that answers RCPT only when as many have come as may come together, or all.
private final class CountingHop: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What came of it.
    struct Tally {
        var recipients = 0
        /// The most that waited for a reply.
        var most = 0
    }

    private let expected: Int
    private let tally: NIOLockedValueBox<Tally>
    /// The number of the recipient, from 0, that is refused for good; nil for none.
    private let refused: Int?
    private var inbound = ByteBuffer()
    private var waiting = 0

    init(expected: Int, refused: Int?, tally: NIOLockedValueBox<Tally>) {
        self.expected = expected
        self.refused = refused
        self.tally = tally
    }

    func channelActive(context: ChannelHandlerContext) { say("220 hop.example", context) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var octets = unwrapInboundIn(data)
        inbound.writeBuffer(&octets)
        while let end = inbound.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
            let line = inbound.readString(length: end + 1 - inbound.readerIndex) ?? ""
            if line.hasPrefix("EHLO") {
                say("250-hop.example\r\n250 PIPELINING", context)
            } else if !line.hasPrefix("RCPT") {
                say("250 OK", context)
            } else {
                waiting += 1
            }
        }
        let (count, most) = (waiting, HopConversation.together)
        let first = tally.withLockedValue { tally in
            tally.most = max(tally.most, count)
            return tally.recipients
        }
        guard count > 0, count >= min(most, expected - first) else { return }
        for number in first..<(first + count) { say(number == refused ? "550 gone" : "250 OK", context) }
        tally.withLockedValue { $0.recipients += count }
        waiting = 0
    }

    private func say(_ line: String, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: line + "\r\n")), promise: nil)
    }
}

@Suite struct LongTransactionTests {
    /// A list of so many elsewhere, of whom a mail server is asked for each: so many at a time, be they few or many.
    @Test(arguments: [1, 256, 257, 3000], [nil, 0])
    func recipientsAreAskedForInPieces(_ count: Int, _ refused: Int?) async throws {
        let tally = NIOLockedValueBox(CountingHop.Tally())
        let hop = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        CountingHop(expected: count, refused: refused, tally: tally))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        defer { hop.close(promise: nil) }
        let domain = try Domain("example.org")
        var settings = Configuration(
            file: "none", hostname: "mx.example", defaultDomain: domain,
            sources: [SourceConfiguration(name: "first", kind: .sqlite(path: "/nowhere"))],
            listeners: [ListenerConfiguration(wire: .smtp, address: .ip(host: "127.0.0.1", port: 0))],
            clients: [.trusted], limits: SessionLimits(), threads: 1)
        let server = MailServer(dialect: .smtp, address: .host("127.0.0.1", port: hop.localAddress?.port ?? 0))
        settings.nextHops = [NextHopConfiguration(name: "far", kind: .server(server))]
        let members = try (0..<count).map { ListMember(mailbox: try Mailbox("x\($0)@else.example")) }
        let records = [
            Record.domain(DomainRecord(domain: domain)),
            .list(MailingList(address: try Mailbox("big@example.org")), members: members),
        ]
        try await ServedDirectory.serve(
            settings, openSources: { [try MemoryStore(name: "first", records).source] },
            { port in
                try await SocketPeer.connected(port: port) { peer in
                    try await peer.send(Array("EHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<big@example.org>\r\n".utf8))
                    var lines: [String] = []
                    // The greeting, and three replies.
                    while lines.filter({ $0.dropFirst(3).first == " " }).count < 4 {
                        let more = try await peer.receive()
                        if more.isEmpty { break }
                        lines += String(decoding: more, as: UTF8.self).split(separator: "\r\n").map(String.init)
                    }
                    let last = lines.last ?? ""
                    // Who is refused is left out where there are others.
                    #expect(last.hasPrefix(count == 1 && refused != nil ? "550" : "250"), "\(last)")
                }
            })
        let all = tally.withLockedValue { $0 }
        #expect(all.recipients == count)
        #expect(all.most == min(count, HopConversation.together))
    }
}
