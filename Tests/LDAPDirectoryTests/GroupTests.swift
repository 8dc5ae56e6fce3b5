// Lists whose members are names, logins or searches, in a real slapd; and what can't be told of them.

import DirectoryTesting
import Foundation
import MailAddress
import MailboxDirectory
import Testing

@testable import LDAPDirectory

@Suite(.enabled(if: hasSlapd)) struct GroupTests {
    private struct Site {
        let writer: LDAPWriter
        let base: String
        let directory: LDAPDirectory
        let store: LDAPStore
        private let settings: LDAPSettings

        /// People u0 … with addresses, below a base of their own.
        init(people: Int = 5, isAnonymous: Bool = false) throws {
            let slapd = try Slapd.shared()
            base = try filled(slapd, [])
            writer = try LDAPWriter(uri: slapd.uri)
            for number in 0..<people {
                try writer.add(
                    "uid=u\(number),\(base)",
                    [
                        ("objectClass", ["inetOrgPerson"]), ("uid", ["u\(number)"]), ("cn", ["User \(number)"]),
                        ("sn", ["\(number)"]), ("mail", ["u\(number)@a"]),
                    ])
            }
            var settings = LDAPSettings(
                uris: [slapd.uri], base: base, preset: .inetorgperson, domains: [DomainRecord(domain: try Domain("a"))])
            settings.cache.entries = 0
            // Root has no size limit.
            setenv("ADDRESSEE_TEST_PASSWORD", Slapd.password, 1)
            if !isAnonymous {
                settings.bind = .simple(
                    dn: Slapd.rootDN, password: .environment("ADDRESSEE_TEST_PASSWORD"), isClearTextAllowed: true)
            }
            self.settings = settings
            directory = LDAPDirectory(name: "x", settings: settings)
            store = LDAPStore(name: "x", settings: settings) { _ in }
        }

        /// The same over another way.
        func settings(_ uri: String) -> LDAPSettings {
            var settings = settings
            settings.uris = [uri]
            settings.timeout = .seconds(20)
            return settings
        }

        func dn(_ number: Int) -> String { "uid=u\(number),\(base)" }

        func group(_ name: String, mail: String? = nil, _ more: [(String, [String])]) throws {
            try writer.add(
                "cn=\(name),\(base)",
                [("objectClass", ["groupOfNames", "extensibleObject"]), ("cn", [name])]
                    + (mail.map { [("mail", [$0])] } ?? []) + more)
        }

        func members(_ address: String) throws -> String {
            switch directory.answer(.members(of: try Mailbox(address))) {
            case .members(let members): members.map(\.mailbox.description).joined(separator: " ")
            case .absent: "absent"
            case .couldNotTell(let trouble): "trouble: " + trouble.reason
            default: "odd"
            }
        }
    }

    /// Whoever asks what points to somebody hears of the groups that have him by his name, too.
    @Test func pointToTheirMembers() throws {
        let site = try Site()
        try site.group("staff", mail: "staff@a", [("member", [site.dn(1), site.dn(2)])])
        try site.group("silent", [("member", [site.dn(1)])])
        func lists(_ address: String) throws -> [String] {
            try site.store.read {
                try $0.allReferences(to: try Mailbox(address), faulty: { throw $0 }).map { "\($0) \($0.role.rawValue)" }
            }
        }
        #expect(try lists("U1@a") == ["list staff@a member"])
        #expect(try lists("u3@a") == [])
        // So does the check of a removal, which does not read every group.
        func pointing(_ address: String) throws -> [String] {
            try site.store.read { try $0.references(to: try Mailbox(address), limit: 9).map(\.description) }
        }
        #expect(try pointing("u2@a") == ["list staff@a"])
        #expect(try pointing("u3@a") == [])
        // Who has several addresses is pointed to at the canonical one.
        try site.writer.add(
            "uid=two,\(site.base)",
            [
                ("objectClass", ["inetOrgPerson"]), ("uid", ["two"]), ("cn", ["Two"]), ("sn", ["Two"]),
                ("mail", ["second@a", "two@a"]),
            ])
        try site.group("pair", mail: "pair@a", [("member", ["uid=two,\(site.base)"])])
        #expect(try pointing("two@a") == ["list pair@a"])
        #expect(try pointing("second@a") == [])
    }

    /// An address of a member may have a name before it (RFC 5322 3.4).
    @Test(arguments: [
        ("Bob <bob@x>", "bob@x", "Bob"), ("\"Bob, B.\" <bob@x>", "bob@x", "Bob, B."), ("<bob@x>", "bob@x", ""),
        (" bob@x ", "bob@x", ""),
    ])
    func addressesWithNames(value: String, address: String, name: String) throws {
        let schema = LDAPPreset.netscape.schema
        let reader = EntryReader(schema: schema, domains: [])
        let entry = LDAPEntry(dn: "cn=l,dc=x", attributes: [:])
        let member = try reader.member(Array(value.utf8), of: entry, domain: try Domain("a"))
        #expect(member == ListMember(mailbox: try Mailbox(address), name: name))
        #expect(throws: ReadFault.self) {
            try reader.member(Array("Bob <bob>".utf8), of: entry, domain: try Domain("a"))
        }
    }

    @Test func byName() throws {
        let site = try Site()
        try site.group(
            "staff", mail: "staff@a", [("member", [site.dn(3), site.dn(1), "uid=gone,\(site.base)", site.dn(2)])])
        #expect(try site.members("STAFF@a") == "u3@a u1@a u2@a")
        #expect(try site.members("nobody@a") == "absent")
        #expect(try site.members("u1@a") == "absent")
        guard case .entry(.list(let list), key: 0) = site.directory.answer(.entries([try Mailbox("staff@a")])) else {
            Issue.record("no list")
            return
        }
        #expect(list.name == "staff")
    }

    /// Groups in groups: one with an address is a member, one without is opened in its place; a circle ends.
    @Test func nested() throws {
        let site = try Site()
        try site.group(
            "inner", [("member", [site.dn(1), "cn=outer,\(site.base)", "CN=Inner, \(site.base)", site.dn(2)])])
        try site.group("other", mail: "other@a", [("member", [site.dn(4)])])
        try site.group(
            "outer", mail: "outer@a",
            [("member", [site.dn(0), "cn=inner,\(site.base)", "cn=other,\(site.base)", site.dn(3)])])
        #expect(try site.members("outer@a") == "u0@a u1@a outer@a u2@a other@a u3@a")
    }

    @Test func byLogin() throws {
        let site = try Site()
        try site.group(
            "wheel", mail: "wheel@a", [("member", [""]), ("memberUid", ["u4", "nobody", "U0", "u2)(uid=*"])])
        #expect(try site.members("wheel@a") == "u4@a u0@a")
    }

    @Test func byURL() throws {
        let site = try Site(people: 1200)
        try site.writer.add(
            "cn=all,\(site.base)",
            [
                ("objectClass", ["groupOfURLs", "extensibleObject"]), ("cn", ["all"]), ("mail", ["all@a"]),
                ("memberURL", ["ldap:///\(site.base)??sub?(uid=u*)"]),
            ])
        #expect(try site.members("all@a").split(separator: " ").count == 1200)
        try site.group("bad", mail: "bad@a", [("member", [""]), ("memberURL", ["ldap://elsewhere/o=x??sub"])])
        #expect(try site.members("bad@a").contains("no LDAP URL of this server"))
        try site.group(
            "none", mail: "none@a", [("member", [""]), ("memberURL", ["ldap:///ou=gone,\(site.base)??sub"])])
        #expect(try site.members("none@a").hasPrefix("trouble"))
    }

    /// The connection is lost between two pages: the search begins anew, and nobody is there twice.
    @Test func lostBetweenPages() throws {
        let site = try Site(people: 600)
        try site.group("all", mail: "all@a", [("member", [""]), ("memberURL", ["ldap:///\(site.base)??sub?(uid=u*)"])])
        let relay = try ToolChild("relay.py", ["--to", "127.0.0.1:\(try Slapd.shared().port)"])
        let directory = LDAPDirectory(name: "x", settings: site.settings(relay.uri))
        defer { directory.close() }
        let all = Lookup.members(of: try Mailbox("all@a"))
        // The first page has 500 of 600 entries: some of these places are in the second.
        for octets in stride(from: 8000, through: 120_000, by: 8000) {
            _ = directory.answer(all)
            try relay.tell("cut \(octets) 1")
            guard case .members(let members) = directory.answer(all) else {
                Issue.record("no members after \(octets) octets")
                return
            }
            #expect(Set(members.map(\.mailbox)).count == 600)
            #expect(members.count == 600, "\(octets)")
        }
        try relay.tell("status")
        #expect(relay.said["cuts"] as? Int ?? 0 > 3, "\(relay.said)")
    }

    /// The server's own limit: a list that is cut short is none.
    @Test func limited() throws {
        let site = try Site(people: 600, isAnonymous: true)
        try site.group("all", mail: "all@a", [("member", [""]), ("memberURL", ["ldap:///\(site.base)??sub?(uid=u*)"])])
        #expect(try site.members("all@a").contains("raise the server's size limit"))
        let query = NameQuery(localPart: nil, folded: Array("user".utf8), limit: 21)
        guard case .matches(let entries, .fullName) = site.directory.answer(.name(query)) else {
            Issue.record("no match")
            return
        }
        #expect(entries.count == 21)
    }

    /// More names than may be asked for at once.
    @Test func large() throws {
        let site = try Site(people: 950)
        try site.group("large", mail: "large@a", [("member", (0..<950).map { site.dn($0) })])
        #expect(try site.members("large@a") == (0..<950).map { "u\($0)@a" }.joined(separator: " "))
    }

    @Test func contradictions() throws {
        let site = try Site()
        try site.writer.add(
            "uid=twin,\(site.base)",
            [
                ("objectClass", ["inetOrgPerson"]), ("uid", ["twin"]), ("cn", ["Twin"]), ("sn", ["T"]),
                ("mail", ["twin@a", "U1@A"]),
            ])
        guard case .couldNotTell(let trouble) = site.directory.answer(.entries([try Mailbox("u1@a")])) else {
            Issue.record("told")
            return
        }
        #expect(trouble.reason.contains("uid=u1,") && trouble.reason.contains("uid=twin,"))
        guard
            case .entry(.user(let user, nil), key: 1) =
                site.directory.answer(.entries([try Mailbox("x@a"), try Mailbox("twin@a"), try Mailbox("u0@a")]))
        else {
            Issue.record("no user")
            return
        }
        #expect(user.address.description == "twin@a")
    }

    @Test(arguments: [
        ("u3", NameRank.localPart, "u3@a"), ("user", .fullName, "u0@a u1@a u2@a u3@a u4@a"),
        ("USER  4", .fullName, "u4@a"),
    ])
    func names(name: String, rank: NameRank, expected: String) throws {
        let site = try Site()
        let octets = Array(name.utf8)
        let query = NameQuery(localPart: try? LocalPart(octets: octets), folded: NameFolding.fold(octets), limit: 21)
        guard case .matches(let entries, rank) = site.directory.answer(.name(query)) else {
            Issue.record("no match")
            return
        }
        #expect(entries.map(\.address.description).joined(separator: " ") == expected)
    }

    @Test(arguments: ["use", "ser", "*", "u*", "4)(uid=*", "\u{0}", "user 9"])
    func noNames(name: String) throws {
        let site = try Site()
        let octets = Array(name.utf8)
        let query = NameQuery(localPart: try? LocalPart(octets: octets), folded: NameFolding.fold(octets), limit: 21)
        #expect(site.directory.answer(.name(query)) == .absent)
    }

    /// A word that very many names contain and few have is told for certain; where none has it, nobody has.
    @Test func partsOfNames() throws {
        let site = try Site(people: 0)
        func person(_ uid: String, _ name: String) throws {
            try site.writer.add(
                "uid=\(uid),\(site.base)",
                [
                    ("objectClass", ["inetOrgPerson"]), ("uid", [uid]), ("cn", [name]), ("sn", ["x"]),
                    ("mail", ["\(uid)@a"]),
                ])
        }
        for number in 0..<(LDAPLimits.candidates[0] + 20) { try person("n\(number)", "Infamous Family \(number)") }
        func found(_ text: String) -> String {
            let query = NameQuery(localPart: nil, folded: NameFolding.fold(Array(text.utf8)), limit: 21)
            switch site.directory.answer(.name(query)) {
            case .matches(let entries, .fullName): return entries.map(\.address.description).joined(separator: " ")
            case .absent: return "absent"
            case let other: return "\(other)"
            }
        }
        #expect(found("Fam") == "absent")
        #expect(found("nfamou") == "absent")
        #expect(found("infamous fam") == "absent")
        try person("one", "Jo (fam)")
        try person("two", "Fam, Li")
        try person("three", "Li \"FAM")
        try person("four", "Family-fam")
        #expect(found("Fam") == "one@a three@a two@a")
        #expect(found("Li \"Fam") == "three@a")
        #expect(found("family-fam") == "four@a")
    }

    /// A name that more bear than may be read is told when as many were found as are wanted.
    @Test func commonNames() throws {
        let site = try Site(people: 700)
        let query = NameQuery(localPart: nil, folded: Array("user".utf8), limit: 21)
        guard case .matches(let entries, .fullName) = site.directory.answer(.name(query)) else {
            Issue.record("no match")
            return
        }
        #expect(entries.count == 21)
    }
}
