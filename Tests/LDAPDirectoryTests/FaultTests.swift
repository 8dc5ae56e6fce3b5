// What is told when servers fail: never "absent", and in time.

import DirectoryTesting
import Foundation
import MailAddress
import MailboxDirectory
import Synchronization
import Testing

@testable import LDAPDirectory

/// Keeps what happened.
final class EventLog: Sendable {
    private let log = Mutex<[LDAPEvent]>([])

    func add(_ event: LDAPEvent) { log.withLock { $0.append(event) } }
    var events: [LDAPEvent] { log.withLock { $0 } }

    var connected: [String] {
        events.compactMap { event in
            if case .connected(let uri) = event { return uri }
            return nil
        }
    }
}

@Suite(.enabled(if: hasSlapd), .serialized) struct FaultTests {
    private let fred: Lookup
    private let nobody: Lookup

    init() throws {
        fred = .entries([try Mailbox("fred@a")])
        nobody = .entries([try Mailbox("nobody@a")])
    }

    private func base() throws -> String {
        try filled(
            try .shared(),
            try records("domain a\nuser fred@a (Fred)\nlist l@a : fred@a x@b\nuser jane@a (Jane)")[0])
    }

    /// Times are such that a machine with ten times the work that it can do does not pass them by itself.
    private func settings(
        _ uris: [String], _ base: String, timeout: Duration = .seconds(20), connecting: Duration = .seconds(20)
    ) -> LDAPSettings {
        var settings = LDAPSettings(uris: uris, base: base, preset: .addressee)
        settings.cache.entries = 0
        settings.timeout = timeout
        settings.connectTimeout = connecting
        return settings
    }

    private func trouble(_ answer: Answer) -> String? {
        if case .couldNotTell(let trouble) = answer { return trouble.reason }
        return nil
    }

    private func isFound(_ answer: Answer) -> Bool {
        if case .entry(.user, _) = answer { return true }
        return false
    }

    private func relay() throws -> ToolChild {
        try ToolChild("relay.py", ["--to", "127.0.0.1:\(try Slapd.shared().port)"])
    }

    @Test func refusedAtOnce() throws {
        let directory = LDAPDirectory(name: "x", settings: settings(["ldap://127.0.0.1:\(try freePort())"], try base()))
        let start = ContinuousClock.now
        let reason = trouble(directory.answer(nobody)) ?? ""
        #expect(reason.contains("check that the server runs"))
        for _ in 0..<50 { #expect(trouble(directory.answer(nobody)) != nil) }
        // No time-out is waited for.
        #expect(ContinuousClock.now - start < .seconds(15))
    }

    /// A server that does not know what is looked for would have nobody: it is not asked.
    @Test func aSchemaThatDoesNotFit() throws {
        let (uri, base) = (try Slapd.shared().uri, try base())
        func said(_ preset: LDAPPreset, _ roles: [LDAPRole: [AttributeName]]) throws -> String {
            var settings = LDAPSettings(
                uris: [uri], base: base, preset: preset, roles: roles,
                domains: [DomainRecord(domain: try Domain("a"))])
            settings.cache.entries = 0
            let directory = LDAPDirectory(name: "x", settings: settings)
            defer { directory.close() }
            let answer = directory.answer(nobody)
            return answer == .absent ? "absent" : trouble(answer) ?? "found"
        }
        let none: [LDAPRole: [AttributeName]] = [.aliasAddress: [], .localPart: []]
        #expect(
            try said(.inetorgperson, none.merging([.address: ["noSuchMail"]]) { $1 })
                .contains("the server's schema has no attribute noSuchMail; choose the preset that fits it"))
        #expect(try said(.postfixbook, [:]).contains("the server's schema has no class PostfixBookMailAccount"))
        // One that is known is enough.
        #expect(try said(.inetorgperson, none.merging([.address: ["noSuchMail", "mail"]]) { $1 }) == "absent")
    }

    @Test func theNextServer() throws {
        let log = EventLog()
        let dead = "ldap://127.0.0.1:\(try freePort())"
        let good = try Slapd.shared().uri
        let directory = LDAPDirectory(
            name: "x", settings: settings([dead, good], try base()), onEvent: { log.add($0) })
        #expect(isFound(directory.answer(fred)))
        #expect(directory.answer(nobody) == .absent)
        #expect(log.connected == [good])
    }

    /// A server that takes connections and is silent: at the deadline nothing is told, and then the next is asked.
    @Test func silent() throws {
        let relay = try relay()
        try relay.tell("hang")
        let alone = LDAPDirectory(name: "x", settings: settings([relay.uri], try base(), timeout: .milliseconds(500)))
        let start = ContinuousClock.now
        #expect(trouble(alone.answer(nobody)) != nil)
        let took = ContinuousClock.now - start
        #expect(took > .milliseconds(450) && took < .seconds(15), "\(took)")
        let both = LDAPDirectory(
            name: "x",
            settings: settings([relay.uri, try Slapd.shared().uri], try base(), connecting: .seconds(1)))
        #expect(isFound(both.answer(fred)))
    }

    /// A server that freezes when it has been good: who waits for it is answered by the next.
    @Test func frozen() throws {
        let relay = try relay()
        let log = EventLog()
        let directory = LDAPDirectory(
            name: "x",
            settings: settings(
                [relay.uri, try Slapd.shared().uri], try base(), timeout: .seconds(20), connecting: .seconds(1)),
            onEvent: { log.add($0) })
        #expect(isFound(directory.answer(fred)))
        try relay.tell("stall 0")
        #expect(isFound(directory.answer(fred)))
        #expect(log.connected == [relay.uri, try Slapd.shared().uri])
        // A new connection, and one of a command, go to the other first.
        let other = LDAPDirectory(
            name: "x", settings: settings([relay.uri, try Slapd.shared().uri], try base()), onEvent: { log.add($0) })
        #expect(directory.answer(nobody) == .absent)
        _ = other.answer(fred)
        #expect(log.connected.last == (try Slapd.shared().uri))
    }

    /// A server that binds, and then has no time for a search, is out of order, has nothing or is silent: who asks is answered
    /// by the next, and so is a command.
    @Test(arguments: ["1", "32", "51", "52", "53", "80"].map { ["--code", $0] } + [["--silent"]])
    func bindsAndAnswersNothing(how: [String]) throws {
        let refuser = try ToolChild("refuser.py", how)
        let good = try Slapd.shared().uri
        let log = EventLog()
        let uris = [refuser.uri, good]
        let settings = settings(uris, try base(), timeout: .seconds(8), connecting: .seconds(4))
        let directory = LDAPDirectory(name: "x", settings: settings, onEvent: { log.add($0) })
        #expect(isFound(directory.answer(fred)))
        #expect(directory.answer(nobody) == .absent)
        #expect(log.connected.last == good)
        for ask in [
            { (view: any RecordReading) in try view.record(.user, at: try Mailbox("fred@a")) != nil },
            { view in
                var count = 0
                try view.forEach(.user, in: nil) { _ in count += 1 }
                return count == 2
            },
        ] {
            // Another one, of which nothing is known yet.
            let other = try ToolChild("refuser.py", how)
            var settings = settings
            settings.uris = [other.uri, good]
            #expect(try LDAPStore(name: "x", settings: settings).read(ask))
        }
    }

    /// Where no server has time it is told once, and is no reason to go round.
    @Test func allAreBusy() throws {
        let one = try ToolChild("refuser.py", ["--code", "51"])
        let other = try ToolChild("refuser.py", ["--code", "52"])
        let directory = LDAPDirectory(name: "x", settings: settings([one.uri, other.uri], try base()))
        for _ in 0..<10 { #expect(trouble(directory.answer(fred))?.contains("overloaded or stopping") == true) }
        // One search for each question but the first, and what is asked when a connection is made.
        try one.tell("")
        try other.tell("")
        let searches = (one.said["searches"] as? Int ?? 0) + (other.said["searches"] as? Int ?? 0)
        #expect(searches < 25, "\(searches) searches for ten questions")
    }

    /// A server that is slow, but alive, is waited for.
    @Test func slowIsNotFrozen() throws {
        let (relay, other) = (try relay(), try relay())
        let log = EventLog()
        var patient = settings([relay.uri, other.uri], try base(), timeout: .seconds(10))
        patient.connectTimeout = .seconds(4)
        let directory = LDAPDirectory(name: "x", settings: patient, onEvent: { log.add($0) })
        #expect(isFound(directory.answer(fred)))
        try relay.tell("delay 2.5")
        #expect(isFound(directory.answer(fred)))
        #expect(log.connected == [relay.uri])
    }

    /// With one server only a frozen one is given up after some time-outs.
    @Test func frozenAlone() throws {
        let relay = try relay()
        let log = EventLog()
        let directory = LDAPDirectory(
            name: "x", settings: settings([relay.uri], try base(), timeout: .milliseconds(400)),
            onEvent: { log.add($0) })
        #expect(isFound(directory.answer(fred)))
        try relay.tell("stall 0")
        for _ in 0..<3 { #expect(trouble(directory.answer(nobody))?.contains("no answer in") == true) }
        _ = directory.answer(nobody)
        #expect(log.events.contains { if case .lost = $0 { true } else { false } })
    }

    /// A server that takes connections and is silent costs one time-out in all, over TLS too.
    @Test(arguments: ["ldap", "starttls", "ldaps"])
    func silentAtTheStart(way: String) throws {
        let relay = try relay()
        try relay.tell("hang")
        let uri = way == "ldaps" ? relay.uri.replacingOccurrences(of: "ldap:", with: "ldaps:") : relay.uri
        var settings = settings([uri], try base(), timeout: .seconds(2), connecting: .seconds(2))
        settings.tls.startTLS = way == "starttls"
        let start = ContinuousClock.now
        #expect(throws: LDAPFailure.self) { try LDAPHandle(uri: uri, settings: settings) }
        let took = ContinuousClock.now - start
        #expect(took > .milliseconds(1900) && took < .seconds(5), "\(took)")
        // The next command asks another first.
        #expect(ServerMemory.shared.order(of: [uri, "ldap://other"]) == [1, 0])
    }

    /// An answer that stops in its middle holds up neither its deadline nor the end of the source.
    @Test(arguments: [1, 7, 30, 200])
    func stalledInTheMiddle(octets: Int) throws {
        let relay = try relay()
        let directory = LDAPDirectory(
            name: "x", settings: settings([relay.uri], try base(), timeout: .seconds(2)))
        #expect(isFound(directory.answer(fred)))
        try relay.tell("stall \(octets)")
        let start = ContinuousClock.now
        #expect(trouble(directory.answer(fred)) != nil)
        directory.close()
        #expect(ContinuousClock.now - start < .seconds(15))
    }

    /// What was under way is asked again, once.
    @Test(arguments: ["cut 0", "cut 20", "close 0", "close 40"])
    func askedAgain(fault: String) throws {
        let relay = try relay()
        let directory = LDAPDirectory(name: "x", settings: settings([relay.uri], try base()))
        #expect(isFound(directory.answer(fred)))
        try relay.tell(fault + " 1")
        #expect(isFound(directory.answer(fred)))
        #expect(directory.answer(nobody) == .absent)
        try relay.tell("drop")
        #expect(isFound(directory.answer(fred)))
        try relay.tell(fault)
        #expect(trouble(directory.answer(fred)) != nil)
        #expect(trouble(directory.answer(fred)) != nil)
        try relay.tell("heal")
        // The back-off is short.
        let end = ContinuousClock.now + .seconds(20)
        var answer = directory.answer(fred)
        while trouble(answer) != nil, ContinuousClock.now < end {
            usleep(50_000)
            answer = directory.answer(fred)
        }
        #expect(isFound(answer))
    }

    @Test func slow() throws {
        let relay = try relay()
        try relay.tell("delay 0.2")
        let directory = LDAPDirectory(name: "x", settings: settings([relay.uri], try base()))
        #expect(isFound(directory.answer(fred)))
        try relay.tell("delay 1.5")
        let short = settings([relay.uri], try base(), timeout: .milliseconds(300))
        #expect(trouble(LDAPDirectory(name: "x", settings: short).answer(nobody)) != nil)
    }

    /// Refusals by the server, each with what to do.
    @Test func refusals() throws {
        let slapd = try Slapd.shared()
        func reason(_ change: (inout LDAPSettings) throws -> Void) throws -> String {
            var settings = settings([slapd.uri], try base())
            try change(&settings)
            return trouble(LDAPDirectory(name: "x", settings: settings).answer(nobody)) ?? "told"
        }
        #expect(try reason { $0.base = "ou=nowhere,\(Slapd.suffix)" }.contains("check the base"))
        #expect(try reason { $0.base = "o=elsewhere" } != "told")
        #expect(try reason { $0.base = "no name" }.contains("correct it"))
        setenv("ADDRESSEE_WRONG_PASSWORD", "open sesame", 1)
        let wrong = try reason {
            $0.bind = .simple(
                dn: Slapd.rootDN, password: .environment("ADDRESSEE_WRONG_PASSWORD"), isClearTextAllowed: true)
        }
        #expect(wrong.contains("check the bind DN"))
        #expect(!wrong.contains("sesame"))
        #expect(
            try reason {
                $0.bind = .simple(
                    dn: Slapd.rootDN, password: .environment("NO_SUCH_VARIABLE"), isClearTextAllowed: true)
            }
            .contains("NO_SUCH_VARIABLE is not set"))
        #expect(
            try reason {
                $0.bind = .simple(dn: Slapd.rootDN, password: .file("/no/such/file"), isClearTextAllowed: true)
            }
            .contains("/no/such/file"))
        #expect(
            try reason { $0.bind = .simple(dn: Slapd.rootDN, password: .environment("ADDRESSEE_WRONG_PASSWORD")) }
                .contains("in the clear"))
        #expect(try reason { $0.uris = [] }.contains("name one at least"))
        #expect(try reason { $0.uris = ["http://x"] }.contains("no LDAP URI"))
        #expect(try reason { $0.tls.startTLS = true } != "told")
    }

    @Test func manyAtOnce() throws {
        let directory = LDAPDirectory(
            name: "x", settings: settings([try Slapd.shared().uri], try base(), timeout: .seconds(60)))
        let count = 2000
        let answers = Mutex<[Bool]>([])
        for _ in 0..<count {
            let now = directory.ask(fred) { answer in
                var isUser = false
                if case .entry(.user, _) = answer { isUser = true }
                answers.withLock { $0.append(isUser) }
            }
            #expect(now == nil)
        }
        let end = ContinuousClock.now + .seconds(60)
        while answers.withLock({ $0.count }) < count, ContinuousClock.now < end { usleep(5000) }
        #expect(answers.withLock { $0 } == Array(repeating: true, count: count))
    }

    @Test func fullQueueAndClosing() throws {
        let relay = try relay()
        let directory = LDAPDirectory(name: "x", settings: settings([relay.uri], try base(), timeout: .seconds(30)))
        #expect(isFound(directory.answer(fred)))
        try relay.tell("stall 0")
        let answers = Mutex<[Answer]>([])
        var refused: [Answer] = []
        for _ in 0..<(LDAPLimits.queue + 10) {
            if let answer = directory.ask(fred, later: { answer in answers.withLock { $0.append(answer) } }) {
                refused.append(answer)
            }
        }
        #expect(refused.count == 10)
        #expect(refused.allSatisfy { trouble($0)?.contains("too slow") == true })
        directory.close()
        let all = answers.withLock { $0 }
        #expect(all.count == LDAPLimits.queue)
        #expect(all.allSatisfy { trouble($0)?.contains("closed") == true })
        #expect(trouble(directory.answer(fred))?.contains("closed") == true)
    }

    /// No thread and no descriptor is left.
    @Test func nothingIsLeft() throws {
        func count(_ folder: String) -> Int {
            (try? FileManager.default.contentsOfDirectory(atPath: folder).count) ?? 0
        }
        let uri = try Slapd.shared().uri
        let base = try base()
        let before = (count("/proc/self/fd"), count("/proc/self/task"))
        for number in 0..<60 {
            let directory = LDAPDirectory(name: "x", settings: settings([uri], base))
            #expect(isFound(directory.answer(fred)))
            if number.isMultiple(of: 2) { directory.close() }
        }
        let end = ContinuousClock.now + .seconds(20)
        while count("/proc/self/task") >= before.1 + 40, ContinuousClock.now < end { usleep(20_000) }
        // Other tests run beside this one, and have some of their own.
        #expect(count("/proc/self/fd") < before.0 + 40)
        #expect(count("/proc/self/task") < before.1 + 40)
    }

    /// That nobody was there is told for a while, but not while the server can't be asked.
    @Test func remembersAbsence() throws {
        let relay = try relay()
        var settings = settings([relay.uri], try base())
        settings.cache = LDAPCacheSettings(entries: 10, positive: .seconds(60), negative: .seconds(60), stale: .zero)
        let directory = LDAPDirectory(name: "x", settings: settings)
        #expect(directory.answer(nobody) == .absent)
        #expect(isFound(directory.answer(fred)))
        #expect(directory.ask(nobody, later: { _ in }) == .absent)
        #expect(directory.version() != nil)
        try relay.tell("refuse")
        #expect(trouble(directory.answer(.entries([try Mailbox("jane@a")]))) != nil)
        #expect(trouble(directory.answer(nobody)) != nil)
        #expect(isFound(directory.answer(fred)))
        #expect(directory.version() == nil)
        try relay.tell("heal")
        let deadline = MonotonicTime.now() + 20_000_000_000
        while directory.answer(nobody) != .absent, MonotonicTime.now() < deadline { usleep(50_000) }
        #expect(directory.ask(nobody, later: { _ in }) == .absent)
        #expect(directory.version() != nil)
    }

    /// During an outage what was found is told for a while, and what was absent is not.
    @Test func stale() throws {
        let relay = try relay()
        let log = EventLog()
        var settings = settings([relay.uri], try base())
        settings.cache = LDAPCacheSettings(entries: 10, positive: .zero, negative: .zero, stale: .seconds(60))
        let directory = LDAPDirectory(name: "x", settings: settings, onEvent: { log.add($0) })
        #expect(isFound(directory.answer(fred)))
        #expect(directory.answer(nobody) == .absent)
        try relay.tell("refuse")
        guard case .stale(let known, let age) = directory.answer(fred) else {
            Issue.record("what was found is not told")
            return
        }
        #expect(isFound(known) && age < .seconds(60))
        #expect(trouble(directory.answer(nobody)) != nil)
        #expect(directory.version() == nil)
        let isTold = log.events.contains { event in
            if case .servedStale(_, let reason) = event { return !reason.isEmpty }
            return false
        }
        #expect(isTold)
        directory.forgetAll()
        #expect(trouble(directory.answer(fred)) != nil)
    }
}
