// `addressee table-proc` from request to reply: which map answers, and what an update changes.

import AddresseeConfiguration
import LookupProtocols
import MailAddress
import MailboxDirectory
import Testing
import Verification

@testable import AddresseeCommands

@Suite struct TableConversationTests {
    private struct Gone: Error {}

    private static func directory(_ source: String) throws -> ConfiguredDirectory {
        let yaml = "default-domain: example.org\nsources: [{name: \(source), sqlite: d}]"
        return ConfiguredDirectory(try Configuration.parse(yaml, file: "addressee.yaml"))
    }

    private static func request(_ service: TableService, _ key: String) -> TableProcRequest {
        .ask(TableQuestion(head: TableProcHead(.check, id: [1]), service: service, key: Array(key.utf8)))
    }

    private func isFound(_ conversation: TableConversation, _ key: String) -> Bool? {
        switch conversation.answer(Self.request(.mailaddr, key)) {
        case .found?: true
        case .absent?: false
        default: nil
        }
    }

    /// It asks from then on what the new configuration names; one that can't be read changes nothing.
    @Test func update() throws {
        let site = try Site(sources: ["main", "branch"])
        try site.stores[1].write {
            try $0.insert(Site.records[0])
            try $0.insert(.user(User(address: Site.mailbox("anna@example.org"))))
        }
        var names = ["main", "branch"]
        try Wiring.$current.withValue(site.wiring) {
            let conversation = try TableConversation(table: TableInquiry.Table(map: .mailboxes)) {
                if names.isEmpty { throw Gone() }
                return try Self.directory(names.removeFirst())
            }
            #expect(isFound(conversation, "fred@example.org") == true)
            #expect(isFound(conversation, "anna@example.org") == false)
            #expect(conversation.answer(.update(id: [2])) == .updated(id: [2]))
            for _ in 0..<2 {
                #expect(isFound(conversation, "fred@example.org") == false)
                #expect(isFound(conversation, "anna@example.org") == true)
                guard case .trouble(TableProcHead(.update, id: [3]), _)? = conversation.answer(.update(id: [3])) else {
                    Issue.record("updated by nothing")
                    return
                }
            }
        }
    }

    /// The table's name chooses the map, where no option does.
    @Test func maps() throws {
        let site = try Site()
        try Wiring.$current.withValue(site.wiring) {
            let named = try TableConversation(table: TableInquiry.Table()) { try Self.directory("main") }
            #expect(named.answer(.ready) == .services([.alias, .domain, .mailaddr]))
            let domain = Self.request(.domain, "relay.example")
            let head = TableProcHead(.check, id: [1])
            #expect(named.answer(domain) == .absent(head))
            #expect(named.answer(.setting(name: Array("other".utf8), value: Array("relay-domains".utf8))) == nil)
            #expect(named.answer(domain) == .absent(head))
            #expect(named.answer(.setting(name: Array("tablename".utf8), value: Array("relay-domains".utf8))) == nil)
            guard case .found? = named.answer(domain) else {
                Issue.record("the relay domain is not found")
                return
            }
            let one = try TableConversation(table: TableInquiry.Table(map: .aliases)) { try Self.directory("main") }
            #expect(one.answer(.ready) == .services([.alias]))
        }
    }

    /// Could not tell is no "absent".
    @Test func trouble() throws {
        let site = try Site()
        site.failing = ["main"]
        try Wiring.$current.withValue(site.wiring) {
            let conversation = try TableConversation(table: TableInquiry.Table()) { try Self.directory("main") }
            guard case .trouble(_, let text)? = conversation.answer(Self.request(.mailaddr, "fred@example.org")) else {
                Issue.record("told")
                return
            }
            #expect(String(decoding: text, as: UTF8.self).contains("the disk is gone"))
        }
    }
}
