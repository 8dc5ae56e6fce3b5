// What becomes of RCPT where mail is taken: who gets it, over which next hop, and who is refused for want of one.

import DirectoryTesting
import MailAddress
import MailboxDirectory
import SMTPProtocol
import Testing
import Verification

@Suite struct RoutesTests {
    private static let directory = """
        domain a
        domain b
        domain r relay
        user fred@a
        user wilma@b
        user known@r
        alias known2@a known@r fred@a
        alias sales@a fred@a k@z
        alias det@a fred+a@a fred+b@a fred@a
        user max@a status=full
        user leo@a status=suspended
        user off@a status=disabled
        alias info@a fred@a
        alias both@a fred@a wilma@b
        forward away@a x@z
        forward copy@a y@z
        user keep@a
        forward keep@a k@z keep
        moved gone@a to=g@z
        list l@a : fred@a wilma@b fred@a info@a leo@a off@a max@a nobody@a
        list out@a : fred@a o@z
        list full@a : max@a
        list dead@a : off@a
        """

    private static let local = Route(places: [.mailboxes])
    private static let folders = Route(places: [.mailboxes], dropsDetails: true)
    private static let onlyB = Route(places: [.mailboxes], domains: [domain("b")])
    private static let rest = Route(places: [.relayDomains, .elsewhere])

    private static func domain(_ text: String) -> Domain {
        do { return try Domain(text) } catch { preconditionFailure("\(error)") }
    }

    private func acceptance(_ question: String, _ routes: [Route], _ disclosure: Disclosure = .full) throws -> String {
        try acceptance(question, routes, disclosure, mayRelay: false)
    }

    private func acceptance(
        _ question: String, _ routes: [Route], _ disclosure: Disclosure = .full, mayRelay: Bool
    ) throws -> String {
        let asking = Asking(
            directory: Self.directory, question: question, wire: .recipient, disclosure: disclosure, mayRelay: mayRelay)
        switch try asking.acceptance(over: routes) {
        case .refused(let verdict): return verdict.reply(on: .recipient, form: .enhanced).description
        case .noRoute(let mailbox): return "no route to \(mailbox)"
        case .accepted(let verdict, let destinations, let leftOut, let otherwise):
            let taken = destinations.map { "\($0.mailbox)/\($0.nextHop)" }.joined(separator: " ")
            let without = leftOut.isEmpty ? "" : " without " + leftOut.map(\.description).joined(separator: " ")
            let later = otherwise.map { " otherwise \($0.reply(on: .recipient, form: .enhanced).code)" } ?? ""
            return "\(verdict.reply(on: .recipient, form: .enhanced).code) \(taken)\(without)\(later)"
        }
    }

    @Test func clientsThatMayRelay() throws {
        #expect(
            try acceptance("x@z", [Self.local, Self.rest]) == "550 5.7.1 Relaying denied: not a domain of this server")
        func accepted(_ question: String, _ routes: [Route]) throws -> String {
            try acceptance(question, routes, mayRelay: true)
        }
        #expect(try accepted("x@z", [Self.local, Self.rest]) == "250 x@z/1")
        #expect(try accepted("x@z", [Self.local]) == "no route to x@z")
        #expect(try accepted("nobody@a", [Self.local, Self.rest]) == "550 5.1.1 No such user here")
        #expect(try accepted("fred@a", [Self.local, Self.rest]) == "250 fred@a/0")
    }

    @Test func recipientsByName() throws {
        let fred = Route(places: [.mailboxes], mailboxes: [try Mailbox("FRED@a")])
        #expect(try acceptance("both@a", [fred, Self.local]) == "250 fred@a/0 wilma@b/1")
    }

    /// A route for a mailbox has it with any detail, and one for a mailbox with a detail that one alone.
    @Test(arguments: [
        ("fred+x@a", "FRED+X@a", "250 fred+x@a/0"), ("fred+y@a", "fred@a", "250 fred+y@a/0"),
        ("fred+y@a", "fred+x@a", "250 fred+y@a/1"), ("fred@a", "fred+x@a", "250 fred@a/1"),
        ("any+x@r", "any@r", "250 any+x@r/0"), ("any+x@r", "any+x@r", "250 any+x@r/0"),
        ("any@r", "any+x@r", "250 any@r/2"),
    ])
    func recipientsWithDetails(question: String, taken: String, expected: String) throws {
        let one = Route(places: [.mailboxes, .relayDomains], mailboxes: [try Mailbox(taken)])
        #expect(try acceptance(question, [one, Self.local, Self.rest]) == expected)
    }

    /// The owner of the first list on the way, and nobody where none is.
    @Test(
        arguments: [
            ("fred@a", [nil]), ("owned@a", ["wilma@b", "wilma@b"]), ("outer@a", ["max@a", "max@a", "max@a"]),
            ("mixed@a", [nil, "wilma@b"]), ("away@a", [nil]), ("l@a", [nil, nil]), ("free@a", [nil, nil]),
        ] as [(String, [String?])]) func owners(question: String, owners: [String?]) throws
    {
        let lists = """

            list owned@a owner=wilma@b : fred@a z@z
            list outer@a owner=max@a : wilma@b owned@a
            list free@a : owned@a
            alias mixed@a leo2@a owned2@a
            user leo2@a
            list owned2@a owner=wilma@b : wilma@b
            """
        let asking = Asking(directory: Self.directory + lists, question: question, wire: .recipient)
        guard case .accepted(_, let destinations, _, _) = try asking.acceptance(over: [Self.local, Self.rest]) else {
            Issue.record("not accepted")
            return
        }
        #expect(destinations.map { $0.owner?.description } == owners)
    }

    @Test func verifyPromisesWhatRCPTKeeps() throws {
        let asking = Asking(directory: Self.directory, question: "away@a", wire: .verify)
        let verdict = try asking.verdict()
        #expect(Judgement.promise(verdict, over: []) == verdict)
        #expect(Judgement.promise(verdict, over: [Self.rest]) == verdict)
        #expect(Judgement.promise(verdict, over: [Self.local]) == .moved(to: try Mailbox("x@z")))
        #expect(Judgement.promise(.unknown, over: [Self.local]) == .unknown)
    }

    @Test(arguments: [
        ("fred@a", "250 fred@a/0"), ("info@a", "250 fred@a/0"), ("both@a", "250 fred@a/0 wilma@b/0"),
        ("postmaster@a", "250 postmaster@a/0"),
        // Each once, however often it is reached.
        ("l@a", "250 fred@a/0 wilma@b/0 without leo@a off@a nobody@a max@a otherwise 450"),
        // Refused as without a next hop.
        ("max@a", "452 4.2.2 Mailbox full"), ("full@a", "452 4.2.2 Mailbox full"),
        ("leo@a", "450 4.2.1 Mailbox suspended, try again later"), ("nobody@a", "550 5.1.1 No such user here"),
        ("gone@a", "551 5.1.6 User not local; please try <g@z>"),
        ("x@z", "550 5.7.1 Relaying denied: not a domain of this server"),
        ("dead@a", "550 5.2.4 The list has no members that take mail"),
        // Without their details: a mailbox is one folder.
        ("fred+x@a", "250 fred@a/0"), ("det@a", "250 fred@a/0 fred@a/0 fred@a/0"),
        // The domain decides, whatever is on record there.
        ("known@r", "no route to known@r"), ("postmaster@r", "no route to postmaster@r"),
        ("known2@a", "no route to known@r"),
        // Nobody takes what goes elsewhere: so none of it is taken.
        ("away@a", "551 5.1.6 User not local; please try <x@z>"), ("keep@a", "no route to k@z"),
        ("out@a", "no route to o@z"), ("any@r", "no route to any@r"),
    ])
    func mailboxesOnly(question: String, expected: String) throws {
        #expect(try acceptance(question, [Self.folders]) == expected)
    }

    /// Details go on, unless the next hop is to be without them.
    @Test(arguments: [
        ("fred+x@a", "250 fred+x@a/0", "250 fred@a/0"), ("FRED+X@a", "250 fred+X@a/0", "250 fred@a/0"),
        ("sales+x@a", "250 fred+x@a/0 k+x@z/1", "250 fred@a/0 k@z/1"),
        ("det@a", "250 fred+a@a/0 fred+b@a/0 fred@a/0", "250 fred@a/0 fred@a/0 fred@a/0"),
        ("any+x@r", "250 any+x@r/1", "250 any@r/1"), ("known+x@r", "250 known+x@r/1", "250 known@r/1"),
        ("postmaster+x@a", "250 postmaster+x@a/0", "250 postmaster@a/0"),
    ])
    func details(question: String, kept: String, dropped: String) throws {
        #expect(try acceptance(question, [Self.local, Self.rest]) == kept)
        var (local, rest) = (Self.local, Self.rest)
        (local.dropsDetails, rest.dropsDetails) = (true, true)
        #expect(try acceptance(question, [local, rest]) == dropped)
    }

    @Test(arguments: [
        ("away@a", "251 x@z/2"), ("keep@a", "250 keep@a/1 k@z/2"), ("out@a", "250 fred@a/1 o@z/2"),
        ("any@r", "250 any@r/2"), ("known@r", "250 known@r/2"), ("postmaster@r", "250 postmaster@r/2"),
        ("known2@a", "250 known@r/2 fred@a/1"), ("both@a", "250 fred@a/1 wilma@b/0"),
    ])
    func severalNextHops(question: String, expected: String) throws {
        #expect(try acceptance(question, [Self.onlyB, Self.local, Self.rest]) == expected)
    }

    @Test func aDomainThatNobodyTakes() throws {
        #expect(try acceptance("fred@a", [Self.onlyB]) == "no route to fred@a")
        #expect(try acceptance("both@a", [Self.onlyB]) == "no route to fred@a")
    }

    /// What is remembered says the same as a walk.
    @Test func remembered() throws {
        let fred = try Mailbox("fred@a")
        let judgement = Judgement(.recipient(.mailbox(fred), utf8: false), by: .trusted)
        let user = MailboxMemory.Fact.user(fred, name: nil)
        let accepted = judgement.acceptance(on: user, over: [Self.onlyB, Self.local])
        guard
            case .accepted(.verified, [Destination(mailbox: fred, nextHop: 1)], leftOut: [], otherwise: nil)? = accepted
        else {
            _ = Issue.record("\(String(describing: accepted))")
            return
        }
        #expect(judgement.acceptance(on: user, over: [Self.onlyB]) == .noRoute(fred))
        #expect(judgement.acceptance(on: .unknown, over: [Self.local]) == .refused(.unknown))
        #expect(judgement.acceptance(on: .user(nil, name: "Fred"), over: [Self.local]) == nil)
        let relayed = MailboxMemory.Fact.user(fred, name: nil, isInRelayDomain: true)
        #expect(judgement.acceptance(on: relayed, over: [Self.local]) == .noRoute(fred))
        guard
            case .accepted(_, let destinations, _, _)? = judgement.acceptance(
                on: relayed, over: [Self.local, Self.rest])
        else {
            _ = Issue.record("refused")
            return
        }
        #expect(destinations == [Destination(mailbox: fred, nextHop: 1)])
    }

    /// Where a forward leads is not told to those who may not know.
    @Test func undisclosed() throws {
        #expect(try acceptance("away@a", [Self.local], .existence) == "no route to x@z")
        #expect(try acceptance("away@a", [Self.local, Self.rest], .existence) == "250 x@z/1")
    }
}
