import Synchronization
import Testing

@testable import AddresseeCommands

@Suite struct ListCommandTests {
    @Test func listsAndShows() async throws {
        let site = try Site()
        #expect(
            await site.run("list", "ls")
                == Run(
                    0,
                    out:
                        "closed@example.org\t\t\tnobody\t0\nstaff@example.org\tThe staff\tfred@example.org\ttrusted\t2\n"
                ))
        #expect(
            await site.run("list", "ls", terminal: true)
                == Run(
                    0,
                    out: """
                        ADDRESS             NAME       OWNER             EXPN     MEMBERS
                        closed@example.org                               nobody   0
                        staff@example.org   The staff  fred@example.org  trusted  2

                        """))
        #expect(
            await site.run("list", "show", "staff@example.org", terminal: true)
                == Run(
                    0,
                    out: """
                        address  staff@example.org
                        name     The staff
                        owner    fred@example.org
                        expn     trusted
                        member   fred@example.org
                        member   Sam Q. Smith <sam@example.com>

                        """))
        #expect(
            await site.run("list", "show", "staff@example.org", "--json")
                == Run(
                    0,
                    out: """
                        {"address":"staff@example.org","expn":"trusted","members":[{"address":"fred@example.org",\
                        "name":""},{"address":"sam@example.com","name":"Sam Q. Smith"}],"name":"The staff",\
                        "owner":"fred@example.org","record":"list","source":"main"}

                        """))
    }

    @Test func addsAndSets() async throws {
        let site = try Site()
        #expect(
            await site.run(
                "list", "add", "friends@example.org", "--name", "Friends", "--owner", "fred@example.org", "--expn",
                "anyone", "--member", "barney@example.org", "\"Quincy <Q> Smith\" <q@example.com>"
            )
            .err
                == "addressee: the name of q@example.com holds < or >, which in a reply enclose the mailbox; leave them out\n"
        )
        #expect(
            await site.run(
                "list", "add", "friends@example.org", "--name", "Friends", "--owner", "fred@example.org", "--expn",
                "anyone", "--member", "barney@example.org", "\"Quincy Smith\" <q@example.com>", "--member",
                "Sam <sam@example.com>")
                == Run(0, out: "added list friends@example.org\n"))
        #expect(
            await site.run("list", "show", "friends@example.org").out == """
                address\tfriends@example.org
                name\tFriends
                owner\tfred@example.org
                expn\tanyone
                member\tbarney@example.org
                member\tQuincy Smith <q@example.com>
                member\tSam <sam@example.com>

                """)
        #expect(
            await site.run(
                "list", "set", "friends@example.org", "--name", "", "--no-owner", "--expn", "nobody", "--member",
                "fred@example.org")
                == Run(
                    0,
                    out:
                        "changed list friends@example.org (name was Friends; owner was fred@example.org; expn was anyone;"
                        + " member was barney@example.org, Quincy Smith <q@example.com>, Sam <sam@example.com>)\n"))
        #expect(
            await site.run("list", "ls", "example.org").out.contains("friends@example.org\t\t\tnobody\t1\n"))
        #expect(
            await site.run("list", "rm", "friends@example.org") == Run(0, out: "removed list friends@example.org\n"))
    }

    /// A person at a terminal is asked before members are lost; a script means what it says.
    @Test(
        arguments: [
            ("y", [], 0), ("Yes", [], 0), ("n", [], 65), ("", [], 65), (nil, [], 65), ("n", ["--yes"], 0),
        ] as [(String?, [String], Int32)])
    func asksBeforeMembersAreLost(answer: String?, options: [String], status: Int32) async throws {
        let site = try Site()
        let asked = Mutex("")
        let output = Output(
            isTerminal: true, isColoured: false, isErrorTerminal: true, standardOutput: { _ in },
            standardError: { text in asked.withLock { $0 += text } }, answer: { answer })
        func remove(_ name: String) async -> Int32 {
            await Program.run(
                ["list", "rm", name, "--config", site.configuration] + options, wiring: site.wiring, output: output)
        }
        #expect(await remove("staff@example.org") == status)
        let question = "addressee: the list staff@example.org has 2 members; remove it? [y/N] "
        let refusal = "addressee: nothing was removed; answer y to remove it, or give --yes\n"
        #expect(asked.withLock { $0 } == (options.isEmpty ? question + (status == 0 ? "" : refusal) : ""))
        #expect(await site.run("list", "show", "staff@example.org").status == (status == 0 ? 67 : 0))
        // One without members is nobody's loss.
        #expect(await remove("closed@example.org") == 0)
    }

    @Test func joinsAndLeaves() async throws {
        let site = try Site()
        #expect(
            await site.run("list", "join", "staff@example.org", "fred@example.org", "Barney <barney@example.org>")
                == Run(0, out: "added 1 member to list staff@example.org; 1 was a member already\n"))
        #expect(
            await site.run("list", "join", "closed@example.org", "fred@example.org", "barney@example.org")
                == Run(0, out: "added 2 members to list closed@example.org\n"))
        #expect(
            await site.run("list", "leave", "staff@example.org", "sam@example.com")
                == Run(0, out: "removed 1 member from list staff@example.org\n"))
        #expect(
            await site.run("list", "leave", "staff@example.org", "fred@example.org", "sam@example.com")
                == Run(65, err: "addressee: sam@example.com is not a member of staff@example.org\n"))
        #expect(
            await site.run("list", "leave", "staff@example.org", "fred@example.org", "--json")
                == Run(
                    0,
                    out: """
                        {"address":"staff@example.org","expn":"trusted","members":[{"address":"barney@example.org",\
                        "name":"Barney"}],"name":"The staff","owner":"fred@example.org","record":"list","source":"main"}

                        """))
    }
}
