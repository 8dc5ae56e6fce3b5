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
                == Run(0, out: "changed user dino@example.org\n"))
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
}
