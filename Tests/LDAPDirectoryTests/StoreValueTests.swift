// Values that are hard to name, to filter for and to send: they come back as they were given.

import DirectoryTesting
import Foundation
import MailAddress
import MailboxDirectory
import Testing

@testable import LDAPDirectory

@Suite(.enabled(if: hasSlapd)) struct StoreValueTests {
    private func mailbox(_ localPart: String, _ domain: String = "a") throws -> Mailbox {
        Mailbox(localPart: try LocalPart(octets: Array(localPart.utf8)), domain: try Domain(domain))
    }

    /// `==` of addresses does not see spelling; the description does.
    private func spelled(_ record: Record?) -> String { record.map { "\($0)" } ?? "none" }

    static let localParts = [
        "a,b+c=\"d\"<>;\\ #", " lead", "trail ", "  ", " ", "#x", "\\", "\\2C", "\"", "*", "a*(b)c", "a\\00b", "é",
        "Ünïcødé", "日本", "O'Brien", "a@b", "a  b", "Ab  C ", "=", "dn=x,o=y", "{0}x", "+", "a;binary",
        String(repeating: "x", count: 64), String(repeating: "é", count: 32), String(repeating: "\"", count: 64),
        String(repeating: "\\", count: 64), "null\u{FFFD}", "ǅ", "ß", "İ",
    ]

    @Test(arguments: localParts)
    func everyKind(localPart: String) throws {
        let store = try emptyStore()
        let address = try mailbox(localPart)
        let target = try mailbox(localPart, "bücher.example")
        try store.write { try $0.insert(.domain(DomainRecord(domain: try Domain("a")))) }
        let records: [[Record]] = [
            [
                .user(
                    User(address: address, fullName: "  Two  \(localPart.contains("<") ? "" : localPart) ", login: nil)),
                .forward(Forward(address: address, targets: [target], keepsCopy: true, reply: .announced)),
            ],
            [.alias(Alias(address: address, targets: [target, try mailbox("x")]))],
            [.moved(Moved(address: address, newAddress: target))],
            [
                .list(
                    MailingList(address: address, name: "T", owner: target, expansion: .nobody),
                    members: [ListMember(mailbox: target, name: " of  two ")])
            ],
        ]
        for one in records {
            try store.write { writing in for record in one { try writing.insert(record) } }
            for record in one {
                let read = try store.read { try $0.record(record.kind, at: address) }
                #expect(spelled(read) == spelled(record))
                for (role, mailbox) in record.references {
                    let found = try store.read { try $0.references(to: mailbox, limit: 9) }
                    #expect(
                        found.contains(Reference(kind: record.kind, role: role, name: address.description)))
                }
            }
            #expect(throws: StoreError.self) { try store.write { try $0.insert(one[0]) } }
            try store.write { writing in for record in one.reversed() { try writing.remove(record.kind, at: address) } }
            #expect(try store.read { try $0.record(one[0].kind, at: address) } == nil)
        }
    }

    /// Those that a server might take for one.
    @Test func differentAddresses() throws {
        let store = try emptyStore()
        var names: Set<[UInt8]> = []
        try store.write { try $0.insert(.domain(DomainRecord(domain: try Domain("a")))) }
        var count = 0
        for localPart in ["a b", "a  b", "ab", " ab", "ab ", "a\\b", "ä", "a", "A"] {
            let address = try mailbox(localPart)
            let insert = { try store.write { try $0.insert(.user(User(address: address))) } }
            if names.insert(address.localPart.key).inserted {
                count += 1
                // DEVIATION from SQLite: in a directory string two spaces are one (RFC 4518 2.6.1), and so are addresses.
                if ["a  b", " ab", "ab "].contains(localPart) {
                    do { try insert() } catch is StoreError { count -= 1 }
                } else {
                    try insert()
                }
            } else {
                #expect(throws: StoreError.addressTaken(address, by: .user)) { try insert() }
            }
        }
        var listed = 0
        try store.read { try $0.forEach(.user, in: nil) { _ in listed += 1 } }
        #expect(listed == count)
    }

    @Test func order() throws {
        let (store, memory) = (try emptyStore(), try MemoryStore())
        let domains = ["b.example", "a.example", "bücher.example", "[192.0.2.1]", "C.example"]
        for target in [store as any RecordStore, memory] {
            try target.write { writing in
                for name in domains {
                    try writing.insert(.domain(DomainRecord(domain: try Domain(name))))
                    for localPart in ["z", "A", "a.b", "é", "10", "9", "\"q q\"", "_x", "Z1"] {
                        try writing.insert(.user(User(address: try Mailbox("\(localPart)@\(name)"))))
                    }
                }
            }
        }
        #expect(try contents(of: store) == contents(of: memory))
        for name in domains {
            var (own, other): ([String], [String]) = ([], [])
            try store.read { try $0.forEach(.user, in: Domain(name)) { own.append($0.text) } }
            try memory.read { try $0.forEach(.user, in: Domain(name)) { other.append($0.text) } }
            #expect(own == other && own.count == 9)
        }
    }

    /// What stands in a domain is named once, wherever it leads.
    @Test func whatUsesADomain() throws {
        let store = try emptyStore()
        let all = try records(
            "domain a\ndomain c catch-all=u@a\nuser u@a\nalias al@a u@a\nlist l@a owner=u@a : u@a al@a\nmoved m@a to=u@a"
                + "\nalias out@c al@a\nuser v@c")[0]
        try store.write { writing in for record in all { try writing.insert(record) } }
        let domain = try Domain("a")
        let standing = ["alias al@a", "list l@a", "moved m@a"]
        let pointing = ["alias out@c", "domain c"]
        #expect(
            try store.read { try $0.references(toDomain: domain, limit: .max) }.map(\.description).sorted()
                == (standing + pointing + ["user u@a"]).sorted())
        #expect(
            try store.read { try $0.redirections(inDomain: domain, limit: .max) }.map(\.description).sorted()
                == (standing + pointing).sorted())
    }

    /// More than one page, more than one step of reading.
    @Test func manyRecords() throws {
        let store = try emptyStore()
        try store.write { writing in
            try writing.insert(.domain(DomainRecord(domain: try Domain("a"))))
            for number in 0..<1200 { try writing.insert(.user(User(address: try Mailbox("u\(10000 + number)@a")))) }
        }
        var seen: [String] = []
        try store.read { try $0.forEach(.user, in: nil) { seen.append($0.address?.description ?? "") } }
        #expect(seen.count == 1200 && seen == seen.sorted())
        let references = try store.read { try $0.references(toDomain: try Domain("a"), limit: 6) }
        #expect(references.count == 6)
        #expect(try store.read { try $0.redirections(inDomain: try Domain("a"), limit: .max) } == [])
        #expect(throws: StoreError.notEmpty(try Domain("a"))) { try store.write { try $0.removeDomain(Domain("a")) } }
    }

    /// A list of 20,000: written in pieces, changed by what has changed.
    @Test func veryLongLists() throws {
        let store = try emptyStore()
        let members = try (0..<20_000).map { number in
            ListMember(mailbox: try Mailbox("Member.\(number)@elsewhere.example"), name: "Name \(number)")
        }
        let list = MailingList(address: try Mailbox("all@a"), name: "All")
        try store.write { writing in
            try writing.insert(.domain(DomainRecord(domain: try Domain("a"))))
            try writing.insert(.list(list, members: members))
        }
        #expect(try store.read { try $0.record(.list, at: list.address) } == .list(list, members: members))
        let new = ListMember(mailbox: try Mailbox("new@a"))
        let added = try store.write { try $0.addMembers([members[7], new], toListAt: list.address) }
        #expect(added == 1)
        let removed = try store.write {
            try $0.removeMembers([members[0].mailbox, new.mailbox], fromListAt: list.address)
        }
        #expect(removed == 2)
        #expect(
            try store.read { try $0.record(.list, at: list.address) } == .list(list, members: Array(members[1...])))
        let found = try store.read { try $0.references(to: members[19_999].mailbox, limit: 5) }
        #expect(found == [Reference(kind: .list, role: .member, name: "all@a")])
        try store.write { try $0.remove(.list, at: list.address) }
        #expect(try contents(of: store) == ["domain a local - +"])
    }

    @Test func pieces() {
        let values = (0..<5).map { number in Array(repeating: UInt8(ascii: "a") + UInt8(number), count: 400_000) }
        let operation = LDAPOperation.add(
            dn: "cn=x",
            [
                LDAPModification(isAdded: true, name: "objectClass", values: [[1]]),
                LDAPModification(isAdded: true, name: "member", values: values),
            ])
        let pieces = operation.pieces
        #expect(pieces.map(\.isAdd) == [true, false, false])
        var entry: LDAPEntry?
        for piece in pieces { entry = piece.applied(to: entry) }
        #expect(entry?.values("member") == values)
        #expect(entry?.values("objectClass") == [[1]])
    }

    /// A number that a value has stays, so that joining a list is one value.
    @Test(arguments: [
        (["0 a@a", "1 b@b"], ["0 a@a", "1 b@b"], ["0 a@a", "1 b@b"]),
        (["0 a@a", "5 b@b"], ["0 a@a", "1 b@b", "2 c@c"], ["0 a@a", "5 b@b", "6 c@c"]),
        (["0 a@a", "1 b@b", "2 c@c"], ["0 a@a", "1 c@c"], ["0 a@a", "2 c@c"]),
        (["0 a@a", "1 b@b"], ["0 b@b", "1 a@a"], ["1 b@b", "2 a@a"]),
        (["0 a@a Ann"], ["0 a@a Anna"], ["0 a@a Anna"]), ([], ["0 x@x"], ["0 x@x"]),
    ])
    func numbers(old: [String], wanted: [String], expected: [String]) {
        let arranged = OrderedValue.arranged(wanted.map { Array($0.utf8) }, keeping: old.map { Array($0.utf8) })
        #expect(arranged.map { String(decoding: $0, as: UTF8.self) } == expected)
    }
}
