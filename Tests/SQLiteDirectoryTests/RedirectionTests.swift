// What leads somewhere in a domain or into it, without its users.

import GRDB
import GRDBSQLite
import MailAddress
import MailboxDirectory
import Testing

@testable import SQLiteDirectory

@Suite struct RedirectionTests {
    @Test func usersAreLeftOut() throws {
        let file = try TemporaryFile()
        let inner = try mailbox("fred@example.org")
        let store = try file.store([
            .domain(
                DomainRecord(
                    domain: try Domain("b.example"), kind: .alias(of: try Domain("example.org")), catchAll: inner)),
            .domain(DomainRecord(domain: try Domain("c.example"))),
            .user(try user("fred@example.org")), .user(try user("plain@example.org", "Fred", login: "p")),
            .forward(Forward(address: inner, targets: [try mailbox("f@x.example")])),
            .forward(Forward(address: try mailbox("alone@example.org"), targets: [inner])),
            .alias(Alias(address: try mailbox("info@example.org"), targets: [inner])),
            .moved(Moved(address: try mailbox("gone@example.org"))),
            .list(MailingList(address: try mailbox("list@example.org")), members: [ListMember(mailbox: inner)]),
            .alias(Alias(address: try mailbox("in@c.example"), targets: [inner])),
            .user(try user("out@c.example")),
            .forward(Forward(address: try mailbox("out@c.example"), targets: [inner])),
            .list(
                MailingList(address: try mailbox("l@c.example"), owner: inner), members: [ListMember(mailbox: inner)]),
            .moved(Moved(address: try mailbox("m@c.example"), newAddress: inner)),
            .alias(Alias(address: try mailbox("away@c.example"), targets: [try mailbox("f@x.example")])),
        ])
        let domain = try Domain("example.org")
        let found = try store.read { view in
            try #require(view as? StoreView).redirections(inDomain: domain, limit: .max)
        }
        #expect(
            found.map { "\($0) \($0.role.rawValue)" }.sorted() == [
                "alias in@c.example target", "alias info@example.org target", "domain b.example catch-all",
                "domain b.example target", "forward alone@example.org target", "forward fred@example.org target",
                "forward out@c.example target", "list l@c.example member", "list l@c.example owner",
                "list list@example.org target", "moved gone@example.org target", "moved m@c.example new address",
            ])
        let few = try store.read { view in
            try #require(view as? StoreView).redirections(inDomain: domain, limit: 3)
        }
        #expect(few == Array(found.prefix(3)))
        // A forward that sits on a user is a forward wherever it is named.
        let references = try store.read { try $0.references(to: inner, limit: .max) }
        #expect(references.contains(Reference(kind: .forward, role: .target, name: "out@c.example")))
        #expect(!references.contains { $0.kind == .user })
    }

    @Test(arguments: StoreView.redirectionStatements)
    func noUserIsRead(sql: String) throws {
        let file = try TemporaryFile()
        let plan = try file.store().queue.read { database in
            let rows = try PreparedStatement(try #require(database.sqliteConnection), "EXPLAIN QUERY PLAN \(sql)")
            var plan: [String] = []
            while try rows.step() { plan.append(try rows.string(3)) }
            return plan
        }
        #expect(!plan.isEmpty)
        for step in plan {
            #expect(step.hasPrefix("SEARCH "), "\(step)")
            // By the domain alone every user in it would be read.
            if step.hasPrefix("SEARCH e "), !step.contains("entry_forward") {
                #expect(step.contains("kind=?") || step.contains("PRIMARY KEY (key=? AND domain_id=?)"), "\(step)")
            }
        }
    }
}
