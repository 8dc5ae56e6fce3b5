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
            "\"fred\" is not an address such as fred@example.org: the address has no \"@\" and domain"),
        Case(
            "user", "add", "", is: 65,
            "\"\" is not an address such as fred@example.org: the address or a part of it is empty"),
        Case(
            "user", "show", "a\u{1B}[31m\n@b", is: 65,
            "\"a\\u{1B}[31m\\n@b\" is not an address such as fred@example.org: there is a control character at position 2"
        ),
        Case(
            "alias", "add", "a@example.org", "--to", "b..c@example.org", is: 65,
            "\"b..c@example.org\" is not an address such as fred@example.org: the dot at position 2 has no name on both"
                + " of its sides"),
        Case(
            "user", "add", String(repeating: "é", count: 3000) + "@example.org", is: 65,
            "\"\(String(repeating: "é", count: 80))…\" is not an address such as fred@example.org: the part before \"@\""
                + " is longer than 64 octets"),
        Case(
            "domain", "add", "example-.org", is: 65,
            "\"example-.org\" is not a domain such as example.org: the hyphen at position 8 is at the end of a part of"
                + " the domain"),
        Case(
            "list", "join", "staff@example.org", "Fred <fred>", is: 65,
            "\"fred\" is not an address such as fred@example.org: the address has no \"@\" and domain"),
        Case("verify", "", is: 65, "the name is empty; give a name or an address such as fred@example.org"),
        Case(
            "verify", "a\tb", is: 65,
            "\"a\\tb\" is neither a name nor an address: there is a control character at position 2"),
        Case(
            "verify", "<fred@example.org", is: 65,
            "\"<fred@example.org\" is neither a name nor an address: the address must stand between \"<\" and \">\""),
        Case(
            "resolve", String(repeating: "x", count: 600), is: 65,
            "\"\(String(repeating: "x", count: 80))…\" is longer than 505 octets, which is all VRFY takes"),
    ]

    static let refused = [
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
