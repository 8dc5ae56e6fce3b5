// Every kind of record and every field of it in every preset: it comes back as it was given, or is refused with the
// presets that have a place for it.

import DirectoryTesting
import Foundation
import MailAddress
import MailboxDirectory
import Testing

@testable import LDAPDirectory

/// A site of Tests/LDAP with its administrator.
struct WritableSite {
    let child: ToolChild
    var settings: LDAPSettings

    /// - Parameter domains: those of the configuration.
    init(_ preset: LDAPPreset, domains: [String] = ["new.example"], more: [String] = []) throws {
        if preset == .addressee {
            let schema = ToolChild.folder.appending(path: "../../schema/ldap/addressee.schema").standardizedFileURL
            child = try ToolChild(
                "slapd.py",
                ["--schema", "cosine", "--schema", "inetorgperson", "--schema", "nis", "--schema", schema.path] + more)
        } else {
            child = try ToolChild("slapd.py", ["--site", preset.rawValue] + more)
        }
        settings = LDAPSettings(
            uris: [child.uri], base: child.said["base"] as? String ?? "", preset: preset,
            domains: try domains.map { DomainRecord(domain: try Domain($0)) })
        settings.cache.entries = 0
        setenv("ADDRESSEE_TEST_PASSWORD", "secret", 1)
        settings.bind = .simple(
            dn: child.said["admin"] as? String ?? "", password: .environment("ADDRESSEE_TEST_PASSWORD"),
            isClearTextAllowed: true)
        settings.newEntryValues = ["homeDirectory": "/var/mail/%u", "mailMessageStore": "/var/qmail/%d/%u"]
    }

    func store(_ name: String = "site") -> LDAPStore { LDAPStore(name: name, settings: settings) }

    /// An entry as the server has it now.
    func entry(_ dn: String) throws -> LDAPEntry? { try StoreSession(settings).entry(dn) }

    /// Adds an entry as another program would.
    func add(_ dn: String, _ attributes: [(String, [String])]) throws {
        let admin = child.said["admin"] as? String ?? ""
        try LDAPWriter(uri: child.uri, dn: admin).add(dn, attributes)
    }
}

@Suite(.enabled(if: hasSlapd), .serialized) struct StorePresetTests {
    /// A record a row, each with one thing that not every preset can say.
    static let rows = """
        user U@new.example
        user U@new.example (Ulf Ünal) login=ulf
        user U@new.example (Ulf) status=disabled
        user U@new.example (Ulf) status=suspended
        user U@new.example (Ulf) status=full
        alias Sales@new.example a@new.example B@Else.example
        forward U@new.example t@else.example
        forward U@new.example t@else.example s@else.example
        forward U@new.example t@else.example keep
        forward U@new.example t@else.example reply=250
        forward U@new.example t@else.example reply=251
        forward lone@new.example t@else.example
        forward lone@new.example t@else.example S@else.example
        moved gone@new.example
        moved gone@new.example to=new@else.example
        list L@new.example : a@new.example B@Else.example
        list L@new.example (Title of it) : b@else.example
        list L@new.example owner=o@new.example : b@else.example
        list L@new.example expn=anyone : b@else.example
        list L@new.example expn=nobody : b@else.example
        list L@new.example : b@else.example (Bea)
        domain store.example
        domain store.example catch-all=fred@new.example
        domain store.example relay
        domain store.example alias-of=new.example
        domain store.example separators=-
        domain store.example transport=smtp:[mx.example]:25
        """

    /// The record without what has no order.
    private func normal(_ record: Record?) -> String {
        guard case .alias(var alias)? = record else {
            guard case .forward(var forward)? = record else {
                guard case .list(let list, let members)? = record else { return record?.text ?? "none" }
                return Record.list(list, members: members.sorted { "\($0)" < "\($1)" }).text
            }
            forward.targets.sort { "\($0)" < "\($1)" }
            return Record.forward(forward).text
        }
        alias.targets.sort { "\($0)" < "\($1)" }
        return Record.alias(alias).text
    }

    /// As it comes back where a class asks for a name and the record has none.
    private func expected(_ record: Record, _ preset: LDAPPreset) -> Record {
        if preset == .addressee { return record }
        if case .user(var user) = record, user.fullName.isEmpty {
            user.fullName = "U"
            return .user(user)
        }
        if case .list(var list, let members) = record, list.name.isEmpty {
            list.name = "L"
            return .list(list, members: members)
        }
        return record
    }

    @Test(arguments: LDAPPreset.allCases)
    func everyField(preset: LDAPPreset) throws {
        let site = try WritableSite(preset)
        let store = site.store()
        if preset == .nis {
            // In the listing of any domain, and can't be told: a program and a file.
            let writer = try LDAPWriter(uri: site.child.uri, dn: site.child.said["admin"] as? String ?? "")
            for name in ["archive", "news"] { try writer.remove("cn=\(name),ou=aliases,\(site.settings.base)") }
        }
        var held = 0
        for record in try records(Self.rows)[0] {
            let hasUsers = preset.schema.places.contains { $0.kind == .user }
            let isOnUser = hasUsers && record.kind == .forward && record.address?.localPart.description == "U"
            let needed = LDAPFeature.needed(by: record, isOnUser: isOnUser)
            let place = preset.schema.places.first { $0.kind == record.kind }
            let missing = place.map { place in needed.first { !place.has($0) } } ?? nil
            let user = isOnUser ? try records("user U@new.example (Ulf)")[0][0] : nil
            let insert = {
                try store.write { writing in
                    if let user { try writing.insert(user) }
                    try writing.insert(record)
                }
            }
            guard place != nil, missing == nil else {
                let error = #expect(throws: StoreError.self) { try insert() }
                guard case .noPlace(let what, let own, let others)? = error else {
                    Issue.record("\(preset) \(record.text): \(error.map { "\($0)" } ?? "")")
                    continue
                }
                #expect(own == preset.rawValue)
                #expect(others.contains("addressee") && !others.contains(own), "\(what): \(others)")
                continue
            }
            held += 1
            try insert()
            try check(record, store, site, preset)
            try store.write { writing in
                if let address = record.address {
                    try writing.remove(record.kind, at: address)
                    if user != nil { try writing.remove(.user, at: address) }
                } else {
                    try writing.removeDomain(record.domain)
                }
            }
            let gone = try store.read { reading in
                try record.address.map { try reading.record(record.kind, at: $0) } ?? nil
            }
            #expect(gone == nil)
        }
        #expect(held >= 2 || preset == .nis, "\(preset) holds \(held)")
    }

    private func check(_ record: Record, _ store: LDAPStore, _ site: WritableSite, _ preset: LDAPPreset) throws {
        let wanted = normal(expected(record, preset))
        let directory = LDAPDirectory(name: "x", settings: site.settings)
        defer { directory.close() }
        guard let address = record.address else {
            #expect(directory.answer(.domain(record.domain)) == .domain(try #require(record.domainRecord)))
            var all: [String] = []
            try store.read { try $0.forEach(.domain, in: nil) { all.append($0.text) } }
            #expect(all.contains(record.text))
            return
        }
        let read = try store.read { try $0.record(record.kind, at: address) }
        #expect(normal(read) == wanted, "\(preset)")
        var listed: [String] = []
        try store.read { reading in
            try reading.forEach(record.kind, in: address.domain) { listed.append(normal($0)) }
        }
        // The aliases of NIS that name no domain are in each.
        if preset == .nis { #expect(listed.contains(wanted)) } else { #expect(listed == [wanted], "\(preset)") }
        guard case .entry(let entry, 0) = directory.answer(.entries([address])) else {
            Issue.record("\(preset): nothing is at \(address)")
            return
        }
        if case .forward(let forward) = record { #expect(entry.forward?.keepsCopy == forward.keepsCopy) }
        // Whoever it points to finds it.
        for (role, target) in record.references {
            let found = try store.read { try $0.references(to: target, limit: 9) }
            #expect(found == [Reference(kind: record.kind, role: role, name: address.description)], "\(preset)")
        }
        // Again, as it is, is no change; and the same entry can't be made twice.
        try store.write { try $0.replace(record) }
        let kind = record.kind == .forward ? RecordKind.forward : entry.kind
        #expect(throws: StoreError.addressTaken(address, by: kind)) { try store.write { try $0.insert(record) } }
    }

    /// What points somewhere may name another address of the entry, with or without a detail.
    @Test func referencesByOtherNames() throws {
        let site = try WritableSite(.qmail, domains: ["example.org"])
        let targets = [
            "Fred+x@example.org", "fred.claude@example.org", "Fred.Claude+y@example.org", "\"fred+a b\"@example.org",
            "freddie+x@example.org", "fred-x@example.org", "fred+x@example.net",
        ]
        for (index, target) in targets.enumerated() {
            try site.add(
                "uid=zz\(index),ou=people,\(site.settings.base)",
                [
                    ("objectClass", ["inetOrgPerson", "qmailUser"]), ("uid", ["zz\(index)"]), ("cn", ["Z"]),
                    ("sn", ["Z"]),
                    ("mail", ["zz\(index)@example.org"]), ("mailMessageStore", ["/var/z"]),
                    ("mailForwardingAddress", [target]),
                ])
        }
        let (store, directory) = (site.store(), LDAPDirectory(name: "site", settings: site.settings))
        defer { directory.close() }
        let domain = try Domain("example.org")
        let search = ReferenceSearch(sources: [directory], defaultDomain: domain, records: { try store.read($0) })
        let found = try search.references(to: try Mailbox("fred@example.org"))
            .filter { $0.reference.name.hasPrefix("zz") }.map { "\($0.reference) \($0.target)" }.sorted()
        #expect(found == targets.prefix(4).enumerated().map { "forward zz\($0)@example.org \($1)" })
        // So nobody is removed whom others point to by such a name.
        let editor = RecordEditor(store: store, defaultDomain: domain)
        #expect {
            try editor.remove(.user, at: try Mailbox("fred@example.org"))
        } throws: {
            if case .pointedTo? = $0 as? EditError { true } else { false }
        }
    }

    /// Each sentence names the presets, and is made from what they say of themselves.
    @Test func sentences() throws {
        let store = LDAPStore(name: "x", settings: try WritableSite(.inetorgperson).settings)
        let editor = RecordEditor(store: store, defaultDomain: try Domain("new.example"))
        #expect(
            throws: EditError.noPlace(
                "a forward", preset: "inetorgperson",
                others: ["addressee", "laser", "qmail", "postfixbook", "389", "ad"])
        ) { try editor.add(try records("forward x@new.example t@else.example")[0][0]) }
        let error = #expect(throws: EditError.self) { try editor.add(try records("moved x@new.example")[0][0]) }
        #expect(
            error?.description == "the preset inetorgperson has no place for a moved address; these have: addressee")
        #expect(LDAPPreset.having(.forward, .copy) == ["addressee", "qmail", "389"])
        #expect(LDAPPreset.having(.forward, .reply(.announced)) == ["addressee"])
        #expect(LDAPPreset.having(.user, .status(.disabled)) == ["addressee", "qmail", "postfixbook", "389"])
    }
}

extension Record {
    fileprivate var domainRecord: DomainRecord? {
        if case .domain(let record) = self { return record }
        return nil
    }
}
