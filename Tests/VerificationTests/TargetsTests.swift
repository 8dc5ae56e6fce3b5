// What OpenSMTPD is told of its tables' keys; and that no value is one that it would run, write to, or ask for ever.

import DirectoryTesting
import LookupProtocols
import MailAddress
import MailboxDirectory
import SMTPProtocol
import Testing
import Verification

private let directory = """
    domain a
    domain b
    domain c catch-all=fred@a
    domain r relay
    domain d alias-of=a
    domain s alias-of=r
    user fred@a (Fred Claude) login=fred
    user jane@b (Jane Claude)
    user odd@a login=two,logins
    user "a b"@a login=ab
    alias info@a fred@a
    alias out@a t@elsewhere
    alias relayed@a any@r
    alias two@a fred@a jane@b
    alias dead@a nobody@a
    alias quoted@a "a b"@a
    alias some@a fred@a "a b"@a
    alias command@a |id@elsewhere
    alias file@a /etc/x@elsewhere
    alias apostrophe@a o'brien@elsewhere
    user keep@a login=kp
    forward keep@a t@elsewhere fred@a keep
    moved old@a to=t@elsewhere
    moved lost@a
    list staff@a (Staff) expn=nobody : two@a t@elsewhere away@a big@a off@a
    list empty@a
    user off@a login=off status=disabled
    user away@a login=away status=suspended
    user big@a login=big status=full
    alias tobig@a big@a
    alias toaway@a away@a
    alias loop1@a loop2@a
    alias loop2@a loop1@a
    """

struct TargetsTests {
    /// The reply without its first two fields.
    static func reply(
        _ service: TableService, _ key: String, in text: String = directory, to table: TableInquiry.Table = .init(),
        for client: ClientClass = .trusted, limits: ExpansionLimits = ExpansionLimits(), tamper: Tamper? = nil
    ) throws -> String {
        let row = ResolveRow("", text, "", "")
        return try row.withSources(from: MapTests.empty, tamper: tamper) { sources in
            let context = Inquiry.Context(
                sources: sources.map(\.name), defaultDomain: ResolveRow.defaultDomain, limits: limits)
            let head = TableProcHead(.lookup, id: [UInt8(ascii: "1")])
            let question = TableQuestion(head: head, service: service, key: Array(key.utf8))
            let inquiry = TableInquiry(question, to: table, for: client, in: context)
            let reply = inquiry.reply(on: inquiry.expansion?.run(sources))
            let line = String(decoding: TableProcWire.reply(reply), as: UTF8.self)
            #expect(line.hasPrefix("lookup-result|1|") && line.hasSuffix("\n"))
            return String(line.dropFirst(16).dropLast())
        }
    }

    @Test(arguments: [
        // Delivered here: the user, whoever that is for.
        ("fred@a", "found|fred"), ("FRED@A", "found|fred"), ("fred+x@a", "found|fred"), ("big@a", "found|big"),
        // Sent on: to be asked for again.
        ("info@a", "found|fred@a"), ("info+x@a", "found|fred+x@a"), ("out@a", "found|t@elsewhere"),
        ("out+x@a", "found|t+x@elsewhere"), ("keep+x@a", "found|kp,t@elsewhere,fred@a"),
        ("two@a", "found|fred@a,jane@b"), ("fred@d", "found|fred@a"), ("fred+x@d", "found|fred+x@a"),
        ("any@c", "found|fred@a"), ("relayed@a", "found|any@r"), ("tobig@a", "found|big@a"),
        ("apostrophe@a", "found|o\\'brien@elsewhere"),
        // The copy is the user's.
        ("keep@a", "found|kp,t@elsewhere,fred@a"),
        // Who is suspended or disabled does not keep the others from their mail.
        ("staff@a", "found|fred@a,jane@b,t@elsewhere,big@a"),
        // Refused in the words of RCPT, and no other key is asked for.
        ("nobody@a", "found|error:550 5.1.1 No such user here"), ("dead@a", "found|error:550 5.1.1 No such user here"),
        ("old@a", "found|error:551 5.1.6 User not local; please try <t@elsewhere>"),
        ("lost@a", "found|error:550 5.1.6 User has moved"), ("off@a", "found|error:550 5.2.1 Mailbox disabled"),
        ("away@a", "found|error:450 4.2.1 Mailbox suspended\\, try again later"),
        ("toaway@a", "found|error:450 4.2.1 Mailbox suspended\\, try again later"),
        // None of ours, or no address: whatever OpenSMTPD asks for after the address itself.
        ("x@elsewhere", "not-found"), ("any@r", "not-found"), ("any@s", "not-found"), ("fred", "not-found"),
        ("fred+x", "not-found"), ("@a", "not-found"), ("@", "not-found"), ("", "not-found"), ("fred@", "not-found"),
        ("a b@c d", "not-found"),
        // Nothing that OpenSMTPD would take for something else.
        ("odd@a", "error|4.3.5 The login name of odd@a is no OpenSMTPD user; start with --user"),
        ("jane@b", "error|4.3.5 jane@b has no login name; start with --user"),
        ("postmaster@a", "error|4.3.5 postmaster@a has no login name; start with --user"),
        ("quoted@a", "error|4.3.5 OpenSMTPD takes no target such as \"a b\"@a"),
        ("some@a", "error|4.3.5 OpenSMTPD takes no target such as \"a b\"@a"), ("a b@a", "found|ab"),
        ("command@a", "error|4.3.5 OpenSMTPD takes no target such as |id@elsewhere"),
        ("file@a", "error|4.3.5 OpenSMTPD takes no target such as /etc/x@elsewhere"),
        ("empty@a", "found|error:550 5.2.4 The list has no members that take mail"),
        ("loop1@a", "error|451 4.4.6 Forwarding goes in a loop or too far, try again later"),
    ])
    func alias(key: String, reply: String) throws {
        #expect(try Self.reply(.alias, key, to: .init()) == reply)
    }

    @Test(arguments: [
        ("fred@a", "found|vmail"), ("jane@b", "found|vmail"), ("odd@a", "found|vmail"),
        ("postmaster@a", "found|vmail"), ("keep@a", "found|vmail,t@elsewhere,fred@a"), ("info@a", "found|fred@a"),
        ("vmail@", "not-found"), ("vmail", "not-found"),
    ])
    func oneUser(key: String, reply: String) throws {
        #expect(try Self.reply(.alias, key, to: .init(user: "vmail")) == reply)
    }

    @Test func newAddressesAreForWhomTheyMayBeTold() throws {
        #expect(try Self.reply(.alias, "old@a", for: .everyone) == "found|error:550 5.1.6 User has moved")
        #expect(try Self.reply(.alias, "info@a", for: .everyone) == "found|fred@a")
    }

    @Test(arguments: [
        (TableService.domain, "a", "found|a"), (.domain, "A", "found|a"), (.domain, "d", "found|d"),
        (.domain, "r", "not-found"), (.domain, "elsewhere", "not-found"), (.domain, "", "not-found"),
        (.mailaddr, "fred@a", "found|fred@a"), (.mailaddr, "info@a", "found|fred@a"),
        (.mailaddr, "any@r", "found|any@r"), (.mailaddr, "postmaster@a", "found|postmaster@a"),
        (.mailaddr, "nobody@a", "not-found"), (.mailaddr, "old@a", "not-found"), (.mailaddr, "a", "not-found"),
        (.mailaddr, "@a", "not-found"), (.mailaddr, "@", "not-found"),
        (.mailaddr, "away@a", "error|4.2.1 Mailbox suspended, try again later"),
        (.mailaddr, "big@a", "error|4.2.2 Mailbox full"),
    ])
    func others(service: TableService, key: String, reply: String) throws {
        #expect(try Self.reply(service, key) == reply)
    }

    /// `--map` before the table's name, and that before what the service has first.
    @Test func maps() throws {
        var table = TableInquiry.Table()
        #expect(table.services == [.alias, .domain, .mailaddr])
        table.name = Array("relay-domains".utf8)
        #expect(try Self.reply(.domain, "r", to: table) == "found|r")
        #expect(try Self.reply(.domain, "a", to: table) == "not-found")
        #expect(try Self.reply(.mailaddr, "any@r", to: table) == "found|any@r")
        table.name = Array("mailboxes".utf8)
        #expect(try Self.reply(.mailaddr, "any@r", to: table) == "not-found")
        #expect(try Self.reply(.domain, "a", to: table) == "found|a")
        table.map = .relayDomains
        #expect(table.services == [.domain])
        #expect(try Self.reply(.domain, "a", to: table) == "not-found")
        #expect(try Self.reply(.alias, "fred@a", to: table).hasPrefix("error|5.5.4 "))
        #expect(try Self.reply(.mailaddr, "fred@a", to: table).hasPrefix("error|5.5.4 "))
    }

    /// In every directory and for every address that stores are held to: what RCPT takes is taken, but for what OpenSMTPD
    /// can't be told; each target that is ours is taken in its turn, and ends at a user.
    @Test(arguments: resolveTable)
    func sameAsRCPT(_ row: ResolveRow) throws {
        guard let (mailbox, reply, lookups) = try Asking.rcpt(row) else { return }
        func targets(_ key: String, tamper: Tamper? = nil) throws -> String {
            try Self.reply(
                .alias, key, in: row.directory, to: .init(user: "vmail"), limits: row.limits, tamper: tamper)
        }
        let found = try targets(mailbox.description)
        if reply.hasPrefix("5"), !reply.hasPrefix("550 5.7.1") {
            #expect(found.replacing("\\", with: "") == "found|error:\(reply)")
        } else if reply.hasPrefix("2") {
            // A relay domain is for another rule; a list without members, and one that can't be said, are troubles.
            #expect(!found.hasPrefix("found|error:"))
        }
        if reply.hasPrefix("451") { #expect(found.hasPrefix("error|")) }
        guard found.hasPrefix("found|"), !found.hasPrefix("found|error:") else { return }
        for target in found.dropFirst(6).split(separator: ",") where target != "vmail" {
            #expect(target != mailbox.description)
            let next = try targets(String(target.replacing("\\", with: "")))
            #expect(next == "not-found" || next == "found|vmail" || next.hasPrefix("found|vmail,"), "\(target)")
        }
        for failing in 0..<lookups {
            let answer = try targets(mailbox.description) { number, _, answer in
                number == failing ? .couldNotTell(Trouble(source: "memory", reason: "gone")) : answer
            }
            #expect(answer.hasPrefix("error|"))
        }
    }
}
