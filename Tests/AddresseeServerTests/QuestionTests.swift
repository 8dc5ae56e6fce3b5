// Questions on each wire, as one event loop answers them: pipelined, cut anywhere, too long, too many, and closed midway; and
// what the log says of them.

import AddresseeConfiguration
import Foundation
import Logging
import LookupProtocols
import MailAddress
import MailboxDirectory
import NIOCore
import NIOEmbedded
import Testing
import Verification

@testable import AddresseeServer

struct QuestionTests {
    /// A wire, what is asked on it, and what is answered; and what the log says of the first.
    struct Row: Sendable {
        var wire: ListenerWire
        var questions: [String]
        var answers: [String]
        var log: String
    }

    static func netstring(_ text: String) -> String { "\(text.utf8.count):\(text)," }

    static func policy(_ recipient: String) -> String {
        "request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient=\(recipient)\n\n"
    }

    static let rows = [
        Row(
            wire: .smtp, questions: ["VRFY fred@example.org\r\n", "RSET\r\n", "EXPN staff@example.org\r\n"],
            answers: [
                "250 2.1.5 Fred Claude <fred@example.org>\r\n", "250 2.0.0 OK\r\n",
                "250-2.1.5 Fred Claude <fred@example.org>\r\n250 2.1.5 Kay <kay@elsewhere.example>\r\n",
            ], log: "debug asked about=fred@example.org client=127.0.0.1 command=VRFY verdict=verified"),
        Row(
            wire: .socketmap,
            questions: [
                netstring("mailboxes claude@example.org"), netstring("aliases nobody@example.org"), netstring("x"),
            ],
            answers: [
                netstring("OK fred@example.org"), netstring("NOTFOUND "),
                netstring("PERM 5.5.4 A request is the name of a map, a space, and a key"),
            ], log: "debug asked about=claude@example.org answer=found client=127.0.0.1 map=mailboxes"),
        Row(
            wire: .tcpTable, questions: ["get claude@example.org\n", "get nobody@example.org\n", "put x\n"],
            answers: [
                "200 fred@example.org\n", "500 not%20found\n",
                "400 5.5.2%20A%20request%20is%20\"get\",%20a%20space,%20and%20a%20key%20with%20%25XX%20escapes\n",
            ], log: "debug asked about=claude@example.org answer=found client=127.0.0.1 map=recipients"),
        Row(
            wire: .policy, questions: [policy("nobody@example.org"), policy("fred@example.org")],
            answers: ["action=550 5.1.1 No such user here\n\n", "action=DUNNO\n\n"],
            log: "debug asked about=nobody@example.org answer=reply client=127.0.0.1 policy=RCPT"),
    ]

    static func client(_ server: TestLoop, _ wire: ListenerWire, from address: String = "127.0.0.1") throws
        -> TestClient
    {
        let listener = ListenerConfiguration(
            wire: wire, address: .ip(host: "0.0.0.0", port: 25), map: wire == .tcpTable ? .recipients : nil)
        let client = try server.client(of: listener, from: address)
        if wire == .smtp { _ = try client.received() }
        return client
    }

    /// The same in one piece, in pieces of any size, and one by one.
    @Test(arguments: rows.indices)
    func inPieces(index: Int) throws {
        let row = Self.rows[index]
        let (questions, answers) = (row.questions.joined(), row.answers.joined())
        try TestLoop.run { server in
            for size in [1, 2, 7, questions.utf8.count] {
                let client = try Self.client(server, row.wire)
                let octets = Array(questions.utf8)
                for start in stride(from: 0, to: octets.count, by: size) {
                    try client.send(Array(octets[start..<min(start + size, octets.count)]))
                }
                #expect(try client.received() == answers)
            }
            #expect(server.log.lines("asked").first == row.log)
        }
    }

    /// The same where each answer has to be waited for: in their order, whenever they come.
    @Test(arguments: rows.indices)
    func late(index: Int) throws {
        let row = Self.rows[index]
        var held: HeldSource?
        let hold = { (base: any Source) -> any Source in
            let source = HeldSource(base: base)
            held = source
            return source
        }
        try TestLoop.run(source: hold) { server in
            let client = try Self.client(server, row.wire)
            try client.send(row.questions.joined())
            while held?.isAsked == true {
                held?.answerAll()
                server.eventLoop.run()
            }
            #expect(try client.received() == row.answers.joined())
            // A client that goes before its answer is none that anything is said to.
            let other = try Self.client(server, row.wire)
            try other.send(row.questions.joined())
            other.disconnect()
            let told = server.log.lines("asked").count
            while held?.isAsked == true {
                held?.answerAll()
                server.eventLoop.run()
            }
            #expect(try other.received() == "")
            #expect(server.log.lines("asked").count == told)
            #expect(server.shared.openConnections == 1)
        }
    }

    /// Whoever asks what can't be read has its questions before answered, and is gone.
    @Test(arguments: [
        (ListenerWire.socketmap, netstring("mailboxes fred@example.org") + "x:", "PERM 5.5.2 Malformed netstring,"),
        (.policy, policy("fred@example.org") + "request=smtpd_access_policy\n\n", "action=DUNNO\n\n"),
        (.policy, policy("fred@example.org") + "nonsense\n\n", "action=DUNNO\n\n"),
        (.milter, "\0\0\0\u{1}R", ""), (.readsocket, "rcpt\n", "defer 5.5.2 A question is a word, a space, and a key"),
        (.readsocket, "rcpt " + String(repeating: "x", count: 11_000), "octets"),
    ])
    func malformed(wire: ListenerWire, text: String, end: String) throws {
        try TestLoop.run { server in
            let client = try Self.client(server, wire)
            try client.send(text)
            #expect(try client.received().hasSuffix(end))
            #expect(client.socket.isOutputClosed)
            try client.send(text)
            #expect(try client.received() == "")
            #expect(
                server.log.lines("malformed-request") == [
                    "info malformed-request client=127.0.0.1 done=connection closed listener=\(wire.rawValue) "
                        + "on=0.0.0.0:25"
                ])
        }
    }

    /// Where a wire can go on after a fault, it goes on until there have been `limits.errors`.
    @Test(arguments: [(ListenerWire.socketmap, netstring("x")), (.tcpTable, "x\n")])
    func faults(wire: ListenerWire, text: String) throws {
        try TestLoop.with { $0.limits.errors = 3 }.run { server in
            let client = try Self.client(server, wire)
            try client.send(text + text)
            #expect(!client.socket.isOutputClosed)
            #expect(server.log.lines("malformed-request").isEmpty)
            try client.send(text)
            #expect(client.socket.isOutputClosed)
            #expect(server.log.lines("malformed-request").count == 1)
        }
    }

    @Test func readsocketIsForOneQuestion() throws {
        try TestLoop.run { server in
            let client = try Self.client(server, .readsocket)
            try client.send("rcpt fred@example.org\nrcpt nobody@example.org\n")
            #expect(try client.received() == "ok 250 2.1.5 OK")
            #expect(client.socket.isOutputClosed)
            #expect(
                server.log.lines("asked") == [
                    "debug asked about=fred@example.org answer=ok client=127.0.0.1 word=rcpt"
                ])
            // Without an end of line the end of input is one.
            let exim = try Self.client(server, .readsocket)
            try exim.send("rcpt nobody@example.org")
            #expect(try exim.received() == "")
            exim.end()
            #expect(try exim.received() == "no 550 5.1.1 No such user here")
        }
    }

    @Test func filters() throws {
        try TestLoop.run { server in
            let client = try Self.client(server, .milter)
            let steps = ["Cx\04\u{1}\u{2}127.0.0.1\0", "M<>\0", "R<nobody@example.org>\0"].flatMap(
                MilterServerTests.packet)
            try client.send(MilterServerTests.open + steps)
            #expect(try client.received().contains("550 5.1.1 No such user here"))
            #expect(
                server.log.lines("asked") == [
                    "debug asked about=<nobody@example.org> answer=reply client=127.0.0.1 command=milter RCPT"
                ])
            // A client that is named may know less than the mail server that names it: never more.
            try client.send(
                ["Cx\04\u{1}\u{2}192.0.2.1\0", "M<>\0", "R<gone@example.org>\0"].flatMap(MilterServerTests.packet))
            #expect(try client.received().contains("550 5.1.6 User has moved"))
            try client.send(MilterServerTests.packet("Q"))
            #expect(client.socket.isOutputClosed)
        }
    }

    /// Who names a client tells it what both may know.
    @Test(arguments: [
        (ListenerWire.policy, "127.0.0.1", "551 5.1.6 User not local; please try <gone@elsewhere.example>"),
        (.policy, "192.0.2.1", "550 5.1.6 User has moved"), (.policy, "unknown", "550 5.1.6 User has moved"),
        (.readsocket, "127.0.0.1", "no 551 5.1.6 User not local; please try <gone@elsewhere.example>"),
        (.readsocket, "192.0.2.1", "no 550 5.1.6 User has moved"),
    ])
    func namedClients(wire: ListenerWire, address: String, said: String) throws {
        try TestLoop.run { server in
            func ask(from client: String) throws -> String {
                let client = try Self.client(server, wire, from: client)
                try client.send(
                    wire == .policy
                        ? "client_address=\(address)\n" + Self.policy("gone@example.org")
                        : "rcpt client=\(address) gone@example.org\n")
                return try client.received()
            }
            // Twice, and then another: whom it named last is remembered.
            let replies = [
                try ask(from: "127.0.0.1"), try ask(from: "127.0.0.1"), try ask(from: "192.0.2.9"),
            ]
            #expect(replies[0].contains(said))
            #expect(replies[1] == replies[0])
            #expect(replies[2].contains("550 5.1.6 User has moved"))
        }
    }

    /// So with filters: each row is who asks, whom it names, and what both may know.
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1", "551 5.1.6"), ("192.0.2.9", "127.0.0.1", "550 5.1.6"),
        ("127.0.0.1", "192.0.2.1", "550 5.1.6"),
    ])
    func namedClientsOfFilters(address: String, named: String, said: String) throws {
        try TestLoop.run { server in
            let client = try server.client(wire: .milter, from: address)
            let steps = ["Cclient\04\u{1}\u{2}\(named)\0", "M<>\0", "R<gone@example.org>\0"]
            try client.send(MilterServerTests.open + steps.flatMap { MilterServerTests.packet($0) })
            #expect(try client.received().contains("y\(said)"))
        }
    }

    /// A client that is named has the class that it has now.
    @Test func namedClientsAfterAReload() throws {
        try TestLoop.run { server in
            let client = try Self.client(server, .policy)
            let question = "client_address=127.0.0.1\n" + Self.policy("gone@example.org")
            try client.send(question)
            #expect(try client.received().hasPrefix("action=551 5.1.6"))
            var settings = server.loop.service.configuration
            settings.clients = [.everyone]
            server.loop.replace(service: try Service(settings), sources: server.loop.sources)
            try client.send(question)
            #expect(try client.received().hasPrefix("action=550 5.1.6"))
        }
    }

    /// So has one that is named in a question that had to wait for room.
    @Test func heldQuestionsAfterAReload() throws {
        try TestLoop.with { $0.limits.pipelinedQuestions = 1 }.run { server in
            let client = try Self.client(server, .policy)
            let question = "client_address=127.0.0.1\n" + Self.policy("gone@example.org")
            client.setWritable(false)
            try client.send(question + question)
            var settings = server.loop.service.configuration
            settings.clients = [.everyone]
            server.loop.replace(service: try Service(settings), sources: server.loop.sources)
            client.setWritable(true)
            let answers = try client.received().components(separatedBy: "\n\n")
            #expect(answers.map { $0.prefix(16) } == ["action=551 5.1.6", "action=550 5.1.6", ""])
        }
    }

    // MARK: Too many questions

    static func limited(_ perMinute: Int) -> [ClientClass] {
        var trusted = ClientClass.trusted
        trusted.questionsPerMinute = perMinute
        return [trusted, .everyone]
    }

    static let refused = "450 4.7.1 Too many questions, try again later"

    /// A budget for each client, over all its connections, that fills as time goes by.
    @Test func questionsAreCounted() throws {
        try TestLoop.run(clients: Self.limited(6)) { server in
            let (client, other) = (try server.greeted(), try server.greeted())
            func ask(_ client: TestClient) throws -> String { try client.say("VRFY nobody@example.org").joined() }
            for _ in 0..<3 {
                #expect(try ask(client).hasPrefix("550"))
                #expect(try ask(other).hasPrefix("550"))
            }
            #expect(try ask(client) == Self.refused)
            #expect(try ask(other) == Self.refused)
            #expect(
                server.log.lines("question-refused") == [
                    "info question-refused client=127.0.0.1 reason=more than 6 questions a minute"
                ])
            // Another client, and the postmaster, are not refused; nor is what asks nothing.
            #expect(try ask(try server.greeted(from: "127.0.0.2")).hasPrefix("550"))
            #expect(try client.say("VRFY postmaster@example.org").first?.hasPrefix("250") == true)
            let others = try client.say("MAIL FROM:<>", "NOOP")
            #expect(others.allSatisfy { $0.hasPrefix("250") })
            server.advance(.milliseconds(9_999))
            #expect(try ask(client) == Self.refused)
            server.advance(.milliseconds(10_001))
            #expect(try ask(client).hasPrefix("550"))
        }
    }

    /// Who goes on asking is shown the door; whoever is admitted once begins anew.
    @Test(arguments: [
        (ListenerWire.smtp, "VRFY nobody@example.org\r\n", "421 4.7.0"), (.policy, policy("nobody@example.org"), ""),
        (.socketmap, netstring("mailboxes nobody@example.org"), "46:TEMP 4.7.1"),
    ])
    func patience(wire: ListenerWire, question: String, last: String) throws {
        try TestLoop.run(clients: Self.limited(1)) { server in
            let client = try Self.client(server, wire)
            try client.send(String(repeating: question, count: 1))
            _ = try client.received()
            try client.send(String(repeating: question, count: 20))
            let answers = try client.received()
            #expect(answers.components(separatedBy: "4.7.1 Too many questions").count == 21)
            #expect(!client.socket.isOutputClosed)
            try client.send(question)
            #expect(try client.received().hasPrefix(last))
            #expect(client.socket.isOutputClosed)
            #expect(server.log.lines("refused") == ["info refused client=127.0.0.1 reason=too many questions"])
        }
    }

    /// Of a connection that is for one question no more is waited for when that is refused.
    @Test func oneQuestionAConnection() throws {
        try TestLoop.run(clients: Self.limited(1)) { server in
            for answer in ["550 5.1.1", "4.7.1 Too many questions"] {
                let client = try Self.client(server, .readsocket)
                try client.send("rcpt nobody@example.org\n")
                #expect(try client.received().contains(answer))
                #expect(client.socket.isOutputClosed)
            }
        }
    }

    /// The postmaster is asked for without end on every wire (RFC 5321 4.5.1), and whoever else is not.
    @Test(arguments: [
        (ListenerWire.smtp, "VRFY NAME@example.org\r\n"), (.socketmap, "recipients NAME@example.org"),
        (.tcpTable, "get NAME@example.org\n"), (.policy, "NAME@example.org"), (.milter, "R<NAME@example.org>\0"),
        (.readsocket, "recipients NAME@example.org\n"), (.readsocket, "rcpt NAME@example.org\n"),
    ])
    func thePostmasterIsNeverRefused(wire: ListenerWire, question: String) throws {
        try TestLoop.run(clients: Self.limited(2)) { server in
            func isRefused(_ name: String) throws -> Bool {
                let client = try Self.client(server, wire)
                let text = question.replacing("NAME", with: name)
                switch wire {
                case .socketmap: try client.send(Self.netstring(text))
                case .policy: try client.send(Self.policy(text))
                case .milter: try client.send(MilterServerTests.open + MilterServerTests.packet(text))
                default: try client.send(text)
                }
                return try client.received().replacing("%20", with: " ").contains("4.7.1 Too many questions")
            }
            let names = Array(repeating: "PostMaster", count: 5) + ["fred", "fred", "fred", "postmaster"]
            let refused = try names.filter { try isRefused($0) }
            #expect(refused == ["fred"])
        }
    }

    /// What takes many look-ups counts for more than one question.
    @Test func longWalksAreCharged() throws {
        let domain = try Domain("example.org")
        // As many as are answered for without another thread.
        let users = try (0..<900).map { number in
            User(address: Mailbox(localPart: try LocalPart(octets: Array("u\(number)".utf8)), domain: domain))
        }
        let list = Record.list(
            MailingList(address: try Mailbox("big@example.org"), expansion: .anyone),
            members: users.map { ListMember(mailbox: $0.address) })
        let records = [.domain(DomainRecord(domain: domain))] + users.map { Record.user($0) } + [list]
        let source = try MemoryStore(name: "big", records).source
        let big = { (_: any Source) -> any Source in source }
        try TestLoop.run(clients: Self.limited(100), source: big) { server in
            let client = try server.greeted()
            try client.send("EXPN big@example.org\r\n")
            for _ in 0..<2000 { server.advance(.microseconds(100)) }
            #expect(try client.replies().count == 900)
            var admitted = 0
            while admitted < 100, try client.say("VRFY nobody@example.org").first?.hasPrefix("550") == true {
                admitted += 1
            }
            #expect((86...91).contains(admitted))
        }
    }

    // MARK: Views and memory

    /// What was found is remembered until the source has changed, and not at all where it can't tell.
    @Test(arguments: [true, false])
    func changes(canTell: Bool) throws {
        var changing: ChangingSource?
        let make = { (base: any Source) -> any Source in
            let source = ChangingSource(base: base)
            source.current = canTell ? 1 : nil
            changing = source
            return source
        }
        try TestLoop.run(source: make) { server in
            let source = try #require(changing)
            let client = try server.greeted()
            func ask() throws -> Bool { try client.say("VRFY fred@example.org").first?.hasPrefix("250") == true }
            #expect(try ask())
            source.isEmpty = true
            #expect(try ask() == canTell)
            source.current = canTell ? 2 : nil
            #expect(try !ask())
            // A version of another source is no version of this one.
            source.isEmpty = false
            server.loop.replace(service: server.loop.service, sources: server.loop.sources)
            #expect(try ask())
        }
    }

    /// What a long walk found is told again without a look-up to who may see it, and to nobody else.
    @Test func longAnswersAreForThoseWhoMaySeeThem() throws {
        let domain = try Domain("example.org")
        let users = try (0..<900).map { number in
            User(address: Mailbox(localPart: try LocalPart(octets: Array("u\(number)".utf8)), domain: domain))
        }
        let members = users.map { ListMember(mailbox: $0.address) }
        let closed = Record.list(MailingList(address: try Mailbox("big@example.org")), members: members)
        let records = [.domain(DomainRecord(domain: domain))] + users.map { Record.user($0) } + [closed]
        let source = ChangingSource(base: try MemoryStore(name: "big", records).source)
        source.current = 1
        let others = [
            ClientClass(name: "full", networks: try [Network("192.0.2.0/24")], disclosure: .full),
            ClientClass(name: "little", networks: try [Network("198.51.100.0/24")], disclosure: .least),
        ]
        let make = { (_: any Source) -> any Source in source }
        try TestLoop.run(clients: [.trusted] + others + [.everyone], source: make) { server in
            func expand(from address: String) throws -> (replies: [String], lookups: Int) {
                let client = try server.greeted(from: address)
                let before = source.asked
                try client.send("EXPN big@example.org\r\n")
                for _ in 0..<2000 { server.advance(.microseconds(100)) }
                return (try client.replies(), source.asked - before)
            }
            let first = try expand(from: "127.0.0.1")
            #expect(first.replies.count == 900 && first.lookups > 900)
            let again = try expand(from: "127.0.0.1")
            #expect(again.replies == first.replies && again.lookups == 0)
            for (address, code) in [("192.0.2.1", "550"), ("198.51.100.1", "252"), ("203.0.113.1", "252")] {
                let other = try expand(from: address)
                #expect(other.replies.map { $0.prefix(3) } == [code[...]], "\(address)")
            }
            source.current = 2
            #expect(try expand(from: "127.0.0.1").lookups == first.lookups)
        }
    }

    /// A view that is opened anew shows another state of the directory, which is not to be mixed with the first.
    @Test func aViewThatFails() throws {
        let domain = try Domain("example.org")
        let users = try (0..<900).map { User(address: try Mailbox("u\($0)@example.org")) }
        let list = Record.list(
            MailingList(address: try Mailbox("big@example.org"), expansion: .anyone),
            members: users.map { ListMember(mailbox: $0.address) })
        let records = [.domain(DomainRecord(domain: domain))] + users.map { Record.user($0) } + [list]
        let source = ChangingSource(base: try MemoryStore(name: "big", records).source)
        source.current = 1
        source.hasViews = true
        let make = { (_: any Source) -> any Source in source }
        try TestLoop.run(source: make) { server in
            let client = try server.greeted()
            try client.send("EXPN big@example.org\r\n")
            let view = try #require(source.latestView)
            view.current = 2
            for _ in 0..<2000 { server.advance(.microseconds(100)) }
            #expect(try client.replies().map { $0.prefix(3) } == ["451"])
            #expect(
                server.log.lines("could-not-tell") == [
                    "error could-not-tell about=big@example.org "
                        + "reason=the directory was opened anew while a long list was read source=big"
                ])
        }
    }

    /// `remembered-recipients`, also that of a new configuration.
    @Test func whatIsRemembered() throws {
        var changing: ChangingSource?
        let make = { (base: any Source) -> any Source in
            let source = ChangingSource(base: base)
            source.current = 1
            changing = source
            return source
        }
        try TestLoop.run(source: make) { server in
            let source = try #require(changing)
            let client = try server.greeted()
            func lookups() throws -> Int {
                let before = source.asked
                _ = try client.say("VRFY fred@example.org", "VRFY nobody@example.org")
                return source.asked - before
            }
            let (first, second) = (try lookups(), try lookups())
            #expect(first > 0 && second == 0)
            for (limit, isRemembered) in [(0, false), (1000, true)] {
                var settings = server.loop.service.configuration
                settings.limits.rememberedRecipients = limit
                server.loop.replace(service: try Service(settings), sources: server.loop.sources)
                let (first, second) = (try lookups(), try lookups())
                #expect(first > 0 && second == (isRemembered ? 0 : first))
            }
        }
    }

    /// Questions are logged where the level is debug, from the next read on.
    @Test func logLevels() throws {
        var setting = TestLoop.with { _ in }
        setting.level = .info
        try setting.run { server in
            let client = try server.greeted()
            for level in [Logger.Level.info, .debug, .info, .debug] {
                server.log.setLevel(level)
                let before = server.log.lines.count
                _ = try client.say("VRFY fred@example.org")
                #expect(server.log.lines.count - before == (level == .debug ? 1 : 0))
            }
        }
    }

    /// Each read has a view of its own, and none is kept for long.
    @Test func views() throws {
        var changing: ChangingSource?
        let make = { (base: any Source) -> any Source in
            let source = ChangingSource(base: base)
            changing = source
            return source
        }
        try TestLoop.run(source: make) { server in
            let source = try #require(changing)
            let client = try server.greeted()
            _ = try client.say("VRFY fred@example.org", "VRFY ann@example.org")
            #expect(source.batches == 1)
            _ = try client.say("VRFY fred@example.org")
            #expect(source.batches == 2)
            server.advance(.milliseconds(9))
            #expect(source.ends == 0)
            server.advance(.milliseconds(1))
            #expect(source.ends == 1)
            server.advance(.seconds(1))
            #expect(source.ends == 1)
            server.loop.replace(service: server.loop.service, sources: [])
            #expect(source.releases == 1)
        }
    }
}

/// Counts what it is told, and holds another directory when a test says so.
private final class ChangingSource: Source {
    private let base: any Source
    var current: UInt64?
    var isEmpty = false
    private(set) var asked = 0
    private(set) var batches = 0
    private(set) var ends = 0
    private(set) var releases = 0
    var hasViews = false
    private(set) var latestView: ChangingSource?

    init(base: any Source) { self.base = base }

    var name: String { base.name }

    func view() -> (any Source)? {
        if !hasViews { return nil }
        let view = ChangingSource(base: base)
        view.current = 1
        latestView = view
        return view
    }

    func answer(_ lookup: Lookup) -> Answer {
        asked += 1
        if isEmpty, case .entries = lookup { return .absent }
        return base.answer(lookup)
    }

    func version() -> UInt64? { current }
    func beginBatch() { batches += 1 }
    func endBatch() { ends += 1 }
    func release() { releases += 1 }
}
