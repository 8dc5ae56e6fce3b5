// What a mail server is to do about a recipient: never to take it where SMTP would refuse it, nor the other way about.

import DirectoryTesting
import LookupProtocols
import MailAddress
import MailboxDirectory
import SMTPProtocol
import Testing
import Verification

private let directory = """
    domain a
    domain r relay
    user fred@a (Fred Claude)
    user sam1@a (Sam One)
    user sam2@a (Sam Two)
    user off@a status=disabled
    user away@a status=suspended
    user big@a status=full
    forward out@a t@elsewhere
    moved old@a to=t@elsewhere
    moved lost@a
    alias loop1@a loop2@a
    alias loop2@a loop1@a
    list staff@a : fred@a
    """

struct PolicyActionTests {
    static func action(
        _ state: String, _ recipient: String, in text: String = directory, _ disclosure: Disclosure = .full,
        limits: ExpansionLimits = ExpansionLimits(), tamper: Tamper? = nil
    ) throws -> PolicyAction {
        let request = PolicyRequest(state: .init(Array(state.utf8)), recipient: Array(recipient.utf8))
        guard let query = Query(request) else { return .dunno }
        let client = ClientClass(name: "test", networks: [], disclosure: disclosure)
        let row = ResolveRow("", text, "", "")
        return try row.withSources(from: MapTests.empty, tamper: tamper) { sources in
            let context = Inquiry.Context(
                sources: sources.map(\.name), defaultDomain: ResolveRow.defaultDomain, limits: limits)
            let inquiry = Inquiry(query, by: client)
            return inquiry.answer(from: sources, in: context).policyAction(on: query.wire)
        }
    }

    @Test(arguments: [
        ("RCPT", "fred@a", ""), ("RCPT", "FRED+x@a", ""), ("RCPT", "any@r", ""), ("RCPT", "staff@a", ""),
        ("RCPT", "out@a", ""), ("RCPT", "postmaster@a", ""), ("RCPT", "postmaster", ""), ("RCPT", "Postmaster", ""),
        ("RCPT", "nobody@elsewhere", ""), ("RCPT", "fred", ""), ("RCPT", "", ""), ("RCPT", "@a", ""),
        ("RCPT", "nobody@a", "550 5.1.1 No such user here"), ("RCPT", "a b@a", "550 5.1.1 No such user here"),
        ("RCPT", "old@a", "551 5.1.6 User not local; please try <t@elsewhere>"),
        ("RCPT", "lost@a", "550 5.1.6 User has moved"), ("RCPT", "off@a", "550 5.2.1 Mailbox disabled"),
        ("RCPT", "away@a", "450 4.2.1 Mailbox suspended, try again later"),
        ("RCPT", "big@a", "452 4.2.2 Mailbox full"),
        ("RCPT", "loop1@a", "451 4.4.6 Forwarding goes in a loop or too far, try again later"),
        ("VRFY", "fred@a", ""), ("VRFY", "Fred", ""), ("VRFY", "big@a", ""), ("VRFY", "postmaster", ""),
        ("VRFY", "nobody", "550 5.1.1 String does not match anything"), ("VRFY", "sam", "553 5.1.4 User ambiguous"),
        ("VRFY", "old@a", "551 5.1.6 User not local; please try <t@elsewhere>"),
        ("MAIL", "nobody@a", ""), ("CONNECT", "", ""), ("DATA", "nobody@a", ""), ("END-OF-MESSAGE", "nobody@a", ""),
        ("rcpt", "nobody@a", ""), ("", "nobody@a", ""),
    ])
    func action(state: String, recipient: String, expected: String) throws {
        #expect(try Self.action(state, recipient) == (expected.isEmpty ? .dunno : .reply(Array(expected.utf8))))
    }

    /// Whoever may not learn where somebody has gone learns only that he has.
    @Test func disclosure() throws {
        #expect(try Self.action("RCPT", "old@a", .least) == .reply(Array("550 5.1.6 User has moved".utf8)))
        #expect(try Self.action("VRFY", "nobody@a", .least) == .dunno)
    }

    /// Whoever asks for another is told what both may know.
    @Test func limited() {
        let middle = Disclosure(vrfy: .existence, expn: .full, rcpt: .existence)
        #expect(Disclosure.full.limited(to: .full) == .full)
        #expect(Disclosure.full.limited(to: .least) == .least)
        #expect(Disclosure.least.limited(to: .full) == .least)
        #expect(Disclosure.full.limited(to: middle) == middle)
        #expect(middle.limited(to: .full) == middle)
        #expect(middle.limited(to: .least) == .least)
    }

    /// In every directory and for every address that stores are held to, and when any of its lookups fails.
    @Test(arguments: resolveTable)
    func sameAsRCPT(_ row: ResolveRow) throws {
        guard let (mailbox, reply, lookups) = try Asking.rcpt(row) else { return }
        let action = try Self.action("RCPT", mailbox.description, in: row.directory, limits: row.limits)
        let isLeft = reply.hasPrefix("2") || reply.hasPrefix("550 5.7.1")
        #expect(action == (isLeft ? .dunno : .reply(Array(reply.utf8))))
        for failing in 0..<lookups {
            let failure: Tamper = { number, _, answer in
                number == failing ? .couldNotTell(Trouble(source: "memory", reason: "gone")) : answer
            }
            let action = try Self.action(
                "RCPT", mailbox.description, in: row.directory, limits: row.limits, tamper: failure)
            #expect(action == .reply(Array("451 4.4.3 The directory could not tell, try again later".utf8)))
        }
    }
}
