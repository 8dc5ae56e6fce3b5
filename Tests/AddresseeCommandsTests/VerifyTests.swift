// `verify` and `expand`: the replies of SMTP, with the verdict as exit status.

import AddresseeConfiguration
import Foundation
import MailboxDirectory
import Testing

@testable import AddresseeCommands

@Suite struct VerifyTests {
    struct Case: CustomStringConvertible {
        var arguments: [String]
        var status: Int32
        var reply: String

        init(_ arguments: String..., is status: Int32, _ reply: String) {
            self.arguments = arguments
            self.status = status
            self.reply = reply
        }

        var description: String { arguments.joined(separator: " ") }
    }

    static let cases = [
        Case("verify", "fred", is: 0, "250 2.1.5 Fred Claude <fred@example.org>"),
        Case("verify", "claude", is: 0, "250 2.1.5 Fred Claude <fred@example.org>"),
        Case("verify", "fc", is: 0, "250 2.1.5 Fred Claude <fred@example.org>"),
        Case("verify", "Fred Claude", is: 0, "250 2.1.5 Fred Claude <fred@example.org>"),
        Case("verify", "\"Fred Claude\"", is: 0, "250 2.1.5 Fred Claude <fred@example.org>"),
        Case("verify", "FRED+lists@EXAMPLE.NET", is: 0, "250 2.1.5 Fred Claude <fred@example.org>"),
        Case("verify", "Anybody <fred@example.org>", is: 0, "250 2.1.5 Fred Claude <fred@example.org>"),
        Case("verify", "<@relay.example:fred@example.org>", is: 0, "250 2.1.5 Fred Claude <fred@example.org>"),
        Case("verify", "<Postmaster>", is: 0, "250 2.1.5 <postmaster@example.org>"),
        Case("verify", "info", is: 0, "250 2.1.5 Fred Claude <fred@example.org>"),
        Case("verify", "staff", is: 0, "250 2.1.5 The staff <staff@example.org>"),
        Case("verify", "away", is: 0, "251 2.1.5 User not local; will forward to <away@example.com>"),
        Case("verify", "barney", is: 0, "250 2.1.5 Barney Stone <barney@example.org>"),
        Case("verify", "old", is: 67, "551 5.1.6 User not local; please try <new@example.com>"),
        Case("verify", "gone", is: 67, "550 5.1.6 User has moved"),
        Case("verify", "betty", is: 67, "550 5.2.1 Mailbox disabled"),
        Case("verify", "wilma", is: 75, "450 4.2.1 Mailbox suspended, try again later"),
        Case("verify", "nobody", is: 67, "550 5.1.1 String does not match anything"),
        Case("verify", "fred@elsewhere.example", is: 67, "550 5.1.2 Not a domain of this server"),
        Case(
            "verify", "anybody@relay.example", is: 0,
            "252 2.1.5 Cannot VRFY user, but will accept message and attempt delivery"),
        Case(
            "verify", "stone", is: 65,
            """
            553-5.1.4 Ambiguous; Possibilities are
            553-5.1.4 Barney Stone <barney@example.org>
            553 5.1.4 Betty Stone <betty@example.org>
            """),
        Case("verify", "fred", "--as", "partners", is: 0, "250 2.1.5 <fred@example.org>"),
        Case("verify", "stone", "--as", "partners", is: 65, "553 5.1.4 User ambiguous"),
        Case("verify", "old", "--as", "partners", is: 67, "550 5.1.6 User has moved"),
        Case(
            "verify", "nobody", "--as", "everyone", is: 77,
            "252 2.7.0 Cannot VRFY user, but will accept message and attempt delivery"),
        Case("expand", "fred", is: 0, "250 2.1.5 Fred Claude <fred@example.org>"),
        Case(
            "expand", "staff", is: 0,
            "250-2.1.5 Fred Claude <fred@example.org>\n250 2.1.5 Sam Q. Smith <sam@example.com>"),
        Case(
            "expand", "staff", "--as", "trusted", is: 0,
            "250-2.1.5 Fred Claude <fred@example.org>\n250 2.1.5 Sam Q. Smith <sam@example.com>"),
        Case("expand", "staff", "--as", "partners", is: 77, "550 5.7.2 Access Denied to You"),
        Case("expand", "closed", is: 67, "550 5.2.4 The list has no members that take mail"),
        Case("expand", "closed", "--as", "trusted", is: 77, "550 5.7.2 Access Denied to You"),
    ]

    @Test(arguments: cases) func replies(_ test: Case) async throws {
        let site = try Site()
        let run = await site.run(bare: test.arguments + ["--config", site.configuration])
        #expect(run == Run(test.status, out: test.reply + "\n"))
    }

    /// 251 is a promise, which depends on the next hops, as it does for VRFY of the server.
    @Test(
        arguments: [
            ("mailboxes", "551 5.1.6 User not local; please try <away@example.com>", 67),
            ("elsewhere", "251 2.1.5 User not local; will forward to <away@example.com>", 0),
        ] as [(String, String, Int32)])
    func promisesWhatTheNextHopsKeep(takes: String, reply: String, status: Int32) async throws {
        let site = try Site()
        let file = URL(fileURLWithPath: site.configuration)
        let hop = "next-hops:\n  - name: out\n    smtp: 192.0.2.1:25\n    takes: [\(takes)]\n"
        try (Data(contentsOf: file) + Data(hop.utf8)).write(to: file)
        #expect(await site.run("verify", "away") == Run(status, out: reply + "\n"))
        #expect(await site.run("verify", "fred").status == 0)
        #expect(await site.run("resolve", "away").out == "away@example.com\n")
    }

    @Test func verdictInJSON() async throws {
        let site = try Site()
        #expect(
            await site.run("verify", "old", "--json")
                == Run(
                    67,
                    out: """
                        {"command":"VRFY","complete":true,"exitStatus":67,"mailboxes":[{"address":"new@example.com",\
                        "name":""}],"name":"old","reply":["551 5.1.6 User not local; please try <new@example.com>"],\
                        "verdict":"moved"}

                        """))
        #expect(
            await site.run("expand", "staff", "--json")
                == Run(
                    0,
                    out: """
                        {"command":"EXPN","complete":true,"exitStatus":0,"mailboxes":[{"address":"fred@example.org",\
                        "name":"Fred Claude"},{"address":"sam@example.com","name":"Sam Q. Smith"}],"name":"staff",\
                        "reply":["250-2.1.5 Fred Claude <fred@example.org>","250 2.1.5 Sam Q. Smith <sam@example.com>"],\
                        "verdict":"members"}

                        """))
    }

    /// A change made during the walk is seen whole or not at all.
    @Test(arguments: ["verify", "expand", "resolve"]) func asksOneViewOfTheDirectory(_ command: String) async throws {
        let site = try Site(sources: ["main", "branch"])
        let sources = site.stores.map { CountingSource($0.source) }
        var wiring = site.wiring
        wiring.openSource = { source in sources[source.name == "main" ? 0 : 1] }
        let output = Output(
            isTerminal: false, isColoured: false, isErrorTerminal: false, standardOutput: { _ in },
            standardError: { _ in })
        let status = await Program.run(
            [command, "staff@example.org", "--config", site.configuration], wiring: wiring, output: output)
        #expect(status == 0)
        #expect(sources[0].questions > 0)
        for source in sources {
            #expect(source.batches == 1)
            #expect(source.questionsOutside == 0)
            #expect(!source.isInBatch)
        }
    }

    @Test func couldNotTellIsNeverUnknown() async throws {
        let site = try Site()
        site.failing = ["main"]
        let complaint = "addressee: source main could not tell: the disk is gone\n"
        for command in ["verify", "expand"] {
            #expect(
                await site.run(command, "fred")
                    == Run(75, out: "451 4.4.3 The directory could not tell, try again later\n", err: complaint))
        }
        #expect(await site.run("resolve", "fred") == Run(75, err: complaint))
    }
}
