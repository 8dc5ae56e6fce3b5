// What a mail server is to do about a recipient, asked by the milter protocol: what SMTP refuses, in its words, and nothing
// else.

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
    user "a b"@a (A B)
    user off@a status=disabled
    user away@a status=suspended
    user big@a status=full
    forward out@a t@elsewhere
    moved old@a to=t@elsewhere
    moved lost@a
    moved uni@a to=ü@elsewhere
    alias loop1@a loop2@a
    alias loop2@a loop1@a
    list staff@a : fred@a
    """

private let long = String(repeating: "x", count: 256)

struct MilterAnswerTests {
    static func answer(
        _ path: String, in text: String = directory, _ disclosure: Disclosure = .full, utf8: Bool = false,
        limits: ExpansionLimits = ExpansionLimits(), tamper: Tamper? = nil, address: String? = nil
    ) throws -> MilterAnswer {
        let recipient = MilterRecipient(
            path: Array(path.utf8), address: address.map { Array($0.utf8) }, client: .unknown, utf8: utf8)
        let client = ClientClass(name: "test", networks: [], disclosure: disclosure)
        let row = ResolveRow("", text, "", "")
        return try row.withSources(from: MapTests.empty, tamper: tamper) { sources in
            let context = Inquiry.Context(
                sources: sources.map(\.name), defaultDomain: ResolveRow.defaultDomain, limits: limits)
            guard let query = Query(recipient) else {
                guard let inquiry = MapInquiry(malformed: recipient) else { return .proceed }
                return inquiry.answer(from: sources, in: context).milterAnswerOnMalformed
            }
            let inquiry = Inquiry(query, by: client)
            return inquiry.answer(from: sources, in: context).milterAnswer
        }
    }

    @Test(arguments: [
        ("<fred@a>", ""), ("<FRED+x@a>", ""), ("fred@a", ""), ("<any@r>", ""), ("<staff@a>", ""), ("<out@a>", ""),
        ("<postmaster@a>", ""), ("<postmaster>", ""), ("Postmaster", ""), ("<\"postmaster\">", ""),
        ("<\"a b\"@a>", ""), ("<a b@a>", ""), ("<@x.example,@y.example:fred@a>", ""), ("<\"fred\"@a>", ""),
        ("<nobody@elsewhere>", ""), ("<nobody@[192.0.2.1]>", ""),
        // For the mail server to say.
        ("<fred>", ""), ("<nobody>", ""), ("", ""), ("<>", ""), ("<", ""), (">", ""), ("<@a>", ""), ("<nobody@>", ""),
        ("<nobody@a", ""), ("<@x.example:nobody@a", ""),
        ("<@x_y:fred@a>", ""), ("@x_y:fred@a", ""), ("<<nobody@a>>", ""),
        ("<nobody@a>", "550 5.1.1 No such user here"), ("nobody@a", "550 5.1.1 No such user here"),
        ("<@x.example:nobody@a>", "550 5.1.1 No such user here"), ("<\"no body\"@a>", "550 5.1.1 No such user here"),
        ("<nobody@a.>", "550 5.1.1 No such user here"), ("<fred@a.>", ""),
        // Who is meant only the mail server can tell.
        ("<no body@a>", ""), ("<fred @a>", ""), ("< fred@a>", ""), ("<fred(c)@a>", ""), ("<fr\\ed@a>", ""),
        ("<a!nobody>", ""),
        // No mailbox of anybody; in other domains it may be one.
        ("<\(long)@a>", "550 5.1.1 No such user here"), ("\(long)@a", "550 5.1.1 No such user here"),
        ("<\(long)@r>", ""), ("<\(long)@elsewhere>", ""), ("<\"x@a>", ""),
        ("<old@a>", "551 5.1.6 User not local; please try <t@elsewhere>"),
        ("<lost@a>", "550 5.1.6 User has moved"), ("<uni@a>", "550 5.1.6 User has moved"),
        ("<off@a>", "550 5.2.1 Mailbox disabled"),
        ("<away@a>", "450 4.2.1 Mailbox suspended, try again later"), ("<big@a>", "452 4.2.2 Mailbox full"),
        ("<loop1@a>", "451 4.4.6 Forwarding goes in a loop or too far, try again later"),
    ])
    func answer(path: String, expected: String) throws {
        #expect(try Self.answer(path) == (expected.isEmpty ? .proceed : .reply(Array(expected.utf8))))
    }

    /// What the mail server has read is judged, whatever the path looks like.
    @Test(arguments: [
        ("<fred @a>", "fred@a", ""), ("<a!nobody>", "nobody@a", "550 5.1.1 No such user here"),
        ("<nobody%a@x.example>", "nobody@a", "550 5.1.1 No such user here"), ("<fred@a>", "fred@elsewhere", ""),
        ("<Nobody <nobody@a>>", "nobody@a.", "550 5.1.1 No such user here"), ("<\"a b\"@a>", "a b@a", ""),
        ("<no body@a>", "no body@a", "550 5.1.1 No such user here"),
        ("<x>", "\(long)@a", "550 5.1.1 No such user here"),
        ("<x>", "\(long)@a.", "550 5.1.1 No such user here"), ("<x>", "\(long)@elsewhere", ""),
        // Without a domain it is no better than the path.
        ("<nobody@a>", "nobody", "550 5.1.1 No such user here"), ("<nobody@a>", "", "550 5.1.1 No such user here"),
        ("<postmaster>", "postmaster@a", ""), ("<fred>", "nobody", ""), ("<fred@a>", "@a", ""),
    ])
    func readAddress(path: String, address: String, expected: String) throws {
        let found = try Self.answer(path, address: address)
        #expect(found == (expected.isEmpty ? .proceed : .reply(Array(expected.utf8))))
    }

    /// Whoever may not learn where somebody has gone learns only that he has.
    @Test func disclosure() throws {
        #expect(try Self.answer("<old@a>", .least) == .reply(Array("550 5.1.6 User has moved".utf8)))
        #expect(
            try Self.answer("<uni@a>", utf8: true)
                == .reply(Array("551 5.1.6 User not local; please try <ü@elsewhere>".utf8)))
    }

    @Test(arguments: [
        (MilterClient.internet(Array("192.0.2.1".utf8)), "192.0.2.1"),
        (.internet(Array("2001:db8::1".utf8)), "2001:db8::1"), (.internet(Array("::ffff:192.0.2.1".utf8)), "192.0.2.1"),
        (.internet(Array("fe80::1%eth0".utf8)), "fe80::1"), (.local, "unix"),
        // Nobody's friend.
        (.unknown, "::"), (.internet([]), "::"), (.internet(Array("unix".utf8)), "::"),
        (.internet([0xFF, 0xFE]), "::"),
        (.internet(Array("localhost".utf8)), "::"),
    ])
    func clients(client: MilterClient, address: String) {
        #expect(ClientAddress(client).description == address)
    }

    /// In every directory and for every address that stores are held to, and when any of its lookups fails.
    @Test(arguments: resolveTable)
    func sameAsRCPT(_ row: ResolveRow) throws {
        guard let (mailbox, reply, lookups) = try Asking.rcpt(row) else { return }
        let answer = try Self.answer("<\(mailbox)>", in: row.directory, limits: row.limits)
        let isLeft = reply.hasPrefix("2") || reply.hasPrefix("550 5.7.1")
        #expect(answer == (isLeft ? .proceed : .reply(Array(reply.utf8))))
        for failing in 0..<lookups {
            let failure: Tamper = { number, _, answer in
                number == failing ? .couldNotTell(Trouble(source: "memory", reason: "gone")) : answer
            }
            let answer = try Self.answer("<\(mailbox)>", in: row.directory, limits: row.limits, tamper: failure)
            #expect(answer == .reply(Array("451 4.4.3 The directory could not tell, try again later".utf8)))
        }
    }
}
