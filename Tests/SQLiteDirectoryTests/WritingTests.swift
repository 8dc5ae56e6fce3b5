// Replacing, removing, members and references; a walk sees what its own transaction has written.

import MailAddress
import MailboxDirectory
import SQLiteDirectory
import Testing

@Suite struct WritingTests {
    private let fred: Mailbox
    private let elsewhere: Mailbox

    init() throws {
        fred = try mailbox("fred@example.org")
        elsewhere = try mailbox("Fred@Else.Example")
    }

    private func matches(_ source: any Source, _ name: String) -> Int {
        let query = NameQuery(localPart: nil, folded: Array(name.utf8), limit: 20)
        guard case .matches(let entries, _) = source.answer(.name(query)) else { return 0 }
        return entries.count
    }

    @Test func namesFollowTheUser() throws {
        let file = try TemporaryFile()
        let store = try file.store([.user(try user("fred@example.org", "Fred Claude", login: "fc"))])
        try store.write { transaction in
            #expect(matches(transaction, "claude") == 1)
            try transaction.replace(.user(user("Fred@example.org", "Fred Martin", status: .full)))
            #expect(matches(transaction, "claude") == 0)
            #expect(matches(transaction, "fc") == 0)
            #expect(matches(transaction, "martin") == 1)
        }
        let reader = file.reader()
        #expect(matches(reader, "fred martin") == 1)
        guard case .entry(let entry, _) = reader.answer(.entries([fred])) else {
            Issue.record("no user")
            return
        }
        #expect(entry.address.description == "Fred@example.org")
        try store.write { try $0.remove(.user, at: fred) }
        #expect(matches(reader, "martin") == 0)
        #expect(reader.answer(.entries([fred])) == .absent)
    }

    @Test func aForwardStaysWhenItsUserGoes() throws {
        let file = try TemporaryFile()
        let forward = Forward(address: fred, targets: [elsewhere], keepsCopy: true, reply: .silent)
        let store = try file.store([.user(try user("fred@example.org", "Fred", login: "f")), .forward(forward)])
        try store.write { try $0.remove(.user, at: fred) }
        let alone = Forward(address: fred, targets: [elsewhere], reply: .silent)
        #expect(file.reader().answer(.entries([fred])) == .entry(.forward(alone), key: 0))
        #expect(matches(file.reader(), "f") == 0)
        try store.write { try $0.remove(.forward, at: fred) }
        #expect(file.reader().answer(.entries([fred])) == .absent)
    }

    @Test func aUserStaysWhenItsForwardGoes() throws {
        let file = try TemporaryFile()
        let user = try user("fred@example.org", "Fred", login: "f")
        let forward = Forward(address: fred, targets: [elsewhere], keepsCopy: true)
        let store = try file.store([.user(user), .forward(forward)])
        let other = Forward(address: fred, targets: [try mailbox("x@x.example")])
        try store.write { try $0.replace(.forward(other)) }
        #expect(file.reader().answer(.entries([fred])) == .entry(.user(user, forward: other), key: 0))
        try store.write { try $0.remove(.forward, at: fred) }
        #expect(file.reader().answer(.entries([fred])) == .entry(.user(user, forward: nil), key: 0))
        #expect(try store.read { try $0.references(to: elsewhere, limit: 9) } == [])
    }

    @Test func membersAreAddedOnce() throws {
        let file = try TemporaryFile()
        let address = try mailbox("list@example.org")
        let list = MailingList(address: address, name: "List", owner: fred)
        let store = try file.store([.list(list, members: [ListMember(mailbox: fred, name: "F")])])
        let (a, b) = (ListMember(mailbox: try mailbox("a@x.example"), name: "A"), ListMember(mailbox: elsewhere))
        let added = try store.write {
            try $0.addMembers([b, ListMember(mailbox: try mailbox("FRED@example.org")), a, b], toListAt: address)
        }
        #expect(added == 2)
        let first = ListMember(mailbox: fred, name: "F")
        #expect(file.reader().answer(.members(of: address)) == .members([first, b, a]))
        let removed = try store.write {
            try $0.removeMembers([b.mailbox, try mailbox("no@x.example"), fred], fromListAt: address)
        }
        #expect(removed == 2)
        #expect(file.reader().answer(.members(of: address)) == .members([a]))
        #expect(try store.write { try $0.addMembers([b], toListAt: address) } == 1)
        #expect(file.reader().answer(.members(of: address)) == .members([a, b]))
        try store.write { try $0.replace(.list(list, members: [b])) }
        #expect(try store.read { try $0.record(.list, at: address) } == .list(list, members: [b]))
    }

    @Test func domainsAreReplaced() throws {
        let file = try TemporaryFile()
        let store = try file.store([.user(try user("fred@example.org"))])
        let record = DomainRecord(
            domain: try Domain("Example.ORG"), kind: .relay, catchAll: elsewhere, detailSeparators: [])
        try store.write { transaction in
            try transaction.replace(.domain(record))
            #expect(transaction.answer(.domain(record.domain)) == .domain(record))
        }
        #expect(file.reader().answer(.entries([fred])) != .absent)
    }

    @Test func references() throws {
        let file = try TemporaryFile()
        let store = try file.store([
            .domain(DomainRecord(domain: try Domain("old.example"), kind: .alias(of: try Domain("Else.example")))),
            .domain(DomainRecord(domain: try Domain("new.example"), catchAll: elsewhere)),
            .alias(Alias(address: try mailbox("A@example.org"), targets: [fred, elsewhere])),
            .forward(Forward(address: fred, targets: [elsewhere])),
            .moved(Moved(address: try mailbox("m@example.org"), newAddress: elsewhere)),
            .list(
                MailingList(address: try mailbox("l@example.org"), owner: elsewhere),
                members: [ListMember(mailbox: elsewhere)]),
        ])
        let expected: Set<Reference> = [
            Reference(kind: .alias, role: .target, name: "A@example.org"),
            Reference(kind: .forward, role: .target, name: "fred@example.org"),
            Reference(kind: .moved, role: .newAddress, name: "m@example.org"),
            Reference(kind: .list, role: .owner, name: "l@example.org"),
            Reference(kind: .list, role: .member, name: "l@example.org"),
            Reference(kind: .domain, role: .catchAll, name: "new.example"),
        ]
        let address = try mailbox("fred@ELSE.example")
        try store.read { view in
            #expect(Set(try view.references(to: address, limit: 20)) == expected)
            #expect(try view.references(to: address, limit: 3).count == 3)
            let domain = Set(try view.references(toDomain: address.domain, limit: 20))
            #expect(domain == expected.union([Reference(kind: .domain, role: .target, name: "old.example")]))
            #expect(try view.references(toDomain: Domain("example.org"), limit: 20).count == 4)
            #expect(try view.references(toDomain: Domain("none.example"), limit: 20) == [])
        }
    }

    /// A transaction sees that a domain is gone, or another, as soon as it has said so.
    @Test func domainsAreNotRemembered() throws {
        let file = try TemporaryFile()
        let store = try file.store()
        let domain = try Domain("second.example")
        try store.write { transaction in
            for kind in [DomainKind.local, .relay] {
                #expect(transaction.answer(.domain(domain)) == .absent)
                try transaction.insert(.domain(DomainRecord(domain: domain)))
                #expect(transaction.answer(.domain(domain)) == .domain(DomainRecord(domain: domain)))
                try transaction.replace(.domain(DomainRecord(domain: domain, kind: kind)))
                #expect(transaction.answer(.domain(domain)) == .domain(DomainRecord(domain: domain, kind: kind)))
                try transaction.removeDomain(domain)
            }
            #expect(transaction.answer(.domain(domain)) == .absent)
        }
        #expect(file.reader().answer(.domain(domain)) == .absent)
    }
}
