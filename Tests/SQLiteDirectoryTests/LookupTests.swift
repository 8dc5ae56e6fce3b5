// Every lookup, through a reader, through an administrator's view, and in the ranks of bare names.

import MailAddress
import MailboxDirectory
import Testing

@testable import SQLiteDirectory

@Suite struct LookupTests {
    private func filled(_ file: TemporaryFile) throws -> SQLiteStore {
        try file.store([
            .domain(DomainRecord(domain: try Domain("second.example"))),
            .domain(DomainRecord(domain: try Domain("relay.example"), kind: .relay)),
            .domain(DomainRecord(domain: try Domain("old.example"), kind: .alias(of: try Domain("example.org")))),
            .user(try user("fred@example.org", "Fred Claude", login: "fc1")),
            .user(try user("claude@second.example", "Anna O'Brien")),
            .user(try user("frieda@example.org", "Frieda Claude", login: "Anna")),
            .user(try user("zoë@example.org", "Zoë von  Claude")),
            .user(try user("sales@example.org")), .user(try user("sales@second.example")),
            .user(try user("sales@relay.example", "Rita Relay", login: "rrr")),
            .user(try user("oldie@old.example", "Oldie Relay")),
            .alias(Alias(address: try mailbox("info@example.org"), targets: [try mailbox("fred@example.org")])),
            .list(
                MailingList(address: try mailbox("list@example.org"), name: "List"),
                members: [
                    ListMember(mailbox: try mailbox("z@x.example"), name: "Z"),
                    ListMember(mailbox: try mailbox("a@x.example")),
                ]),
            .list(MailingList(address: try mailbox("empty@example.org")), members: []),
        ])
    }

    private func answers(_ file: TemporaryFile, _ lookup: Lookup) throws -> Answer {
        let reader = file.reader()
        let alone = reader.answer(lookup)
        reader.beginBatch()
        #expect(reader.answer(lookup) == alone)
        #expect(reader.answer(lookup) == alone)
        reader.endBatch()
        let store = try SQLiteStore(path: file.path, name: "local")
        #expect(try store.read { $0.answer(lookup) } == alone)
        #expect(try store.write { $0.answer(lookup) } == alone)
        return alone
    }

    @Test func domains() throws {
        let file = try TemporaryFile()
        _ = try filled(file)
        let relay = DomainRecord(domain: try Domain("relay.example"), kind: .relay)
        #expect(try answers(file, .domain(Domain("RELAY.example"))) == .domain(relay))
        #expect(try answers(file, .domain(Domain("else.example"))) == .absent)
    }

    @Test func entries() throws {
        let file = try TemporaryFile()
        _ = try filled(file)
        func asked(_ keys: String...) throws -> Answer { try answers(file, .entries(keys.map { try mailbox($0) })) }
        let fred = Entry.user(try user("fred@example.org", "Fred Claude", login: "fc1"), forward: nil)
        #expect(try asked("FRED@EXAMPLE.org") == .entry(fred, key: 0))
        #expect(try asked("\"fred\"@example.org") == .entry(fred, key: 0))
        #expect(try asked("fred+x@example.org", "fred@nowhere.example", "fred@example.org") == .entry(fred, key: 2))
        #expect(try asked("fred@second.example", "nobody@example.org") == .absent)
        #expect(try asked("fred@old.example") == .absent)
        guard case .entry(.alias(let alias), key: 0) = try asked("info@example.org") else {
            Issue.record("no alias")
            return
        }
        #expect(alias.targets == [try mailbox("fred@example.org")])
    }

    /// A long list comes in pages, in its order, whatever has become of some of its rows.
    @Test func pages() throws {
        let file = try TemporaryFile()
        let (list, count) = (try mailbox("list@example.org"), 3 * Questions.page)
        let members = try (0..<count).map { ListMember(mailbox: try mailbox("m\($0)@x.example"), name: "M \($0)") }
        let store = try file.store([.list(MailingList(address: list), members: members)])
        func pages() throws -> (members: [ListMember], lookups: Int) {
            var (lookup, all, lookups) = (Lookup.members(of: list), [ListMember](), 0)
            while true {
                lookups += 1
                switch try answers(file, lookup) {
                case .page(let members, let next):
                    #expect(members.count == Questions.page)
                    all += members
                    lookup = .moreMembers(of: list, after: next)
                case .members(let members): return (all + members, lookups)
                case let answer:
                    Issue.record("\(answer)")
                    return (all, lookups)
                }
            }
        }
        #expect(try pages().members == members)
        #expect(try pages().lookups == 3)
        // With gaps in the positions, and one member more.
        let gone = Set(stride(from: 0, to: count, by: 2))
        let extra = ListMember(mailbox: try mailbox("extra@x.example"))
        try store.write { writing in
            let removed = try writing.removeMembers(gone.map { members[$0].mailbox }, fromListAt: list)
            #expect(removed == gone.count)
            #expect(try writing.addMembers([members[1], extra], toListAt: list) == 1)
        }
        #expect(try pages().members == members.indices.filter { !gone.contains($0) }.map { members[$0] } + [extra])
        // The record itself is always whole.
        let whole = Record.list(MailingList(address: list), members: try pages().members)
        #expect(try store.read { try $0.record(.list, at: list) } == whole)
    }

    /// So does a long alias, or forward, for whoever asks; the record itself is always whole.
    @Test(arguments: [0, 1], ["alias", "forward", "user"]) func partsOfRedirections(more: Int, kind: String) throws {
        let file = try TemporaryFile()
        let (address, count) = (try mailbox("many@example.org"), 2 * Questions.page + more)
        let targets = try (0..<count).map { try mailbox("T\($0)@x.example") }
        let alias = Alias(address: address, targets: targets)
        let forward = Forward(address: address, targets: targets, reply: .silent)
        let user = User(address: address, fullName: "Many")
        let (records, whole): ([Record], Entry) =
            switch kind {
            case "alias": ([.alias(alias)], .alias(alias))
            case "forward": ([.forward(forward)], .forward(forward))
            default: ([.user(user), .forward(forward)], .user(user, forward: forward))
            }
        let store = try file.store(records)
        var (all, next): ([Mailbox], Int?) = ([], nil)
        switch file.reader().answer(.entries([address])) {
        case .entry(.alias(let part), key: 0): (all, next) = (part.targets, part.next)
        case .entry(let entry, key: 0):
            let part = try #require(entry.forward)
            #expect(entry.user == (kind == "user" ? user : nil) && part.reply == .silent && !part.keepsCopy)
            (all, next) = (part.targets, part.next)
        case let answer: Issue.record("\(answer)")
        }
        #expect(all == Array(targets[..<Questions.page]) && next != nil)
        while let place = next {
            switch file.reader().answer(.moreTargets(of: address, after: place)) {
            case .page(let more, let place): (all, next) = (all + more.map(\.mailbox), place)
            case .members(let more): (all, next) = (all + more.map(\.mailbox), nil)
            case let answer:
                Issue.record("\(answer)")
                next = nil
            }
        }
        #expect(all.map(\.description) == targets.map(\.description))
        let last = try #require(records.last)
        #expect(try store.read { try $0.record(last.kind, at: address) } == last)
        #expect(try store.read { $0.answer(.entries([address])) } == .entry(whole, key: 0))
    }

    /// Whether a copy is kept is known with the first part, though the address itself is among the last targets.
    @Test func aForwardToItself() throws {
        for (ownPlace, length) in [(nil, 600), (599, 600), (0, 600), (255, 256), (256, 257)] as [(Int?, Int)] {
            let file = try TemporaryFile()
            let (address, others) = (try mailbox("here@example.org"), try mailbox("here@other.example"))
            var targets = try (0..<length).map { try mailbox("t\($0)@x.example") }
            targets[1] = others
            if let ownPlace { targets[ownPlace] = address }
            _ = try file.store([.forward(Forward(address: address, targets: targets))])
            guard case .entry(.forward(let part), key: 0) = file.reader().answer(.entries([address])) else {
                Issue.record("no forward")
                continue
            }
            #expect(part.next != nil || length == 256)
            #expect(part.keepsCopy == (ownPlace != nil && part.next != nil), "at \(String(describing: ownPlace))")
        }
    }

    /// What a long walk sees stays as it is while others write.
    @Test func aViewStays() throws {
        let file = try TemporaryFile()
        let store = try file.store([.user(try user("fred@example.org"))])
        let fred = Lookup.entries([try mailbox("fred@example.org")])
        let reader = file.reader()
        reader.beginBatch()
        let view = try #require(reader.view())
        let stamp = view.version()
        try store.write { try $0.remove(.user, at: try mailbox("fred@example.org")) }
        reader.beginBatch()
        #expect(reader.answer(fred) == .absent)
        #expect(view.answer(fred) != .absent)
        #expect(view.version() == stamp && stamp != nil)
        #expect(SQLiteReader(path: "/nowhere/none", name: "none").view() == nil)
    }

    @Test func members() throws {
        let file = try TemporaryFile()
        _ = try filled(file)
        guard case .members(let members) = try answers(file, .members(of: mailbox("LIST@example.org"))) else {
            Issue.record("no members")
            return
        }
        #expect(members.map(\.mailbox.description) == ["z@x.example", "a@x.example"])
        #expect(members.map(\.name) == ["Z", ""])
        #expect(try answers(file, .members(of: mailbox("empty@example.org"))) == .members([]))
        #expect(try answers(file, .members(of: mailbox("fred@example.org"))) == .absent)
        #expect(try answers(file, .members(of: mailbox("gone@example.org"))) == .absent)
        #expect(try answers(file, .members(of: mailbox("list@else.example"))) == .absent)
    }

    @Test(arguments: [
        ("fred", NameRank.localPart, ["fred@example.org"]),
        ("FRED", .localPart, ["fred@example.org"]),
        // A local-part beats the five who are called so, and one in a relay domain is none.
        ("claude", .localPart, ["claude@second.example"]),
        ("sales", .localPart, ["sales@example.org", "sales@second.example"]),
        ("list", .localPart, ["list@example.org"]),
        ("FC1", .login, ["fred@example.org"]),
        // A login beats a full name.
        ("anna", .login, ["frieda@example.org"]),
        ("o'brien", .fullName, ["claude@second.example"]),
        ("fred  claude", .fullName, ["fred@example.org"]),
        ("ZOË VON claude", .fullName, ["zoë@example.org"]),
        ("Von", .fullName, ["zoë@example.org"]),
    ])
    func names(name: String, rank: NameRank, expected: [String]) throws {
        let file = try TemporaryFile()
        _ = try filled(file)
        let octets = Array(name.utf8)
        let query = NameQuery(localPart: try? LocalPart(octets: octets), folded: NameFolding.fold(octets), limit: 21)
        guard case .matches(let entries, let found) = try answers(file, .name(query)) else {
            Issue.record("\(name) matches nothing")
            return
        }
        #expect(found == rank)
        #expect(entries.map(\.address.description) == expected)
    }

    @Test(arguments: ["clau", "nobody", "fred clau", "", "on", "rita", "rrr", "oldie", "relay"])
    func nobody(name: String) throws {
        let file = try TemporaryFile()
        _ = try filled(file)
        let octets = Array(name.utf8)
        let query = NameQuery(localPart: try? LocalPart(octets: octets), folded: NameFolding.fold(octets), limit: 21)
        #expect(try answers(file, .name(query)) == .absent)
    }

    /// A name may be common in a relay domain of any size: the question is given up, for nothing may be concluded.
    @Test(arguments: [0, 1])
    func namesElsewhereArePassedOver(_ more: Int) throws {
        let file = try TemporaryFile()
        let store = try file.store([
            .domain(DomainRecord(domain: try Domain("a.example"), kind: .relay)),
            .domain(DomainRecord(domain: try Domain("z.example"))), .user(try user("zz@z.example", "Zoë Claude")),
        ])
        try store.importUsers(
            (0..<(Questions.candidateLimit + more)).map { try user("u\($0)@a.example", "Claude \($0)") })
        let query = NameQuery(localPart: nil, folded: Array("claude".utf8), limit: 21)
        let answer = file.reader().answer(.name(query))
        if more == 0 {
            let entry = Entry.user(try user("zz@z.example", "Zoë Claude"), forward: nil)
            #expect(answer == .matches([entry], .fullName))
        } else {
            #expect(reason(answer)?.contains("bear the name \"claude\"") == true)
        }
        // A row that no entry answers to is passed over too.
        try file.sql("INSERT INTO name VALUES ('gone', 'nobody', 1), ('gone', 'zz', 99)")
        #expect(file.reader().answer(.name(NameQuery(localPart: nil, folded: Array("gone".utf8), limit: 2))) == .absent)
    }

    @Test func namesStopAtTheLimit() throws {
        let file = try TemporaryFile()
        let records = try (0..<30).map { Record.user(try user("u\($0)@example.org", "Claude \($0)")) }
        _ = try file.store(records)
        let query = NameQuery(localPart: nil, folded: Array("claude".utf8), limit: 21)
        guard case .matches(let entries, .fullName) = file.reader().answer(.name(query)) else {
            Issue.record("no matches")
            return
        }
        #expect(entries.count == 21)
    }
}
