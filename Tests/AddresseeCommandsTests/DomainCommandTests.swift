import Testing

@testable import AddresseeCommands

@Suite struct DomainCommandTests {
    @Test func lists() async throws {
        let site = try Site()
        #expect(
            await site.run("domain", "ls")
                == Run(
                    0,
                    out:
                        "example.net\talias\texample.org\t\t+\t\nexample.org\tlocal\t\t\t+\t\nrelay.example\trelay\t\t\t\tlmtp:unix:/run/lmtp\n"
                ))
        #expect(await site.run("domain", "ls", "example.org") == Run(0, out: "example.org\tlocal\t\t\t+\t\n"))
        #expect(
            await site.run("domain", "ls", terminal: true).out == """
                DOMAIN         KIND   ALIAS OF     CATCH-ALL  DETAIL SEPARATOR  TRANSPORT
                example.net    alias  example.org             +
                example.org    local                          +
                relay.example  relay                                            lmtp:unix:/run/lmtp

                """)
        #expect(
            await site.run("domain", "ls", "--json").out == """
                [
                {"aliasOf":"example.org","catchAll":null,"detailSeparator":"+","domain":"example.net","kind":"alias",\
                "record":"domain","source":"main","transport":null},
                {"aliasOf":null,"catchAll":null,"detailSeparator":"+","domain":"example.org","kind":"local",\
                "record":"domain","source":"main","transport":null},
                {"aliasOf":null,"catchAll":null,"detailSeparator":"","domain":"relay.example","kind":"relay",\
                "record":"domain","source":"main","transport":"lmtp:unix:/run/lmtp"}
                ]

                """)
    }

    @Test func addsAndShows() async throws {
        let site = try Site()
        #expect(
            await site.run(
                "domain", "add", "shop.example", "--catch-all", "fred@example.org", "--detail-separator", "+-")
                == Run(0, out: "added domain shop.example\n"))
        #expect(
            await site.run("domain", "show", "SHOP.example")
                == Run(
                    0,
                    out: "domain\tshop.example\nkind\tlocal\nalias-of\t\ncatch-all\tfred@example.org\n"
                        + "detail-separator\t+-\ntransport\t\n"))
        #expect(
            await site.run("domain", "add", "example.edu", "--alias-of", "example.org", "--json")
                == Run(
                    0,
                    out: """
                        {"aliasOf":"example.org","catchAll":null,"detailSeparator":"+","domain":"example.edu",\
                        "kind":"alias","record":"domain","source":"main","transport":null}

                        """))
    }

    @Test func sets() async throws {
        let site = try Site()
        #expect(
            await site.run("domain", "set", "example.org", "--catch-all", "fred@example.org", "--no-detail-separator")
                == Run(0, out: "changed domain example.org (catch-all was none; detail-separator was +)\n"))
        #expect(
            await site.run("domain", "ls", "example.org") == Run(0, out: "example.org\tlocal\t\tfred@example.org\t\t\n")
        )
        #expect(
            await site.run("domain", "set", "example.org", "--no-catch-all", "--detail-separator=-").status == 0)
        #expect(await site.run("domain", "ls", "example.org") == Run(0, out: "example.org\tlocal\t\t\t-\t\n"))
        #expect(await site.run("domain", "set", "relay.example", "--kind", "local").status == 0)
        #expect(
            await site.run("domain", "ls", "relay.example")
                == Run(0, out: "relay.example\tlocal\t\t\t\tlmtp:unix:/run/lmtp\n"))
        #expect(await site.run("domain", "set", "relay.example", "--transport", "smtp:[mx.example]:25").status == 0)
        #expect(
            await site.run("domain", "ls", "relay.example")
                == Run(0, out: "relay.example\tlocal\t\t\t\tsmtp:[mx.example]:25\n"))
        #expect(await site.run("domain", "set", "relay.example", "--no-transport").status == 0)
        #expect(await site.run("domain", "ls", "relay.example") == Run(0, out: "relay.example\tlocal\t\t\t\t\n"))
        #expect(await site.run("domain", "set", "relay.example", "--no-transport", "--transport", "a:b").status == 64)
        let refused = await site.run("domain", "set", "relay.example", "--transport", "smtp")
        #expect(refused.status == 65)
        #expect(refused.err.contains("a transport is TRANSPORT:NEXTHOP"))
    }

    @Test func removes() async throws {
        let site = try Site()
        #expect(
            await site.run("domain", "rm", "relay.example") == Run(0, out: "removed domain relay.example\n"))
        let refused = await site.run("domain", "rm", "example.org")
        #expect(refused.status == 65)
        #expect(refused.err.hasPrefix("addressee: the domain example.org is still used by "))
        #expect(refused.err.contains("domain example.net, "))
    }
}
