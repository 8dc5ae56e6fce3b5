// Who comes too late, what servers refuse, connections that are cut in the middle of a change, and what can't be said.

import DirectoryTesting
import Foundation
import MailAddress
import MailboxDirectory
import Testing

@testable import LDAPDirectory

private func record(_ text: String) throws -> Record { try records(text)[0][0] }

private func reason(_ error: (any Error)?) -> String {
    if case .trouble(let trouble)? = error as? StoreError { return trouble.reason }
    if case .refused(let reason)? = error as? StoreError { return reason }
    return error.map { "\($0)" } ?? "no error"
}

private func isRefused(_ error: StoreError?) -> Bool {
    if case .refused? = error { true } else { false }
}

@Suite(.enabled(if: hasSlapd), .serialized) struct StoreFaultTests {
    // MARK: Listing

    /// Records behind one that can't be read are listed, of every kind.
    @Test func behindAFaultyEntry() throws {
        let settings = try writerSettings(try .shared())
        let store = LDAPStore(name: "x", settings: settings)
        let texts = ["domain a", "user u@a", "alias al@a x@b", "forward f@a x@b", "moved m@a", "list l@a : x@b"]
        try store.write { writing in for text in texts { try writing.insert(record(text)) } }
        let writer = try LDAPWriter(uri: try Slapd.shared().uri)
        let faults: [(RecordKind, String, [(String, [String])])] = [
            (.user, "addresseeUser", [("addresseeStatus", ["asleep"])]),
            (.alias, "addresseeAlias", [("addresseeAliasTarget", ["nonsense"])]),
            (.forward, "addresseeForward", [("addresseeForwardTarget", ["nonsense"])]),
            (.list, "addresseeList", [("addresseeMember", ["nonsense"])]),
        ]
        for (kind, name, attributes) in faults {
            // Before the good one in their order.
            let key = "0\(kind.rawValue)"
            try writer.add(
                "addresseeKey=\(key)@a,\(settings.base)",
                [
                    ("objectClass", ["addresseeEntry", name]), ("addresseeKey", ["\(key)@a"]),
                    ("addresseeAddress", ["\(key)@a"]), ("addresseeLocalPartKey", [key]), ("addresseeDomainKey", ["a"]),
                ] + attributes)
        }
        try writer.add(
            "addresseeDomainKey=0,\(settings.base)",
            [
                ("objectClass", ["addresseeDomain"]), ("addresseeDomainKey", ["0"]), ("addresseeDomainName", ["0"]),
                ("addresseeDomainKind", ["odd"]),
            ])
        for kind in RecordKind.allCases {
            var (listed, troubles) = ([String](), [Trouble]())
            try store.read { reading in
                try reading.forEach(kind, in: nil, faulty: { troubles.append($0) }) { listed.append($0.text) }
            }
            #expect(listed.count == 1, "\(kind): \(listed)")
            #expect(troubles.count == (kind == .moved ? 0 : 1), "\(kind): \(troubles)")
            if kind != .moved {
                #expect(throws: StoreError.self) { try store.read { try $0.forEach(kind, in: nil) { _ in } } }
            }
        }
    }

    /// Where entries are domains, one that can't be told hides nobody elsewhere; one fault of several addresses is told once.
    @Test func besideAFaultyDomain() throws {
        let site = try WritableSite(.courier, domains: ["example.org"])
        let listed = { () throws -> ([String], [Trouble]) in
            var (listed, troubles) = ([String](), [Trouble]())
            try site.store().read { reading in
                try reading.forEach(.user, in: nil, faulty: { troubles.append($0) }) { listed.append($0.text) }
            }
            return (listed, troubles)
        }
        let before = try listed()
        #expect(!before.0.isEmpty && before.1 == [])
        try site.add(
            "cn=odd,\(site.settings.base)",
            [
                ("objectClass", ["organizationalRole", "CourierDomainAlias"]), ("cn", ["odd"]),
                ("virtualdomain", ["odd.example", "odder.example"]), ("virtualdomainuser", ["/no/address"]),
            ])
        let after = try listed()
        #expect(after.0 == before.0)
        #expect(after.1.count == 1 && after.1[0].reason.contains("/no/address"), "\(after.1)")
    }

    /// Who is in no domain of this source's is no list of it, though somebody says that he is in it.
    @Test func listsElsewhere() throws {
        let site = try WritableSite(.postfixbook, domains: ["new.example"])
        try site.add(
            "cn=ann,\(site.settings.base)",
            [
                ("objectClass", ["inetOrgPerson", "PostfixBookMailAccount"]), ("cn", ["ann"]), ("sn", ["ann"]),
                ("mail", ["ann@new.example"]), ("mailGroupMember", ["all@new.example", "all@freemail.example"]),
            ])
        var listed: [String] = []
        try site.store().read { try $0.forEach(.list, in: nil) { listed.append("\($0.address as Any)") } }
        #expect(listed.count == 1 && listed[0].contains("all@new.example"), "\(listed)")
    }

    /// An entry that its own address does not find is not passed over in silence.
    @Test func notFoundByItsAddress() throws {
        let settings = try writerSettings(try .shared())
        let store = LDAPStore(name: "x", settings: settings)
        try store.write { writing in for text in ["domain a", "user u@a"] { try writing.insert(record(text)) } }
        try LDAPWriter(uri: try Slapd.shared().uri).add(
            "addresseeKey=other@a,\(settings.base)",
            [
                ("objectClass", ["addresseeEntry", "addresseeUser"]), ("addresseeKey", ["other@a"]),
                ("addresseeAddress", ["lost@a"]), ("addresseeLocalPartKey", ["other"]), ("addresseeDomainKey", ["a"]),
            ])
        var (listed, troubles) = ([String](), [Trouble]())
        try store.read { reading in
            try reading.forEach(.user, in: nil, faulty: { troubles.append($0) }) { listed.append($0.text) }
        }
        #expect(listed.count == 1)
        #expect(troubles.count == 1 && troubles[0].reason.hasPrefix("lost@a is the address of an entry"), "\(troubles)")
    }

    // MARK: Two at once

    @Test func oneOfTwoAddersLoses() throws {
        let settings = try writerSettings(try .shared())
        let (one, other) = (LDAPStore(name: "x", settings: settings), LDAPStore(name: "x", settings: settings))
        try one.write { try $0.insert(record("domain a")) }
        let fred = try Mailbox("fred@a")
        #expect(throws: StoreError.addressTaken(fred, by: .alias)) {
            try one.write { writing in
                try writing.insert(record("user Fred@a"))
                try other.write { try $0.insert(record("alias fred@a x@b")) }
            }
        }
        #expect(throws: StoreError.domainTaken(try Domain("c"))) {
            try one.write { writing in
                try writing.insert(record("domain c"))
                try other.write { try $0.insert(record("domain C relay")) }
            }
        }
        #expect(
            try DirectoryTesting.contents(of: one) == ["domain a local - +", "domain C relay - +", "alias fred@a x@b"])
    }

    /// Nor may two of one transaction have the same login.
    @Test func oneLoginForOne() throws {
        let store = LDAPStore(name: "x", settings: try writerSettings(try .shared()))
        func user(_ address: String, _ login: String?) throws -> Record {
            .user(User(address: try Mailbox(address), login: login))
        }
        try store.write { writing in
            try writing.insert(record("domain a"))
            try writing.insert(user("fred@a", "fc"))
            #expect(throws: StoreError.loginTaken("FC")) { try writing.insert(user("jane@a", "FC")) }
            try writing.insert(user("jane@a", nil))
            #expect(throws: StoreError.loginTaken("Fc")) { try writing.replace(user("jane@a", "Fc")) }
            try writing.replace(user("fred@a", "fred"))
            try writing.replace(user("jane@a", "fc"))
        }
        #expect(throws: StoreError.loginTaken("FRED")) {
            try store.write { try $0.replace(user("jane@a", "FRED")) }
        }
        #expect(try store.read { try $0.record(.user, at: Mailbox("jane@a")) } == user("jane@a", "fc"))
    }

    @Test func noChangeIsOverwritten() throws {
        let settings = try writerSettings(try .shared())
        let (one, other) = (LDAPStore(name: "x", settings: settings), LDAPStore(name: "x", settings: settings))
        try one.write { writing in
            for text in ["domain a", "user fred@a (Fred)", "list l@a : x@b"] { try writing.insert(record(text)) }
        }
        let fred = try Mailbox("fred@a")
        let late = #expect(throws: StoreError.self) {
            try one.write { writing in
                try writing.replace(record("user fred@a (Frederic)"))
                try other.write { try $0.replace(record("user fred@a (Manfred)")) }
            }
        }
        #expect(reason(late).contains("somebody else has changed the entry meanwhile"))
        let removed = #expect(throws: StoreError.self) {
            try one.write { writing in
                try writing.remove(.user, at: fred)
                try other.write { try $0.replace(record("user fred@a (Fritz)")) }
            }
        }
        #expect(reason(removed).contains("somebody else"))
        #expect(throws: StoreError.notFound(.user, "fred@a")) {
            try one.write { writing in
                try writing.replace(record("user fred@a (Frederic)"))
                try other.write { try $0.remove(.user, at: fred) }
            }
        }
    }

    /// Where a server takes no assertions, values that are gone can't be taken away again.
    @Test func byValueWithoutAssertions() throws {
        let settings = try writerSettings(try .shared())
        let store = LDAPStore(name: "x", settings: settings)
        try store.write { writing in
            for text in ["domain a", "user fred@a (Fred)"] { try writing.insert(record(text)) }
        }
        let session = StoreSession(settings)
        let dn = AddresseeSchemaEncoder.dn(of: try Mailbox("fred@a"), base: settings.base)
        let change = LDAPOperation.modify(
            dn: dn,
            [
                LDAPModification(isAdded: false, name: "addresseeFullName", values: [Array("Fred".utf8)]),
                LDAPModification(isAdded: true, name: "addresseeFullName", values: [Array("F".utf8)]),
            ])
        guard case .done = session.carryOut(change, assertion: nil) else {
            Issue.record("not done")
            return
        }
        guard case .refused(let failure) = session.carryOut(change, assertion: nil) else {
            Issue.record("done twice")
            return
        }
        #expect(failure.description.contains("somebody else"))
        // Without the mark of OpenLDAP the old values are asserted.
        let before = LDAPEntry(dn: dn, attributes: ["addresseefullname": [Array("Fred".utf8)]])
        let slot = RecordSlot(address: try Mailbox("fred@a"), entries: [], records: [])
        let planned = PlannedChange(change, before: before, .records(slot))
        #expect(planned.assertion?.text == "(&(addresseeFullName=Fred)(addresseeFullName=Fred))")
    }

    // MARK: Refusals

    @Test func refusals() throws {
        let slapd = try Slapd(
            database: "access to dn.subtree=\"ou=open,o=test\" by * write\naccess to * by * read")
        func store(_ change: (inout LDAPSettings) -> Void) throws -> LDAPStore {
            var settings = LDAPSettings(
                uris: [slapd.uri], base: Slapd.suffix, preset: .inetorgperson,
                domains: [DomainRecord(domain: try Domain("a"))])
            change(&settings)
            return LDAPStore(name: "main", settings: settings)
        }
        let readOnly = #expect(throws: StoreError.self) {
            try store { _ in }.write { try $0.insert(record("user fred@a (Fred)")) }
        }
        // A bind without a name may not write, whatever the access rules say.
        #expect(reason(readOnly).contains("give the account the right to write there"))
        #expect(reason(readOnly).contains(slapd.uri))
        setenv("ADDRESSEE_TEST_PASSWORD", Slapd.password, 1)
        let admin = LDAPBind.simple(
            dn: Slapd.rootDN, password: .environment("ADDRESSEE_TEST_PASSWORD"), isClearTextAllowed: true)
        let nowhere = #expect(throws: StoreError.self) {
            try store {
                $0.bind = admin
                $0.writeBase = "ou=nowhere,o=test"
            }
            .write { try $0.insert(record("user fred@a (Fred)")) }
        }
        #expect(reason(nowhere).contains("there is no entry to put it below"))
        let nonASCII = #expect(throws: StoreError.self) {
            try store { $0.bind = admin }.write { try $0.insert(record("user frédéric@a (Fred)")) }
        }
        #expect(reason(nonASCII).contains("many attributes take ASCII only"))
        // What the server would refuse again is refused, and no trouble that passes.
        for error in [readOnly, nowhere, nonASCII] { #expect(isRefused(error), "\(String(describing: error))") }
        let wrongBind = #expect(throws: StoreError.self) {
            try store { $0.base = "o=elsewhere" }.write { try $0.insert(record("user fred@a (Fred)")) }
        }
        #expect(!reason(wrongBind).isEmpty)
        #expect(try DirectoryTesting.contents(of: try store { _ in }) == ["domain a local - +"])
    }

    @Test func readOnlyCopies() throws {
        let site = try WritableSite(.inetorgperson, more: ["--config"])
        let session = StoreSession(site.settings)
        let database = "olcDatabase={1}mdb,cn=config"
        let result = session.carryOut(
            .modify(
                dn: database,
                [
                    LDAPModification(isAdded: false, name: "olcReadOnly", values: [Array("FALSE".utf8)]),
                    LDAPModification(isAdded: true, name: "olcReadOnly", values: [Array("TRUE".utf8)]),
                ]), assertion: nil)
        if case .refused(let failure) = result { Issue.record("\(failure)") }
        let error = #expect(throws: StoreError.self) {
            try site.store().write { try $0.insert(record("user fred@new.example (Fred)")) }
        }
        #expect(reason(error).contains("it may be read-only"))
        // A referral, as a copy gives it, is not followed: the account's password would go to whoever it names.
        let operation = LDAPOperation.add(dn: "cn=x,o=y", [])
        var page = SearchPage()
        page.code = 10
        page.referral = "ldap://provider.example"
        #expect(
            LDAPFailure.refusal(page, of: operation, uri: "ldap://x").description.hasSuffix(
                "the server is a read-only copy; name the one that takes changes: ldap://provider.example"))
    }

    /// A class that the server's schema has no room for.
    @Test func schemaViolation() throws {
        let site = try WritableSite(.netscape)
        try site.add(
            "cn=desk,\(site.settings.base)",
            [
                ("objectClass", ["organizationalRole", "mailRecipient"]), ("cn", ["desk"]),
                ("mail", ["desk@new.example"]),
            ])
        let error = #expect(throws: StoreError.self) {
            try site.store().write { try $0.replace(record("user desk@new.example (The Desk)")) }
        }
        #expect(reason(error).contains("compare it with the preset"))
        #expect(isRefused(error))
    }

    // MARK: Connections

    /// A relay to a directory with one domain, and a store behind it.
    private func relayed() throws -> (ToolChild, LDAPStore, LDAPStore) {
        let slapd = try Slapd.shared()
        let relay = try ToolChild("relay.py", ["--to", "127.0.0.1:\(slapd.port)"])
        var settings = try writerSettings(slapd)
        let direct = LDAPStore(name: "main", settings: settings)
        try direct.write { writing in
            for text in ["domain a", "user jane@a (Jane)", "user rita@a"] { try writing.insert(record(text)) }
        }
        settings.uris = [relay.uri]
        return (relay, LDAPStore(name: "main", settings: settings), direct)
    }

    /// The answer is lost, but the change was made: the store looks, and says so.
    @Test(arguments: ["cut 0 1", "close 0 1", "cut 5 1"])
    func lostAnswers(fault: String) throws {
        let (relay, store, direct) = try relayed()
        try store.write { writing in
            try writing.insert(record("user fred@a (Fred)"))
            try relay.tell(fault)
        }
        try store.write { writing in
            try writing.replace(record("user jane@a (Joan)"))
            try relay.tell(fault)
        }
        try store.write { writing in
            try writing.remove(.user, at: Mailbox("rita@a"))
            try relay.tell(fault)
        }
        #expect(
            try DirectoryTesting.contents(of: direct) == [
                "domain a local - +", "user fred@a (Fred) - active", "user jane@a (Joan) - active",
            ])
    }

    /// The question never came to the server.
    @Test func lostQuestions() throws {
        let (relay, store, direct) = try relayed()
        let error = #expect(throws: StoreError.self) {
            try store.write { writing in
                try writing.insert(record("user fred@a (Fred)"))
                try relay.tell("hang")
                nonisolated(unsafe) let relay = relay
                Thread.detachNewThread {
                    usleep(300_000)
                    try? relay.tell("heal")
                    try? relay.tell("drop")
                }
            }
        }
        #expect(reason(error).contains("the change was not made when looked for after that"))
        #expect(try direct.read { try $0.record(.user, at: Mailbox("fred@a")) } == nil)
    }

    /// The question never came to the server, and meanwhile another has written an entry by that name.
    @Test func lostQuestionsBesideAnother() throws {
        let (relay, store, direct) = try relayed()
        let error = #expect(throws: StoreError.self) {
            try store.write { writing in
                try writing.insert(record("user fred@a (Fred)"))
                try direct.write { try $0.insert(record("user fred@a (Frederic)")) }
                try relay.tell("hang")
                nonisolated(unsafe) let relay = relay
                Thread.detachNewThread {
                    usleep(300_000)
                    try? relay.tell("heal")
                    try? relay.tell("drop")
                }
            }
        }
        #expect(reason(error).contains("whether user fred@a is written can't be told (another entry stands there)"))
        #expect(try direct.read { try $0.record(.user, at: Mailbox("fred@a")) } == record("user fred@a (Frederic)"))
    }

    /// A command that has been waiting for its user finds the connection gone, and takes another.
    @Test func aLostConnectionIsMadeAnew() throws {
        // As the program does: a write to nobody would end the process.
        signal(SIGPIPE, SIG_IGN)
        let (relay, store, _) = try relayed()
        for _ in 0..<3 {
            #expect(try store.read { try $0.record(.user, at: Mailbox("jane@a")) } == record("user jane@a (Jane)"))
            try relay.tell("drop")
        }
    }

    /// What could not be told once may be asked again at once.
    @Test func noTroubleIsRemembered() throws {
        signal(SIGPIPE, SIG_IGN)
        let (relay, store, _) = try relayed()
        let jane = try Mailbox("jane@a")
        try store.read { reading in
            try relay.tell("cut 0")
            #expect(throws: StoreError.self) { try reading.record(.user, at: jane) }
            try relay.tell("heal")
            #expect(try reading.record(.user, at: jane) == record("user jane@a (Jane)"))
        }
    }

    @Test func nothingCanBeTold() throws {
        let (relay, store, direct) = try relayed()
        let error = #expect(throws: StoreError.self) {
            try store.write { writing in
                try writing.insert(record("user fred@a (Fred)"))
                try relay.tell("cut 0")
            }
        }
        #expect(reason(error).contains("whether user fred@a is written can't be told"))
        #expect(reason(error).contains("look at the entry addresseeKey=fred@a"))
        #expect(try direct.read { try $0.record(.user, at: Mailbox("fred@a")) } != nil)
        // It is never "not found" either.
        let read = #expect(throws: StoreError.self) {
            try store.read { try $0.record(.user, at: Mailbox("fred@a")) }
        }
        #expect(!reason(read).isEmpty)
    }

    /// Of several changes, the last is refused: those before it are taken back.
    @Test func takenBack() throws {
        let settings = try writerSettings(try .shared())
        let (store, other) = (LDAPStore(name: "x", settings: settings), LDAPStore(name: "x", settings: settings))
        try store.write { writing in
            for text in ["domain a", "user jane@a (Jane)", "alias old@a jane@a"] { try writing.insert(record(text)) }
        }
        let before = try DirectoryTesting.contents(of: store)
        #expect(throws: StoreError.addressTaken(try Mailbox("z@a"), by: .user)) {
            try store.write { writing in
                try writing.insert(record("domain c"))
                try writing.insert(record("alias x@a y@a"))
                try writing.insert(record("user y@c"))
                try writing.insert(record("user y@a"))
                try writing.insert(record("alias z@a x@a"))
                try other.write { try $0.insert(record("user z@a")) }
            }
        }
        try other.write { try $0.remove(.user, at: Mailbox("z@a")) }
        #expect(try DirectoryTesting.contents(of: store) == before)
        let late = #expect(throws: StoreError.self) {
            try store.write { writing in
                try writing.replace(record("user jane@a (Joan)"))
                try writing.remove(.alias, at: Mailbox("old@a"))
                try other.write { try $0.replace(record("alias old@a else@b")) }
            }
        }
        #expect(reason(late).contains("somebody else"))
        #expect(
            try DirectoryTesting.contents(of: store) == [
                "domain a local - +", "user jane@a (Jane) - active", "alias old@a else@b",
            ])
    }

    /// What was done to one entry is taken back in the opposite order: else there is nothing left to take a value from.
    @Test func takenBackStepByStep() throws {
        let settings = try writerSettings(try .shared())
        let session = StoreSession(settings)
        let dn = "cn=step,\(settings.base)"
        func value(_ name: AttributeName, _ text: String) -> LDAPModification {
            LDAPModification(isAdded: true, name: name, values: [Array(text.utf8)])
        }
        let operations: [LDAPOperation] = [
            .add(dn: dn, [value("objectClass", "organizationalRole"), value("cn", "step")]),
            .modify(dn: dn, [value("description", "one")]), .modify(dn: dn, [value("description", "two")]),
            .modify(dn: dn, [value("noSuchAttribute", "x")]),
        ]
        let slot = RecordSlot(address: try Mailbox("step@a"), entries: [], records: [])
        let changes = operations.map { PlannedChange($0, before: nil, .records(slot)) }
        let error = #expect(throws: StoreError.self) {
            try Commit(session: session, plan: SearchPlan(name: "x", settings: settings), changes: changes).run()
        }
        #expect(isRefused(error))
        #expect(!reason(error).contains("taken back"))
        #expect(try session.entry(dn) == nil)
        // What came before it is told, where it can't be taken back.
        let gone = PlannedChange(.delete(dn: dn), before: nil, .records(slot))
        let left = #expect(throws: StoreError.self) {
            try Commit(
                session: session, plan: SearchPlan(name: "x", settings: settings),
                changes: [changes[0], gone, changes[3]]
            ).run()
        }
        #expect(reason(left).contains("written, and not to be taken back"))
        #expect(reason(left).contains("record step@a"))
    }

    /// The mark of OpenLDAP alone is enough; else the old values are asserted, where they are few.
    @Test func assertions() throws {
        let slot = RecordSlot(address: try Mailbox("fred@a"), entries: [], records: [])
        func assertion(_ attributes: [String: [String]]) -> String? {
            let before = LDAPEntry(dn: "cn=x", attributes: attributes.mapValues { $0.map { Array($0.utf8) } })
            let change = LDAPOperation.modify(
                dn: "cn=x", [LDAPModification(isAdded: true, name: "cn", values: [Array("new".utf8)])])
            return PlannedChange(change, before: before, .records(slot)).assertion?.text
        }
        #expect(assertion(["entrycsn": ["2026#1"], "cn": ["old"]]) == "(entryCSN=2026#1)")
        #expect(assertion(["cn": ["old", "elder"]]) == "(&(cn=old)(cn=elder))")
        #expect(assertion(["sn": ["x"]]) == "(&(!(cn=*)))")
        #expect(assertion(["cn": (0..<20).map { "v\($0)" }]) != nil)
        #expect(assertion(["cn": (0..<21).map { "v\($0)" }]) == nil)
        #expect(PlannedChange(.delete(dn: "cn=x"), before: nil, .records(slot)).assertion == nil)
    }

    /// A domain is there before who is in it, and goes after them.
    @Test func domainsComeFirstAndGoLast() throws {
        let (a, b) = (try Domain("a"), try Domain("b"))
        let new = DomainSlot(domain: a, entry: nil, before: nil, after: DomainRecord(domain: a))
        let old = DomainSlot(domain: b, entry: nil, before: DomainRecord(domain: b), after: nil)
        let empty = RecordSlot(address: try Mailbox("fred@a"), entries: [], records: [])
        let changes = [
            PlannedChange(.delete(dn: "domain b"), before: nil, .domain(old)),
            PlannedChange(.delete(dn: "user"), before: nil, .records(empty)),
            PlannedChange(.modify(dn: "list", []), before: nil, .records(empty)),
            PlannedChange(.add(dn: "alias", []), before: nil, .records(empty)),
            PlannedChange(.add(dn: "domain a", []), before: nil, .domain(new)),
        ]
        #expect(
            ChangeOrder(changes).sorted.map(\.operation.dn) == ["domain a", "alias", "list", "user", "domain b"])
    }

    @Test func order() throws {
        func slot(_ before: String, _ after: String) throws -> PlannedChange {
            let (old, new) = (try records(before).first ?? [], try records(after).first ?? [])
            let address = try #require((old + new).first?.address)
            var slot = RecordSlot(address: address, entries: [], records: old)
            slot.after = new
            let operation: LDAPOperation =
                old.isEmpty ? .add(dn: "", []) : new.isEmpty ? .delete(dn: "") : .modify(dn: "", [])
            return PlannedChange(operation, before: nil, .records(slot))
        }
        let changes = [
            try slot("user gone@a", ""), try slot("", "alias a@a b@a c@a"), try slot("alias old@a gone@a", ""),
            try slot("user same@a", "user same@a (S)"), try slot("", "list b@a : c@a d@a"), try slot("", "user c@a"),
            try slot("", "alias d@a b@a"),
        ]
        #expect(
            ChangeOrder(changes).sorted.map(\.subject.description) == [
                "user c@a", "alias d@a", "list b@a", "alias a@a", "user same@a", "alias old@a", "user gone@a",
            ])
    }
}
