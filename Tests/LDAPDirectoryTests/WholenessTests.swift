// A server that does not have all of the directory: nobody is told to be absent because of it.

import DirectoryTesting
import Foundation
import MailAddress
import MailboxDirectory
import Testing

@testable import LDAPDirectory

@Suite(.enabled(if: hasSlapd), .serialized) struct WholenessTests {
    private let fred: Lookup
    private let nobody: Lookup

    init() throws {
        fred = .entries([try Mailbox("fred@a")])
        nobody = .entries([try Mailbox("nobody@a")])
    }

    /// What an answer is, in a word.
    private func word(_ answer: Answer) -> String {
        switch answer {
        case .absent: "absent"
        case .couldNotTell(let trouble): trouble.reason
        default: "found"
        }
    }

    private static let records = "domain a\nuser fred@a (Fred)\nuser jane@a (Jane)\nlist l@a : fred@a jane@a"

    /// Servers with the same base, the records in some of them only.
    private func servers(_ servers: [(Slapd, isFilled: Bool)]) throws -> LDAPSettings {
        let name = UUID().uuidString
        let base = "ou=\(name),\(Slapd.suffix)"
        for (slapd, isFilled) in servers {
            let writer = try LDAPWriter(uri: slapd.uri)
            try writer.add(base, [("objectClass", ["organizationalUnit"]), ("ou", [name])])
            guard isFilled else { continue }
            for record in try DirectoryTesting.records(Self.records)[0] {
                try writer.add(
                    AddresseeSchemaEncoder.dn(of: record, base: base), AddresseeSchemaEncoder.attributes(of: [record]))
            }
        }
        var settings = LDAPSettings(uris: servers.map(\.0.uri), base: base, preset: .addressee)
        settings.cache.entries = 0
        settings.timeout = .seconds(5)
        settings.domains = [DomainRecord(domain: try Domain("a"))]
        return settings
    }

    /// Such a server has a contextCSN from its first entry on.
    private func marked() throws -> Slapd { try Slapd(more: "moduleload syncprov", database: "overlay syncprov") }

    private func isLeftOut(_ log: EventLog, _ uri: String) -> Bool {
        log.events.contains { if case .leftOut(uri, _) = $0 { true } else { false } }
    }

    @Test func withoutTheMarkThatAnotherHas() throws {
        let (half, whole) = (try Slapd(), try marked())
        let settings = try servers([(half, false), (whole, true)])
        let log = EventLog()
        var directory = LDAPDirectory(name: "x", settings: settings, onEvent: { log.add($0) })
        #expect(word(directory.answer(fred)) == "found")
        #expect(word(directory.answer(nobody)) == "absent")
        #expect(log.connected == [whole.uri])
        #expect(isLeftOut(log, half.uri))
        // A command, which has a session of its own.
        let store = LDAPStore(name: "x", settings: settings)
        #expect(try store.read { try $0.record(.user, at: try Mailbox("fred@a")) } != nil)
        // It stays left out when the other is gone.
        kill(whole.pid, SIGKILL)
        directory.close()
        directory = LDAPDirectory(name: "x", settings: settings)
        #expect(
            word(directory.answer(nobody)).contains("no contextCSN")
                || word(directory.answer(nobody)).contains("Can't contact"))
        #expect(word(directory.answer(fred)) != "absent")
    }

    /// Where no server has a mark they are taken at their word.
    @Test func withoutAnyMark() throws {
        let settings = try servers([(try Slapd(), true), (try Slapd(), true)])
        let log = EventLog()
        let directory = LDAPDirectory(name: "x", settings: settings, onEvent: { log.add($0) })
        #expect(word(directory.answer(nobody)) == "absent")
        #expect(log.connected == [settings.uris[0]])
        #expect(!isLeftOut(log, settings.uris[0]))
    }

    @Test func mustFindWithOneServer() throws {
        let slapd = try Slapd.shared()
        var settings = try servers([(slapd, true)])
        settings.mustFind = [try Mailbox("gone@a")]
        let log = EventLog()
        let directory = LDAPDirectory(name: "x", settings: settings, onEvent: { log.add($0) })
        // Who is found is there all the same; that somebody is not, or how many there are, can't be told.
        #expect(word(directory.answer(fred)) == "found")
        #expect(word(directory.answer(nobody)).contains("gone@a is not found, which must be found"))
        #expect(word(directory.answer(.members(of: try Mailbox("l@a")))).contains("gone@a"))
        #expect(word(directory.answer(.entries([try Mailbox("fred+x@a"), try Mailbox("fred@a")]))).contains("gone@a"))
        #expect(directory.version() == nil)
        #expect(log.events.contains { if case .doubted = $0 { true } else { false } })
        let store = LDAPStore(name: "x", settings: settings)
        let error = #expect(throws: StoreError.self) {
            try store.read { _ = try $0.record(.user, at: try Mailbox("nobody@a")) }
        }
        #expect("\(String(describing: error))".contains("gone@a"))
        var (listed, faults) = (0, 0)
        try store.read { try $0.forEach(.user, in: nil, faulty: { _ in faults += 1 }) { _ in listed += 1 } }
        #expect(listed == 2 && faults == 1)
        let findings = LDAPCheck(name: "x", settings: settings).findings()
        #expect(findings.contains { $0.severity == .error && $0.cause == .unreachable && $0.text.contains("gone@a") })
    }

    @Test func mustFindWithTwoServers() throws {
        let (half, whole) = (try Slapd(), try Slapd())
        var settings = try servers([(half, false), (whole, true)])
        settings.mustFind = [try Mailbox("fred@a")]
        let log = EventLog()
        let directory = LDAPDirectory(name: "x", settings: settings, onEvent: { log.add($0) })
        #expect(word(directory.answer(nobody)) == "absent")
        #expect(log.connected == [whole.uri])
        #expect(isLeftOut(log, half.uri))
    }

    /// A server that is emptied under a live connection, and filled again.
    @Test func emptied() throws {
        let slapd = try Slapd()
        var settings = try servers([(slapd, true)])
        settings.mustFind = [try Mailbox("fred@a")]
        settings.examinationInterval = .milliseconds(50)
        let directory = LDAPDirectory(name: "x", settings: settings)
        #expect(word(directory.answer(nobody)) == "absent")
        let writer = try LDAPWriter(uri: slapd.uri)
        let record = try DirectoryTesting.records("user fred@a (Fred)")[0][0]
        let dn = AddresseeSchemaEncoder.dn(of: record, base: settings.base)
        try writer.remove(dn)
        #expect(eventually { word(directory.answer(nobody)).contains("fred@a is not found") })
        try writer.add(dn, AddresseeSchemaEncoder.attributes(of: [record]))
        #expect(eventually { word(directory.answer(nobody)) == "absent" })
    }

    /// An examination that can't tell says nothing: what must be found may be there all the same.
    @Test func anExaminationThatCanNotTell() throws {
        let slapd = try Slapd.shared()
        var settings = try servers([(slapd, true)])
        settings.mustFind = [try Mailbox("fred@a")]
        settings.examinationInterval = .milliseconds(10)
        let log = EventLog()
        let directory = LDAPDirectory(name: "x", settings: settings, onEvent: { log.add($0) })
        #expect(word(directory.answer(nobody)) == "absent")
        let dn = AddresseeSchemaEncoder.dn(of: try Mailbox("fred@a"), base: settings.base)
        let status = LDAPModification(isAdded: true, name: "addresseeStatus", values: [Array("asleep".utf8)])
        let result = StoreSession(try writerSettings(slapd)).carryOut(.modify(dn: dn, [status]), assertion: nil)
        if case .refused(let failure) = result { Issue.record("\(failure)") }
        #expect(eventually { word(directory.answer(fred)).contains("unknown status") })
        for _ in 0..<20 {
            #expect(word(directory.answer(nobody)) == "absent")
            usleep(10_000)
        }
        // One that can tell does.
        try LDAPWriter(uri: slapd.uri).remove(dn)
        #expect(eventually { word(directory.answer(nobody)).contains("is not found, which must be found") })
        let doubts = log.events.filter { if case .doubted = $0 { true } else { false } }
        #expect(doubts.count == 1, "\(doubts)")
    }

    /// The same where another server takes its place.
    @Test func emptiedBesideAnother() throws {
        let (first, second) = (try Slapd(), try Slapd())
        var settings = try servers([(first, true), (second, true)])
        settings.mustFind = [try Mailbox("fred@a")]
        settings.examinationInterval = .milliseconds(50)
        let log = EventLog()
        let directory = LDAPDirectory(name: "x", settings: settings, onEvent: { log.add($0) })
        #expect(word(directory.answer(nobody)) == "absent")
        let record = try DirectoryTesting.records("user fred@a (Fred)")[0][0]
        try LDAPWriter(uri: first.uri).remove(AddresseeSchemaEncoder.dn(of: record, base: settings.base))
        #expect(eventually { word(directory.answer(fred)) == "found" && log.connected.last == second.uri })
        #expect(word(directory.answer(nobody)) == "absent")
    }

    private func eventually(_ condition: () -> Bool) -> Bool {
        let end = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < end {
            if condition() { return true }
            usleep(20_000)
        }
        return false
    }

    /// What servers hold is compared.
    @Test func compared() throws {
        let (half, whole, other) = (try Slapd(), try marked(), try marked())
        let settings = try servers([(half, false), (whole, true), (other, false)])
        let lines = LDAPCheck(name: "x", settings: settings, extent: .sample).findings().map(\.line)
        #expect(lines.contains { $0.contains("\(half.uri): this server has no contextCSN") }, "\(lines)")
        #expect(lines.contains { $0.contains(other.uri) && $0.contains("0 entries of the 3") }, "\(lines)")
    }

    @Test func marks() {
        let newest: [Substring: String] = ["001": "20260102#0#001#0", "002": "20260101#0#002#0"]
        #expect(ServerComparison.missing(in: ["20260102#0#001#0", "20260101#0#002#0"], of: newest) == nil)
        #expect(ServerComparison.missing(in: ["20260103#0#001#0", "20260101#0#002#0"], of: newest) == nil)
        #expect(ServerComparison.missing(in: ["20260102#0#001#0"], of: newest) == "20260101#0#002#0")
        #expect(
            ServerComparison.missing(in: ["20260101#0#001#0", "20260101#0#002#0"], of: newest) == "20260102#0#001#0")
        #expect(ServerComparison.missing(in: [], of: newest) == "20260102#0#001#0")
    }

    @Test func order() {
        let memory = ServerMemory()
        let uris = ["a", "b", "c"]
        let minute: Nanoseconds = 60_000_000_000
        #expect(memory.order(of: uris, now: 0) == [0, 1, 2])
        memory.avoid("a", now: 0)
        #expect(memory.order(of: uris, now: minute - 1) == [1, 2, 0])
        memory.avoid("b", now: 5)
        #expect(memory.order(of: uris, now: minute - 1) == [2, 0, 1])
        #expect(memory.order(of: uris, now: minute) == [0, 2, 1])
        memory.welcome("b")
        #expect(memory.order(of: uris, now: minute) == [0, 1, 2])
        // Those that are avoided go by how long they have been so.
        memory.avoid("c", now: minute)
        memory.avoid("a", now: minute + 1)
        #expect(memory.order(of: uris, now: minute + 2) == [1, 2, 0])
    }

    /// One that is too busy is left once a minute, and where there is another.
    @Test func leaves() {
        let memory = ServerMemory()
        #expect(!memory.leaves("a", among: ["a"], now: 1))
        #expect(memory.leaves("a", among: ["a", "b"], now: 1))
        #expect(memory.order(of: ["a", "b"], now: 2) == [1, 0])
        #expect(memory.leaves("b", among: ["a", "b"], now: 3))
        #expect(memory.order(of: ["a", "b"], now: 4) == [0, 1])
        #expect(!memory.leaves("a", among: ["a", "b"], now: 5) && !memory.leaves("b", among: ["a", "b"], now: 5))
        #expect(memory.leaves("a", among: ["a", "b"], now: 60_000_000_001))
    }
}
