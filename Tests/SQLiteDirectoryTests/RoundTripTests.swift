// Every record comes back as it was given: spelling, UTF-8, quoting, empty names, order.

import MailAddress
import MailboxDirectory
import SQLiteDirectory
import Testing

@Suite struct RoundTripTests {
    /// `==` of addresses does not see spelling; the description does.
    private func spelled(_ record: Record?) -> String { record.map { "\($0)" } ?? "none" }

    @Test(arguments: [
        "fred@example.org", "Fred.Claude@Example.ORG", "\"fred claude\"@example.org", "\"a\\\"b\\\\c@d\"@example.org",
        "ünïcødé@example.org", "Ünïcødé@example.org", "o'brien+x@example.org", "\" \"@example.org",
    ])
    func users(address: String) throws {
        let file = try TemporaryFile()
        let store = try file.store()
        for status in AccountStatus.allCases {
            for (name, login) in [("", nil), ("Fred Claude", "fred"), ("Łukasz  Żółć", "Łuk"), ("日本 太郎", "TARO")] {
                let user = try user(address, name, login: login, status: status)
                try store.write { try $0.insert(.user(user)) }
                let read = try store.read { try $0.record(.user, at: user.address) }
                #expect(read == .user(user))
                let stored = Mailbox(localPart: user.address.localPart, domain: try Domain("example.org"))
                var expected = user
                expected.address = stored
                #expect(spelled(read) == spelled(.user(expected)))
                try store.write { try $0.remove(.user, at: user.address) }
            }
        }
    }

    static let records: [Record] = {
        func mailbox(_ text: String) -> Mailbox { (try? Mailbox(text)) ?? .init(localPart: .postmaster, domain: other) }
        let other = Domain(stored: Array("other.example".utf8), key: Array("other.example".utf8))
        let here = mailbox("Here@example.org")
        let targets = ["B@Other.Example", "a@example.org", "\"x y\"@bücher.example", "c@[IPv6:2001:db8::1]"].map(
            mailbox)
        var records: [Record] = [
            .alias(Alias(address: here, targets: targets)), .moved(Moved(address: here)),
            .moved(Moved(address: here, newAddress: targets[0])),
            .list(MailingList(address: here), members: []),
        ]
        for reply in ForwardReply.allCases {
            for keeps in [false, true] {
                records.append(.forward(Forward(address: here, targets: targets, keepsCopy: keeps, reply: reply)))
            }
        }
        for access in ExpansionAccess.allCases {
            records.append(
                .list(
                    MailingList(address: here, name: "Freunde der Bücher", owner: targets[2], expansion: access),
                    members: targets.map { ListMember(mailbox: $0, name: "Żółć") } + [ListMember(mailbox: here)]))
        }
        return records
    }()

    @Test(arguments: records)
    func others(record: Record) throws {
        let file = try TemporaryFile()
        let store = try file.store([record])
        let address = try #require(record.address)
        let read = try store.read { try $0.record(record.kind, at: address) }
        #expect(read == record)
        #expect(spelled(read) == spelled(record))
    }

    @Test(arguments: [
        "plain.example", "Spelled.Example", "bücher.example", "BÜCHER.example", "[192.0.2.1]", "[IPv6:2001:DB8::1]",
    ])
    func domains(name: String) throws {
        let file = try TemporaryFile()
        let store = try file.store()
        let (domain, other) = (try Domain(name), try Domain("Other.Example"))
        for kind in [DomainKind.local, .relay, .alias(of: other)] {
            for catchAll in [nil, try Mailbox("\"Catch All\"@Else.Example")] {
                for separators in [[], Array("+".utf8), Array("+-=".utf8)] as [[UInt8]] {
                    let record = DomainRecord(
                        domain: domain, kind: kind, catchAll: catchAll, detailSeparators: separators,
                        transport: separators.isEmpty ? "smtp:[mx.example]:25" : nil)
                    try store.write { try $0.insert(.domain(record)) }
                    #expect(file.reader().answer(.domain(domain)) == .domain(record))
                    var read: [Record] = []
                    try store.read { try $0.forEach(.domain, in: domain) { read.append($0) } }
                    #expect(read.map { spelled($0) } == [spelled(.domain(record))])
                    try store.write { try $0.removeDomain(domain) }
                }
            }
        }
    }

    @Test func forwardOnUser() throws {
        let file = try TemporaryFile()
        let user = try user("fred@example.org", "Fred Claude", login: "fred")
        let forward = Forward(address: user.address, targets: [try mailbox("f@x.example")], keepsCopy: true)
        for records in [[Record.user(user), .forward(forward)], [.forward(forward), .user(user)]] {
            let file = try TemporaryFile()
            let store = try file.store(records)
            #expect(file.reader().answer(.entries([user.address])) == .entry(.user(user, forward: forward), key: 0))
            #expect(try store.read { try $0.record(.user, at: user.address) } == .user(user))
            #expect(try store.read { try $0.record(.forward, at: user.address) } == .forward(forward))
            #expect(try store.read { try $0.record(.alias, at: user.address) } == nil)
        }
        _ = file
    }

    @Test func listingIsInOrder() throws {
        let file = try TemporaryFile()
        let store = try file.store([
            .domain(DomainRecord(domain: try Domain("a.example"))), .user(try user("Zoe@example.org")),
            .user(try user("anna@example.org")), .user(try user("mia@a.example")),
            .alias(Alias(address: try mailbox("info@example.org"), targets: [try mailbox("anna@example.org")])),
            .forward(Forward(address: try mailbox("anna@example.org"), targets: [try mailbox("a@b.example")])),
            .forward(Forward(address: try mailbox("alone@example.org"), targets: [try mailbox("a@b.example")])),
        ])
        func listed(_ kind: RecordKind, _ domain: Domain? = nil) throws -> [String] {
            var found: [String] = []
            try store.read { view in
                try view.forEach(kind, in: domain) { found.append($0.address?.description ?? "") }
            }
            return found
        }
        #expect(try listed(.user) == ["mia@a.example", "anna@example.org", "Zoe@example.org"])
        #expect(try listed(.user, Domain("A.example")) == ["mia@a.example"])
        #expect(try listed(.user, Domain("none.example")) == [])
        #expect(try listed(.forward) == ["alone@example.org", "anna@example.org"])
        #expect(try listed(.alias) == ["info@example.org"])
        #expect(try listed(.domain).count == 2)
    }
}
