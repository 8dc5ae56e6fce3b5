// A user with several addresses, as LDAP has them, of whom another source says something at the canonical one.

import DirectoryTesting
import MailAddress
import Testing

@testable import MailboxDirectory

/// Finds the user by other addresses, too.
private struct OtherAddresses: Source {
    let base: any Source
    let others: [Mailbox: Mailbox]

    var name: String { "people" }

    func answer(_ lookup: Lookup) -> Answer {
        guard case .entries(let keys) = lookup else { return base.answer(lookup) }
        for (index, key) in keys.enumerated() {
            if case .entry(let entry, _) = base.answer(.entries([others[key] ?? key])) {
                return .entry(entry, key: index)
            }
        }
        return .absent
    }
}

@Suite struct OtherAddressTests {
    private func resolve(_ question: String, _ main: String, isPeopleFirst: Bool = false) throws -> String {
        let main = try MemoryStore(name: "main", try records(main)[0])
        let people = try MemoryStore(
            name: "people",
            try records(
                "domain a\ndomain b\ndomain c alias-of=a\nuser anna@a (Anna)\nuser bob@b\nuser off@a status=disabled")[
                    0])
        let others = ["two@a": "anna@a", "three@b": "anna@a", "bobby@a": "bob@b", "o@a": "off@a"]
        let source = OtherAddresses(
            base: people.source,
            others: Dictionary(uniqueKeysWithValues: try others.map { (try Mailbox($0), try Mailbox($1)) }))
        let sources: [any Source] = isPeopleFirst ? [source, main.source] : [main.source, source]
        let resolution = Expansion(
            .address(try Mailbox(question)), purpose: .resolve, sources: sources.map(\.name),
            defaultDomain: ResolveRow.defaultDomain
        ).run(sources)
        return resolution.text
    }

    /// A forward on the user holds by whatever address mail comes.
    @Test(arguments: [
        ("anna@a", "asked anna@a; chain user anna@a; => x@else elsewhere"),
        ("two@a", "asked anna@a; chain user anna@a; => x@else elsewhere"),
        ("two+tag@a", "asked anna@a; chain user anna@a; => x@else elsewhere"),
        ("three@b", "asked anna@a; chain user anna@a; => x@else elsewhere"),
        ("two@c", "asked anna@a; chain user anna@a; => x@else elsewhere"),
        ("alias@a", "asked alias@a; chain alias alias@a, user anna@a; => x@else elsewhere"),
    ])
    func forwards(_ question: String, _ expected: String) throws {
        #expect(try resolve(question, "domain a\nforward anna@a x@else\nalias alias@a two@a") == expected)
    }

    /// Where nothing is there, the answer is what it was, with the detail.
    @Test(arguments: [
        ("two@a", "asked anna@a; chain user anna@a; => anna@a (Anna)"),
        ("two+tag@a", "asked anna@a; chain user anna@a; => anna@a{tag} (Anna)"),
        ("bobby@a", "asked bob@b; chain user bob@b; => bob@b"),
        ("o@a", "asked off@a; chain user off@a; not off@a disabled"),
    ])
    func nothingThere(_ question: String, _ expected: String) throws {
        #expect(try resolve(question, "domain a") == expected)
        #expect(try resolve(question, "domain a", isPeopleFirst: true) == expected)
    }

    @Test func copiesKeepTheDetail() throws {
        let main = "domain a\nforward anna@a x@else keep"
        #expect(
            try resolve("two+tag@a", main) == "asked anna@a; chain user anna@a; to anna@a{tag} (Anna), x@else elsewhere"
        )
        // A mailbox of an earlier source goes before what a later one has.
        #expect(
            try resolve("two@a", "domain a\nmoved anna@a to=x@else")
                == "asked anna@a; chain moved anna@a; not anna@a moved to x@else")
        #expect(
            try resolve("two@a", "domain a\nalias anna@a x@else") == "asked anna@a; chain user anna@a; => anna@a (Anna)"
        )
    }
}
