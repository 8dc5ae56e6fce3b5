// Aliases, forwards and moved addresses.

import Testing

@testable import AddresseeCommands

@Suite struct RedirectionCommandTests {
    @Test func aliases() async throws {
        let site = try Site()
        #expect(
            await site.run("alias", "add", "sales@example.org", "--to", "fred@example.org", "barney@example.org")
                == Run(0, out: "added alias sales@example.org\n"))
        #expect(
            await site.run("alias", "ls")
                == Run(
                    0,
                    out: "info@example.org\tfred@example.org\nsales@example.org\tfred@example.org, barney@example.org\n"
                ))
        #expect(
            await site.run("alias", "ls", terminal: true)
                == Run(
                    0,
                    out: """
                        ADDRESS            TO
                        info@example.org   fred@example.org
                        sales@example.org  fred@example.org, barney@example.org

                        """))
        #expect(
            await site.run(
                "alias", "set", "sales@example.org", "--to", "wilma@example.org", "--to", "fred@example.org", "--json")
                == Run(
                    0,
                    out: """
                        {"address":"sales@example.org","record":"alias","source":"main",\
                        "to":["wilma@example.org","fred@example.org"]}

                        """))
        #expect(
            await site.run("alias", "set", "sales@example.org", "--to", "wilma@example.org,fred@example.org")
                == Run(0, out: "changed alias sales@example.org (as it was)\n"))
        #expect(
            await site.run("alias", "show", "sales@example.org")
                == Run(0, out: "address\tsales@example.org\nto\twilma@example.org\nto\tfred@example.org\n"))
        #expect(
            await site.run("alias", "rm", "sales@example.org") == Run(0, out: "removed alias sales@example.org\n"))
        #expect(
            await site.run("alias", "add", "x@example.org", "--to", "nobody@example.org", "--force")
                == Run(0, out: "added alias x@example.org\n"))
    }

    /// By force whatever leads somewhere may lead to nobody, and not without.
    @Test(arguments: [
        "alias add x@example.org --to", "alias set info@example.org --to", "forward add x@example.org --to",
        "forward set away@example.org --to", "moved add x@example.org --to", "moved set old@example.org --to",
        "list add x@example.org --owner", "list add x@example.org --member", "list set staff@example.org --owner",
        "list set staff@example.org --member", "list join staff@example.org", "domain add new.example --catch-all",
        "domain set example.org --catch-all",
    ])
    func byForce(_ command: String) async throws {
        let site = try Site()
        let words =
            command.split(separator: " ").map(String.init) + ["nobody@example.org", "--config", site.configuration]
        let run = await site.run(bare: words)
        #expect(run.status == 65 && run.err.contains("nobody is at nobody@example.org; "), "\(run.err)")
        #expect(await site.run(bare: words + ["--force"]).status == 0)
    }

    /// Whoever has replaced the wrong one sees what it was.
    @Test func tellsWhatWasReplaced() async throws {
        let site = try Site()
        #expect(
            await site.run("alias", "set", "info@example.org", "--to", "wilma@example.org", "barney@example.org")
                == Run(0, out: "changed alias info@example.org (to was fred@example.org)\n"))
        #expect(
            await site.run("alias", "set", "info@example.org", "--to", "fred@example.org")
                == Run(0, out: "changed alias info@example.org (to was wilma@example.org, barney@example.org)\n"))
        let many = (1...30).map { "m\($0)@example.com" }
        #expect(
            await site.run(bare: ["list", "set", "closed", "--config", site.configuration, "--member"] + many).status
                == 0)
        #expect(
            await site.run("list", "set", "closed", "--member", "fred@example.org")
                == Run(
                    0,
                    out:
                        "changed list closed@example.org (member was \(many.prefix(20).joined(separator: ", ")) and 10 more)\n"
                ))
    }

    @Test func takesCommas() async throws {
        let site = try Site()
        #expect(
            await site.run("alias", "add", "a@example.org", "--to", "fred@example.org,barney@example.org").status == 0)
        #expect(
            await site.run("alias", "add", "b@example.org", "--to", "fred@example.org,", "x@example.com, y@example.com")
                .status == 0)
        #expect(
            await site.run("alias", "add", "c@example.org", "--to", "\"x,y\"@example.com,z@example.com").status == 0)
        #expect(
            await site.run("alias", "ls", "--match", "a@example").out.hasPrefix(
                "a@example.org\tfred@example.org, barney@example.org\n"))
        #expect(await site.run("alias", "show", "b").out.hasSuffix("to\tx@example.com\nto\ty@example.com\n"))
        #expect(
            await site.run("alias", "show", "c").out
                == "address\tc@example.org\nto\t\"x,y\"@example.com\nto\tz@example.com\n")
        #expect(
            await site.run(
                "list", "join", "closed@example.org", "fred@example.org,\"Smith, Sam\" <sam@example.com>",
                "info@example.org,",
                "Smith, Sue <sue@example.com>, barney@example.org"
            ) == Run(0, out: "added 5 members to list closed@example.org\n"))
        #expect(
            await site.run("list", "show", "closed").out.hasSuffix(
                "member\tfred@example.org\nmember\tSmith, Sam <sam@example.com>\nmember\tinfo@example.org\n"
                    + "member\tSmith, Sue <sue@example.com>\nmember\tbarney@example.org\n"))
        #expect(
            await site.run("list", "leave", "closed", "fred@example.org,barney@example.org")
                == Run(0, out: "removed 2 members from list closed@example.org\n"))
    }

    @Test func forwards() async throws {
        let site = try Site()
        #expect(
            await site.run("forward", "ls")
                == Run(
                    0,
                    out:
                        "away@example.org\taway@example.com\tno\tauto\nbarney@example.org\tbarney@example.com\tyes\tauto\n"
                ))
        #expect(
            await site.run("forward", "ls", terminal: true)
                == Run(
                    0,
                    out: """
                        ADDRESS             TO                  KEEP COPY  REPLY
                        away@example.org    away@example.com    no         auto
                        barney@example.org  barney@example.com  yes        auto

                        """))
        #expect(
            await site.run(
                "forward", "add", "fred@example.org", "--to", "fred@example.com", "--keep-copy", "--reply", "251",
                "--json")
                == Run(
                    0,
                    out: """
                        {"address":"fred@example.org","keepCopy":true,"record":"forward","reply":"251","source":"main",\
                        "to":["fred@example.com"]}

                        """))
        #expect(
            await site.run("forward", "set", "fred@example.org", "--no-keep-copy", "--reply", "250")
                == Run(0, out: "changed forward fred@example.org (keep-copy was yes; reply was 251)\n"))
        #expect(
            await site.run("forward", "show", "fred@example.org")
                == Run(0, out: "address\tfred@example.org\nto\tfred@example.com\nkeep-copy\tno\nreply\t250\n"))
        #expect(await site.run("forward", "set", "fred@example.org", "--to", "wilma@example.org").status == 0)
        #expect(
            await site.run("forward", "rm", "fred@example.org") == Run(0, out: "removed forward fred@example.org\n"))
        #expect(await site.run("user", "show", "fred@example.org").status == 0)
    }

    @Test func moved() async throws {
        let site = try Site()
        #expect(
            await site.run("moved", "ls") == Run(0, out: "gone@example.org\t\nold@example.org\tnew@example.com\n"))
        #expect(
            await site.run("moved", "add", "former@example.org")
                == Run(0, out: "added moved address former@example.org\n"))
        #expect(
            await site.run("moved", "set", "former@example.org", "--to", "new@example.com", "--json")
                == Run(
                    0,
                    out: """
                        {"address":"former@example.org","record":"moved","source":"main","to":"new@example.com"}

                        """))
        #expect(
            await site.run("moved", "set", "former@example.org", "--no-to")
                == Run(0, out: "changed moved address former@example.org (to was new@example.com)\n"))
        #expect(
            await site.run("moved", "show", "former@example.org", "--json").out
                == "{\"address\":\"former@example.org\",\"record\":\"moved\",\"source\":\"main\",\"to\":null}\n")
        #expect(
            await site.run("moved", "rm", "former@example.org")
                == Run(0, out: "removed moved address former@example.org\n"))
    }

    /// An address that nobody has is taken by force, whatever record leads there.
    @Test func force() async throws {
        let nobody = "nobody@example.org"
        for arguments in [
            ["alias", "add", "x@example.org", "--to", nobody], ["forward", "add", "wilma@example.org", "--to", nobody],
            ["moved", "add", "x@example.org", "--to", nobody], ["list", "add", "x@example.org", "--member", nobody],
            ["list", "join", "staff@example.org", nobody], ["alias", "set", "info@example.org", "--to", nobody],
            ["forward", "set", "away@example.org", "--to", nobody],
            ["moved", "set", "old@example.org", "--to", nobody],
            ["list", "set", "staff@example.org", "--owner", nobody],
            ["domain", "set", "example.org", "--catch-all", nobody],
            ["domain", "add", "c.example", "--catch-all", nobody],
        ] {
            let site = try Site()
            let run = await site.run(bare: arguments + ["--config", site.configuration])
            #expect(run.status == 65 && run.err.contains("use --force"), "\(arguments): \(run)")
            let forced = await site.run(bare: arguments + ["--force", "--config", site.configuration])
            #expect(forced.status == 0, "\(arguments): \(forced)")
        }
    }
}
