// A result that is not whole is never taken for one: references to other servers, pages, limits, and groups that lie too
// deep.

import CLDAP
import DirectoryTesting
import MailAddress
import MailboxDirectory
import Testing

@testable import LDAPDirectory

/// A page that has arrived, and what becomes of its search.
struct PageRow: Sendable, CustomTestStringConvertible {
    var code: Int32 = LDAP_SUCCESS
    var hasReferences = false
    var hasMore = false
    var change: @Sendable (inout LDAPSearch) -> Void = { _ in }
    var expected: String

    var testDescription: String { "\(code) \(hasReferences) \(hasMore): \(expected)" }
}

struct WholeResultTests {
    static let pages: [PageRow] = [
        PageRow(expected: "found 2"),
        PageRow(hasReferences: true, expected: "failed 10"),
        PageRow(hasReferences: true, hasMore: true, change: { $0.page = 2 }, expected: "failed 10"),
        PageRow(hasReferences: true, change: { $0.isPartialWelcome = true }, expected: "failed 10"),
        PageRow(hasReferences: true, change: { $0.ignoresReferences = true }, expected: "found 2"),
        PageRow(
            hasReferences: true, hasMore: true,
            change: { ($0.ignoresReferences, $0.page) = (true, 2) }, expected: "more"),
        PageRow(hasMore: true, change: { $0.page = 2 }, expected: "more"),
        PageRow(hasMore: true, expected: "found 2"),
        PageRow(hasMore: true, change: { ($0.page, $0.sizeLimit) = (2, 3) }, expected: "more"),
        PageRow(hasMore: true, change: { ($0.page, $0.sizeLimit) = (2, 2) }, expected: "failed 4"),
        PageRow(
            hasMore: true, change: { ($0.page, $0.sizeLimit, $0.isPartialWelcome) = (2, 2, true) },
            expected: "partial 2"),
        PageRow(code: LDAP_SIZELIMIT_EXCEEDED, expected: "failed 4"),
        PageRow(code: LDAP_SIZELIMIT_EXCEEDED, change: { $0.isPartialWelcome = true }, expected: "partial 2"),
        PageRow(code: LDAP_ADMINLIMIT_EXCEEDED, expected: "failed 11"),
        PageRow(code: LDAP_ADMINLIMIT_EXCEEDED, change: { $0.isPartialWelcome = true }, expected: "partial 2"),
        PageRow(code: LDAP_TIMELIMIT_EXCEEDED, change: { $0.isPartialWelcome = true }, expected: "failed 3"),
        PageRow(code: LDAP_NO_SUCH_OBJECT, expected: "no such object"),
        PageRow(code: LDAP_REFERRAL, change: { $0.ignoresReferences = true }, expected: "failed 10"),
        PageRow(code: LDAP_BUSY, expected: "failed 51"),
    ]

    @Test(arguments: pages)
    func pageEnds(_ row: PageRow) {
        var search = LDAPSearch(base: "o=x", scope: .subtree, filter: "(a=b)", attributes: [])
        row.change(&search)
        var page = SearchPage()
        page.code = row.code
        page.hasReferences = row.hasReferences
        page.cookie = row.hasMore ? [1] : []
        let entries = ["a", "b"].map { LDAPEntry(dn: $0, attributes: [:]) }
        #expect(page.end(of: search, entries: entries, uri: "ldap://x").text == row.expected)
    }

    /// Only Active Directory, which always refers to its own partitions, may have them passed over.
    @Test(arguments: LDAPPreset.allCases)
    func referencesCount(preset: LDAPPreset) throws {
        let plan = SearchPlan(
            name: "x",
            settings: LDAPSettings(
                uris: [], base: "o=x", preset: preset, domains: [DomainRecord(domain: try Domain("a"))]))
        let key = try Mailbox("fred@a")
        let query = NameQuery(localPart: key.localPart, folded: Array("fred".utf8), limit: 5)
        for lookup in [Lookup.domain(try Domain("b")), .entries([key]), .name(query), .members(of: key)] {
            var work = plan.work(for: lookup)
            guard case .search(let searches) = work.begin() else { continue }
            for search in searches { #expect(search.ignoresReferences == (preset == .ad), "\(preset): \(lookup)") }
        }
        let url = MembersWork.Job.Kind.url(try #require(LDAPURL(Array("ldap:///o=y??sub".utf8))))
        let members = MembersWork(plan: plan, list: key)
        #expect(members.search(for: .init(kind: url, node: 0, depth: 0)).ignoresReferences == (preset == .ad))
    }

    /// A member whose entry is there and may not be read is none who is gone.
    @Test func aMemberThatMayNotBeRead() throws {
        let plan = SearchPlan(
            name: "x",
            settings: LDAPSettings(
                uris: [], base: "o=x", preset: .inetorgperson, domains: [DomainRecord(domain: try Domain("a"))]))
        var list = LDAPEntry(dn: "cn=team", attributes: ["objectclass": [Array("groupOfNames".utf8)]])
        list.attributes["mail"] = [Array("team@a".utf8)]
        list.attributes["member"] = [Array("uid=fred".utf8)]
        let gone = LDAPFailure.result(LDAP_NO_SUCH_OBJECT, said: "", uri: "", base: "")
        let denied = LDAPFailure.result(LDAP_INSUFFICIENT_ACCESS, said: "", uri: "", base: "")
        for (outcome, isTold) in [
            (SearchOutcome.noSuchObject(gone), true), (.found([]), false), (.failed(denied), false),
        ] {
            var work = MembersWork(plan: plan, list: try Mailbox("team@a"))
            _ = work.begin()
            _ = work.take([.found([list])])
            switch work.take([outcome]) {
            case .answered(.members([])): #expect(isTold, "\(outcome)")
            case .answered(.couldNotTell): #expect(!isTold, "\(outcome)")
            default: Issue.record("\(outcome)")
            }
        }
    }

    /// Of a server that is not whole only what is found at the very address is believed, or a domain.
    @Test func inDoubt() throws {
        let fred = try Mailbox("fred@a")
        let entry = Entry.user(User(address: fred), forward: nil)
        let trouble = Answer.couldNotTell(Trouble(source: "x", reason: "why"))
        let certain: [Answer] = [
            .domain(DomainRecord(domain: fred.domain)), .entry(entry, key: 0), trouble,
            .stale(.absent, age: .seconds(5)),
        ]
        for answer in certain {
            #expect(answer.certain(in: "s", doubt: "it is empty") == answer)
            #expect(answer.certain(in: "s", doubt: nil) == answer)
        }
        let doubted: [Answer] = [
            .absent, .entry(entry, key: 1), .matches([entry], .login), .members([]), .page([], next: 1),
        ]
        for answer in doubted {
            let told = Answer.couldNotTell(Trouble(source: "s", reason: "it is empty"))
            #expect(answer.certain(in: "s", doubt: "it is empty") == told)
            #expect(answer.certain(in: "s", doubt: nil) == answer)
        }
    }

    /// As many members as a list may have, and one more; named by their addresses or by their entries.
    @Test(arguments: [false, true], [0, 1])
    func membersInAll(byName: Bool, tooMany: Int) throws {
        let plan = SearchPlan(
            name: "x",
            settings: LDAPSettings(
                uris: [], base: "o=x", preset: .inetorgperson, domains: [DomainRecord(domain: try Domain("a"))]))
        let fred = ListMember(mailbox: try Mailbox("fred@a"))
        var work = MembersWork(plan: plan, list: try Mailbox("team@a"))
        _ = work.begin()
        for _ in 0..<(LDAPLimits.members - 1 + tooMany) {
            var node = 0
            if byName {
                work.append(.group([]), to: 0)
                node = work.nodes.count - 1
            }
            work.append(.member(fred), to: node)
        }
        var list = LDAPEntry(dn: "cn=team", attributes: ["objectclass": [Array("groupOfNames".utf8)]])
        list.attributes["mail"] = [Array("team@a".utf8)]
        list.attributes["member"] = [Array("uid=fred".utf8)]
        let entry = LDAPEntry(
            dn: "uid=fred",
            attributes: ["objectclass": [Array("inetOrgPerson".utf8)], "mail": [Array("fred@a".utf8)]])
        var step = work.take([.found([list])])
        if case .search = step { step = work.take([.found([entry])]) }
        switch step {
        case .answered(.members(let members)):
            #expect(tooMany == 0)
            #expect(members.count == LDAPLimits.members)
        case .answered(.couldNotTell(let trouble)):
            #expect(tooMany == 1)
            #expect(trouble.reason.contains("more than 100000 members"), "\(trouble.reason)")
        default: Issue.record("\(step)")
        }
    }

    /// Groups without addresses, each in the one before: 50 are opened, and a list with one more can't be told.
    @Test(arguments: [
        ("member", 1), ("member", 49), ("member", 50), ("member", 51), ("memberURL", 50), ("memberURL", 51),
    ])
    func groupsInGroups(by attribute: String, count: Int) throws {
        let plan = SearchPlan(
            name: "x",
            settings: LDAPSettings(
                uris: [], base: "o=x", preset: .inetorgperson, domains: [DomainRecord(domain: try Domain("a"))]))
        var work = MembersWork(plan: plan, list: try Mailbox("team@a"))
        _ = work.begin()
        let kind = attribute == "member" ? "groupOfNames" : "groupOfURLs"
        func group(_ number: Int) -> LDAPEntry {
            let next = number < count ? "cn=\(number + 1)" : "uid=fred"
            let value = attribute == "member" ? next : "ldap:///\(next)??base"
            var entry = LDAPEntry(dn: "cn=\(number)", attributes: [:])
            entry.attributes["objectclass"] = [Array(kind.utf8)]
            entry.attributes[attribute.lowercased()] = [Array(value.utf8)]
            if number == 0 { entry.attributes["mail"] = [Array("team@a".utf8)] }
            return entry
        }
        var step = work.take([.found([group(0)])])
        for number in 1...count {
            guard case .search(let searches) = step else { break }
            #expect(searches.map(\.base) == ["cn=\(number)"])
            step = work.take([.found([group(number)])])
        }
        if case .search = step {
            let fred = LDAPEntry(
                dn: "uid=fred",
                attributes: ["objectclass": [Array("inetOrgPerson".utf8)], "mail": [Array("fred@a".utf8)]])
            step = work.take([.found([fred])])
        }
        switch step {
        case .answered(.members(let members)):
            #expect(count <= 50)
            #expect(members.map(\.mailbox.description) == ["fred@a"])
        case .answered(.couldNotTell(let trouble)):
            #expect(count > 50)
            #expect(trouble.reason.contains("more than 50 groups deep in the list team@a"))
        default: Issue.record("\(step)")
        }
    }
}

/// A real slapd that holds a part of what is asked for, and refers to another server for the rest.
@Suite(.enabled(if: hasSlapd)) struct ReferenceTests {
    private static func settings() throws -> LDAPSettings {
        let slapd = try Slapd.shared()
        var settings = try writerSettings(slapd, .inetorgperson)
        settings.domains = [DomainRecord(domain: try Domain("a"))]
        let writer = try LDAPWriter(uri: slapd.uri)
        try writer.add(
            "uid=fred,\(settings.base)",
            [
                ("objectClass", ["inetOrgPerson"]), ("uid", ["fred"]), ("cn", ["Fred"]), ("sn", ["F"]),
                ("mail", ["fred@a"]),
            ])
        try writer.add(
            "ou=there,\(settings.base)",
            [
                ("objectClass", ["referral", "extensibleObject"]), ("ou", ["there"]),
                ("ref", ["ldap://127.0.0.1:9/ou=there,o=test"]),
            ])
        return settings
    }

    /// Neither "absent", for there may be somebody, nor found, for there may be somebody else too.
    @Test func nothingIsSure() throws {
        let directory = LDAPDirectory(name: "x", settings: try Self.settings())
        defer { directory.close() }
        let (fred, nobody) = (try Mailbox("fred@a"), try Mailbox("nobody@a"))
        let query = NameQuery(localPart: fred.localPart, folded: Array("fred".utf8), limit: 5)
        for lookup in [Lookup.entries([fred]), .entries([nobody]), .name(query), .members(of: nobody)] {
            guard case .couldNotTell(let trouble) = directory.answer(lookup) else {
                Issue.record("\(lookup) is told")
                continue
            }
            #expect(trouble.reason.contains("a part of it is on another server"))
        }
    }

    /// Commands read by another way.
    @Test func nothingIsListed() throws {
        let store = LDAPStore(name: "x", settings: try Self.settings())
        defer { store.close() }
        #expect {
            _ = try DirectoryTesting.contents(of: store)
        } throws: { "\($0)".contains("a part of it is on another server") }
        #expect {
            try store.write { try $0.insert(.user(User(address: Mailbox("new@a"), fullName: "New"))) }
        } throws: { "\($0)".contains("a part of it is on another server") }
    }

    @Test func isExamined() throws {
        let lines = LDAPCheck(name: "x", settings: try Self.settings()).findings().map(\.line)
        #expect(
            lines.contains { $0.hasPrefix("looking for a user failed: ") && $0.contains("another server") }, "\(lines)")
    }
}

extension PageEnd {
    fileprivate var text: String {
        func code(_ failure: LDAPFailure) -> String {
            if case .result(let code) = failure.kind { return "\(code)" }
            return "?"
        }
        switch self {
        case .more: return "more"
        case .ended(.found(let entries)): return "found \(entries.count)"
        case .ended(.partial(let entries, _)): return "partial \(entries.count)"
        case .ended(.noSuchObject): return "no such object"
        case .ended(.failed(let failure)): return "failed \(code(failure))"
        }
    }
}
