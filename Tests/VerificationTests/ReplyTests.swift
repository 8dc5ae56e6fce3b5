// Every row of the table of verdicts and replies, to the letter, on every wire and for every client.

import DirectoryTesting
import MailboxDirectory
import SMTPProtocol
import Testing
import Verification

private let directory = """
    domain a
    domain b
    domain r relay
    domain d alias-of=a
    user fred@a (Fred Claude)
    user jane@b (Jane Claude)
    user noname@a
    alias info@a fred@a
    alias out@a t@elsewhere
    alias relayed@a any@r
    alias two@a fred@a jane@b
    alias dead@a nobody@a
    alias half@a nobody@a fred@a
    alias gone@a old@a
    alias gones@a old@a lost@a
    forward bare@a t@elsewhere
    user fwd@a (Forward)
    forward fwd@a t@elsewhere
    user here@a (Here)
    forward here@a fred@a
    user quiet@a (Quiet)
    forward quiet@a t@elsewhere reply=250
    alias toquiet@a quiet@a
    user loud@a (Loud)
    forward loud@a fred@a reply=251
    user loudbig@a
    forward loudbig@a big@a reply=251
    user loudself@a
    forward loudself@a loudself@a reply=251
    user loudkeep@a (Loud Keep)
    forward loudkeep@a t@elsewhere keep reply=251
    user loudmany@a (Loud Many)
    forward loudmany@a t@elsewhere fred@a reply=251
    user quietbig@a status=full
    forward quietbig@a t@elsewhere keep reply=250
    user bigout@a (Big Out) status=full
    forward bigout@a t@elsewhere x@elsewhere
    user keep@a (Keep)
    forward keep@a t@elsewhere keep
    user many@a (Many)
    forward many@a t@elsewhere fred@a
    moved old@a to=t@elsewhere
    moved lost@a
    list staff@a (Staff) expn=anyone : fred@a t@elsewhere (Tea) info@a fwd@a x@elsewhere
    list trust@a expn=trusted : fred@a
    list secret@a (Secret) expn=nobody : fred@a
    list empty@a (Empty)
    list dead-list@a : off@a
    list away-list@a : away@a
    list big-list@a : big@a tobig@a
    list odd-list@a : loop@a off@a fred@a
    list loop-list@a : off@a loop@a
    list nested@a : empty@a dead-list@a
    alias empties@a empty@a dead-list@a
    user off@a status=disabled
    user away@a status=suspended
    user big@a (Big) status=full
    alias tobig@a big@a
    alias loop@a loop2@a
    alias loop2@a loop@a
    """

private let ok = "250 2.1.5 OK"
private let noUser = "550 5.1.1 No such user here"
private let noMatch = "550 5.1.1 String does not match anything"
private let will = "251 2.1.5 User not local; will forward to <t@elsewhere>"
private let pleaseTry = "551 5.1.6 User not local; please try <t@elsewhere>"
private let moved = "550 5.1.6 User has moved"
private let cannot = "252 2.1.5 Cannot VRFY user, but will accept message and attempt delivery"
private let cannotExpand =
    "252 2.1.5 Unable to verify members of mailing list, but will accept message and attempt delivery"
private let fred = "250 2.1.5 Fred Claude <fred@a>"
private let noList = "550 5.2.4 The list has no members that take mail"
private let denied = "550 5.7.2 Access Denied to You"
private let looping = "451 4.4.6 Forwarding goes in a loop or too far, try again later"
private let away = "450 4.2.1 Mailbox suspended, try again later"
private let off = "550 5.2.1 Mailbox disabled"
private let full = "452 4.2.2 Mailbox full"

/// One question, and what each client is told. RCPT is nil for bare names.
struct ReplyRow: Sendable, CustomStringConvertible {
    var question: String
    var vrfy: String
    var vrfyExistence: String
    var expn: String
    var rcpt: String?
    var rcptExistence: String?

    init(
        _ question: String, vrfy: String, existence: String, expn: String, rcpt: String? = nil,
        rcptExistence: String? = nil
    ) {
        self.question = question
        self.vrfy = vrfy
        vrfyExistence = existence
        self.expn = expn
        self.rcpt = rcpt
        self.rcptExistence = rcptExistence ?? rcpt
    }

    var description: String { question }
}

private let rows: [ReplyRow] = [
    ReplyRow("fred@a", vrfy: fred, existence: "250 2.1.5 <fred@a>", expn: fred, rcpt: ok),
    ReplyRow("FRED+x@D", vrfy: fred, existence: "250 2.1.5 <fred@a>", expn: fred, rcpt: ok),
    ReplyRow(
        "noname@a", vrfy: "250 2.1.5 <noname@a>", existence: "250 2.1.5 <noname@a>", expn: "250 2.1.5 <noname@a>",
        rcpt: ok),
    ReplyRow("fred", vrfy: fred, existence: "250 2.1.5 <fred@a>", expn: fred),
    ReplyRow("info@a", vrfy: fred, existence: "250 2.1.5 <info@a>", expn: fred, rcpt: ok),
    ReplyRow("here@a", vrfy: fred, existence: "250 2.1.5 <here@a>", expn: fred, rcpt: ok),
    ReplyRow(
        "out@a", vrfy: will, existence: "250 2.1.5 <out@a>", expn: "250 2.1.5 <t@elsewhere>", rcpt: will,
        rcptExistence: ok),
    ReplyRow(
        "fwd@a", vrfy: will, existence: "250 2.1.5 <fwd@a>", expn: "250 2.1.5 <t@elsewhere>", rcpt: will,
        rcptExistence: ok),
    ReplyRow(
        "bare@a", vrfy: will, existence: "250 2.1.5 <bare@a>", expn: "250 2.1.5 <t@elsewhere>", rcpt: will,
        rcptExistence: ok),
    ReplyRow(
        "quiet@a", vrfy: "250 2.1.5 Quiet <quiet@a>", existence: "250 2.1.5 <quiet@a>", expn: "250 2.1.5 <t@elsewhere>",
        rcpt: ok),
    ReplyRow(
        "toquiet@a", vrfy: "250 2.1.5 Quiet <quiet@a>", existence: "250 2.1.5 <toquiet@a>",
        expn: "250 2.1.5 <t@elsewhere>", rcpt: ok),
    ReplyRow(
        "loud@a", vrfy: "251 2.1.5 User not local; will forward to <fred@a>", existence: "250 2.1.5 <loud@a>",
        expn: fred,
        rcpt: "251 2.1.5 User not local; will forward to <fred@a>", rcptExistence: ok),
    ReplyRow(
        "loudbig@a", vrfy: "250 2.1.5 Big <big@a>", existence: "250 2.1.5 <loudbig@a>", expn: "250 2.1.5 Big <big@a>",
        rcpt: full),
    ReplyRow(
        "loudself@a", vrfy: "250 2.1.5 <loudself@a>", existence: "250 2.1.5 <loudself@a>",
        expn: "250 2.1.5 <loudself@a>", rcpt: ok),
    ReplyRow(
        "loudkeep@a", vrfy: "250 2.1.5 Loud Keep <loudkeep@a>", existence: "250 2.1.5 <loudkeep@a>",
        expn: "250-2.1.5 Loud Keep <loudkeep@a>\n250 2.1.5 <t@elsewhere>", rcpt: ok),
    ReplyRow(
        "loudmany@a", vrfy: "250 2.1.5 Loud Many <loudmany@a>", existence: "250 2.1.5 <loudmany@a>",
        expn: "250-2.1.5 <t@elsewhere>\n250 2.1.5 Fred Claude <fred@a>", rcpt: ok),
    ReplyRow(
        "keep@a", vrfy: "250 2.1.5 Keep <keep@a>", existence: "250 2.1.5 <keep@a>",
        expn: "250-2.1.5 Keep <keep@a>\n250 2.1.5 <t@elsewhere>", rcpt: ok),
    ReplyRow(
        "many@a", vrfy: "250 2.1.5 Many <many@a>", existence: "250 2.1.5 <many@a>",
        expn: "250-2.1.5 <t@elsewhere>\n250 2.1.5 Fred Claude <fred@a>", rcpt: ok),
    ReplyRow(
        "bigout@a", vrfy: "250 2.1.5 Big Out <bigout@a>", existence: "250 2.1.5 <bigout@a>",
        expn: "250-2.1.5 <t@elsewhere>\n250 2.1.5 <x@elsewhere>", rcpt: ok),
    ReplyRow(
        "quietbig@a", vrfy: "250 2.1.5 <quietbig@a>", existence: "250 2.1.5 <quietbig@a>",
        expn: "250-2.1.5 <quietbig@a>\n250 2.1.5 <t@elsewhere>", rcpt: full),
    ReplyRow(
        "two@a", vrfy: "250 2.1.5 <two@a>", existence: "250 2.1.5 <two@a>",
        expn: "250-2.1.5 Fred Claude <fred@a>\n250 2.1.5 Jane Claude <jane@b>", rcpt: ok),
    ReplyRow("half@a", vrfy: "250 2.1.5 <half@a>", existence: "250 2.1.5 <half@a>", expn: fred, rcpt: ok),
    ReplyRow("old@a", vrfy: pleaseTry, existence: moved, expn: pleaseTry, rcpt: pleaseTry, rcptExistence: moved),
    ReplyRow("gone@a", vrfy: pleaseTry, existence: moved, expn: pleaseTry, rcpt: pleaseTry, rcptExistence: moved),
    ReplyRow("gones@a", vrfy: moved, existence: moved, expn: moved, rcpt: moved),
    ReplyRow("lost@a", vrfy: moved, existence: moved, expn: moved, rcpt: moved),
    ReplyRow(
        "staff@a", vrfy: "250 2.1.5 Staff <staff@a>", existence: "250 2.1.5 <staff@a>",
        expn:
            "250-2.1.5 Fred Claude <fred@a>\n250-2.1.5 Tea <t@elsewhere>\n250-2.1.5 Forward <fwd@a>\n250 2.1.5 <x@elsewhere>",
        rcpt: ok),
    ReplyRow("trust@a", vrfy: "250 2.1.5 <trust@a>", existence: "250 2.1.5 <trust@a>", expn: fred, rcpt: ok),
    ReplyRow(
        "secret@a", vrfy: "250 2.1.5 Secret <secret@a>", existence: "250 2.1.5 <secret@a>", expn: denied, rcpt: ok),
    ReplyRow(
        "empty@a", vrfy: "250 2.1.5 Empty <empty@a>", existence: "250 2.1.5 <empty@a>", expn: noList, rcpt: noList),
    ReplyRow(
        "dead-list@a", vrfy: "250 2.1.5 <dead-list@a>", existence: "250 2.1.5 <dead-list@a>", expn: noList, rcpt: noList
    ),
    ReplyRow(
        "away-list@a", vrfy: "250 2.1.5 <away-list@a>", existence: "250 2.1.5 <away-list@a>", expn: away, rcpt: away),
    ReplyRow(
        "big-list@a", vrfy: "250 2.1.5 <big-list@a>", existence: "250 2.1.5 <big-list@a>",
        expn: "250 2.1.5 Big <big@a>", rcpt: full),
    // Somebody is reached, whatever becomes of the others.
    ReplyRow(
        "odd-list@a", vrfy: "250 2.1.5 <odd-list@a>", existence: "250 2.1.5 <odd-list@a>", expn: looping, rcpt: ok),
    // Nobody is, and a loop is no certain end.
    ReplyRow(
        "loop-list@a", vrfy: "250 2.1.5 <loop-list@a>", existence: "250 2.1.5 <loop-list@a>", expn: looping,
        rcpt: looping),
    ReplyRow("nested@a", vrfy: "250 2.1.5 <nested@a>", existence: "250 2.1.5 <nested@a>", expn: noList, rcpt: noList),
    ReplyRow("nobody@a", vrfy: noMatch, existence: noMatch, expn: noMatch, rcpt: noUser),
    ReplyRow("dead@a", vrfy: noMatch, existence: noMatch, expn: noMatch, rcpt: noUser),
    ReplyRow("nobody", vrfy: noMatch, existence: noMatch, expn: noMatch),
    ReplyRow(String(repeating: "x", count: 70), vrfy: noMatch, existence: noMatch, expn: noMatch),
    ReplyRow(
        "claude",
        vrfy: "553-5.1.4 Ambiguous; Possibilities are\n553-5.1.4 Fred Claude <fred@a>\n553 5.1.4 Jane Claude <jane@b>",
        existence: "553 5.1.4 User ambiguous",
        expn: "553-5.1.4 Ambiguous; Possibilities are\n553-5.1.4 Fred Claude <fred@a>\n553 5.1.4 Jane Claude <jane@b>"),
    ReplyRow("any@r", vrfy: cannot, existence: cannot, expn: cannotExpand, rcpt: ok),
    ReplyRow("relayed@a", vrfy: cannot, existence: cannot, expn: cannotExpand, rcpt: ok),
    ReplyRow(
        "any@elsewhere", vrfy: "550 5.1.2 Not a domain of this server",
        existence: "550 5.1.2 Not a domain of this server",
        expn: "550 5.1.2 Not a domain of this server", rcpt: "550 5.7.1 Relaying denied: not a domain of this server"),
    ReplyRow("off@a", vrfy: off, existence: off, expn: off, rcpt: off),
    ReplyRow("away@a", vrfy: away, existence: away, expn: away, rcpt: away),
    ReplyRow(
        "big@a", vrfy: "250 2.1.5 Big <big@a>", existence: "250 2.1.5 <big@a>", expn: "250 2.1.5 Big <big@a>",
        rcpt: full),
    ReplyRow(
        "tobig@a", vrfy: "250 2.1.5 Big <big@a>", existence: "250 2.1.5 <tobig@a>", expn: "250 2.1.5 Big <big@a>",
        rcpt: full),
    ReplyRow("loop@a", vrfy: looping, existence: looping, expn: looping, rcpt: looping),
    ReplyRow("empties@a", vrfy: "250 2.1.5 <empties@a>", existence: "250 2.1.5 <empties@a>", expn: off, rcpt: off),
    ReplyRow(
        "<postmaster>", vrfy: "250 2.1.5 <postmaster@a>", existence: "250 2.1.5 <postmaster@a>",
        expn: "250 2.1.5 <postmaster@a>",
        rcpt: ok),
    ReplyRow(
        "Postmaster@r", vrfy: "250 2.1.5 <Postmaster@r>", existence: "250 2.1.5 <Postmaster@r>",
        expn: "250 2.1.5 <Postmaster@r>",
        rcpt: ok),
]

/// What the plain form says otherwise, after the code.
private let plainTexts = [
    "String does not match anything": "String does not match anything.", "User ambiguous": "User ambiguous.",
    "Access Denied to You": "Access Denied to You.",
]

/// The lines without their enhanced codes, and with the full stops of RFC 821.
private func plain(_ reply: String) -> String {
    reply.split(separator: "\n").map { line in
        let text = String(line.dropFirst("250 2.1.5 ".count))
        return line.prefix(4) + (plainTexts[text] ?? text)
    }.joined(separator: "\n")
}

@Suite struct Replies {
    @Test(arguments: rows)
    func full(_ row: ReplyRow) throws {
        try expect(row.vrfy, Asking(directory: directory, question: row.question, wire: .verify))
        try expect(row.expn, Asking(directory: directory, question: row.question, wire: .expand))
        if let rcpt = row.rcpt {
            try expect(rcpt, Asking(directory: directory, question: row.question, wire: .recipient))
        }
    }

    @Test(arguments: rows)
    func existence(_ row: ReplyRow) throws {
        let asking = Asking(directory: directory, question: row.question, wire: .verify, disclosure: .existence)
        try expect(row.vrfyExistence, asking)
        if let rcpt = row.rcptExistence {
            try expect(
                rcpt, Asking(directory: directory, question: row.question, wire: .recipient, disclosure: .existence))
        }
    }

    /// Whoever is asked for, the same is said (RFC 5321 7.3).
    @Test(arguments: rows)
    func closed(_ row: ReplyRow) throws {
        for wire in [Wire.verify, .expand] {
            let asking = Asking(directory: directory, question: row.question, wire: wire, disclosure: .least)
            let text =
                wire == .expand
                ? "Unable to verify members of mailing list"
                : "Cannot VRFY user, but will accept message and attempt delivery"
            #expect(try asking.reply() == "252 2.7.0 \(text)")
            #expect(try asking.verdict().exitStatus == .denied)
        }
        if let rcpt = row.rcptExistence {
            try expect(rcpt, Asking(directory: directory, question: row.question, wire: .recipient, disclosure: .least))
        }
    }

    private func expect(_ expected: String, _ asking: Asking) throws {
        #expect(try asking.reply() == expected, "\(asking.wire.rawValue)")
        #expect(try asking.reply(.plain) == plain(expected), "\(asking.wire.rawValue), plain")
        // All is ASCII here, so SMTPUTF8 changes nothing.
        var utf8 = asking
        utf8.utf8 = true
        #expect(try utf8.reply() == expected, "\(asking.wire.rawValue), SMTPUTF8")
    }

    @Test func possibilitiesNotNamed() throws {
        let asking = Asking(directory: directory, question: "claude", wire: .verify)
        #expect(try asking.reply(naming: false) == "553 5.1.4 User ambiguous")
        #expect(try asking.reply(.plain, naming: false) == "553 User ambiguous.")
    }

    /// Lists that are open to trusted clients only, asked by others.
    @Test(arguments: [("trust@a", denied), ("secret@a", denied), ("fred@a", fred), ("nobody@a", noMatch)])
    func untrusted(_ question: String, _ expected: String) throws {
        let asking = Asking(directory: directory, question: question, wire: .expand, isTrusted: false)
        #expect(try asking.reply() == expected)
    }

    /// The dialogues of RFC 821's kind, on the plain listener.
    @Test(arguments: [
        ("claude", "250 Fred claude <claudiu@assisprogramming.com>"),
        ("test", "251 User not local; will forward to <test@assistprogramming.com>"),
        ("user", "550 String does not match anything."),
        ("user1", "551 User not local; please try <user4@assitprogramming.com>"),
        ("hkhjkghj", "553 User ambiguous."),
    ])
    func old(_ question: String, _ expected: String) throws {
        let directory = """
            domain a
            domain assisprogramming.com
            domain assistprogramming.com
            user claudiu@assisprogramming.com (Fred claude)
            forward test@a test@assistprogramming.com reply=251
            user test@assistprogramming.com
            moved user1@a to=user4@assitprogramming.com
            user x@a (Hkhjkghj One)
            user y@a (Hkhjkghj Two)
            """
        let asking = Asking(directory: directory, question: question, wire: .verify)
        #expect(try asking.reply(.plain, naming: false) == expected)
    }
}

@Suite struct ExitStatuses {
    @Test(arguments: [
        ("fred@a", Verification.ExitStatus.yes), ("info@a", .yes), ("fwd@a", .yes), ("staff@a", .yes), ("any@r", .yes),
        ("big@a", .yes),
        ("<postmaster>", .yes), ("nobody@a", .noUser), ("old@a", .noUser), ("lost@a", .noUser), ("off@a", .noUser),
        ("any@elsewhere", .noUser), ("claude", .data), ("away@a", .temporary), ("loop@a", .temporary),
    ])
    func verify(_ question: String, _ status: Verification.ExitStatus) throws {
        #expect(try Asking(directory: directory, question: question, wire: .verify).verdict().exitStatus == status)
    }

    @Test(arguments: [
        ("staff@a", Verification.ExitStatus.yes), ("secret@a", .denied), ("empty@a", .noUser), ("nobody@a", .noUser),
        ("claude", .data),
    ])
    func expand(_ question: String, _ status: Verification.ExitStatus) throws {
        #expect(try Asking(directory: directory, question: question, wire: .expand).verdict().exitStatus == status)
    }

    @Test func numbers() {
        let numbers: [Verification.ExitStatus: Int32] = [
            .yes: 0, .usage: 64, .data: 65, .noUser: 67, .temporary: 75, .denied: 77, .configuration: 78,
        ]
        for (status, number) in numbers { #expect(status.rawValue == number) }
    }
}
