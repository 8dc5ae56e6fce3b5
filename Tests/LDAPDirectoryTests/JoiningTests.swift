// Searches that go as one find what each would have found alone, also where all together are too many for the server.

import DirectoryTesting
import Foundation
import MailAddress
import MailboxDirectory
import Synchronization
import Testing

@testable import LDAPDirectory

@Suite(.enabled(if: hasSlapd)) struct JoiningTests {
    private static let count = 100

    /// Users, some with forwards, each tenth address an alias, and unknown addresses between.
    private static func directory() throws -> [Record] {
        let lines = (0..<count).map { number in
            switch number % 10 {
            case 0: "alias u\(number)@a u\(number + 1)@a"
            case 5: "user u\(number)@a (User \(number))\nforward u\(number)@a x\(number)@b keep"
            default: "user \"U\(number)\"@a (User \(number))"
            }
        }
        return try records("domain a\n" + lines.joined(separator: "\n"))[0]
    }

    private static func lookups() throws -> [Lookup] {
        try (0..<count).flatMap { number -> [Lookup] in
            let key = try Mailbox("u\(number)@a")
            return [
                .entries([key]), .entries([try Mailbox("u\(number)+x@a"), key]),
                .entries([try Mailbox("nobody\(number)@a")]),
                .entries([try Mailbox("U*@a"), try Mailbox("u\((number + 50) % count)@A")]),
            ]
        }
    }

    /// Asks all before any is answered.
    private static func answers(_ source: LDAPDirectory, _ lookups: [Lookup]) -> [Answer?] {
        let slots = lookups.map { _ in AnswerSlot() }
        for (lookup, slot) in zip(lookups, slots) {
            if let answer = source.ask(lookup, later: { slot.put($0) }) { slot.put(answer) }
        }
        return slots.map { $0.wait(until: MonotonicTime.now() + 20_000_000_000) }
    }

    @Test(arguments: ["", "sizelimit 3"])
    func eachHasItsOwn(limit: String) throws {
        let slapd = try Slapd(database: limit)
        var settings = LDAPSettings(
            uris: [slapd.uri], base: try filled(slapd, try Self.directory()), preset: .addressee)
        settings.cache.entries = 0
        settings.timeout = .seconds(20)
        let source = LDAPDirectory(name: "people", settings: settings)
        defer { source.close() }
        let lookups = try Self.lookups()
        let together = Self.answers(source, lookups)
        let one = lookups.map { source.answer($0) }
        #expect(together == one)
        // They are worth comparing.
        #expect(one.filter { $0 == .absent }.count == Self.count)
        #expect(!one.contains { if case .couldNotTell = $0 { true } else { false } })
    }

    /// What an entry is shared by: all who look for any of its addresses.
    @Test func shares() throws {
        let plan = SearchPlan(
            name: "people", settings: LDAPSettings(uris: [], base: "o=test", preset: .postfixbook))
        func entry(_ name: String, _ aliases: [String]) -> LDAPEntry {
            LDAPEntry(
                dn: name,
                attributes: [
                    "objectclass": [Array("PostfixBookMailAccount".utf8)], "mail": [Array("\(name)@a".utf8)],
                    "mailalias": aliases.map { Array($0.utf8) },
                ])
        }
        let entries = [entry("fred", ["f@a", "F.Claude@a"]), entry("jane", []), entry("nobody", [])]
        let searches = try [["fred@a"], ["f@a", "jane@a"], ["x@a"], ["f.claude@A"], ["F@a"]].map { keys in
            try #require(plan.addressSearch(keys.map { try Mailbox($0) }))
        }
        let shares = plan.shares(of: entries, among: searches).map { $0.map(\.dn) }
        #expect(shares == [["fred"], ["fred", "jane"], [], ["fred"], ["fred"]])
        let joined = plan.joined(searches)
        #expect(joined.addresses.count == 5)
        for text in ["fred@a", "f@a", "jane@a", "x@a", "f.claude@A"] {
            #expect(joined.filter.contains("(mail=\(text))"), "\(joined.filter)")
        }
        #expect(plan.joined([searches[0]]) == searches[0])
    }
}
