// Changes of entries that a site has already: what is not ours stays, and what holds more is not removed.

import DirectoryTesting
import Foundation
import MailAddress
import MailboxDirectory
import Testing

@testable import LDAPDirectory

private func record(_ text: String) throws -> Record { try records(text)[0][0] }

private func reason(_ error: StoreError?) -> String {
    if case .refused(let reason)? = error { return reason }
    return error.map { "\($0)" } ?? "no error"
}

/// What a change does to an entry of a site: lines that go and that come, of its LDIF.
struct SiteChange: Sendable, CustomStringConvertible {
    var preset: LDAPPreset
    /// Below the base.
    var dn: String
    /// `set …`, `add …` or `rm …`, and a record.
    var change: String
    var lines: [String]

    init(_ preset: LDAPPreset, _ dn: String, _ change: String, _ lines: [String]) {
        self.preset = preset
        self.dn = dn
        self.change = change
        self.lines = lines
    }

    var description: String { "\(preset.rawValue): \(change)" }
}

@Suite(.enabled(if: hasSlapd)) struct StoreSiteTests {
    static let changes: [SiteChange] = [
        SiteChange(
            .qmail, "uid=fclaude,ou=people", "set user fred@example.org (Freddy) login=fclaude",
            ["+displayname: Freddy"]),
        SiteChange(
            .qmail, "uid=fclaude,ou=people", "set user fred@example.org (Fred Claude) login=fclaude status=disabled",
            ["-accountstatus: active", "+accountstatus: disabled"]),
        SiteChange(
            .qmail, "uid=fclaude,ou=people", "add forward fred@example.org x@else.example y@else.example keep",
            ["+mailforwardingaddress: x@else.example", "+mailforwardingaddress: y@else.example"]),
        SiteChange(
            .qmail, "uid=paul,ou=people", "set forward paul@example.org paul@example.net keep",
            ["-deliverymode: nolocal"]),
        SiteChange(
            .qmail, "uid=paul,ou=people", "rm forward paul@example.org",
            ["-deliverymode: nolocal", "-mailforwardingaddress: paul@example.net"]),
        SiteChange(
            .netscape, "uid=jane,ou=people", "set forward jane@example.org j@else.example",
            [
                "-maildeliveryoption: mailbox", "-mailforwardingaddress: jane@example.net",
                "+mailforwardingaddress: j@else.example",
            ]),
        SiteChange(
            .netscape, "uid=paul,ou=people", "rm forward paul@example.org",
            [
                "-maildeliveryoption: forward", "+maildeliveryoption: mailbox",
                "-mailforwardingaddress: paul@example.net",
            ]),
        SiteChange(
            .netscape, "uid=paul,ou=people", "set user paul@example.org (Paul Weber) login=paul status=suspended",
            ["+inetuserstatus: inactive", "+objectclass: inetUser"]),
        SiteChange(
            .netscape, "uid=leo,ou=people", "set user leo@example.org (Leo Park) login=leo",
            ["-inetuserstatus: inactive", "+inetuserstatus: active"]),
        SiteChange(
            .netscape, "uid=lena,ou=people", "set user lena@example.org (Lena Fox) login=lena status=disabled",
            ["-mailuserstatus: Inactive", "+mailuserstatus: disabled"]),
        SiteChange(
            .netscape, "uid=lena,ou=people", "set user lena@example.org (Lena Fox) login=lena",
            ["-mailuserstatus: Inactive", "+mailuserstatus: active"]),
        SiteChange(
            .netscape, "uid=jane,ou=people", "set user jane@example.org (Jane Claude) login=jane status=full",
            ["+mailuserstatus: overquota"]),
        SiteChange(
            .laser, "uid=paul,ou=people", "set forward paul@example.org p@else.example",
            ["-mailroutingaddress: paul@example.net", "+mailroutingaddress: p@else.example"]),
        SiteChange(
            .laser, "uid=wilma,ou=people", "set user wilma@example.org (Wilma Rock) login=wr",
            ["+displayname: Wilma Rock", "+uid: wr", "refused"]),
        SiteChange(
            .nis, "cn=staff,ou=aliases",
            "set alias staff@example.org jane@example.org paul@example.net new@else.example",
            ["+rfc822mailmember: new@else.example", "-rfc822mailmember: webmaster"]),
        SiteChange(
            .postfixbook, "uid=wilma,ou=people", "add forward wilma@example.org x@else.example",
            [
                "+mailalias: wilma@example.org", "+mailforwardingaddress: x@else.example",
                "+objectclass: PostfixBookMailForward",
            ]),
        SiteChange(
            .postfixbook, "uid=otto,ou=people", "rm forward otto@example.org",
            ["-mailforwardingaddress: wilma@example.org", "-objectclass: PostfixBookMailForward"]),
        // A redirection to an entry is in an attribute of its own.
        SiteChange(
            .ad, "CN=Jane Claude,OU=People", "rm forward jane@example.org",
            ["-altrecipient: CN=Jane at home,OU=Contacts,dc=corp,dc=example,dc=org", "-deliverandredirect: TRUE"]),
        SiteChange(
            .ad, "CN=Otto Lang,OU=People", "rm forward otto@example.org",
            ["-altrecipient: CN=Wilma Stone,OU=People,dc=corp,dc=example,dc=org", "-deliverandredirect: FALSE"]),
        SiteChange(
            .courier, "cn=staff,ou=aliases", "set alias staff@example.org fred@example.org other@else.example",
            ["-maildrop: outside@example.net", "+maildrop: other@else.example", "-maildrop: sales@example.org"]),
        SiteChange(
            .courier, "cn=shop,ou=aliases", "set domain shop.example catch-all=wilma@example.org",
            ["-virtualdomainuser: fred@example.org", "+virtualdomainuser: wilma@example.org"]),
    ]

    @Test(arguments: changes)
    func onlyWhatIsChanged(_ change: SiteChange) throws {
        let site = try WritableSite(change.preset, domains: ["example.org"])
        let dn = "\(change.dn),\(site.settings.base)"
        let before = try #require(try site.entry(dn))
        let words = change.change.split(separator: " ", maxSplits: 1)
        let store = site.store()
        do {
            try store.write { writing in
                let record = try record(
                    String(words[1]) + (words[0] == "rm" && words[1].hasPrefix("forward") ? " x@y" : ""))
                switch words[0] {
                case "set": try writing.replace(record)
                case "add": try writing.insert(record)
                default: try writing.remove(record.kind, at: try #require(record.address))
                }
            }
        } catch let error as StoreError {
            if case .refused(let reason) = error, change.lines.contains("refused") {
                #expect(reason.contains("rename the entry first"))
                return
            }
            throw error
        }
        let after = try #require(try site.entry(dn))
        var lines = lines(of: before).subtracting(lines(of: after)).map { "-" + $0 }
        lines += self.lines(of: after).subtracting(self.lines(of: before)).map { "+" + $0 }
        #expect(lines.sorted() == change.lines.sorted())
    }

    private func lines(of entry: LDAPEntry) -> Set<String> {
        var lines: Set<String> = []
        for (name, values) in entry.attributes where name != "entrycsn" {
            for value in values { lines.insert("\(name): \(String(decoding: value, as: UTF8.self))") }
        }
        return lines
    }

    /// What is to be removed, and what the refusal says.
    static let removals: [(LDAPPreset, String, String)] = [
        (.qmail, "user fred@example.org", "is fred.claude@example.org too"),
        (.courier, "alias sales@example.org", "is orders@example.org too"),
        (.nis, "alias webmaster@example.org", ""),
        (.inetorgperson, "user wilma@example.org", ""),
        (.courier, "alias info@example.org", ""),
        (.qmail, "user info@example.org", "info@example.org is another address of fred@example.org; say that one"),
    ]

    @Test(arguments: removals)
    func removing(preset: LDAPPreset, what: String, refusal: String) throws {
        let site = try WritableSite(preset, domains: ["example.org"])
        let record = try record(what + (what.hasPrefix("alias") ? " x@y" : ""))
        let address = try #require(record.address)
        let remove = { try site.store().write { try $0.remove(record.kind, at: address) } }
        if refusal.isEmpty {
            try remove()
            #expect(try site.store().read { try $0.record(record.kind, at: address) } == nil)
        } else {
            let error = #expect(throws: StoreError.self) { try remove() }
            #expect(reason(error).contains(refusal))
            #expect(try site.store().read { try $0.record(record.kind, at: address) } != nil)
        }
    }

    /// A person whom others keep something about, in two schemas.
    /// Members by entries have the names of those; so the list may be given one, though its members can't.
    @Test func membersByEntries() throws {
        let site = try WritableSite(.netscape, domains: ["example.org"])
        let store = site.store()
        let staff = try Mailbox("staff@example.org")
        try store.write { writing in
            guard case .list(var list, let members)? = try writing.record(.list, at: staff) else {
                Issue.record("no list")
                return
            }
            #expect(members.contains { !$0.name.isEmpty })
            list.name = "All of us"
            try writing.replace(.list(list, members: members))
            let named = ListMember(mailbox: try Mailbox("x@else.example"), name: "X")
            #expect(throws: StoreError.self) { try writing.replace(.list(list, members: members + [named])) }
        }
        guard case .list(let list, _)? = try store.read({ try $0.record(.list, at: staff) }) else {
            Issue.record("no list")
            return
        }
        #expect(list.name == "All of us")
    }

    @Test func othersEntries() throws {
        let site = try WritableSite(.inetorgperson, domains: ["example.org"])
        let person: [(String, [String])] = [
            ("objectClass", ["inetOrgPerson"]), ("cn", ["Zoe"]), ("sn", ["Z"]), ("mail", ["zoe@example.org"]),
            ("telephoneNumber", ["1"]),
        ]
        try site.add("cn=Zoe,\(site.settings.base)", person)
        let zoe = try Mailbox("zoe@example.org")
        let phone = #expect(throws: StoreError.self) { try site.store().write { try $0.remove(.user, at: zoe) } }
        #expect(
            reason(phone).contains("holds telephonenumber too, so it is not removed; take what makes it a user out"))

        let own = try WritableSite(.addressee, domains: [])
        let store = own.store()
        try store.write { try $0.insert(record("domain example.org")) }
        let dn = "cn=Zoe,\(own.settings.base)"
        try own.add(
            dn,
            [
                ("objectClass", ["inetOrgPerson", "addresseeUser"]), ("cn", ["Zoe"]), ("sn", ["Z"]),
                ("addresseeKey", ["zoe@example.org"]), ("addresseeAddress", ["zoe@example.org"]),
                ("addresseeLocalPartKey", ["zoe"]), ("addresseeDomainKey", ["example.org"]),
            ])
        try store.write { try $0.insert(record("forward zoe@example.org x@y")) }
        let with = try #require(try own.entry(dn))
        #expect(with.isOf(["addresseeForward"]) && with.isOf(["addresseeUser"]) && with.isOf(["inetOrgPerson"]))
        try store.write { try $0.remove(.forward, at: zoe) }
        let without = try #require(try own.entry(dn))
        #expect(!without.isOf(["addresseeForward"]) && without.isOf(["addresseeUser"]))
        #expect(without.values("addresseeRefersTo").isEmpty)
        let error = #expect(throws: StoreError.self) { try store.write { try $0.remove(.user, at: zoe) } }
        #expect(reason(error).contains("is of the class inetOrgPerson too"))
    }

    /// What Active Directory puts into an entry itself is no reason to keep it; what people have written is.
    @Test func serversOwnAttributes() throws {
        let site = try WritableSite(.ad, domains: ["example.org"])
        for name in ["gone", "kept"] {
            let dn = "cn=\(name),\(site.settings.base)"
            var contact: [(String, [String])] = [
                ("objectClass", ["contact"]), ("cn", [name]), ("sn", [name]), ("targetAddress", ["SMTP:x@y"]),
                ("proxyAddresses", ["SMTP:\(name)@example.org"]), ("instanceType", ["4"]),
                ("whenCreated", ["20261130181259.0Z"]), ("distinguishedName", [dn]),
            ]
            if name == "kept" { contact.append(("telephoneNumber", ["1"])) }
            try site.add(dn, contact)
        }
        try site.store().write { try $0.remove(.forward, at: try Mailbox("gone@example.org")) }
        #expect(try site.entry("cn=gone,\(site.settings.base)") == nil)
        let kept = #expect(throws: StoreError.self) {
            try site.store().write { try $0.remove(.forward, at: try Mailbox("kept@example.org")) }
        }
        #expect(reason(kept).contains("holds telephonenumber too"))
    }

    /// A value that has blanks around it is written over, and taken away, as it is spelled.
    @Test func blanks() throws {
        let site = try WritableSite(.qmail, domains: ["example.org"])
        let dn = "uid=blank,\(site.settings.base)"
        try site.add(
            dn,
            [
                ("objectClass", ["inetOrgPerson", "qmailUser"]), ("uid", ["blank"]), ("cn", ["B"]), ("sn", ["B"]),
                ("mail", [" blank@example.org "]), ("mailForwardingAddress", [" x@else.example ", "y@else.example "]),
            ])
        let address = try Mailbox("blank@example.org")
        let forward = try record("forward blank@example.org x@else.example z@else.example keep")
        try site.store().write { try $0.replace(forward) }
        let values = try #require(try site.entry(dn)).texts("mailForwardingAddress")
        #expect(values.contains(" x@else.example ") && values.contains("z@else.example") && values.count == 2)
        try site.store().write { try $0.remove(.forward, at: address) }
        #expect(try #require(try site.entry(dn)).values("mailForwardingAddress").isEmpty)
        try site.store().write { try $0.remove(.user, at: address) }
        #expect(try site.entry(dn) == nil)
    }

    /// An entry whose addresses are all elsewhere is no record here: it is neither shown nor changed nor listed.
    @Test func addressesElsewhere() throws {
        let site = try WritableSite(.inetorgperson, domains: ["example.org"])
        let ole = try Mailbox("ole@freemail.example")
        #expect(try site.store().read { try $0.record(.user, at: ole) } == nil)
        #expect(throws: StoreError.notFound(.user, "ole@freemail.example")) {
            try site.store().write { try $0.remove(.user, at: ole) }
        }
        var listed: [String] = []
        try site.store().read { try $0.forEach(.user, in: nil) { listed.append($0.address?.description ?? "") } }
        #expect(listed.contains("anna@example.org") && !listed.contains { $0.hasSuffix("freemail.example") })
        let other = try site.store().read { try $0.record(.user, at: try Mailbox("anna.berg@example.org")) }
        #expect(other?.address == (try Mailbox("anna@example.org")))
    }

    /// A domain of the configuration is read, and changed there.
    @Test func configuredDomains() throws {
        let site = try WritableSite(.addressee, domains: ["conf.example"])
        let store = site.store()
        let domain = try Domain("conf.example")
        try store.write { try $0.insert(record("user u@conf.example")) }
        #expect(
            try DirectoryTesting.contents(of: store) == [
                "domain conf.example local - +", "user u@conf.example () - active",
            ])
        #expect(throws: StoreError.domainTaken(domain)) {
            try store.write { try $0.insert(record("domain conf.example")) }
        }
        let refused = #expect(throws: StoreError.self) {
            try store.write { try $0.replace(record("domain conf.example relay")) }
        }
        #expect(reason(refused) == "the domain conf.example is in the configuration; change it there")
        #expect(throws: StoreError.self) { try store.write { try $0.removeDomain(domain) } }
        var replaced = site.settings
        replaced.schema = LDAPPreset.addressee.schema.replacing([.address: ["mail"]])
        let roles = #expect(throws: StoreError.self) {
            try LDAPStore(name: "main", settings: replaced).write { try $0.insert(record("user x@conf.example")) }
        }
        #expect(reason(roles).contains("has roles of its own"))
    }

    /// What would be written where nobody looks is refused, and the examination tells it.
    @Test func elsewhereThanTheBase() throws {
        for text in ["user u@new.example (U)", "domain more.example catch-all=wilma@example.org"] {
            var site = try WritableSite(.courier)
            let whole = site.settings.base
            site.settings.base = "ou=aliases,\(whole)"
            site.settings.writeBase = "ou=accounts,\(whole)"
            let error = #expect(throws: StoreError.self) { try site.store().write { try $0.insert(record(text)) } }
            #expect(reason(error).contains("is not below its base ou=aliases"))
            let told = LDAPCheck(name: "x", settings: site.settings).settingFindings
            #expect(told.contains { $0.severity == .error && $0.text.contains("is not below the base ou=aliases") })
            site.settings.writeBase = "OU=Aliases, \(whole)"
            #expect(LDAPCheck(name: "x", settings: site.settings).settingFindings == [])
        }
    }

    /// What no record says is told by the configuration, or refused with what is missing.
    @Test func requiredAttributes() throws {
        var site = try WritableSite(.courier)
        try site.store().write { try $0.insert(record("user u@new.example (U)")) }
        let made = try site.entry("mail=u@new.example,\(site.settings.base)")
        #expect(made?.texts("homeDirectory") == ["/var/mail/u"])
        let slash = #expect(throws: StoreError.self) {
            try site.store().write { try $0.insert(record("user \"../x\"@new.example (U)")) }
        }
        #expect(reason(slash).contains("holds / or .."))
        site.settings.newEntryValues = [:]
        let error = #expect(throws: StoreError.self) {
            try site.store().write { try $0.insert(record("user v@new.example (V)")) }
        }
        #expect(reason(error).contains("must have homeDirectory"))
    }
}
