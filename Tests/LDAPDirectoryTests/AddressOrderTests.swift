// Values of an attribute are a set (RFC 4511 4.1.7), and blanks around them mean nothing (RFC 4518 2.6.1): what is read
// is the same in whatever order they come, and however they are padded.

import MailAddress
import MailboxDirectory
import Testing

@testable import LDAPDirectory

/// An entry, and its canonical mailbox and its addresses elsewhere.
struct AddressRow: Sendable, CustomStringConvertible {
    var preset: LDAPPreset
    var dn: String
    var attributes: [(String, [String])]
    var expected: String

    init(_ preset: LDAPPreset, _ attributes: [(String, [String])], _ expected: String) {
        self.init(preset, "cn=x,o=x", attributes, expected)
    }

    init(_ preset: LDAPPreset, _ dn: String, _ attributes: [(String, [String])], _ expected: String) {
        self.preset = preset
        self.dn = dn
        self.attributes = attributes
        self.expected = expected
    }

    var description: String { "\(preset.rawValue): \(attributes.flatMap(\.1).joined(separator: " "))" }

    /// The entry with the values of each attribute in another order.
    func entry(turned count: Int, isReversed: Bool) -> LDAPEntry {
        var entry = LDAPEntry(dn: dn, attributes: [:])
        for (name, values) in attributes {
            let turn = count % values.count
            let turned = Array(values[turn...] + values[..<turn])
            entry.attributes[name.lowercased()] = (isReversed ? turned.reversed() : turned).map { Array($0.utf8) }
        }
        return entry
    }
}

@Suite struct AddressOrderTests {
    private static func plan(_ preset: LDAPPreset, roles: [LDAPRole: [AttributeName]] = [:]) throws -> SearchPlan {
        let domains = [
            DomainRecord(domain: try Domain("example.org")), DomainRecord(domain: try Domain("second.example")),
            DomainRecord(domain: try Domain("relay.example"), kind: .relay),
            DomainRecord(domain: try Domain("old.example"), kind: .alias(of: try Domain("example.org"))),
        ]
        return SearchPlan(
            name: "x",
            settings: LDAPSettings(uris: [], base: "o=x", preset: preset, roles: roles, domains: domains))
    }

    static let person = ("objectClass", ["inetOrgPerson"])
    static let account = ("objectClass", ["user"])

    static let rows: [AddressRow] = [
        AddressRow(
            .inetorgperson, [person, ("mail", ["anna.private@freemail.example", "anna@example.org"])],
            "anna@example.org; elsewhere anna.private@freemail.example"),
        AddressRow(
            .inetorgperson, [person, ("mail", ["a@freemail.example", "b@freemail.example"])],
            "none; elsewhere a@freemail.example b@freemail.example"),
        AddressRow(
            .inetorgperson, [person, ("mail", ["fred.claude@example.org", "fred@example.org"])], "fred@example.org"),
        AddressRow(.inetorgperson, [person, ("mail", ["b@example.org", "a@example.org"])], "a@example.org"),
        // The domain that is named first, a local one, and the address that names the entry.
        AddressRow(.inetorgperson, [person, ("mail", ["a@second.example", "long@example.org"])], "long@example.org"),
        AddressRow(
            .inetorgperson, [person, ("mail", ["a@old.example", "a@relay.example", "long@second.example"])],
            "long@second.example"),
        AddressRow(
            .inetorgperson, "mail=fred.claude@example.org,o=x",
            [person, ("mail", ["fred@example.org", "Fred.Claude@example.org"])], "Fred.Claude@example.org"),
        AddressRow(
            .inetorgperson, "uid=anna.berg,o=x", [person, ("mail", ["a@example.org", "anna.berg@second.example"])],
            "anna.berg@second.example"),
        // Of two spellings of one address always the same.
        AddressRow(.inetorgperson, [person, ("mail", ["FRED@example.org", "fred@example.org"])], "FRED@example.org"),
        AddressRow(
            .qmail,
            [
                ("objectClass", ["qmailUser"]), ("mail", ["z.private@freemail.example"]),
                ("mailAlternateAddress", ["b@example.org", "aa@example.org"]),
            ], "b@example.org; elsewhere z.private@freemail.example"),
        AddressRow(
            .netscape,
            [
                ("objectClass", ["mailRecipient"]), ("mail", ["zoe@example.org"]),
                ("mailAlternateAddress", ["a@example.org", "a@freemail.example"]),
            ], "zoe@example.org; elsewhere a@freemail.example"),
        AddressRow(
            .postfixbook,
            [
                ("objectClass", ["PostfixBookMailAccount"]), ("mail", ["x@freemail.example"]),
                ("mailAlias", ["anna@example.org", "x@other.example"]),
            ], "anna@example.org; elsewhere x@freemail.example x@other.example"),
        AddressRow(
            .ad,
            [
                account, ("mail", ["anna.private@freemail.example"]),
                ("proxyAddresses", ["SMTP:anna.private@freemail.example", "smtp:anna@example.org", "x500:/o=x"]),
            ], "anna@example.org; elsewhere anna.private@freemail.example"),
        AddressRow(
            .ad,
            [account, ("proxyAddresses", ["smtp:a@example.org", "SMTP:long@second.example", "sip:x@example.org"])],
            "long@second.example"),
        // Of an account with marked addresses no other is one.
        AddressRow(
            .ad, [account, ("mail", ["a@freemail.example"]), ("proxyAddresses", ["SMTP:anna@example.org"])],
            "anna@example.org"),
        AddressRow(
            .ad, [account, ("mail", ["a@freemail.example"]), ("proxyAddresses", ["smtp:anna@example.org"])],
            "anna@example.org; elsewhere a@freemail.example"),
        AddressRow(
            .laser,
            [
                ("objectClass", ["inetLocalMailRecipient"]),
                ("mailLocalAddress", ["a@example.org", "b@example.org", "a@freemail.example"]),
                ("mailRoutingAddress", ["b@example.org"]),
            ], "b@example.org; elsewhere a@freemail.example"),
        AddressRow(
            .courier,
            [("objectClass", ["CourierMailAccount"]), ("mail", ["a@freemail.example", "anna@example.org"])],
            "anna@example.org"),
        AddressRow(
            .nis, "uid=fred,o=x", [("objectClass", ["posixAccount"]), ("uid", ["a", "fred"])], "fred@example.org"),
        // Blanks, and what is nothing else.
        AddressRow(
            .inetorgperson, [person, ("mail", ["  space@example.org ", "\tz@second.example\u{a0}", " "])],
            "space@example.org"),
        AddressRow(
            .ad, [account, ("proxyAddresses", [" SMTP: bo@example.org ", "smtp:  b@example.org", "smtp: "])],
            "bo@example.org"),
        AddressRow(
            .nis, [("objectClass", ["nisMailAlias"]), ("cn", [" desk "]), ("rfc822MailMember", [" fred "])],
            "desk@example.org"),
    ]

    @Test(arguments: rows)
    func sameInAnyOrder(_ row: AddressRow) throws {
        let reader = try Self.plan(row.preset).reader
        let freemail = try Domain("freemail.example")
        let most = row.attributes.map(\.1.count).max() ?? 1
        for count in 0..<most {
            for isReversed in [false, true] {
                let entry = row.entry(turned: count, isReversed: isReversed)
                let found = reader.addresses(of: entry, reader.rules(of: entry))
                var text = found.canonical?.description ?? "none"
                if row.preset != .courier, !found.elsewhere.isEmpty {
                    text += "; elsewhere " + found.elsewhere.map(\.description).joined(separator: " ")
                }
                #expect(text == row.expected)
                // By whichever address somebody asks.
                for asked in found.here where row.preset != .nis && asked.domain != freemail {
                    let record = try? reader.record(entry, at: asked)
                    #expect(record?.address == found.canonical, "\(asked)")
                }
            }
        }
    }

    /// Where no domain is known to the source, the one that is asked about is served all the same.
    @Test func domainsOfOtherSources() throws {
        let settings = LDAPSettings(uris: [], base: "o=x", preset: .inetorgperson)
        let reader = SearchPlan(name: "x", settings: settings).reader
        let row = AddressRow(.inetorgperson, [Self.person, ("mail", ["a@freemail.example", "anna@example.org"])], "")
        for isReversed in [false, true] {
            let entry = row.entry(turned: 0, isReversed: isReversed)
            let record = try reader.record(entry, at: Mailbox("anna@example.org"))
            #expect(record.address == (try Mailbox("anna@example.org")))
        }
    }

    /// Names to show, by the same rule.
    @Test(arguments: [
        ("cn=Fred Claude,o=x", ["Freddy", "Fred Claude"], "Fred Claude"),
        ("uid=f,o=x", ["Frederick", "Freddy"], "Freddy"), ("uid=f,o=x", ["B", "A", " "], "A"),
        ("cn=Bj\\C3\\B6rn\\, A+uid=b,o=x", ["B", "Bj\u{f6}rn, A"], "Bj\u{f6}rn, A"),
    ])
    func names(dn: String, values: [String], expected: String) throws {
        let reader = try Self.plan(.inetorgperson).reader
        let row = AddressRow(.inetorgperson, dn, [Self.person, ("cn", values)], "")
        for count in values.indices {
            let entry = row.entry(turned: count, isReversed: false)
            #expect(reader.fullName(of: entry, reader.rules(of: entry)) == expected)
        }
    }

    /// Blanks around what is no address.
    @Test func otherValues() throws {
        let reader = try Self.plan(.qmail).reader
        let row = AddressRow(
            .qmail,
            [
                ("objectClass", ["qmailUser"]), ("mail", ["fred@example.org"]), ("accountStatus", [" Disabled "]),
                ("uid", [" fred "]), ("mailForwardingAddress", [" ", " a@b "]), ("deliveryMode", [" nolocal "]),
            ], "")
        let record = try reader.record(row.entry(turned: 0, isReversed: false), at: Mailbox("fred@example.org"))
        guard case .user(let user, nil) = record else {
            Issue.record("\(record)")
            return
        }
        #expect(user.status == .disabled && user.login == "fred")
        var active = row
        active.attributes[2] = ("accountStatus", [" "])
        let other = try reader.record(active.entry(turned: 0, isReversed: false), at: Mailbox("fred@example.org"))
        #expect(other.forward?.targets == [try Mailbox("a@b")] && other.forward?.keepsCopy == false)
    }

    /// Names for people, of whom our own schema alone keeps the blanks that somebody has given.
    @Test func names() throws {
        for (preset, name, expected) in [
            (LDAPPreset.inetorgperson, "displayName", "Fred  F"), (.ad, "displayName", "Fred  F"),
            (.qmail, "cn", "Fred  F"), (.addressee, "addresseeFullName", " Fred  F "),
        ] {
            let plan = try Self.plan(preset)
            let classes = plan.userRules[0].classes.map(\.key)
            let row = AddressRow(preset, [("objectClass", classes), (name, [" Fred  F "])], "")
            let entry = row.entry(turned: 0, isReversed: false)
            #expect(plan.reader.fullName(of: entry, plan.userRules) == expected, "\(preset)")
        }
    }

    /// Of our own schema's values, whose order is in a number.
    @Test func orderedValues() throws {
        let reader = try Self.plan(.addressee).reader
        let row = AddressRow(
            .addressee,
            [
                ("objectClass", ["addresseeList"]), ("addresseeAddress", [" l@example.org "]),
                ("addresseeMember", ["  1 b@x Name of  b", "0 a@x "]),
            ], "")
        let entry = row.entry(turned: 0, isReversed: false)
        let members = try reader.ordered(reader.values(.memberAddress, of: entry, reader.rules(of: entry)), of: entry)
        #expect(members.map(\.mailbox.description) == ["a@x", "b@x"])
        #expect(members.map { String(decoding: $0.name, as: UTF8.self) } == ["", "Name of  b"])
        #expect(try reader.record(entry, at: Mailbox("l@example.org")).address == Mailbox("l@example.org"))
    }

    /// Whom an entry's address belongs to where others have it too.
    @Test func markedBeforePlain() throws {
        let reader = try Self.plan(.ad).reader
        let plain = AddressRow(.ad, "cn=dora", [Self.account, ("mail", ["desk@example.org"])], "")
        let marked = AddressRow(
            .ad, "cn=desk",
            [Self.account, ("proxyAddresses", ["SMTP:front@example.org", "smtp:desk@example.org"])], "")
        let entries = [plain, marked].map { $0.entry(turned: 0, isReversed: false) }
        let desk = try Mailbox("desk@example.org")
        #expect(reader.holders(of: desk, among: entries).map(\.dn) == ["cn=desk"])
        #expect(reader.holders(of: desk, among: entries.reversed()).map(\.dn) == ["cn=desk"])
        #expect(reader.holders(of: desk, among: [entries[0]]).map(\.dn) == ["cn=dora"])
        #expect(reader.holders(of: desk, among: [entries[1], entries[1]]).count == 2)
    }
}
