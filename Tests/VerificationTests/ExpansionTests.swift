// What becomes of those members of a list that take no mail, of limits, and of alias domains that lead nowhere.

import DirectoryTesting
import MailAddress
import MailboxDirectory
import SMTPProtocol
import Testing
import Verification

@Suite struct Expansions {
    private static let directory = """
        domain a
        user fred@a
        user off@a status=disabled
        user away@a status=suspended
        list some@a : fred@a off@a away@a nobody@a
        list later@a : off@a away@a
        list never@a : off@a nobody@a
        """

    private func expand(_ question: String) throws -> String {
        try Asking(directory: Self.directory, question: question, wire: .expand).reply()
    }

    /// RFC 5321 3.5.2, 3.5.3.
    @Test func membersThatTakeNoMailAreLeftOut() throws {
        #expect(try expand("some@a") == "250 2.1.5 <fred@a>")
        #expect(try expand("later@a") == "450 4.2.1 Mailbox suspended, try again later")
        #expect(try expand("never@a") == "550 5.2.4 The list has no members that take mail")
    }

    /// Lists as a directory has them whose groups name entries, or whose members another server alone knows.
    private func ask(_ question: String, _ wire: Wire, _ membership: ListMembership) throws -> Asking {
        let directory = """
            domain a
            user fred@a
            user jane@a
            list l@a (Ell) : fred@a m@a l@a
            list m@a : l@a jane@a
            alias x@a l@a
            """
        var asking = Asking(directory: directory, question: question, wire: wire)
        asking.tamper = { _, _, answer in
            guard case .entry(.list(var list), let key) = answer, list.name == "Ell" || membership == .entries else {
                return answer
            }
            list.membership = membership
            return .entry(.list(list), key: key)
        }
        return asking
    }

    /// Each is opened once.
    @Test func groupsThatHoldEachOther() throws {
        #expect(try ask("l@a", .expand, .entries).reply() == "250-2.1.5 <fred@a>\n250 2.1.5 <jane@a>")
        #expect(try ask("m@a", .expand, .entries).reply() == "250-2.1.5 <fred@a>\n250 2.1.5 <jane@a>")
        #expect(try ask("x@a", .expand, .entries).reply() == "250-2.1.5 <fred@a>\n250 2.1.5 <jane@a>")
        #expect(try ask("l@a", .expand, .addresses).verdict() == .loop)
    }

    /// It takes mail at its own address, and who is in it can't be told: that is not "nobody".
    @Test func listsWhoseMembersAreElsewhere() throws {
        let cannot =
            "252 2.1.5 Unable to verify members of mailing list, but will accept message and attempt delivery"
        #expect(try ask("l@a", .expand, .elsewhere).reply() == cannot)
        #expect(try ask("x@a", .expand, .elsewhere).reply() == cannot)
        #expect(try ask("m@a", .expand, .elsewhere).reply() == "250-2.1.5 Ell <l@a>\n250 2.1.5 <jane@a>")
        #expect(try ask("l@a", .verify, .elsewhere).reply() == "250 2.1.5 Ell <l@a>")
        #expect(try ask("l@a", .recipient, .elsewhere).reply() == "250 2.1.5 OK")
        let route = Route(places: [.mailboxes])
        guard
            case .accepted(_, let destinations, [], nil) = try ask("x@a", .recipient, .elsewhere).acceptance(over: [
                route
            ])
        else {
            Issue.record("refused")
            return
        }
        #expect(destinations.map(\.mailbox.description) == ["l@a"])
    }

    private static let limited = """
        domain a
        alias one@a two@a
        alias two@a three@a
        alias three@a fred@a
        user fred@a
        list l@a : one@a two@a three@a fred@a
        """

    @Test(arguments: [
        ("one@a", Wire.verify, ExpansionLimits(depth: 2)), ("one@a", .recipient, ExpansionLimits(depth: 2)),
        ("one@a", .expand, ExpansionLimits(depth: 2)), ("l@a", .expand, ExpansionLimits(addresses: 3)),
        ("one@a", .verify, ExpansionLimits(lookups: 3)), ("one@a", .recipient, ExpansionLimits(lookups: 3)),
    ])
    func limits(_ question: String, _ wire: Wire, _ limits: ExpansionLimits) throws {
        var asking = Asking(directory: Self.limited, question: question, wire: wire)
        #expect(try asking.reply().hasPrefix("250 ") || asking.reply().hasPrefix("250-"))
        asking.limits = limits
        #expect(try asking.verdict() == .loop)
        #expect(try asking.verdict().exitStatus == .temporary)
        #expect(try asking.reply() == "451 4.4.6 Forwarding goes in a loop or too far, try again later")
    }

    private static let dangling = """
        domain a
        source
        domain b alias-of=z
        domain c alias-of=b
        user own@b
        """

    @Test(arguments: [
        ("fred@b", "b is an alias of z, which no source has"),
        ("fred@c", "c is an alias of b, which is an alias itself"),
    ])
    func aliasDomainsThatLeadNowhere(_ question: String, _ reason: String) throws {
        let resolution = try ResolveRow("", Self.dangling, question, "").answer(from: { try MemoryStore() })
        #expect(resolution.outcome == .couldNotTell(Trouble(source: "source 1", reason: reason)))
        for wire in [Wire.verify, .expand, .recipient] {
            let reply = try Asking(directory: Self.dangling, question: question, wire: wire).reply()
            #expect(reply == "451 4.4.3 The directory could not tell, try again later")
        }
        let own = try Asking(directory: Self.dangling, question: "own@b", wire: .verify).reply()
        #expect(own == "250 2.1.5 <own@b>")
    }
}
