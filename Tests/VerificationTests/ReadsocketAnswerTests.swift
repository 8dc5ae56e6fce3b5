// What Exim is told: "no" only where SMTP would refuse for good, and "defer" whenever the directory could not tell.

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
    alias info@a fred@a
    forward out@a t@elsewhere
    moved old@a to=t@elsewhere
    moved lost@a
    alias loop1@a loop2@a
    alias loop2@a loop1@a
    list staff@a : fred@a sam1@a
    """

struct ReadsocketAnswerTests {
    static func answer(
        _ word: String, _ key: String, in text: String = directory, _ disclosure: Disclosure = .full,
        limits: ExpansionLimits = ExpansionLimits(), tamper: Tamper? = nil
    ) throws -> String {
        let client = ClientClass(name: "test", networks: [], disclosure: disclosure, isTrusted: disclosure == .full)
        let row = ResolveRow("", text, "", "")
        let answer = try row.withSources(from: MapTests.empty, tamper: tamper) { sources -> ReadsocketAnswer in
            let context = Inquiry.Context(
                sources: sources.map(\.name), defaultDomain: ResolveRow.defaultDomain, limits: limits)
            switch ReadsocketQuestion(ReadsocketRequest(word: Array(word.utf8), key: Array(key.utf8))) {
            case .decided(let answer): return answer
            case .query(let query):
                let inquiry = Inquiry(query, by: client)
                return inquiry.answer(from: sources, in: context).readsocketAnswer(on: query.wire)
            case .map(let request):
                let inquiry = MapInquiry(request, by: client)
                return inquiry.answer(from: sources, in: context).readsocketAnswer
            }
        }
        return String(decoding: ReadsocketWire.reply(answer), as: UTF8.self)
    }

    @Test(arguments: [
        ("rcpt", "fred@a", "ok 250 2.1.5 OK"), ("rcpt", "FRED+x@a", "ok 250 2.1.5 OK"),
        ("rcpt", "any@r", "ok 250 2.1.5 OK"), ("rcpt", "staff@a", "ok 250 2.1.5 OK"),
        ("rcpt", "out@a", "ok 251 2.1.5 User not local; will forward to <t@elsewhere>"),
        ("rcpt", "postmaster@a", "ok 250 2.1.5 OK"), ("rcpt", "postmaster", "ok 250 2.1.5 OK"),
        ("rcpt", "nobody@a", "no 550 5.1.1 No such user here"), ("rcpt", "a b@a", "no 550 5.1.1 No such user here"),
        ("rcpt", "old@a", "no 551 5.1.6 User not local; please try <t@elsewhere>"),
        ("rcpt", "lost@a", "no 550 5.1.6 User has moved"), ("rcpt", "off@a", "no 550 5.2.1 Mailbox disabled"),
        ("rcpt", "away@a", "defer 450 4.2.1 Mailbox suspended, try again later"),
        ("rcpt", "big@a", "defer 452 4.2.2 Mailbox full"),
        ("rcpt", "loop1@a", "defer 451 4.4.6 Forwarding goes in a loop or too far, try again later"),
        ("rcpt", "fred@elsewhere", "elsewhere 550 5.7.1 Relaying denied: not a domain of this server"),
        ("vrfy", "Fred", "ok 250 2.1.5 Fred Claude <fred@a>"), ("vrfy", "big@a", "ok 250 2.1.5 <big@a>"),
        ("vrfy", "any@r", "ok 252 2.1.5 Cannot VRFY user, but will accept message and attempt delivery"),
        ("vrfy", "nobody", "no 550 5.1.1 String does not match anything"),
        ("vrfy", "sam", "no 553 5.1.4 User ambiguous"),
        ("vrfy", "fred@elsewhere", "elsewhere 550 5.1.2 Not a domain of this server"),
        ("mailboxes", "info@a", "ok fred@a"), ("mailboxes", "nobody@a", "no"), ("mailboxes", "", "no"),
        ("mailboxes", "big@a", "defer 4.2.2 Mailbox full"), ("aliases", "staff@a", "ok fred@a, sam1@a"),
        ("domains", "a", "ok a"), ("domains", "elsewhere", "no"), ("relocated", "old@a", "ok t@elsewhere"),
    ])
    func answer(word: String, key: String, expected: String) throws {
        #expect(try Self.answer(word, key) == expected)
    }

    /// What is no question is not "no".
    @Test(arguments: ["RCPT", "nomap", "expn", "", "get"])
    func noSuchWord(word: String) throws {
        #expect(try Self.answer(word, "fred@a").hasPrefix("defer 5.5.4 No such word; there are rcpt, vrfy, domains, "))
    }

    /// What can be nobody's address is refused as SMTP refuses it.
    @Test(arguments: ["", "fred", "@a", "a@", String(repeating: "x", count: 256) + "@a"])
    func malformed(address: String) throws {
        #expect(try Self.answer("rcpt", address).hasPrefix("no 501 5.1.3 "))
    }

    @Test func disclosure() throws {
        #expect(try Self.answer("rcpt", "old@a", .least) == "no 550 5.1.6 User has moved")
        #expect(try Self.answer("vrfy", "nobody@a", .least).hasPrefix("ok 252 2.7.0 "))
        #expect(try Self.answer("aliases", "info@a", .least).hasPrefix("defer 5.7.1 The map is closed to you"))
    }

    /// In every directory and for every address that stores are held to, and when any of its lookups fails.
    @Test(arguments: resolveTable)
    func sameAsRCPT(_ row: ResolveRow) throws {
        guard let (mailbox, reply, lookups) = try Asking.rcpt(row) else { return }
        let word =
            reply.hasPrefix("550 5.7.1") ? "elsewhere" : ["2": "ok", "4": "defer", "5": "no"][reply.prefix(1)] ?? ""
        let answer = try Self.answer("rcpt", mailbox.description, in: row.directory, limits: row.limits)
        #expect(answer == "\(word) \(reply)")
        for failing in 0..<lookups {
            let failure: Tamper = { number, _, answer in
                number == failing ? .couldNotTell(Trouble(source: "memory", reason: "gone")) : answer
            }
            let answer = try Self.answer(
                "rcpt", mailbox.description, in: row.directory, limits: row.limits, tamper: failure)
            #expect(answer == "defer 451 4.4.3 The directory could not tell, try again later")
        }
    }
}
