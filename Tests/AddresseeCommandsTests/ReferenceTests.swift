// `addressee refs`: who points to an address, whatever record does and wherever it is.

import Foundation
import MailAddress
import MailboxDirectory
import Testing

@testable import AddresseeCommands

@Suite struct ReferenceTests {
    private static let more: [Record] = [
        .domain(DomainRecord(domain: Site.domain("shop.example"), catchAll: Site.mailbox("fred@example.org"))),
        .forward(Forward(address: Site.mailbox("wilma@example.org"), targets: [Site.mailbox("FRED@example.org")])),
        .moved(Moved(address: Site.mailbox("freddy@example.org"), newAddress: Site.mailbox("fred@example.org"))),
        // By the name that the alias domain gives him.
        .alias(Alias(address: Site.mailbox("net@example.org"), targets: [Site.mailbox("fred@example.net")])),
    ]

    private func site() throws -> Site {
        let site = try Site(Site.records + Self.more, sources: ["main", "branch"])
        try site.stores[1].write {
            try $0.insert(.domain(DomainRecord(domain: Site.domain("branch.example"))))
            try $0.insert(
                .alias(
                    Alias(address: Site.mailbox("chief@branch.example"), targets: [Site.mailbox("fred@example.org")])))
        }
        return site
    }

    private static let lines = """
        moved\tfreddy@example.org\tnew address\tfred@example.org\tmain
        alias\tinfo@example.org\ttarget\tfred@example.org\tmain
        domain\tshop.example\tcatch-all\tfred@example.org\tmain
        list\tstaff@example.org\tmember\tfred@example.org\tmain
        list\tstaff@example.org\towner\tfred@example.org\tmain
        forward\twilma@example.org\ttarget\tfred@example.org\tmain
        alias\tnet@example.org\ttarget\tfred@example.net\tmain
        alias\tchief@branch.example\ttarget\tfred@example.org\tbranch

        """

    @Test(arguments: ["fred@example.org", "Fred@EXAMPLE.org", "fc", "fred", "Fred Claude", "<fred@example.org>"])
    func address(_ name: String) async throws {
        let run = try await site().run("refs", name)
        #expect(run.err == "")
        #expect(
            run.out.split(separator: "\n").map { $0.lowercased() }.sorted()
                == Self.lines.split(separator: "\n").map(String.init).sorted())
        #expect(run.status == 0)
    }

    /// A detail leads to him unless a longer name is on record, in whatever source.
    @Test func details() async throws {
        let site = try site()
        try site.stores[1].write {
            for (name, target) in [
                ("a", "fred+a@example.org"), ("b", "Fred+B@example.net"), ("own", "fred+own@example.org"),
                ("own-too", "fred+own+x@example.net"), ("other", "fred-x@example.org"),
                ("long", "freddie+x@example.org"),
            ] {
                try $0.insert(
                    .alias(
                        Alias(address: Site.mailbox("\(name)@branch.example"), targets: [Site.mailbox(target)])))
            }
        }
        try site.stores[0].write { try $0.insert(.user(User(address: Site.mailbox("fred+own@example.org")))) }
        let run = await site.run("refs", "fred@example.org", "--source", "branch")
        #expect(
            run
                == Run(
                    0,
                    out: """
                        alias\tchief@branch.example\ttarget\tfred@example.org\tbranch
                        alias\ta@branch.example\ttarget\tfred+a@example.org\tbranch
                        alias\tb@branch.example\ttarget\tFred+B@example.net\tbranch

                        """))
        #expect(
            await site.run("refs", "fred+own@example.org").out.split(separator: "\n").map {
                $0.split(separator: "\t")[1]
            }
                == ["own@branch.example", "own-too@branch.example"])
        // By the name of nobody, who has a detail on record.
        #expect(await site.run("refs", "freddie@example.org").out.contains("long@branch.example"))
    }

    @Test func json() async throws {
        let run = try await site().run("refs", "fred@example.org", "--source", "branch", "--json")
        #expect(
            run
                == Run(
                    0,
                    out: """
                        [
                        {"name":"chief@branch.example","record":"alias","role":"target","source":"branch","to":"fred@example.org"}
                        ]

                        """))
    }

    /// One source alone: who points by a name that an alias domain of another source gives.
    @Test func aliasDomainsOfOtherSources() async throws {
        let site = try site()
        try site.stores[1].write {
            try $0.insert(
                .alias(Alias(address: Site.mailbox("far@branch.example"), targets: [Site.mailbox("fred@example.net")])))
        }
        #expect(
            await site.run("refs", "fred@example.org", "--source", "branch")
                == Run(
                    0,
                    out: "alias\tchief@branch.example\ttarget\tfred@example.org\tbranch\n"
                        + "alias\tfar@branch.example\ttarget\tfred@example.net\tbranch\n"))
    }

    @Test func domain() async throws {
        let site = try site()
        #expect(
            await site.run("refs", "example.org")
                == Run(
                    0,
                    out: """
                        domain\texample.net\talias-of\texample.org\tmain
                        domain\tshop.example\tcatch-all\texample.org\tmain
                        alias\tchief@branch.example\ttarget\texample.org\tbranch

                        """))
        // Nothing that points into it stands in it.
        #expect(await site.run("refs", "example.net").out == "alias\tnet@example.org\ttarget\texample.net\tmain\n")
    }

    @Test func nothing() async throws {
        let site = try site()
        #expect(
            await site.run("refs", "barney@example.org")
                == Run(67, err: "addressee: nothing points to barney@example.org\n"))
        #expect(
            await site.run("refs", "barney@example.org", "--json")
                == Run(67, out: "[]\n", err: "addressee: nothing points to barney@example.org\n"))
        #expect(
            await site.run("refs", "relay.example") == Run(67, err: "addressee: nothing points to relay.example\n"))
        // Addresses elsewhere are pointed to as well.
        #expect(
            await site.run("refs", "sam@example.com").out == "list\tstaff@example.org\tmember\tsam@example.com\tmain\n")
        #expect(await site.run("refs", "barney@").status == 65)
        #expect(await site.run("refs", "stone").status == 65)
        site.failing = ["branch"]
        #expect(
            await site.run("refs", "barney@example.org")
                == Run(75, err: "addressee: source branch could not tell: the disk is gone\n"))
    }

    @Test func atATerminal() async throws {
        #expect(
            try await site().run("refs", "sam@example.com", "--table").out
                == "RECORD  NAME               AS      TO               SOURCE\n"
                + "list    staff@example.org  member  sam@example.com  main\n")
    }
}
