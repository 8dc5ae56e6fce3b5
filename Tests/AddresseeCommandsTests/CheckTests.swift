// `addressee check`: what it prints, and how it ends.

import Foundation
import MailAddress
import MailboxDirectory
import Testing
import Verification

@testable import AddresseeCommands

@Suite struct CheckTests {
    private static let warning = Finding(.warning, .directory, "it is slow", advice: "index it")
    private static let withPostmaster =
        Site.records + [
            .alias(Alias(address: Site.mailbox("postmaster@example.org"), targets: [Site.mailbox("fred@example.org")]))
        ]
    private static let note = Finding(.note, .directory, "it is small")

    @Test func inOrder() async throws {
        let site = try Site(Self.withPostmaster, sources: ["main", "people"])
        #expect(await site.run("check") == Run(0, out: "main: in order\npeople: in order\n"))
        #expect(await site.run("check", "--source", "people") == Run(0, out: "people: in order\n"))
        site.findings["people"] = [Self.note]
        #expect(
            await site.run("check", "--source", "people")
                == Run(0, out: "note it is small\npeople: in order, 1 finding\n"))
    }

    /// Of the files of the configuration, and where a link to it has paths taken from.
    @Test func theConfiguration() async throws {
        let site = try Site(Self.withPostmaster)
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: site.configuration)
        let written = "the configuration \(site.configuration) may be written by every user of this machine"
        let run = await site.run("check")
        #expect(run == Run(0, out: "main: in order\nwarning \(written); chmod o-w \(site.configuration)\n"))
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: site.configuration)
        let real = site.folder.path + "/real.yaml"
        try FileManager.default.moveItem(atPath: site.configuration, toPath: real)
        try FileManager.default.createSymbolicLink(atPath: site.configuration, withDestinationPath: real)
        let linked = await site.run("check").out
        #expect(linked.contains("\(site.configuration) is a symbolic link to \(real)"))
        #expect(linked.contains("\(site.folder.path)/main.sqlite was looked for"))
    }

    @Test func tells() async throws {
        let site = try Site(Self.withPostmaster)
        site.findings["main"] = [Self.warning, Self.note]
        let path = "\(site.folder.path)/main.sqlite"
        #expect(
            await site.run("check")
                == Run(0, out: "warning it is slow; index it\nnote it is small\nmain: \(path), 2 findings\n"))
        #expect(
            await site.run("check", terminal: true, coloured: true).out.hasPrefix(
                "\u{1B}[33mwarning\u{1B}[0m it is slow"))
        #expect(
            await site.run("check", "--json").out == """
                [
                {"findings":[{"advice":"index it","cause":"directory","severity":"warning","text":"it is slow"},\
                {"advice":"","cause":"directory","severity":"note","text":"it is small"}],"kind":"sqlite",\
                "location":"\(path)","source":"main"}
                ]

                """)
    }

    @Test(
        arguments: [
            ([Finding.Cause.directory], 65), ([.unreachable], 75), ([.configuration], 78),
            ([.directory, .unreachable], 75),
            ([.unreachable, .configuration, .directory], 78), ([], 0),
        ] as [([Finding.Cause], Int32)])
    func status(causes: [Finding.Cause], status: Int32) async throws {
        let site = try Site()
        site.findings["main"] = causes.map { Finding(.error, $0, "\($0)") } + [Self.warning]
        #expect(await site.run("check").status == status)
    }

    @Test func aSourceThatFails() async throws {
        let site = try Site(sources: ["main", "people"])
        site.failing = ["people"]
        let run = await site.run("check", "--source", "people")
        #expect(run.status == 75 && run.out.contains("error the disk is gone\npeople: "))
        // What of the other's records leads there can't be told.
        let all = await site.run("check")
        #expect(all.status == 75)
        #expect(all.out.contains("could not be examined: the disk is gone"))
    }

    /// What is wrong in the configuration of a source, and what keeps it from being asked for now.
    @Test(
        arguments: [
            (.configuration, 78, "configuration"), (.temporary, 75, "unreachable"), (.data, 75, "unreachable"),
        ] as [(Verification.ExitStatus, Int32, String)])
    func aSourceThatIsRefused(status: Verification.ExitStatus, expected: Int32, cause: String) async throws {
        let site = try Site(Self.withPostmaster)
        site.refusals["main"] = CommandFailure(status, "the base is no name; correct base")
        let run = await site.run("check", "--source", "main", "--json")
        #expect(run.status == expected)
        let words = "\"severity\":\"error\",\"text\":\"the base is no name\""
        #expect(run.out.contains("{\"advice\":\"correct base\",\"cause\":\"\(cause)\",\(words)}"), "\(run.out)")
    }

    /// What the server can't start without is told before it is tried.
    @Test func certificates() async throws {
        let site = try Site(Self.withPostmaster)
        let file = URL(fileURLWithPath: site.configuration)
        let folder = site.folder.path
        try Data("x".utf8).write(to: URL(fileURLWithPath: folder + "/cert.pem"))
        let tls = "tls:\n  certificate: cert.pem\n  private-key: key.pem\n"
        try (Data(contentsOf: file) + Data(tls.utf8)).write(to: file)
        let run = await site.run("check")
        #expect(run.status == 78)
        let text =
            "error the private key \(folder)/key.pem is not there, so that the server does not start; correct tls"
        #expect(run.out.contains(text), "\(run.out)")
        #expect(!run.out.contains("the certificate "))
    }

    @Test func recordsAndOtherSources() async throws {
        var records = Site.records
        records.append(
            .alias(Alias(address: Site.mailbox("lost@example.org"), targets: [Site.mailbox("nobody@example.org")])))
        let site = try Site(records)
        let run = await site.run("check")
        #expect(run.status == 65)
        #expect(
            run.out.hasPrefix(
                "error the alias lost@example.org leads to nobody@example.org, where nobody is (target); add"
                    + " nobody@example.org, or correct the alias\n"))
    }

    @Test func defaultDomain() async throws {
        let site = try Site([.domain(DomainRecord(domain: Site.domain("example.com"), kind: .relay))])
        let run = await site.run("check")
        #expect(run.status == 78)
        #expect(run.out.contains("main: in order\nerror no source serves the default domain, example.org; addressee"))
        // Of one source alone nothing can be said of it.
        #expect(await site.run("check", "--source", "main") == Run(0, out: "main: in order\n"))
        #expect(await site.run("check", "--json").out.contains("\"source\":null"))
    }

    /// It is taken by rule, with or without a record that leads to somebody.
    @Test func postmasters() async throws {
        let unread = { (domain: String) in
            "warning mail for postmaster@\(domain) is taken, as it must be, and nobody reads it; addressee alias add"
                + " postmaster@\(domain) --to ADDRESS\n"
        }
        #expect(await (try Site()).run("check") == Run(0, out: "main: in order\n" + unread("example.org")))
        // Its alias domain and a relay domain have no postmaster of their own, and the catch-all is not asked.
        let more: [Record] = [
            .domain(DomainRecord(domain: Site.domain("shop.example"), catchAll: Site.mailbox("fred@example.org"))),
            .domain(DomainRecord(domain: Site.domain("read.example"))),
            .user(User(address: Site.mailbox("Postmaster@read.example"))),
        ]
        let site = try Site(Site.records + more)
        #expect(
            await site.run("check") == Run(0, out: "main: in order\n" + unread("example.org") + unread("shop.example")))
        // Of one source alone nothing can be said of it: the record may be in another.
        #expect(await site.run("check", "--source", "main") == Run(0, out: "main: in order\n"))
    }

    @Test func readInAnotherSource() async throws {
        let site = try Site(sources: ["main", "people"])
        try site.stores[1].write {
            try $0.insert(Site.records[0])
            try $0.insert(.user(User(address: Site.mailbox("postmaster@example.org"))))
        }
        #expect(await site.run("check") == Run(0, out: "main: in order\npeople: in order\n"))
        site.failing = ["people"]
        #expect(!(await site.run("check").out.contains("nobody reads it")))
    }

    /// Of a domain that two sources have, the first record rules.
    @Test func catchAllsThatGetNothing() async throws {
        let site = try Site(Self.withPostmaster, sources: ["main", "people"])
        let people = DomainRecord(domain: Site.domain("example.org"), catchAll: Site.mailbox("fred@example.org"))
        try site.stores[1].write { try $0.insert(.domain(people)) }
        let run = await site.run("check")
        #expect(run.status == 0)
        #expect(
            run.out == "main: in order\npeople: in order\nwarning the catch-all of example.org in the source people,"
                + " fred@example.org, gets no mail: the record in main, which is asked before, rules; addressee domain set"
                + " example.org --source main --catch-all fred@example.org, or take it out of people\n")
        // The same in both is no loss.
        #expect(await site.run("domain", "set", "example.org", "--catch-all", "fred@example.org").status == 0)
        #expect(await site.run("check") == Run(0, out: "main: in order\npeople: in order\n"))
    }

    /// A target may have a detail, or be in an alias domain: it is looked up as mail is.
    @Test func detailsThatDangle() async throws {
        let targets = [
            "nobody+x@example.org", "nobody@example.net", "fred+x@example.org", "fred@example.net",
            "Fred+y@example.net",
        ]
        let aliases = targets.enumerated().map { index, target in
            Record.alias(Alias(address: Site.mailbox("x\(index)@example.org"), targets: [Site.mailbox(target)]))
        }
        let run = await (try Site(Self.withPostmaster + aliases)).run("check")
        #expect(run.status == 65)
        #expect(
            run.out.split(separator: "\n").filter { $0.hasPrefix("error") }.map { $0.prefix(36) }
                == ["error the alias x0@example.org leads", "error the alias x1@example.org leads"])
    }

    @Test func wrongUsage() async throws {
        let site = try Site()
        #expect(await site.run("check", "--source", "people").status == 64)
        #expect(await site.run(bare: ["check", "--config", "/no/such/file"]).status == 78)
    }

    @Test func hostileText() async throws {
        let site = try Site(Self.withPostmaster)
        site.findings["main"] = [Finding(.note, .directory, "a\u{1B}[31m\nb")]
        #expect(await site.run("check").out == "note a\\u{1B}[31m\\nb\nmain: in order, 1 finding\n")
    }
}
