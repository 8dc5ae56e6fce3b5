import MailboxDirectory
import Testing

@testable import AddresseeCommands

@Suite struct UserCommandTests {
    @Test func lists() async throws {
        let site = try Site()
        #expect(
            await site.run("user", "ls")
                == Run(
                    0,
                    out: """
                        barney@example.org\tBarney Stone\t\tactive
                        betty@example.org\tBetty Stone\t\tdisabled
                        fred@example.org\tFred Claude\tfc\tactive
                        wilma@example.org\tWilma Ångström\t\tsuspended

                        """))
        #expect(
            await site.run("user", "ls", "example.org", terminal: true)
                == Run(
                    0,
                    out: """
                        ADDRESS             NAME            LOGIN  STATUS
                        barney@example.org  Barney Stone           active
                        betty@example.org   Betty Stone            disabled
                        fred@example.org    Fred Claude     fc     active
                        wilma@example.org   Wilma Ångström         suspended

                        """))
        #expect(
            await site.run("user", "ls", terminal: true, coloured: true).out
                .hasPrefix("\u{1B}[1mADDRESS             NAME            LOGIN  STATUS\u{1B}[0m\nbarney@example.org  "))
        #expect(await site.run("user", "ls", "relay.example", terminal: true) == Run(0))
        #expect(await site.run("user", "ls", "relay.example", "--json") == Run(0, out: "[]\n"))
        let json = await site.run("user", "ls", "--json").out.split(separator: "\n")
        #expect(json.count == 6)
        #expect(
            json[3] == """
                {"address":"fred@example.org","login":"fc","name":"Fred Claude","record":"user","source":"main",\
                "status":"active"},
                """)
    }

    @Test func addsShowsSetsAndRemoves() async throws {
        let site = try Site()
        #expect(
            await site.run("user", "add", "dino@example.org", "--name", "Dino", "--status", "full")
                == Run(0, out: "added user dino@example.org\n"))
        #expect(
            await site.run("user", "show", "DINO@example.org")
                == Run(0, out: "address\tdino@example.org\nname\tDino\nlogin\t\nstatus\tfull\n"))
        #expect(
            await site.run("user", "show", "dino@example.org", terminal: true)
                == Run(0, out: "address  dino@example.org\nname     Dino\nstatus   full\n"))
        #expect(
            await site.run("user", "set", "dino@example.org", "--login", "dino", "--name", "", "--status", "active")
                == Run(0, out: "changed user dino@example.org (name was Dino; login was none; status was full)\n"))
        #expect(
            await site.run("user", "show", "dino@example.org", "--json")
                == Run(
                    0,
                    out: """
                        {"address":"dino@example.org","login":"dino","name":"","record":"user","source":"main",\
                        "status":"active"}

                        """))
        #expect(
            await site.run("user", "set", "dino@example.org", "--no-login", "--json").out.contains("\"login\":null"))
        #expect(
            await site.run("user", "rm", "dino@example.org", "--json").out
                .hasPrefix("{\"address\":\"dino@example.org\""))
        #expect(await site.run("user", "show", "dino@example.org").status == 67)
    }

    @Test func addsAQuotedLocalPart() async throws {
        let site = try Site()
        #expect(
            await site.run("user", "add", "\"Dino the dog\"@example.org")
                == Run(0, out: "added user \"Dino the dog\"@example.org\n"))
    }

    @Test func removesWithForce() async throws {
        let site = try Site()
        #expect(await site.run("user", "rm", "fred@example.org").status == 65)
        #expect(
            await site.run("user", "rm", "fred@example.org", "--force")
                == Run(0, out: "removed user fred@example.org\n"))
    }

    /// A forward there is a record of its own, and leads elsewhere as before.
    @Test func saysThatAForwardStays() async throws {
        let site = try Site(sources: ["main", "branch"])
        try site.stores[0].write {
            try $0.insert(
                .forward(
                    Forward(address: Site.mailbox("fred@example.org"), targets: [Site.mailbox("fred@example.com")])))
        }
        #expect(
            await site.run("user", "rm", "fred@example.org")
                == Run(
                    0, out: "removed user fred@example.org\n",
                    err: "addressee: the forward fred@example.org to fred@example.com stays; remove it with: addressee"
                        + " forward rm fred@example.org\n"))
        #expect(
            await site.run("user", "rm", "betty@example.org")
                == Run(0, out: "removed user betty@example.org\n", err: ""))
        // One in a source that is asked before.
        try site.stores[1].write {
            try $0.insert(.domain(DomainRecord(domain: Site.domain("example.org"))))
            try $0.insert(.user(User(address: Site.mailbox("away@example.org"))))
        }
        let run = await site.run("user", "rm", "away@example.org", "--source", "branch")
        #expect(run.status == 0)
        #expect(run.err.hasSuffix("stays; remove it with: addressee forward rm away@example.org --source main\n"))
    }

    @Test(arguments: ["fred", "FRED", "fc", "Fred Claude", "claude", "<fred@example.org>", "fred@example.org"])
    func isShownByAnyName(_ name: String) async throws {
        #expect(
            try await Site().run("user", "show", name)
                == Run(0, out: "address\tfred@example.org\nname\tFred Claude\nlogin\tfc\nstatus\tactive\n"))
    }

    @Test func otherRecordsHaveNamesToo() async throws {
        let site = try Site()
        for (noun, name) in [
            ("alias", "info"), ("forward", "barney"), ("forward", "away"), ("moved", "old"), ("list", "staff"),
        ] {
            #expect(await site.run(noun, "show", name).out.hasPrefix("address\t\(name)@example.org\n"))
        }
    }

    /// By the local-part in the default domain alone.
    @Test func isChangedByItsLocalPart() async throws {
        let site = try Site()
        #expect(
            await site.run("user", "set", "fred", "--status", "full")
                == Run(0, out: "changed user fred@example.org (status was active)\n"))
        #expect(await site.run("alias", "rm", "info") == Run(0, out: "removed alias info@example.org\n"))
        #expect(await site.run("list", "join", "staff", "barney@example.org").status == 0)
        #expect(await site.run("user", "add", "new").status == 65)
    }

    @Test func listsWhatIsWanted() async throws {
        let site = try Site()
        let names = { (run: Run) in run.out.split(separator: "\n").map { $0.split(separator: "@")[0] } }
        #expect(names(await site.run("user", "ls", "--match", "STONE")) == ["barney", "betty"])
        #expect(names(await site.run("user", "ls", "--match", "a\u{30A}NGSTRO\u{308}M")) == ["wilma"])
        #expect(names(await site.run("user", "ls", "--match", "")) == ["barney", "betty", "fred", "wilma"])
        #expect(await site.run("user", "ls", "--match", "nothing like it") == Run(0))
        #expect(names(await site.run("user", "ls", "--status", "disabled")) == ["betty"])
        #expect(names(await site.run("user", "ls", "--status", "active", "--match", "stone")) == ["barney"])
        #expect(await site.run("user", "ls", "--domain", "relay.example") == Run(0))
        #expect(names(await site.run("user", "ls", "--domain", "example.org")).count == 4)
        // By a member, who has no column.
        #expect(names(await site.run("list", "ls", "--match", "sam q.")) == ["staff"])
        #expect(
            await site.run("user", "ls", "--match", "fred", "--json").out.split(separator: "\n").count == 3)
    }

    @Test func isATableInAPipe() async throws {
        #expect(
            try await Site().run("user", "ls", "--table", "--match", "fred")
                == Run(
                    0,
                    out: """
                        ADDRESS           NAME         LOGIN  STATUS
                        fred@example.org  Fred Claude  fc     active

                        """))
    }
}
