// The small parts of the server, each by itself.

import AddresseeConfiguration
import Foundation
import Logging
import MailAddress
import NIOCore
import NIOEmbedded
import SMTPProtocol
import Testing
import Verification

@testable import AddresseeServer

struct TurnQueueTests {
    /// One piece a turn, a millisecond apart; of four turns one is for what has taken many.
    @Test func turns() throws {
        let eventLoop = EmbeddedEventLoop()
        let queue = TurnQueue(eventLoop)
        var done: [String] = []
        for number in 0..<3 { queue.add(isLong: true) { done.append("long\(number)") } }
        for number in 0..<6 { queue.add { done.append("short\(number)") } }
        eventLoop.run()
        #expect(done == [])
        for count in 1...9 {
            eventLoop.advanceTime(by: .milliseconds(1))
            #expect(done.count == count)
        }
        #expect(
            done == ["short0", "short1", "short2", "long0", "short3", "short4", "short5", "long1", "long2"])
        queue.add { done.append("again") }
        eventLoop.advanceTime(by: .milliseconds(1))
        #expect(done.last == "again")
        try eventLoop.syncShutdownGracefully()
    }
}

struct MovingQueueTests {
    @Test func inOrder() {
        let queue = MovingQueue<String>(capacity: 3)
        #expect(queue.isEmpty && queue.popFirst() == nil)
        for text in ["a", "b", "c"] { queue.append(text) }
        #expect(queue.count == 3)
        #expect(queue.popFirst() == "a")
        queue.update { $0 += "!" }
        #expect([queue.popFirst(), queue.popFirst(), queue.popFirst()] == ["b!", "c!", nil])
        for text in ["d", "e", "f"] { queue.append(text) }
        #expect(queue.count == 3 && queue.popFirst() == "d")
    }
}

struct LongAnswersTests {
    private static func key(_ name: String, by client: ClientClass = .everyone) throws -> Inquiry {
        Inquiry(.expand(.mailbox(try Mailbox("\(name)@example.org")), utf8: false), by: client)
    }

    private static func members(_ count: Int) throws -> Verdict {
        .members(try (0..<count).map { NamedMailbox(name: "", mailbox: try Mailbox("u\($0)@example.org")) })
    }

    private static func isKnown(_ answers: LongAnswers, _ key: Inquiry, version: UInt64 = 1) -> Bool {
        answers.answer(to: key, version: version) != nil
    }

    @Test func whatIsKept() throws {
        let answers = LongAnswers(limit: 10)
        let (one, two, three) = (try Self.key("one"), try Self.key("two"), try Self.key("three"))
        #expect(answers.isEmpty)
        _ = answers.keep(try Self.members(4), to: one, version: 1)
        _ = answers.keep(try Self.members(4), to: two, version: 1)
        #expect(!answers.isEmpty)
        #expect(Self.isKnown(answers, one) && Self.isKnown(answers, two))
        #expect(!Self.isKnown(answers, one, version: 2))
        #expect(!Self.isKnown(answers, try Self.key("one", by: .trusted)))
        // The one that was not asked for longest gives way.
        #expect(Self.isKnown(answers, one))
        _ = answers.keep(try Self.members(4), to: three, version: 1)
        #expect(Self.isKnown(answers, one) && !Self.isKnown(answers, two) && Self.isKnown(answers, three))
        // Too many for the whole, and trouble, are not kept.
        _ = answers.keep(try Self.members(11), to: two, version: 1)
        #expect(!Self.isKnown(answers, two))
        _ = answers.keep(try Self.members(1), to: two, version: 1, isLasting: false)
        #expect(!Self.isKnown(answers, two) && Self.isKnown(answers, one))
        // Under another version nothing is of use.
        _ = answers.keep(try Self.members(1), to: two, version: 2)
        #expect(!Self.isKnown(answers, one) && Self.isKnown(answers, two, version: 2))
        _ = answers.forget(limit: 0)
        _ = answers.keep(try Self.members(0), to: two, version: 2)
        #expect(answers.isEmpty)
    }

    @Test func soManyAnswers() throws {
        let answers = LongAnswers(limit: 1000)
        for number in 0..<65 { _ = answers.keep(Verdict.noMembers, to: try Self.key("\(number)"), version: 1) }
        let (first, second) = (try Self.key("0"), try Self.key("1"))
        #expect(!Self.isKnown(answers, first) && Self.isKnown(answers, second))
    }

    @Test func whoWaits() throws {
        let answers = LongAnswers(limit: 10)
        let key = try Self.key("one")
        var told = 0
        #expect(!answers.wait(for: key, version: 1, { _ in told += 1 }))
        answers.begin(key, version: 1)
        #expect(!answers.isEmpty)
        #expect(answers.wait(for: key, version: 1, { _ in told += 1 }))
        #expect(!answers.wait(for: key, version: 2, { _ in told += 1 }))
        #expect(answers.end(key, version: 2).isEmpty)
        for other in answers.end(key, version: 1) { other(Verdict.noMembers) }
        #expect(told == 1 && answers.isEmpty)
    }
}

struct SharedStateTests {
    @Test func connections() {
        let shared = SharedState(log: ServerLog(LogBook().logger))
        #expect(shared.admitConnection(limit: 2) && shared.admitConnection(limit: 2))
        #expect(!shared.admitConnection(limit: 2) && shared.openConnections == 2)
        shared.connectionClosed()
        #expect(shared.openConnections == 1 && shared.admitConnection(limit: 2))
    }

    /// A walk counts for one question for each hundred lookups.
    @Test func charges() {
        let shared = SharedState(log: ServerLog(LogBook().logger))
        let (client, now) = (ClientAddress.ipv4(1), NIODeadline.uptimeNanoseconds(0))
        func left() -> Int {
            var count = 0
            while shared.admitQuestion(of: client, perMinute: 10, now: now) == .admitted { count += 1 }
            return count
        }
        shared.charge(client, lookups: 99, perMinute: 10, now: now)
        shared.charge(client, lookups: 399, perMinute: 10, now: now)
        #expect(left() == 7)
    }

    @Test func extensions() {
        let shared = SharedState(log: ServerLog(LogBook().logger))
        let server = MailServer(dialect: .smtp, address: .host("x", port: 25))
        #expect(shared.extensions(of: server) == nil)
        var offered = ServerExtensions()
        offered.notifications = true
        shared.learn(server, offered)
        #expect(shared.extensions(of: server) == offered)
    }
}

struct MessageIDTests {
    @Test func namesAreUnique() {
        let all = (0..<1000).map { _ in MessageID() }
        #expect(Set(all.map(\.atom)).count == 1000)
        #expect(all.allSatisfy { $0.atom.wholeMatch(of: /\d{10}\.M\d+P\d+Q\d+/) != nil })
        #expect(all[0].atom.contains("P\(getpid())Q"))
        #expect(all[0].fileName(hostname: "a/b:c") == "\(all[0].atom).a\\057b\\072c")
    }

    @Test func date() {
        let date = String(decoding: MessageID().date, as: UTF8.self)
        #expect(
            date.wholeMatch(of: /(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}/)
                != nil)
    }
}

struct LineLogTests {
    /// A value never brings a second line about, nor a second field.
    @Test(arguments: [
        ("plain", "plain"), ("", "\"\""), ("a b", "\"a b\""), ("a=b", "\"a=b\""), ("a\"b", "\"a\\\"b\""),
        ("a\\b", "\"a\\\\b\""), ("a\nb", "\"a\\u{a}b\""), ("a\u{7f}", "\"a\\u{7f}\""), ("\u{85}", "\"\\u{85}\""),
        ("\u{2028}", "\"\\u{2028}\""), ("é", "\"é\""), ("<a@b>", "<a@b>"),
    ])
    func quoting(value: String, written: String) { #expect(LineLogHandler.quoted(value) == written) }

    @Test func level() {
        let threshold = LogThreshold(.warning)
        var handler = LineLogHandler(level: threshold)
        #expect(handler.logLevel == .warning)
        threshold.value = .debug
        #expect(handler.logLevel == .debug)
        handler.logLevel = .error
        #expect(threshold.value == .error)
    }
}

struct EnvelopeTests {
    private static func destination(
        _ mailbox: String, hop: Int = 0, owner: String? = nil
    ) throws -> Destination {
        Destination(mailbox: try Mailbox(mailbox), nextHop: hop, owner: try owner.map { try Mailbox($0) })
    }

    private static func envelope(_ sender: String?) throws -> Envelope {
        let path = try sender.map { ReversePath.mailbox(try Mailbox($0)) } ?? .null
        return Envelope(sender: path, parameters: Command.MailParameters())
    }

    private static func add(_ path: String, _ destinations: [Destination], to envelope: inout Envelope) throws {
        let new = try #require(envelope.new(among: destinations, limit: 100))
        envelope.add(.mailbox(try Mailbox(path)), to: destinations, new: new)
    }

    /// Each mailbox once, and no more of them than the limit.
    @Test func mailboxes() throws {
        var envelope = try Self.envelope("me@c.example")
        let (ann, fred, kay) = (
            try Self.destination("ann@a.example"), try Self.destination("fred@a.example"),
            try Self.destination("kay@b.example")
        )
        #expect(envelope.new(among: [ann, fred, ann], limit: 2) == [ann, fred])
        #expect(envelope.new(among: [ann, fred, kay], limit: 2) == nil)
        try Self.add("list@a.example", [ann, fred], to: &envelope)
        #expect(envelope.new(among: [ann, kay], limit: 3) == [kay])
        #expect(envelope.new(among: [ann, kay], limit: 2) == nil)
        #expect(envelope.new(among: [ann], limit: 2) == [])
        try Self.add("kay@b.example", [kay], to: &envelope)
        #expect(envelope.destinations == [ann, fred, kay])
        #expect(envelope.paths.count == 2)
        // One that it was delivered to before, or that was asked for.
        for mailbox in ["ann@a.example", "kay@b.example", "list@a.example"] {
            #expect(envelope.isDelivered(to: [try Mailbox("x@x"), try Mailbox(mailbox)]))
        }
        #expect(!envelope.isDelivered(to: [try Mailbox("x@x")]) && !envelope.isDelivered(to: []))
    }

    /// The owner of the one list that all were reached by is the sender, but never of a notification.
    @Test func senders() throws {
        let (me, null) = (try Self.envelope("me@c.example"), try Self.envelope(nil))
        let owned = try Self.destination("ann@a.example", owner: "owner@a.example")
        let other = try Self.destination("kay@a.example", owner: "other@a.example")
        let plain = try Self.destination("fred@a.example")
        #expect(me.sender(to: [owned, owned]) == .mailbox(try Mailbox("owner@a.example")))
        #expect(me.sender(to: [owned, other]) == me.sender)
        #expect(me.sender(to: [owned, plain]) == me.sender)
        #expect(me.sender(to: [plain]) == me.sender)
        #expect(null.sender(to: [owned]) == .null)
    }

    @Test func originalAddresses() throws {
        let hops = [
            NextHopConfiguration(
                name: "folders", kind: .maildir(try MaildirTemplate("/mail/{domain}/{local-part}"))),
            NextHopConfiguration(
                name: "inside", kind: .server(MailServer(dialect: .smtp, address: .host("x", port: 25)))),
        ]
        func text(_ octets: [UInt8]) -> String { String(decoding: octets, as: UTF8.self) }
        var envelope = try Self.envelope("me@c.example")
        let far = try Self.destination("far@b.example", hop: 1)
        try Self.add("far@b.example", [far], to: &envelope)
        #expect(text(envelope.originalTo(hops)) == "" && envelope.redirected == nil)
        try Self.add("alias@a.example", [far, try Self.destination("ann@a.example")], to: &envelope)
        try Self.add("alias@a.example", [far], to: &envelope)
        #expect(
            text(envelope.originalTo(hops)) == "X-Original-To: far@b.example\r\nX-Original-To: alias@a.example\r\n")
        #expect(envelope.redirected == nil)
        let order = try #require(envelope.order(hops, name: "n", stamp: []))
        #expect(order.copies.count == 1 && order.name == "n")
        #expect(order.copies[0].folder.path == "/mail/a.example/ann")
        #expect(
            text(order.copies[0].fields)
                == "Return-Path: <me@c.example>\r\nX-Original-To: alias@a.example\r\nDelivered-To: ann@a.example\r\n")
        // Two at the server: none is told of the other.
        try Self.add("kay@b.example", [try Self.destination("kay@b.example", hop: 1)], to: &envelope)
        #expect(envelope.originalTo(hops) == [])
        var alone = try Self.envelope("me@c.example")
        try Self.add("alias@a.example", [far], to: &alone)
        let alias = try Mailbox("alias@a.example")
        #expect(alone.redirected == alias)
        #expect(alone.order(hops, name: "n", stamp: []) == nil)
        // A hop that is not there has no folder, and is no server.
        let lost = try Self.destination("ann@a.example", hop: 2)
        #expect(hops.folder(of: lost) == nil && !hops.isServer(lost))
    }

    @Test(arguments: [
        ("SRS0=a=b@x.example", true), ("srs1=a@x.example", true), ("SRS0+a@x.example", true),
        ("srs1-a@x.example", true),
        ("srs2=a@x.example", false), ("srs0@x.example", false), ("srs0a@x.example", false), ("srs@x.example", false),
    ])
    func rewritten(address: String, isRewritten: Bool) throws {
        #expect(try Mailbox(address).isRewritten == isRewritten)
    }
}
