// That a change of a domain is checked against what leads into it, or not made at all.

import DirectoryTesting
import MailAddress
import MailboxDirectory
import Testing

@Suite struct LoopChecks {
    private static let directory = "domain a\nuser u@a\nuser v@a\nalias i@a x@b\nlist l@a : u@a\nforward v@a y@b keep"

    private func change(_ change: String, in store: any RecordStore) throws -> String {
        let editor = RecordEditor(store: store, defaultDomain: ResolveRow.defaultDomain)
        do throws(EditError) {
            return try editor.apply(change)
        } catch {
            return error.description
        }
    }

    /// What leads somewhere is asked for; users, of whom there may be very many, are not.
    @Test func passesOverUsers() throws {
        let store = try MemoryStore(try records(Self.directory + "\ndomain b\nalias k@b i@a\ndomain c alias-of=a")[0])
        let tampered = TamperedStore(store)
        tampered.references = { _ in throw Trouble(source: "memory", reason: "all records were asked for") }
        tampered.redirections = { domain in
            try store.read { try $0.redirections(inDomain: domain, limit: .max) }
        }
        #expect(try change("set domain a catch-all=u@a", in: tampered) == "done")
        let domain = try Domain("a")
        let names = ["domain c", "alias i@a", "list l@a", "forward v@a", "alias k@b"]
        #expect(try store.read { try $0.redirections(inDomain: domain, limit: 9) }.map(\.description) == names)
        #expect(
            try store.read { try $0.redirections(inDomain: domain, limit: 2) }.map(\.description)
                == Array(names.prefix(2)))
    }

    /// A store without a faster way is asked for everything, and users are left out.
    @Test func defaultForOtherStores() throws {
        let store = try MemoryStore(try records(Self.directory)[0])
        let domain = try Domain("a")
        let found = try store.read { reading in
            let plain = PlainReading(inner: reading)
            return try [1, 9].map { try plain.redirections(inDomain: domain, limit: $0).map(\.description) }
        }
        #expect(found == [["alias i@a"], ["alias i@a", "list l@a", "forward v@a"]])
    }

    @Test(arguments: [
        (Reference(kind: .alias, role: .target, name: "not an address"), "alias not an address"),
        (Reference(kind: .alias, role: .target, name: "gone@a"), "alias gone@a"),
        (Reference(kind: .domain, role: .catchAll, name: ".."), "domain .."),
    ])
    func recordsThatCannotBeRead(_ reference: Reference, _ shown: String) throws {
        let store = try MemoryStore(try records(Self.directory)[0])
        let before = try contents(of: store)
        let tampered = TamperedStore(store)
        tampered.redirections = { _ in [reference] }
        let expected =
            "the directory could not tell: the \(shown) leads somewhere, but can't be read; repair it; try again"
        #expect(try change("add domain b", in: tampered) == expected)
        #expect(try change("set domain a catch-all=u@a", in: tampered) == expected)
        #expect(try contents(of: store) == before)
    }

    @Test func domainThatCannotBeRead() throws {
        let store = try MemoryStore(try records("domain a\ndomain c")[0])
        let before = try contents(of: store)
        let tampered = TamperedStore(store)
        tampered.redirections = { _ in [Reference(kind: .domain, role: .catchAll, name: "c")] }
        let trouble = Answer.couldNotTell(Trouble(source: "memory", reason: "disk full"))
        for (answer, reason) in [
            (trouble, "disk full"), (Answer.members([]), "the answer is not one to the question"),
        ] {
            tampered.answers[.domain(try Domain("c"))] = answer
            #expect(try change("add domain b", in: tampered) == "the directory could not tell: \(reason); try again")
            #expect(try contents(of: store) == before)
        }
    }

    /// The walk from what leads into the new domain comes to no end: nobody may take that for no loop.
    @Test(arguments: ["add domain b", "force rm alias i@a"]) func walkThatCannotTell(_ text: String) throws {
        let store = try MemoryStore(try records("domain a\nuser u@a\nalias i@a x@b\nalias n@a i@a")[0])
        let before = try contents(of: store)
        let tampered = TamperedStore(store)
        let trouble = Trouble(source: "memory", reason: "disk full")
        for lookup in [Lookup.entries([try Mailbox("x@b")]), .entries([try Mailbox("i@a")])] {
            tampered.answers[lookup] = .couldNotTell(trouble)
        }
        #expect(try change(text, in: tampered) == "the directory could not tell: disk full; try again")
        #expect(try contents(of: store) == before)
    }
}

extension LoopChecks {
    /// Where somebody has moved to is followed to the end, for it may lead back; what can't be told on the way is no end.
    @Test(arguments: ["x@a", "y@a", "z@a"], ["add moved new@a to=x@a", "set moved old@a to=x@a"])
    func movedRound(untold: String, change text: String) throws {
        let store = try MemoryStore(
            try records("domain a\nmoved old@a\nmoved x@a to=y@a\nmoved y@a to=z@a\nuser z@a")[0])
        let before = try contents(of: store)
        let tampered = TamperedStore(store)
        tampered.answers[.entries([try Mailbox(untold)])] = .couldNotTell(
            Trouble(source: "memory", reason: "disk full"))
        #expect(try change(text, in: tampered) == "the directory could not tell: disk full; try again")
        #expect(try contents(of: store) == before)
        tampered.answers = [:]
        #expect(try change(text, in: tampered) == "done")
    }
}

/// A store that fails where it is told to.
private final class TamperedStore: RecordStore {
    private let store: MemoryStore
    var references: ((Domain) throws -> [Reference])?
    var redirections: ((Domain) throws -> [Reference])?
    var answers: [Lookup: Answer] = [:]

    init(_ store: MemoryStore) { self.store = store }

    var name: String { store.name }

    func read<Result>(_ body: (any RecordReading) throws -> Result) throws -> Result {
        try write { try body($0) }
    }

    func write<Result>(_ body: (any RecordWriting) throws -> Result) throws -> Result {
        try store.write { writing in
            try body(View(inner: writing, store: self))
        }
    }

    private struct View: RecordWriting {
        let inner: any RecordWriting
        let store: TamperedStore

        var name: String { inner.name }

        func answer(_ lookup: Lookup) -> Answer { store.answers[lookup] ?? inner.answer(lookup) }
        func record(_ kind: RecordKind, at address: Mailbox) throws -> Record? { try inner.record(kind, at: address) }
        func forEach(
            _ kind: RecordKind, in domain: Domain?, faulty: (Trouble) throws -> Void, _ body: (Record) throws -> Void
        ) throws {
            try inner.forEach(kind, in: domain, faulty: faulty, body)
        }
        func references(to address: Mailbox, limit: Int) throws -> [Reference] {
            try inner.references(to: address, limit: limit)
        }
        func references(toDomain domain: Domain, limit: Int) throws -> [Reference] {
            if let references = store.references { return try references(domain) }
            return try inner.references(toDomain: domain, limit: limit)
        }
        func redirections(inDomain domain: Domain, limit: Int) throws -> [Reference] {
            if let redirections = store.redirections { return try redirections(domain) }
            return try inner.redirections(inDomain: domain, limit: limit)
        }
        func insert(_ record: Record) throws { try inner.insert(record) }
        func replace(_ record: Record) throws { try inner.replace(record) }
        func remove(_ kind: RecordKind, at address: Mailbox) throws { try inner.remove(kind, at: address) }
        func removeDomain(_ domain: Domain) throws { try inner.removeDomain(domain) }
        func addMembers(_ members: [ListMember], toListAt address: Mailbox) throws -> Int {
            try inner.addMembers(members, toListAt: address)
        }
        func removeMembers(_ members: [Mailbox], fromListAt address: Mailbox) throws -> Int {
            try inner.removeMembers(members, fromListAt: address)
        }
    }
}

/// Has what the protocol asks for, and no more.
private struct PlainReading: RecordReading {
    let inner: any RecordReading

    var name: String { inner.name }

    func answer(_ lookup: Lookup) -> Answer { inner.answer(lookup) }
    func record(_ kind: RecordKind, at address: Mailbox) throws -> Record? { try inner.record(kind, at: address) }
    func forEach(
        _ kind: RecordKind, in domain: Domain?, faulty: (Trouble) throws -> Void, _ body: (Record) throws -> Void
    ) throws {
        try inner.forEach(kind, in: domain, faulty: faulty, body)
    }
    func references(to address: Mailbox, limit: Int) throws -> [Reference] {
        try inner.references(to: address, limit: limit)
    }
    func references(toDomain domain: Domain, limit: Int) throws -> [Reference] {
        try inner.references(toDomain: domain, limit: limit)
    }
}
