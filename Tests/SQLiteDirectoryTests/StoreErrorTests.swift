// Every StoreError, and what is left after it.

import MailAddress
import MailboxDirectory
import SQLiteDirectory
import Testing

@Suite struct StoreErrorTests {
    private static func record(_ kind: RecordKind, _ address: Mailbox) -> Record {
        switch kind {
        case .domain: .domain(DomainRecord(domain: address.domain))
        case .user: .user(User(address: address, fullName: "Fred Claude"))
        case .alias: .alias(Alias(address: address, targets: [Mailbox(localPart: .postmaster, domain: address.domain)]))
        case .forward:
            .forward(Forward(address: address, targets: [Mailbox(localPart: .postmaster, domain: address.domain)]))
        case .moved: .moved(Moved(address: address))
        case .list: .list(MailingList(address: address), members: [])
        }
    }

    private static let entries: [RecordKind] = [.user, .alias, .forward, .moved, .list]

    @Test(arguments: entries, entries)
    func oneAddressOneThing(first: RecordKind, second: RecordKind) throws {
        let file = try TemporaryFile()
        let address = try mailbox("fred@example.org")
        let store = try file.store([Self.record(first, address)])
        let other = try mailbox("FRED@EXAMPLE.org")
        let error = storeError { try store.write { try $0.insert(Self.record(second, other)) } }
        let mayShare = Set([first, second]) == [.user, .forward]
        #expect(error == (mayShare ? nil : .addressTaken(address, by: first)))
        if mayShare {
            for kind in [first, second] {
                let again = storeError { try store.write { try $0.insert(Self.record(kind, other)) } }
                #expect(again == .addressTaken(address, by: kind))
            }
            let alias = storeError { try store.write { try $0.insert(Self.record(.alias, other)) } }
            #expect(alias == .addressTaken(address, by: .user))
        }
    }

    @Test func domainTaken() throws {
        let file = try TemporaryFile()
        let domain = try Domain("EXAMPLE.org")
        let store = try file.store()
        let error = storeError { try store.write { try $0.insert(.domain(DomainRecord(domain: domain))) } }
        #expect(error == .domainTaken(domain))
    }

    @Test(arguments: entries)
    func noSuchDomain(kind: RecordKind) throws {
        let file = try TemporaryFile()
        let store = try file.store()
        let address = try mailbox("fred@else.example")
        let error = storeError { try store.write { try $0.insert(Self.record(kind, address)) } }
        #expect(error == .noSuchDomain(address.domain))
    }

    @Test func loginTaken() throws {
        let file = try TemporaryFile()
        let store = try file.store([.user(try user("fred@example.org", login: "Fred"))])
        let other = try user("freda@example.org", login: "FRED")
        #expect(storeError { try store.write { try $0.insert(.user(other)) } } == .loginTaken("FRED"))
        #expect(try store.read { try $0.record(.user, at: other.address) } == nil)
        try store.write { try $0.insert(.user(user("freda@example.org"))) }
        #expect(storeError { try store.write { try $0.replace(.user(other)) } } == .loginTaken("FRED"))
        // Nor may one of the same name in another domain.
        let second = try user("fred@second.example", login: "fred")
        try store.write { try $0.insert(.domain(DomainRecord(domain: second.address.domain))) }
        #expect(storeError { try store.write { try $0.insert(.user(second)) } } == .loginTaken("fred"))
        // Its own login is no obstacle.
        try store.write { try $0.replace(.user(user("fred@example.org", login: "fred"))) }
        // An empty one is none.
        try store.write { try $0.replace(.user(user("freda@example.org", login: ""))) }
        #expect(try store.read { try $0.record(.user, at: other.address) } == .user(user("freda@example.org")))
    }

    @Test(arguments: RecordKind.allCases)
    func notFound(kind: RecordKind) throws {
        let file = try TemporaryFile()
        // Something of another kind stands there.
        let address = try mailbox("fred@example.org")
        let store = try file.store([Self.record(kind == .moved ? .list : .moved, address)])
        for missing in [address, try mailbox("no@example.org"), try mailbox("no@else.example")]
        where kind != .domain || missing.domain != address.domain {
            let name = kind == .domain ? missing.domain.description : missing.description
            let replace = storeError { try store.write { try $0.replace(Self.record(kind, missing)) } }
            #expect(replace == .notFound(kind, name))
            let remove = storeError {
                try store.write {
                    if kind == .domain {
                        try $0.removeDomain(missing.domain)
                    } else {
                        try $0.remove(kind, at: missing)
                    }
                }
            }
            #expect(remove == .notFound(kind, name))
        }
        let list = try mailbox("no@example.org")
        let none = StoreError.notFound(.list, list.description)
        #expect(storeError { try store.write { _ = try $0.addMembers([], toListAt: list) } } == none)
        #expect(storeError { try store.write { _ = try $0.removeMembers([], fromListAt: list) } } == none)
    }

    @Test func notEmpty() throws {
        let file = try TemporaryFile()
        let domain = try Domain("example.org")
        let alias = DomainRecord(domain: try Domain("old.example"), kind: .alias(of: domain))
        let store = try file.store([.user(try user("fred@example.org")), .domain(alias)])
        #expect(storeError { try store.write { try $0.removeDomain(domain) } } == .notEmpty(domain))
        try store.write { try $0.remove(.user, at: mailbox("fred@example.org")) }
        #expect(storeError { try store.write { try $0.removeDomain(domain) } } == .notEmpty(domain))
        try store.write { try $0.removeDomain(alias.domain) }
        try store.write { try $0.removeDomain(domain) }
        #expect(file.reader().answer(.domain(domain)) == .absent)
    }

    @Test func whatThrowsIsUndoneWhole() throws {
        struct Stop: Error {}
        let file = try TemporaryFile()
        let store = try file.store()
        #expect(throws: Stop.self) {
            try store.write {
                try $0.insert(.user(user("fred@example.org", "Fred Claude")))
                throw Stop()
            }
        }
        #expect(file.reader().answer(.entries([try mailbox("fred@example.org")])) == .absent)
    }
}
