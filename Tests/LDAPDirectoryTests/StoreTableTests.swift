// The tables that every store has to fulfil, written and read through LDAPStore in a real slapd with our own schema.

import DirectoryTesting
import Foundation
import LDAPDirectory
import MailAddress
import MailboxDirectory
import Testing

/// Settings for who may write, below a base of their own that has nothing in it.
func writerSettings(_ slapd: Slapd, _ preset: LDAPPreset = .addressee) throws -> LDAPSettings {
    var settings = LDAPSettings(uris: [slapd.uri], base: try filled(slapd, []), preset: preset)
    settings.cache.entries = 0
    settings.bind = .simple(
        dn: Slapd.rootDN, password: .environment("ADDRESSEE_TEST_PASSWORD"), isClearTextAllowed: true)
    setenv("ADDRESSEE_TEST_PASSWORD", Slapd.password, 1)
    return settings
}

func emptyStore(_ name: String = "local") throws -> LDAPStore {
    LDAPStore(name: name, settings: try writerSettings(try .shared()))
}

@Suite(.enabled(if: hasSlapd)) struct StoreTableTests {
    @Test(arguments: editTable)
    func edits(_ row: EditRow) throws {
        let (text, before, after) = try row.outcome { try emptyStore("other") }
        #expect(text == row.expected)
        if text != "done", !text.hasPrefix("added") {
            #expect(before == after, "a refused change was written")
        } else if text != "added 0" {
            #expect(before != after, "nothing was written")
        }
    }

    /// The same contents as in memory, before and after.
    @Test(arguments: editTable)
    func contents(_ row: EditRow) throws {
        let (_, before, after) = try row.outcome { try emptyStore("other") }
        let (_, beforeInMemory, afterInMemory) = try row.outcome { try MemoryStore(name: "other") }
        #expect(before == beforeInMemory)
        #expect(after == afterInMemory)
    }

    @Test(arguments: resolveTable)
    func resolves(_ row: ResolveRow) throws {
        #expect(try row.answer { try emptyStore() }.text == row.expected)
    }

    /// What a transaction has written is what it reads, before anything is sent.
    @Test(arguments: resolveTable)
    func resolvesInTheTransaction(_ row: ResolveRow) throws {
        struct Undone: Error {}
        let sources = try records(row.directory)
        guard sources.count == 1 else { return }
        let store = try emptyStore()
        #expect(throws: Undone.self) {
            try store.write { writing in
                for record in sources[0] { try writing.insert(record) }
                #expect(row.resolve([writing]).text == row.expected)
                throw Undone()
            }
        }
        #expect(try DirectoryTesting.contents(of: store) == [])
    }

    @Test(arguments: leavingTable)
    func leaves(_ directory: String, _ change: String, _ expected: [String]) throws {
        let (_, _, after) = try EditRow("domain a\n" + directory, change, "").outcome { try emptyStore("other") }
        #expect(Array(after.dropFirst()) == expected)
    }
}
