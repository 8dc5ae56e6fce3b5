// Binds with a wrong password are few, for a directory counts them; and what a server says of a refused one.

import CLDAP
import DirectoryTesting
import Foundation
import MailAddress
import MailboxDirectory
import Synchronization
import Testing

@testable import LDAPDirectory

@Suite struct AccountTests {
    private static let second: Nanoseconds = 1_000_000_000
    private static let refused = LDAPFailure.result(
        LDAP_INVALID_CREDENTIALS, said: "", uri: "ldap://x", base: "")

    /// What an attempt came to: nil when it was bound, else the kind of failure.
    private func attempt(
        _ account: BindAccount, _ digest: Int, at time: Nanoseconds, _ binds: inout Int, _ result: LDAPFailure?
    ) -> LDAPFailure.Kind? {
        var count = 0
        defer { binds += count }
        do throws(LDAPFailure) {
            let attempt = { () -> LDAPFailure? in
                count += 1
                return result
            }
            try account.bind(digest, now: { time }, attempt)
            return nil
        } catch {
            return error.kind
        }
    }

    @Test func onceAMinute() {
        let account = BindAccount()
        var binds = 0
        #expect(attempt(account, 1, at: 0, &binds, Self.refused) == .result(LDAP_INVALID_CREDENTIALS))
        for time in [0, 1, 30, 59] {
            #expect(attempt(account, 1, at: Int64(time) * Self.second, &binds, Self.refused) == .bindPaused)
        }
        #expect(binds == 1)
        #expect(attempt(account, 1, at: 60 * Self.second, &binds, Self.refused) == .result(LDAP_INVALID_CREDENTIALS))
        #expect(attempt(account, 1, at: 61 * Self.second, &binds, nil) == .bindPaused)
        #expect(binds == 2)
        // Another password is tried at once, and a good one ends it.
        #expect(attempt(account, 2, at: 61 * Self.second, &binds, nil) == nil)
        #expect(attempt(account, 2, at: 62 * Self.second, &binds, nil) == nil)
        #expect(binds == 4)
    }

    /// Whatever else keeps a bind from being done says nothing of the password.
    @Test func otherFailures() {
        let account = BindAccount()
        var binds = 0
        for code in [LDAP_SERVER_DOWN, LDAP_TIMEOUT, LDAP_BUSY, LDAP_UNWILLING_TO_PERFORM] {
            let failure = LDAPFailure.result(code, said: "", uri: "ldap://x", base: "")
            #expect(attempt(account, 1, at: 0, &binds, failure) == .result(code))
        }
        #expect(binds == 4)
    }

    /// Those who come while a bind is under way wait for what comes of it.
    @Test func manyAtOnce() {
        let account = BindAccount()
        let binds = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 20) { _ in
            try? account.bind(1) {
                binds.withLock { $0 += 1 }
                usleep(1000)
                return Self.refused
            }
        }
        #expect(binds.withLock { $0 } == 1)
    }

    /// The first line of a file, whatever ends it; all of a variable.
    @Test(arguments: [
        ("secret", "secret"), ("secret\n", "secret"), ("secret\r\n", "secret"), ("secret\nmore\n", "secret"), ("", ""),
        ("\n", ""), (" a b \n", " a b "), ("é\n", "é"),
        (String(repeating: "x", count: 4096), String(repeating: "x", count: 4096)),
    ])
    func passwords(text: String, password: String) throws {
        let file = try Scratch.path("password")
        try Data(text.utf8).write(to: file)
        #expect(try LDAPPassword.file(file.path).read() == Array(password.utf8))
        let name = "ADDRESSEE_TEST_\(UUID().uuidString.filter { $0 != "-" })"
        #expect(throws: LDAPFailure.self) { try LDAPPassword.environment(name).read() }
        setenv(name, text, 1)
        defer { unsetenv(name) }
        #expect(try LDAPPassword.environment(name).read() == Array(text.utf8))
    }

    /// Before anything is sent: no password in the clear, unless that is allowed, and none that is empty, by which a
    /// server would take the bind for one without a name.
    @Test(arguments: [
        ("ldap://127.0.0.1:9", false, false, "would go in the clear"), ("LDAP://[::1]:9", false, false, "in the clear"),
        ("ldap://127.0.0.1:9", true, false, "is empty"), ("ldap://127.0.0.1:9", false, true, "is empty"),
        ("ldaps://127.0.0.1:9", false, false, "is empty"), ("LDAPS://127.0.0.1:9", false, false, "is empty"),
        ("ldapi://%2Fno%2Fsocket", false, false, "is empty"),
    ])
    func whatIsNotSent(uri: String, startTLS: Bool, isAllowed: Bool, words: String) throws {
        let file = try Scratch.path("password")
        try Data("\n".utf8).write(to: file)
        var settings = LDAPSettings(uris: [uri], base: "o=x", preset: .ad)
        settings.tls.startTLS = startTLS
        settings.bind = .simple(dn: "cn=reader", password: .file(file.path), isClearTextAllowed: isAllowed)
        let error = #expect(throws: LDAPFailure.self) { try LDAPHandle(uri: uri, settings: settings) }
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }

    @Test func noPassword() throws {
        #expect(throws: LDAPFailure.self) { try LDAPPassword.file("/no/such/file").read() }
        #expect(throws: LDAPFailure.self) { try LDAPPassword.file("/").read() }
    }

    /// Sources that share a server share the account; the same name elsewhere is another.
    @Test func shared() {
        func settings(_ uris: [String], _ dn: String = "cn=a", _ variable: String = "A") -> LDAPSettings {
            var settings = LDAPSettings(uris: uris, base: "", preset: .ad)
            settings.bind = .simple(dn: dn, password: .environment(variable))
            return settings
        }
        let account = BindAccount.of(settings(["ldap://account1", "ldap://account2"]))
        #expect(account === BindAccount.of(settings(["ldap://account2", "ldap://account3"])))
        #expect(account === BindAccount.of(settings(["ldap://account3"])))
        #expect(account !== BindAccount.of(settings(["ldap://account4"])))
        #expect(account !== BindAccount.of(settings(["ldap://account1"], "cn=b")))
        #expect(account !== BindAccount.of(settings(["ldap://account1"], "cn=a", "B")))
        var anonymous = settings(["ldap://account1"])
        anonymous.bind = .anonymous
        #expect(BindAccount.of(anonymous) == nil)
    }

    @Test(arguments: [
        ("52e", "the password is wrong"), ("525", "no such account"), ("530", "at this time"), ("531", "from here"),
        ("532", "has expired"), ("533", "is disabled"), ("701", "account has expired"),
        ("773", "another password first"),
        ("775", "is locked"), ("0", "check the bind DN"), ("57", "check the bind DN"), ("", "check the bind DN"),
        ("0000052E", "the password is wrong"),
    ])
    func activeDirectory(code: String, words: String) {
        let said = "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data \(code), v2580"
        let failure = LDAPFailure.result(LDAP_INVALID_CREDENTIALS, said: said, uri: "ldap://x", base: "")
        #expect(failure.description.contains(words), "\(failure)")
        #expect(failure.description.contains("Invalid credentials"))
        // Of other failures the number says nothing.
        let other = LDAPFailure.result(LDAP_BUSY, said: said, uri: "ldap://x", base: "")
        #expect(!other.description.contains("password") && !other.description.contains("account"))
    }
}

/// A wrong password at real servers.
@Suite(.enabled(if: hasSlapd)) struct WrongPasswordTests {
    /// The server that questions go to, the examination at the start, and a command's session bind once in all.
    @Test func oneBindInAll() throws {
        let slapd = try Slapd(database: "")
        let relay = try ToolChild("relay.py", ["--to", "127.0.0.1:\(slapd.port)"])
        let folder = FileManager.default.temporaryDirectory.appending(path: "addressee-bind-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "password")
        try "wrong\n".write(to: file, atomically: true, encoding: .utf8)
        var settings = LDAPSettings(
            uris: [relay.uri, slapd.uri], base: try filled(slapd, try records("domain a\nuser fred@a")[0]),
            preset: .addressee)
        settings.bind = .simple(dn: Slapd.rootDN, password: .file(file.path), isClearTextAllowed: true)
        settings.cache.entries = 0
        let log = EventLog()
        let directory = LDAPDirectory(name: "x", settings: settings, onEvent: { log.add($0) })
        defer { directory.close() }
        let fred = Lookup.entries([try Mailbox("fred@a")])
        let start = ContinuousClock.now
        while ContinuousClock.now - start < .milliseconds(600) {
            guard case .couldNotTell(let trouble) = directory.answer(fred) else {
                Issue.record("an answer without a bind")
                return
            }
            #expect(trouble.reason.contains("Invalid credentials"))
            usleep(10_000)
        }
        let findings = LDAPCheck(name: "x", settings: settings).findings()
        #expect(
            findings.contains { $0.severity == .error && $0.cause == .configuration && $0.text.contains("bind failed") }
        )
        let session = LDAPStore(name: "x", settings: settings)
        #expect(throws: StoreError.self) { try session.read { _ = try $0.record(.user, at: try Mailbox("fred@a")) } }
        // One connection was opened to bind, and two to examine; none binds but the first, and it is told once.
        let failed = log.events.filter { if case .failed = $0 { true } else { false } }
        #expect(failed.count == 1, "\(failed)")
        try "\(Slapd.password)\n".write(to: file, atomically: true, encoding: .utf8)
        let end = ContinuousClock.now + .seconds(20)
        var answer = directory.answer(fred)
        while ContinuousClock.now < end {
            if case .entry = answer { break }
            usleep(50_000)
            answer = directory.answer(fred)
        }
        guard case .entry = answer else {
            Issue.record("the new password is not tried: \(answer)")
            return
        }
        try relay.tell("status")
    }
}
