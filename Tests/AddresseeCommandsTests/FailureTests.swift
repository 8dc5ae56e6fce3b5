// Every way in which a command fails: one line that says what to do, and the exit status.

import AddresseeConfiguration
import Foundation
import MailboxDirectory
import Synchronization
import Testing

@testable import AddresseeCommands

@Suite struct FailureTests {
    struct Case: CustomStringConvertible {
        var arguments: [String]
        var status: Int32
        var text: String

        init(_ arguments: String..., is status: Int32, _ text: String) {
            self.arguments = arguments
            self.status = status
            self.text = text
        }

        var description: String { arguments.joined(separator: " ") }
    }

    static let malformed = [
        Case(
            "user", "add", "fred@", is: 65,
            "\"fred@\" is not an address such as fred@example.org: the address or a part of it is empty"),
        Case(
            "user", "add", "fred", is: 65,
            "\"fred\" is not an address such as fred@example.org: the address has no \"@\" and domain; did you mean"
                + " fred@example.org?"),
        Case(
            "user", "add", "fred claude", is: 65,
            "\"fred claude\" is not an address such as fred@example.org: the character at position 5 may not stand there"
        ),
        Case(
            "user", "add", "", is: 65,
            "\"\" is not an address such as fred@example.org: the address or a part of it is empty"),
        Case(
            "user", "show", "a\u{1B}[31m\n@b", is: 65,
            "\"a\\u{1B}[31m\\n@b\" is not an address such as fred@example.org: there is a control character at position 2"
        ),
        Case(
            "alias", "add", "a@example.org", "--to", "b..c@example.org", is: 65,
            "nobody is at \"b..c\"@example.org; add that first, correct it, or use --force to write it all the same"),
        Case(
            "alias", "add", "b..c@example.org", "--to", "jane@example.org", is: 65,
            "\"b..c@example.org\" has a dot without a name on both of its sides; correct it, or write \"b..c\"@example.org"
                + " with quotes"),
        Case(
            "user", "add", String(repeating: "é", count: 3000) + "@example.org", is: 65,
            "\"\(String(repeating: "é", count: 80))…\" is not an address such as fred@example.org: the part before \"@\""
                + " is longer than 64 octets"),
        Case(
            "domain", "add", "example-.org", is: 65,
            "\"example-.org\" is not a domain such as example.org: the hyphen at position 8 is at the end of a part of"
                + " the domain"),
        Case(
            "domain", "add", "b.example.", is: 65, "\"b.example.\" is not a domain; did you mean b.example?"),
        Case("domain", "add", " b.example", is: 65, "\" b.example\" is not a domain; did you mean b.example?"),
        Case(
            "user", "ls", "fred@example.org", is: 65, "\"fred@example.org\" is not a domain; did you mean example.org?"),
        Case(
            "list", "join", "staff@example.org", "Fred <fred>", is: 65,
            "\"fred\" is not an address such as fred@example.org: the address has no \"@\" and domain"),
        Case(
            "user", "add", "a@example.org,b@example.org", is: 65,
            "\"a@example.org,b@example.org\" is 2 addresses; one is wanted here: several can stand behind an alias or a list"
        ),
        Case(
            "alias", "add", "x@example.org", "--to", "a@example.org b@example.org", is: 65,
            "\"a@example.org b@example.org\" is 2 addresses; put a comma between them, or give --to for each"),
        Case(
            "list", "join", "staff@example.org", "a@example.org;b@example.org", is: 65,
            "\"a@example.org;b@example.org\" is 2 addresses; put a comma between them"),
        Case(
            "alias", "add", "x@example.org", "--to", "fred@example.org,nobody", is: 65,
            "\"nobody\" is not an address such as fred@example.org: the address has no \"@\" and domain"),
        Case(
            "alias", "add", "x@example.org", "--to", ",", is: 65,
            "the alias x@example.org has no target; give it at least one --to"),
        Case("verify", "", is: 65, "the name is empty; give a name or an address such as fred@example.org"),
        Case(
            "verify", "a\tb", is: 65,
            "\"a\\tb\" is neither a name nor an address: there is a control character at position 2"),
        Case(
            "verify", "<fred@example.org", is: 65,
            "\"<fred@example.org\" is more than an address; did you mean fred@example.org?"),
        Case(
            "resolve", String(repeating: "x", count: 600), is: 65,
            "\"\(String(repeating: "x", count: 80))…\" is longer than 505 octets, which is all VRFY takes"),
    ]

    /// Whatever other mail servers would do with it.
    @Test(arguments: [
        ("|/usr/bin/vacation fred", "is a program, and none is run here"), ("\"|/usr/bin/procmail\"", "is a program"),
        ("|prog", "is a program"), ("|/usr/bin/x -a fred@example.org", "is a program"),
        ("/var/mail/fred", "is a file or a folder"), ("/home/fred/Maildir/", "is a file or a folder"),
        ("~/mbox", "is a file"), ("\"/dev/null\"", "is a file"),
        (":include:/etc/mail/friends", "is a file of addresses"),
        (":blackhole:", "is a word of another mail server"), ("\\fred", "a forward keeps a copy there"),
    ])
    func targetsElsewhere(_ text: String, _ said: String) async throws {
        let site = try Site()
        for arguments in [
            ["alias", "add", "x@example.org", "--to", text], ["alias", "set", "info@example.org", "--to", text],
            ["forward", "add", "fred@example.org", "--to", text], ["list", "join", "staff@example.org", text],
            ["alias", "add", "x@example.org", "--to", "fred@example.org,\(text)"],
            ["moved", "add", "x@example.org", "--to", text],
            ["domain", "set", "example.org", "--catch-all", text], ["alias", "add", text, "--to", "fred@example.org"],
            ["user", "add", text], ["forward", "add", text, "--to", "fred@example.org"], ["list", "add", text],
            ["user", "rm", text], ["alias", "set", text, "--to", "fred@example.org"],
        ] {
            let run = await site.run(bare: arguments + ["--config", site.configuration])
            #expect(run.status == 65, "\(arguments)")
            #expect(
                run.err.hasPrefix("addressee: \(text.quoted) ") && run.err.contains(said), "\(arguments): \(run.err)")
            #expect(run.err.split(separator: "\n").count == 1)
        }
    }

    /// As a name it is a domain of ours that is meant, as a target any.
    @Test func wholeDomains() async throws {
        let site = try Site()
        for arguments in [
            ["alias", "add", "x@example.org", "--to", "@example.net"],
            ["list", "join", "staff@example.org", "@example.net"],
            ["moved", "add", "x@example.org", "--to", "@example.net"],
            ["domain", "set", "example.org", "--catch-all", "@example.net"],
        ] {
            let run = await site.run(bare: arguments + ["--config", site.configuration])
            #expect(
                run.err
                    == "addressee: \"@example.net\" is a whole domain; name the address in it that is to get the mail\n"
            )
            #expect(run.status == 65)
        }
        for arguments in [
            ["alias", "add", "@example.net", "--to", "fred@example.org"], ["user", "add", "@example.net"],
        ] {
            let run = await site.run(bare: arguments + ["--config", site.configuration])
            #expect(
                run.err.hasPrefix(
                    "addressee: \"@example.net\" is a whole domain; for the same names as in another: addressee domain add"
                        + " example.net --alias-of DOMAIN (domain set, if it is on record); for the names that are not on record: addressee domain set"
                        + " example.net --catch-all ADDRESS"))
            #expect(run.status == 65)
        }
    }

    /// What looks like one and is an address is taken.
    @Test(arguments: ["|a@example.com", "/b@example.com", "~c@example.com"]) func oddAddresses(_ text: String)
        async throws
    {
        #expect(try await Site().run("alias", "add", "x@example.org", "--to", text).status == 0)
    }

    static let refused = [
        Case(
            "user", "add", "fred@exmaple.org", is: 65,
            "the domain exmaple.org is not on record; did you mean example.org? If not, add it first: addressee domain add"
                + " exmaple.org"),
        Case(
            "alias", "add", "a@Example.ogr", "--to", "fred@example.org", is: 65,
            "the domain Example.ogr is not on record; did you mean example.org? If not, add it first: addressee domain add"
                + " Example.ogr"),
        Case(
            "domain", "add", "a.example", "--alias-of", "exampl.org", is: 65,
            "the domain exampl.org is not on record; did you mean example.org? If not, add it before its alias: addressee"
                + " domain add exampl.org"),
        Case(
            "domain", "show", "relay.exmaple", is: 67,
            "the domain relay.exmaple is not on record; did you mean relay.example? If not, add it with: addressee domain add"
                + " relay.exmaple"),
        Case(
            "user", "ls", "--domain", "example.rog", is: 67,
            "the domain example.rog is not on record; did you mean example.org? If not, see: addressee domain ls"),
        Case(
            "user", "rm", "fred@exmaple.org", is: 67,
            "the domain exmaple.org is not on record; did you mean example.org? If not, see: addressee domain ls"),
        Case(
            "user", "add", "fred@example.com", is: 65,
            "the domain example.com is not on record; add it first: addressee domain add example.com"),
        Case(
            "user", "show", "stone", is: 65,
            "\"stone\" may be Barney Stone <barney@example.org>, Betty Stone <betty@example.org>; ask for one of these"),
        Case(
            "user", "show", "nobody", is: 67,
            "there is no user nobody@example.org; see which there are: addressee user ls example.org"),
        Case(
            "user", "show", "info", is: 67,
            "there is no user info@example.org; it is an alias: addressee alias show info@example.org"),
        // A login is no local-part: what is written is named by its address.
        Case(
            "user", "set", "fc", "--name", "x", is: 67,
            "there is no user fc@example.org; see which there are: addressee user ls example.org"),
        Case(
            "user", "rm", "Fred Claude", is: 67,
            "there is no user \"Fred Claude\"@example.org; see which there are: addressee user ls example.org"),
        Case(
            "alias", "add", "a@example.org", "--to", "fred@example.org", "--to", "fred@example.org", is: 65,
            "fred@example.org is given twice; once is enough"),
        Case(
            "user", "add", "fred@example.org", is: 65,
            "fred@example.org is a user already; one address is one thing: change it (addressee user set"
                + " fred@example.org) or remove it first (addressee user rm fred@example.org)"),
        Case(
            "user", "add", "new@example.org", "--login", "FC", is: 65,
            "the login FC belongs to another user already; choose another"),
        Case(
            "user", "add", "fred@elsewhere.example", is: 65,
            "the domain elsewhere.example is not on record; add it first: addressee domain add elsewhere.example"),
        Case(
            "alias", "add", "a@example.org", "--to", "nobody@example.org", is: 65,
            "nobody is at nobody@example.org; add that first, correct it, or use --force to write it all the same"),
        Case(
            "alias", "add", "a@example.org", "--to", "a@example.org", is: 65,
            "a@example.org would point to itself; leave that target out"),
        Case(
            "forward", "add", "fred@example.org", "--to", "info@example.org", is: 65,
            "this would make a loop: fred@example.org -> info@example.org -> fred@example.org;"
                + " leave out one of these steps"),
        Case(
            "domain", "add", "example.org", is: 65,
            "the domain example.org is on record already; change it with: addressee domain set example.org"),
        Case(
            "user", "show", "nobody@example.org", is: 67,
            "there is no user nobody@example.org; see which there are: addressee user ls example.org"),
        Case(
            "user", "set", "info@example.org", "--name", "x", is: 67,
            "there is no user info@example.org; it is an alias: addressee alias show info@example.org"),
        Case(
            "moved", "rm", "nobody@example.org", is: 67,
            "there is no moved address nobody@example.org; see which there are: addressee moved ls example.org"),
        Case(
            "list", "join", "fred@example.org", "sam@example.com", is: 67,
            "there is no list fred@example.org; it is a user: addressee user show fred@example.org"),
        Case(
            "list", "leave", "fred@example.org", "sam@example.com", is: 67,
            "there is no list fred@example.org; it is a user: addressee user show fred@example.org"),
        Case(
            "list", "leave", "nobody@example.org", "sam@example.com", is: 67,
            "there is no list nobody@example.org; see which there are: addressee list ls example.org"),
        Case(
            "domain", "show", "elsewhere.example", is: 67,
            "the domain elsewhere.example is not on record; add it with: addressee domain add elsewhere.example"),
        Case(
            "domain", "set", "elsewhere.example", "--kind", "relay", is: 67,
            "the domain elsewhere.example is not on record; add it with: addressee domain add elsewhere.example"),
        Case(
            "user", "ls", "nowhere.example", is: 67,
            "the domain nowhere.example is not on record; see: addressee domain ls"),
        Case("user", "ls", "--source", "ldap", is: 64, "no source is called \"ldap\"; the configuration has: main"),
        Case(
            "verify", "fred", "--as", "friends", is: 64,
            "no class of clients is called \"friends\"; the configuration has: trusted, partners, everyone"),
    ]

    @Test(arguments: malformed + refused) func failures(_ test: Case) async throws {
        let site = try Site()
        let run = await site.run(bare: test.arguments + ["--config", site.configuration])
        #expect(run.status == test.status)
        #expect(run.out == "")
        #expect(run.err == "addressee: \(test.text)\n")
    }

    @Test(arguments: [
        (["user", "add"], "missing expected argument '<address>'; see: addressee user add --help"),
        (
            ["user", "set", "a@example.org"],
            "say what to change: --name, --login, --no-login or --status; see: addressee user set --help"
        ),
        (
            ["user", "set", "a@example.org", "--login", "a", "--no-login"],
            "give --login or --no-login, not both; see: addressee user set --help"
        ),
        (
            ["domain", "set", "example.org"],
            "say what to change: --kind, --alias-of, --catch-all, --detail-separator or --transport;"
                + " see: addressee domain set --help"
        ),
        (
            ["domain", "add", "a.example", "--kind", "local", "--alias-of", "example.org"],
            "--alias-of is a kind by itself; leave out --kind; see: addressee domain add --help"
        ),
        (
            ["domain", "set", "a.example", "--detail-separator", "-", "--no-detail-separator"],
            "give --detail-separator or --no-detail-separator, not both; see: addressee domain set --help"
        ),
        (
            ["forward", "set", "a@example.org"],
            "say what to change: --to, --keep-copy, --no-keep-copy or --reply; see: addressee forward set --help"
        ),
        (["moved", "set", "a@example.org"], "give --to or --no-to; see: addressee moved set --help"),
        (
            ["list", "set", "a@example.org"],
            "say what to change: --name, --owner, --no-owner, --member or --expn; see: addressee list set --help"
        ),
        (
            ["alias", "add", "a@example.org"],
            "missing expected argument '--to <target> ...'; see: addressee alias add --help"
        ),
        (["demo", "--port", "70000"], "--port takes 0 to 65535, not 70000; see: addressee demo --help"),
        (["demo", "--port", "2521"], "--port and --plain-port must differ; see: addressee demo --help"),
        (
            ["domain", "rm", "example.org", "--force"],
            "a domain can't be removed by force; remove what stands in it first; see: addressee domain rm --help"
        ),
        (
            ["user", "add", "a@example.org", "--staus", "full"],
            "unknown option '--staus'. Did you mean '--status'? see: addressee user add --help"
        ),
        (
            ["bench", "--host", "127.0.0.1:1", "--names", "x", "--wire", "socketmap", "--map", "aliasses"],
            "the value 'aliasses' is invalid for '--map <map>'. Please provide one of the following: domains,"
                + " relay-domains, mailboxes, recipients, aliases, aliases-step, forwards, relocated, senders, transport;"
                + " see: addressee bench --help"
        ),
        (["user", "list"], "there is no command \"list\"; use: addressee user ls; see: addressee user --help"),
        (
            ["alias", "list", "--domain", "a.example"],
            "there is no command \"list\"; use: addressee alias ls; see: addressee alias --help"
        ),
        (
            ["user", "delete", "x@y"],
            "there is no command \"delete\"; use: addressee user rm; see: addressee user --help"
        ),
        (
            ["forward", "remove", "x@y"],
            "there is no command \"remove\"; use: addressee forward rm; see: addressee forward --help"
        ),
        (
            ["domain", "create", "x"],
            "there is no command \"create\"; use: addressee domain add; see: addressee domain --help"
        ),
        (
            ["list", "members", "x@y"],
            "there is no command \"members\"; use: addressee list show; see: addressee list --help"
        ),
        (
            ["list", "subscribe", "x@y"],
            "there is no command \"subscribe\"; use: addressee list join; see: addressee list --help"
        ),
        (
            ["alias", "get", "x@y"],
            "there is no command \"get\"; use: addressee alias show; see: addressee alias --help"
        ),
        (
            ["alias", "edit", "x@y"],
            "there is no command \"edit\"; use: addressee alias set; see: addressee alias --help"
        ),
        (
            ["user", "rename", "x@y", "z@y"],
            "there is no command \"rename\"; an address can't be changed; add the new one, remove the old, and: addressee alias add"
                + " OLD --to NEW; see: addressee user --help"
        ),
        (
            ["domain", "mv", "x", "y"],
            "there is no command \"mv\"; a name can't be changed; add the new domain, and: addressee domain set OLD --alias-of NEW;"
                + " see: addressee domain --help"
        ),
        (
            ["user", "disable", "x@y"],
            "there is no command \"disable\"; use: addressee user set ADDRESS --status disabled; see: addressee user --help"
        ),
        (
            ["export"],
            "there is no command \"export\"; \"addressee user ls --json\" prints users, and so each other kind of record;"
                + " see: addressee --help"
        ),
        (
            ["backup", "x.sqlite"],
            "there is no command \"backup\"; \"sqlite3 FILE '.backup COPY'\" copies a directory, while it is served too;"
                + " \".restore\" puts it back; see: addressee --help"
        ),
        (["stop"], "there is no command \"stop\"; a server ends on SIGTERM; see: addressee --help"),
        (
            ["reload"],
            "there is no command \"reload\"; a server reads its configuration again on SIGHUP, and sees records at once;"
                + " see: addressee --help"
        ),
        (["version"], "there is no command \"version\"; use: addressee --version; see: addressee --help"),
        (
            ["list", "expand", "l"],
            "there is no command \"expand\"; use: addressee expand LIST; see: addressee list --help"
        ),
        (
            ["domain", "alias", "x"],
            "there is no command \"alias\"; use: addressee domain add DOMAIN --alias-of OTHER; see: addressee domain --help"
        ),
        (
            ["import", "users.csv"],
            "there is no command \"users.csv\"; use: addressee import csv FILE; see: addressee import --help"
        ),
        (["users"], "there is no command \"users\"; use: addressee user; see: addressee --help"),
        (["vrfy", "fred"], "there is no command \"vrfy\"; use: addressee verify; see: addressee --help"),
        (
            ["add", "user", "x@y"],
            "there is no command \"add\"; the noun comes first, as in: addressee user add; see: addressee --help"
        ),
        (
            ["show", "fred@example.org"],
            "there is no command \"show\"; the noun comes first, as in: addressee user show; see: addressee --help"
        ),
        (
            ["delete", "alias", "x@y"],
            "there is no command \"delete\"; the noun comes first, as in: addressee alias rm; see: addressee --help"
        ),
        (["moved", "add", "a@example.org", "--no-to"], "unknown option '--no-to'; see: addressee moved add --help"),
        (["list", "add", "a@example.org", "--no-name"], "unknown option '--no-name'; see: addressee list add --help"),
        (
            ["alias", "ls", "--status", "full"],
            "only users have a status; leave out --status; see: addressee alias ls --help"
        ),
        (
            ["user", "ls", "a.example", "--domain", "b.example"],
            "give one domain, or none for all; see: addressee user ls --help"
        ),
        (["user", "ls", "--table", "--json"], "give --table or --json, not both; see: addressee user ls --help"),
        (
            ["user", "set", "a@example.org", "--status", "inactive"],
            "the value 'inactive' is invalid for '--status <status>'. Please provide one of 'active', 'disabled', 'suspended'"
                + " or 'full'; see: addressee user set --help"
        ),
        (["bogus"], "there is no command \"bogus\"; see: addressee --help"),
        (["usr", "add", "x@y"], "there is no command \"usr\"; did you mean \"user\"? see: addressee --help"),
        (["user", "ad", "x@y"], "there is no command \"ad\"; did you mean \"add\"? see: addressee user --help"),
        (["user", "add", "x@y", "z@y"], "unexpected argument 'z@y'; see: addressee user add --help"),
    ])
    func usage(_ arguments: [String], _ text: String) async throws {
        let run = try await Site().run(bare: arguments)
        #expect(run.status == 64)
        #expect(run.out == "")
        #expect(run.err == "addressee: \(text)\n")
    }

    @Test func configuration() async throws {
        let site = try Site()
        let file = site.configuration
        #expect(
            await site.run(bare: ["user", "ls", "--config", "/nowhere/a.yaml"])
                == Run(
                    78,
                    err:
                        "addressee: /nowhere/a.yaml: there is no such file; \"addressee init\" writes one, --config names"
                        + " another\n"))
        try Data("default-domain: ..\nsource: []\n".utf8).write(to: URL(fileURLWithPath: file))
        let run = await site.run("verify", "fred")
        #expect(run.status == 78)
        let lines = run.err.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.allSatisfy { $0.hasPrefix("addressee: \(file):") })
    }

    @Test func stores() async throws {
        let site = try Site()
        site.failing = ["main"]
        #expect(
            await site.run("user", "ls")
                == Run(
                    75,
                    err: "addressee: source main could not tell: the disk is gone\n"))
        #expect(await site.run("user", "add", "new@example.org").status == 75)
    }

    /// The other sources' records are listed, and the one that failed is named.
    @Test func oneOfTwoStores() async throws {
        let site = try Site(sources: ["main", "branch"])
        try site.stores[1].write {
            try $0.insert(.domain(DomainRecord(domain: Site.domain("branch.example"))))
            try $0.insert(.user(User(address: Site.mailbox("pearl@branch.example"))))
        }
        let complaint = { (name: String) in "addressee: source \(name) could not tell: the disk is gone\n" }
        site.failing = ["branch"]
        var run = await site.run("user", "ls")
        #expect(run.status == 75 && run.err == complaint("branch"))
        #expect(run.out.contains("fred@example.org"))
        #expect(await site.run("user", "ls", "example.org") == run)
        run = await site.run("domain", "ls", "--json")
        #expect(run.status == 75 && run.err == complaint("branch") && run.out.hasSuffix("\n]\n"))
        site.failing = ["main"]
        run = await site.run("user", "ls")
        #expect(run.status == 75 && run.err == complaint("main"))
        #expect(run.out.hasPrefix("pearl@branch.example\t"))
        run = await site.run("user", "ls", "branch.example")
        #expect(run.status == 75 && run.out.hasPrefix("pearl@branch.example\t"))
        // Whether the domain is on record can't be told.
        #expect(await site.run("user", "ls", "example.org") == Run(75, err: complaint("main")))
        #expect(await site.run("user", "ls", "--source", "main") == Run(75, err: complaint("main")))
        #expect(await site.run("user", "ls", "--source", "branch").status == 0)
    }

    /// What is pasted from elsewhere is not taken for an address, and what was meant is said.
    @Test(arguments: [
        "<ann@example.org>", "mailto:ann@example.org", "MAILTO:ann%40example.org?subject=x",
        "\"Ann\" <ann@example.org>",
        "Ann A. <ann@example.org>", " ann@example.org", "ann@example.org.,", "\u{201C}ann@example.org\u{201D}",
        "'ann@example.org'",
        "(ann@example.org)", "<mailto:ann@example.org>",
    ])
    func pasted(_ text: String) async throws {
        let site = try Site()
        for arguments in [
            ["user", "add", text], ["alias", "add", "x@example.org", "--to", text],
            ["user", "set", text, "--name", "A"],
            ["user", "rm", text], ["moved", "add", "x@example.org", "--to", text],
            ["domain", "set", "example.org", "--catch-all", text],
        ] {
            let run = await site.run(bare: arguments + ["--config", site.configuration])
            #expect(run.status == 65, "\(arguments)")
            #expect(
                run.err.hasSuffix("is more than an address; did you mean ann@example.org?\n"), "\(arguments) \(run.err)"
            )
            #expect(run.out == "")
        }
    }

    @Test func wholeDomainWhereADomainIsWanted() async throws {
        let site = try Site()
        for (text, meant) in [("@example.de", "example.de"), ("fred@example.de", "example.de")] {
            let run = await site.run("domain", "add", text)
            #expect(run.status == 65)
            if text.hasPrefix("@") {
                #expect(run.err == "addressee: \"\(text)\" is not a domain; did you mean \(meant)?\n")
            }
        }
    }

    /// An answer to another question does not say that nothing is there.
    @Test func answersOfAnotherKind() async throws {
        let site = try Site(sources: ["main", "branch"])
        var wiring = site.wiring
        let open = (wiring.openSource, wiring.openStore)
        wiring.openSource = { $0.name == "branch" ? OddSource(name: "branch") : try open.0($0) }
        wiring.openStore = { $0.name == "branch" ? OddStore(name: "branch") : try open.1($0) }
        for arguments in [
            ["user", "set", "pearl@example.org", "--name", "x"],
            ["domain", "show", "example.edu", "--source", "branch"],
        ] {
            let err = Mutex("")
            let output = Output(
                isTerminal: false, isColoured: false, isErrorTerminal: false, standardOutput: { _ in },
                standardError: { text in err.withLock { $0 += text } })
            let status = await Program.run(
                arguments + ["--config", site.configuration], wiring: wiring, output: output)
            #expect(status == 75)
            #expect(
                err.withLock { $0 }
                    == "addressee: source branch could not tell: the answer is not one to the question\n")
        }
    }

    /// A record that can't be read ends no listing.
    @Test(arguments: [[], ["--json"]])
    func theRestIsListed(form: [String]) async throws {
        let site = try Site(sources: ["main", "branch"])
        var wiring = site.wiring
        let open = wiring.openStore
        wiring.openStore = { $0.name == "branch" ? OddStore(name: "branch") : try open($0) }
        let out = Mutex("")
        let err = Mutex("")
        let output = Output(
            isTerminal: false, isColoured: false, isErrorTerminal: false,
            standardOutput: { text in out.withLock { $0 += text } },
            standardError: { text in err.withLock { $0 += text } })
        let status = await Program.run(
            ["user", "ls", "--config", site.configuration] + form, wiring: wiring, output: output)
        #expect(status == 75)
        #expect(
            err.withLock { $0 }
                == "addressee: source branch could not tell: the record can't be read; correct it\n")
        let listed = out.withLock { $0 }
        #expect(listed.contains("fred@example.org") && listed.contains("wilma@example.org"))
        if form == ["--json"] { #expect(listed.hasSuffix("\n]\n")) }
    }

    @Test func severalSources() async throws {
        let site = try Site(sources: ["main", "branch"])
        try site.stores[1].write { try $0.insert(Site.records[0]) }
        #expect(
            await site.run("user", "add", "pearl@example.org", "--source", "branch")
                == Run(0, out: "added user pearl@example.org\n"))
        #expect(await site.run("user", "ls", "--source", "branch") == Run(0, out: "pearl@example.org\t\t\tactive\n"))
        #expect(await site.run("user", "ls").out.hasSuffix("pearl@example.org\t\t\tactive\n"))
        #expect(
            await site.run("user", "show", "pearl@example.org", "--json").out.contains("\"source\":\"branch\""))
        #expect(
            await site.run("user", "rm", "pearl@example.org")
                == Run(
                    67,
                    err: "addressee: there is no user pearl@example.org in the source main, but in branch; use --source"
                        + " branch\n"))
        // A source has nothing in a domain that is on record in another only.
        #expect(await site.run("user", "ls", "relay.example", "--source", "branch") == Run(0))
        #expect(await site.run("user", "ls", "nowhere.example", "--source", "branch").status == 67)
        // A domain that only the other source has.
        try site.stores[1].write { try $0.insert(.domain(DomainRecord(domain: Site.domain("branch.example")))) }
        let elsewhere =
            "the domain branch.example is not on record in the source main, but in branch; use --source branch\n"
        #expect(await site.run("user", "add", "a@branch.example") == Run(65, err: "addressee: \(elsewhere)"))
        #expect(await site.run("domain", "rm", "branch.example") == Run(67, err: "addressee: \(elsewhere)"))
        #expect(
            await site.run("domain", "set", "branch.example", "--kind", "relay")
                == Run(67, err: "addressee: \(elsewhere)"))
        #expect(await site.run("user", "add", "a@branch.example", "--source", "branch").status == 0)
        #expect(
            await site.run("user", "add", "pearl@example.org")
                == Run(
                    65,
                    err: "addressee: pearl@example.org is a user in the source branch already; choose another address\n"
                ))
        // Who is not in main may be in the source that can't tell.
        site.failing = ["branch"]
        let complaint = "addressee: source branch could not tell: the disk is gone\n"
        #expect(await site.run("user", "rm", "pearl@example.org") == Run(75, err: complaint))
        #expect(await site.run("user", "add", "new@example.org") == Run(75, err: complaint))
    }
}
