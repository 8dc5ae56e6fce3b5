import MailboxDirectory
import Testing

@testable import AddresseeCommands

@Suite struct ResolveTests {
    @Test func recipients() async throws {
        let site = try Site()
        #expect(await site.run("resolve", "staff@example.org") == Run(0, out: "fred@example.org\nsam@example.com\n"))
        #expect(
            await site.run("resolve", "barney@example.org") == Run(0, out: "barney@example.org\nbarney@example.com\n"))
        #expect(await site.run("resolve", "<Fred+x@EXAMPLE.net>") == Run(0, out: "fred@example.org\n"))
    }

    @Test func explains() async throws {
        let site = try Site()
        #expect(
            await site.run("resolve", "staff@example.org", "--explain")
                == Run(
                    0,
                    out: """
                        staff@example.org: domain example.org is local [main]
                        staff@example.org is the list The staff [main]
                        staff@example.org: 2 members [main]
                          fred@example.org is the user Fred Claude [main]
                          sam@example.com: domain example.com is elsewhere
                        => Fred Claude <fred@example.org>
                        => Sam Q. Smith <sam@example.com>, elsewhere

                        """))
        #expect(
            await site.run("resolve", "gone@example.org", "--explain")
                == Run(
                    67,
                    out: """
                        gone@example.org: domain example.org is local [main]
                        gone@example.org is moved, new address unknown [main]

                        """,
                    err: "addressee: gone@example.org has moved, nobody knows where; mail for it is refused\n"))
    }

    @Test(arguments: [
        ("nobody", 67, "\"nobody\" is nobody's address, login or name here; see who is here: addressee user ls"),
        ("nobody@example.org", 67, "nobody is at nobody@example.org; see who is: addressee user ls example.org"),
        ("a@elsewhere.example", 67, "the domain of a@elsewhere.example is not served here; see: addressee domain ls"),
        (
            "fred@exmaple.org", 67,
            "the domain of fred@exmaple.org is not served here; did you mean example.org? If not, see: addressee domain ls"
        ),
        ("old", 67, "old@example.org has moved to new@example.com; mail for it is refused"),
        (
            "betty", 67,
            "betty@example.org is disabled; to open it again: addressee user set betty@example.org --status active"
        ),
        (
            "wilma", 75,
            "wilma@example.org is suspended; to open it again: addressee user set wilma@example.org --status active"
        ),
        ("closed", 67, "the list has no members; addressee list join adds some"),
        (
            "stone", 65,
            "\"stone\" may be Barney Stone <barney@example.org>, Betty Stone <betty@example.org>; ask for one of these"
        ),
    ])
    func complaints(_ name: String, _ status: Int32, _ text: String) async throws {
        #expect(try await Site().run("resolve", name) == Run(status, err: "addressee: \(text)\n"))
    }

    @Test func someReachedAndSomeNot() async throws {
        let site = try Site()
        _ = await site.run("list", "join", "staff@example.org", "betty@example.org", "lost@example.org", "--force")
        #expect(
            await site.run("resolve", "staff")
                == Run(
                    0, out: "fred@example.org\nsam@example.com\n",
                    err: """
                        addressee: betty@example.org is disabled; to open it again: addressee user set \
                        betty@example.org --status active
                        addressee: nobody is at lost@example.org, where this leads; add it, or correct what leads there

                        """))
    }

    @Test func loops() async throws {
        let site = try Site()
        // The editor refuses loops, but a store may have been filled by other means.
        try site.stores[0].write { writing in
            try writing.insert(
                .alias(Alias(address: Site.mailbox("a@example.org"), targets: [Site.mailbox("b@example.org")])))
            try writing.insert(
                .alias(Alias(address: Site.mailbox("b@example.org"), targets: [Site.mailbox("a@example.org")])))
        }
        let path = "a@example.org -> b@example.org -> a@example.org"
        #expect(
            await site.run("resolve", "a@example.org")
                == Run(75, err: "addressee: there is a loop: \(path); break it at one of these steps\n"))
        #expect(
            await site.run("resolve", "a@example.org", "--json").out == """
                {"asked":"a@example.org","canonical":"a@example.org","exitStatus":75,"failures":[],"outcome":"loop",\
                "path":["a@example.org","b@example.org","a@example.org"],"possibilities":[],"reason":null,\
                "recipients":[],"steps":[]}

                """)
    }

    @Test func limits() async throws {
        let site = try Site()
        try site.stores[0].write { writing in
            for number in 0..<60 {
                try writing.insert(
                    .alias(
                        Alias(
                            address: Site.mailbox("a\(number)@example.org"),
                            targets: [Site.mailbox("a\(number + 1)@example.org")])))
            }
        }
        let run = await site.run("resolve", "a0@example.org")
        #expect(run.status == 75)
        #expect(run.out == "")
        #expect(run.err.hasPrefix("addressee: the limit on depth was passed at a0@example.org -> a1@example.org -> "))
        #expect(
            run.err.hasSuffix("; raise expansion-depth in the configuration, or point closer to the mailbox\n"))
    }

    @Test func json() async throws {
        let site = try Site()
        #expect(
            await site.run("resolve", "fred+lists@example.org", "--json", "--explain")
                == Run(
                    0,
                    out: """
                        {"asked":"fred+lists@example.org","canonical":"fred@example.org","exitStatus":0,"failures":[],\
                        "outcome":"answered","path":[],"possibilities":[],"reason":null,"recipients":[{"address":\
                        "fred@example.org","detail":"lists","kind":"user","name":"Fred Claude"}],"steps":[{"address":\
                        "fred+lists@example.org","depth":0,"reason":"domain example.org is local","source":"main"},\
                        {"address":"fred+lists@example.org","depth":0,"reason":"fred@example.org is the user Fred \
                        Claude, found without the detail \\"lists\\"","source":"main"}]}

                        """))
        #expect(
            await site.run("resolve", "old", "--json").out == """
                {"asked":"old","canonical":"old@example.org","exitStatus":67,"failures":[{"address":"old@example.org",\
                "reason":"moved","to":"new@example.com"}],"outcome":"answered","path":[],"possibilities":[],\
                "reason":null,"recipients":[],"steps":[]}

                """)
    }
}
