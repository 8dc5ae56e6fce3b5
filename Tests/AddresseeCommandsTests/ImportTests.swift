// `addressee import csv`: what is taken in, and every fault with its words.

import AddresseeConfiguration
import Foundation
import MailAddress
import MailboxDirectory
import Synchronization
import Testing

@testable import AddresseeCommands

@Suite struct ImportTests {
    @Test func addsUsers() async throws {
        let place = try ImportPlace()
        let run = await place.run(
            #"""
            status,login,address,name
            ,,sam@example.org,
            suspended,wf,Wilma@example.org,"Ångström, Wilma"

            full,,"""quoted name""@example.org",X
            active,,away@example.org,Sits under a forward

            """#)
        #expect(run.err == "")
        #expect(run.status == 0)
        #expect(run.out.hasPrefix("imported 4 users in "))
        #expect(run.out.hasSuffix(" s\n"))
        #expect(try place.user("sam@example.org") == User(address: try Mailbox("sam@example.org")))
        #expect(
            try place.user("wilma@example.org")
                == User(
                    address: try Mailbox("Wilma@example.org"), fullName: "Ångström, Wilma", login: "wf",
                    status: .suspended))
        #expect(try place.user("\"quoted name\"@example.org")?.status == .full)
        #expect(try place.user("away@example.org")?.fullName == "Sits under a forward")
    }

    @Test func saysWhatItDid() async throws {
        let place = try ImportPlace()
        let json = await place.run("address\na@example.org\n", "--json")
        #expect(json.out.hasPrefix("{\"imported\":1,\"seconds\":"))
        #expect(json.out.hasSuffix("}\n"))
        #expect(await place.run("address\nb@example.org\n").out.hasPrefix("imported 1 user in "))
        #expect(await place.run("address\n").out.hasPrefix("imported 0 users in "))
    }

    @Test func writesToTheSourceThatIsNamed() async throws {
        let place = try ImportPlace(sources: ["main", "other"])
        #expect(await place.run("address\na@example.net\n", "--source", "other").status == 0)
        #expect(try place.user("a@example.net", in: "other") != nil)
        let wrong = await place.run("address\nb@example.net\n", "--source", "nowhere")
        #expect(wrong.status == 64)
        // An address is one thing in all sources.
        let taken = await place.run("address\nb@example.net\nfred@example.org\n", "--source", "other")
        #expect(taken.status == 65)
        #expect(
            taken.err.hasPrefix(
                "FILE:3: fred@example.org is a user in the source main already; choose another address; or for all such users:"
                    + " --on-conflict keep\n"))
        #expect(try place.user("b@example.net", in: "other") == nil)
        // A forward sits on a user of a source that is asked later, not the other way round.
        let under = "address\naway@example.org\n"
        #expect(await place.run(under, "--source", "other").status == 0)
        let over = await place.run("address\nlater@example.org\n", "--source", "main")
        #expect(
            over.err.hasPrefix(
                "FILE:2: later@example.org is a forward in the source other already; choose another address\n"))
    }

    @Test func needsAStoreThatTakesImports() async throws {
        let place = try ImportPlace(inBulk: false)
        let run = await place.run("address\na@example.org\n")
        #expect(run.status == 64)
        #expect(
            run.err == "addressee: the source main takes no imports; name another with --source, or use addressee user"
                + " add\n")
        #expect(try place.count == 1)
    }

    /// An answer to another question does not say that nobody is there.
    @Test func answersOfAnotherKind() async throws {
        let place = try ImportPlace(sources: ["main", "other"])
        place.odd = ["other"]
        let run = await place.run("address\na@example.org\n")
        #expect(run.status == 75)
        #expect(run.err == "addressee: source other could not tell: the answer is not one to the question\n")
        #expect(try place.count == 1)
    }

    /// A file, and what is said of it before the last line.
    struct Wrong: Sendable, CustomTestStringConvertible {
        let text: String
        let faults: [String]

        init(_ text: String, _ faults: String...) {
            self.text = text
            self.faults = faults
        }

        var testDescription: String { faults.first ?? "" }
    }

    static let wrong = [
        Wrong("", "1: the file is empty; its first line names the columns, such as address,name"),
        Wrong("\"address\n", "1: a field begins with a quote that is not closed"),
        Wrong("adress,name\n", "1: there is no column \"adress\"; did you mean address?"),
        Wrong(
            "address,Full Name\n", "1: there is no column \"Full Name\"; the columns are address, name, login, status"),
        Wrong("name,E-Mail\n", "1: there is no column \"E-Mail\"; did you mean address?"),
        Wrong("email\n", "1: there is no column \"email\"; did you mean address?"),
        Wrong(
            "mail,username\n", "1: there is no column \"mail\"; did you mean address?",
            "1: there is no column \"username\"; did you mean login?"),
        Wrong(
            "address;name\na@example.org;A\n",
            "1: the columns are separated by semicolons; separate them by commas, as in: address,name,login"),
        Wrong(
            "E-Mail\tName\n", "1: the columns are separated by tabs; separate them by commas, as in: address,name,login"
        ),
        Wrong(
            "address\n<a@example.org>\nmailto:A@example.org\n\"a\" <b@example.org>\n\"\"\"a\"\" <c@example.org>\"\nd@example.org;\n",
            "2: \"<a@example.org>\" is more than an address; did you mean a@example.org?",
            "3: \"mailto:A@example.org\" is more than an address; did you mean A@example.org?",
            "4: more than an address stands here; did you mean b@example.org?",
            #"5: ""a" <c@example.org>" is more than an address; did you mean c@example.org?"#,
            "6: \"d@example.org;\" is more than an address; did you mean d@example.org?"),
        Wrong(
            "address\n\u{201C}p@example.org\n",
            "2: \u{201C}p@example.org holds U+201C left double quotation mark, which nobody types in an address; leave it out"
        ),
        Wrong(
            "address,login\na@example.org,a b\nb@example.org,b\u{A0}\n",
            "2: the login holds a space; it is one word, by which somebody logs in",
            "3: the login holds a space; it is one word, by which somebody logs in"),
        Wrong(
            "Address,logins\n", "1: there is no column \"Address\"; did you mean address?",
            "1: there is no column \"logins\"; did you mean login?"),
        Wrong("name,address,name\n", "1: the column name is there twice"),
        Wrong("name,login\n", "1: there is no column address; the first line names the columns"),
        Wrong("address\nfred@\n", "2: the address \"fred@\" is wrong: The address or a part of it is empty."),
        Wrong("address\nfred\n", "2: the address \"fred\" is wrong: The address has no \"@\" and domain."),
        Wrong(
            "address\n a@example.org\n",
            "2: \" a@example.org\" is more than an address; did you mean a@example.org?"),
        Wrong("address,status\na@example.org,Full\n", "2: there is no status \"Full\"; did you mean full?"),
        Wrong(
            "address,status\na@example.org,gone\n",
            "2: there is no status \"gone\"; it is active, disabled, suspended or full"),
        // What is one slip of the keys away may be the opposite.
        Wrong(
            "address,status\na@example.org,inactive\nb@example.org,actve\n",
            "2: there is no status \"inactive\"; it is active, disabled, suspended or full",
            "3: there is no status \"actve\"; did you mean active?"),
        Wrong("address,name\na@example.org\n", "2: the line has 1 field, but the first line has 2"),
        Wrong("address\na@example.org,\n", "2: the line has 2 fields, but the first line has 1"),
        Wrong("address,name\na@example.org,\"x\n", "2: a field begins with a quote that is not closed"),
        Wrong(
            "address,name\na@example.org,x\"y\"\n",
            "2: a quote stands inside a field; put the whole field in quotes, and double those in it"),
        Wrong("address,name\na@example.org,\"x\ny\"\n", "2: the name holds a control character; leave it out"),
        Wrong("address,name\na@example.org,x\u{85}y\n", "2: the name holds a control character; leave it out"),
        Wrong(
            "address,name\na@example.org,x<y\n",
            "2: the name holds < or >, which in a reply enclose the mailbox; leave them out"),
        Wrong(
            "address,name\na@example.org,\(String(repeating: "x", count: 201))\n",
            "2: the name is longer than 200 octets; shorten it"),
        Wrong("address,login\na@example.org,x\u{7F}\n", "2: the login holds a control character; leave it out"),
        Wrong("address,login\na@example.org, \n", "2: the login is nothing but spaces; leave it out to have none"),
        Wrong("address\na@example.org\n\nb@example.org\nA@EXAMPLE.ORG\n", "5: A@EXAMPLE.ORG is in line 2 already"),
        Wrong(
            "address\na@example.org\n\nfred@example.org\n",
            "4: fred@example.org is a user already; one address is one thing: change it (addressee user set"
                + " fred@example.org) or remove it first (addressee user rm fred@example.org); for all such users: --on-conflict keep, or --on-conflict replace"
        ),
        Wrong(
            "address\ninfo@example.org\n",
            "2: info@example.org is an alias already; one address is one thing: change it (addressee alias set"
                + " info@example.org) or remove it first (addressee alias rm info@example.org)"),
        Wrong(
            "address\na@example.com\n",
            "2: the domain example.com is not on record; add it first: addressee domain add example.com"),
        Wrong("address,login\na@example.org,aa\nb@example.org,AA\n", "3: the login AA is in line 2 already"),
        Wrong(
            "address,login\na@example.org,fc\n",
            "2: the login fc belongs to another user already; choose another"),
        // What the store refuses does not hide what is wrong further down.
        Wrong(
            "address\nfred@example.org\na@example.org\nb@example.org\nc@example.org\nd\n\ne\n",
            "2: fred@example.org is a user already; one address is one thing: change it (addressee user set"
                + " fred@example.org) or remove it first (addressee user rm fred@example.org); for all such users: --on-conflict keep, or --on-conflict replace",
            "6: the address \"d\" is wrong: The address has no \"@\" and domain.",
            "8: the address \"e\" is wrong: The address has no \"@\" and domain."),
    ]

    @Test(arguments: wrong) func refuses(_ wrong: Wrong) async throws {
        let place = try ImportPlace()
        let run = await place.run(wrong.text)
        let what = wrong.faults.count == 1 ? "this line" : "these \(wrong.faults.count) lines"
        #expect(
            run.err == wrong.faults.map { "FILE:\($0)\n" }.joined()
                + "addressee: nothing was imported; correct \(what) and import the file again\n")
        #expect(run.out == "")
        #expect(run.status == 65)
        #expect(try place.count == 1)
    }

    @Test func refusesOctetsThatAreNoUTF8() async throws {
        let place = try ImportPlace()
        let run = await place.run(octets: Array("address,name\na@example.org,".utf8) + [0xFF, 0x0A])
        #expect(run.err.hasPrefix("FILE:2: the line is not UTF-8; save the file in that encoding\n"))
        #expect(run.status == 65)
    }

    @Test func tellsTheFirstHundred() async throws {
        let place = try ImportPlace()
        let run = await place.run("address\nok@example.org\n" + (1...250).map { "wrong\($0)\n" }.joined())
        let lines = run.err.split(separator: "\n")
        #expect(lines.count == 101)
        #expect(lines[0] == "FILE:3: the address \"wrong1\" is wrong: The address has no \"@\" and domain.")
        #expect(lines[99] == "FILE:102: the address \"wrong100\" is wrong: The address has no \"@\" and domain.")
        #expect(
            lines[100] == "addressee: nothing was imported; correct these 250 lines (150 more are not shown) and import"
                + " the file again")
        #expect(try place.count == 1)
    }

    static let mixed = """
        address,name,login,status
        fred@example.org,Fred,,
        a@exmaple.org,A,,
        b@example.org,B,fc,
        wrong,C,,
        d@nowhere.example,D,,
        info@example.org,E,,
        f@example.org,F,,inactive
        b@example.org,G,,
        h@exmaple.org,H,,

        """

    /// Whatever is wrong with a line, those after it are looked at as well.
    @Test func tellsEveryFaultAtOnce() async throws {
        let place = try ImportPlace()
        let run = await place.run(Self.mixed)
        let exmaple =
            "the domain exmaple.org is not on record; did you mean example.org? If not, add it first: addressee domain add"
            + " exmaple.org"
        let taken = "one address is one thing: change it (addressee"
        #expect(
            run.err.split(separator: "\n").map(String.init) == [
                "FILE:2: fred@example.org is a user already; \(taken) user set fred@example.org) or remove it first"
                    + " (addressee user rm fred@example.org); for all such users: --on-conflict keep, or --on-conflict replace",
                "FILE:3: \(exmaple)",
                "FILE:4: the login fc belongs to another user already; choose another",
                "FILE:5: the address \"wrong\" is wrong: The address has no \"@\" and domain.",
                "FILE:6: the domain nowhere.example is not on record; add it first: addressee domain add nowhere.example",
                "FILE:7: info@example.org is an alias already; \(taken) alias set info@example.org) or remove it first"
                    + " (addressee alias rm info@example.org)",
                "FILE:8: there is no status \"inactive\"; it is active, disabled, suspended or full",
                "FILE:10: \(exmaple)",
                "addressee: nothing was imported; correct these 8 lines and import the file again",
            ])
        #expect(run.status == 65)
        #expect(try place.count == 1)
    }

    @Test func keepsUsersOnRecord() async throws {
        let place = try ImportPlace(sources: ["main", "other"])
        let file = "address,name,status\nfred@example.org,Frederic,disabled\na@example.org,A,\n"
        let run = await place.run(file, "--on-conflict", "keep")
        #expect(run.err == "")
        #expect(run.out.hasPrefix("imported 1 user in "))
        #expect(run.out.hasSuffix(" s; 1 user on record before, and left as they are\n"))
        #expect(try place.user("fred@example.org")?.fullName == "Fred Claude")
        #expect(try place.user("fred@example.org")?.status == .active)
        // In whatever source they are.
        let other = await place.run(
            "address\nfred@example.org\nb@example.net\n", "--source", "other", "--on-conflict", "keep", "--json")
        #expect(other.out.hasPrefix("{\"imported\":1,\"seconds\":"))
        #expect(other.out.hasSuffix(",\"replaced\":0,\"kept\":1}\n"))
        #expect(try place.user("fred@example.org", in: "other") == nil)
        // What is no user is no matter of taste.
        let alias = await place.run(
            "address\ninfo@example.org\nc@example.org\nc@example.org\n", "--on-conflict", "keep")
        #expect(alias.status == 65)
        #expect(alias.err.contains("FILE:2: info@example.org is an alias already"))
        #expect(alias.err.contains("FILE:4: c@example.org is in line 3 already"))
        #expect(try place.user("c@example.org") == nil)
    }

    @Test func replacesWhatTheFileHasColumnsFor() async throws {
        let place = try ImportPlace()
        let file = "address,name\nFRED@example.org,Frederic\na@example.org,A\n"
        let run = await place.run(file, "--on-conflict", "replace")
        #expect(run.out.hasPrefix("imported 2 users in "))
        #expect(run.out.hasSuffix(" s; 1 of them on record before, and changed\n"))
        #expect(try place.user("fred@example.org")?.fullName == "Frederic")
        #expect(try place.user("fred@example.org")?.login == "fc")
        #expect(await place.run(file, "--on-conflict", "refuse").status == 65)
        #expect(await place.run(file, "--on-conflict", "overwrite").status == 64)
    }

    /// A column is for its own field alone; an empty one says that there is none.
    @Test(arguments: [
        ("name", "Frederic", "Frederic, fc, active"), ("name", "", ", fc, active"),
        ("login", "ff", "Fred Claude, ff, active"), ("login", "", "Fred Claude, none, active"),
        ("status", "full", "Fred Claude, fc, full"), ("status", "disabled", "Fred Claude, fc, disabled"),
    ])
    func replacesOneField(column: String, value: String, expected: String) async throws {
        let place = try ImportPlace()
        let file = "\(column),address\n\(value),fred@example.org\n"
        #expect(await place.run(file, "--on-conflict", "keep").status == 0)
        #expect(try place.user("fred@example.org")?.fields == "Fred Claude, fc, active")
        #expect(await place.run(file, "--on-conflict", "replace").status == 0)
        #expect(try place.user("fred@example.org")?.fields == expected)
    }

    @Test func needsAFile() async throws {
        let run = try await ImportPlace().run(file: "/nowhere/users.csv")
        #expect(run.status == 64)
        #expect(run.err == "addressee: can't read /nowhere/users.csv: No such file or directory\n")
        let folder = try await ImportPlace().run(file: "/")
        #expect(folder.status == 64)
        #expect(folder.err == "addressee: can't read /: it is a folder; name a file in it\n")
    }

    @Test func showsProgressToAPerson() async throws {
        let place = try ImportPlace()
        let rows = (1...60_000).map { "user\($0)@example.org\n" }.joined()
        let run = await place.run("address\n" + rows, terminal: true)
        #expect(run.status == 0)
        #expect(run.err.hasSuffix("\r\u{1B}[K"))
        #expect(run.err.hasPrefix("\r\u{1B}[K"))
        #expect(run.err.contains(" users/s, "))
    }

    /// Standard error alone says whether somebody watches: what is written on standard output may go into a file.
    @Test(arguments: [false, true], [false, true])
    func progressOnStandardError(isTerminal: Bool, isErrorTerminal: Bool) {
        let err = Mutex("")
        let output = Output(
            isTerminal: isTerminal, isColoured: false, isErrorTerminal: isErrorTerminal, standardOutput: { _ in },
            standardError: { text in err.withLock { $0 += text } })
        var bar = ProgressBar(total: 10, to: output)
        bar.show(5, done: 5)
        bar.clear()
        #expect(err.withLock { $0.isEmpty } == !isErrorTerminal)
    }

    @Test func progressLine() {
        #expect(
            ProgressBar.line(50_000, done: 250, total: 1000, elapsed: 2)
                == " 25 % ######..................  25000 users/s, 6 s left")
        #expect(
            ProgressBar.line(9, done: 1000, total: 1000, elapsed: 3)
                == "100 % ########################  3 users/s, 0 s left")
        #expect(ProgressBar.line(10, done: 100, total: nil, elapsed: 2) == "10 users  5 users/s")
        #expect(ProgressBar.line(0, done: 0, total: 10, elapsed: 0) == "  0 % ........................  ")
    }
}

extension User {
    fileprivate var fields: String { "\(fullName), \(login ?? "none"), \(status.rawValue)" }
}
