// Whether mail can be delivered: yes where RCPT takes it, no where it is refused for good, and else "not now".

import DirectoryTesting
import LookupProtocols
import MailAddress
import MailboxDirectory
import SMTPProtocol
import Testing
import Verification

struct DeliverabilityTests {
    static let long = String(repeating: "x", count: 65)
    static let longest = String(repeating: "x", count: 255)

    static func answer(
        _ address: String, in text: String, limits: ExpansionLimits = ExpansionLimits(), tamper: Tamper? = nil
    ) throws -> QmailDeliverableAnswer {
        let row = ResolveRow("", text, "", "")
        return try row.withSources(from: MapTests.empty, tamper: tamper) { sources in
            let context = Inquiry.Context(
                sources: sources.map(\.name), defaultDomain: ResolveRow.defaultDomain, limits: limits)
            guard let query = Query(deliverable: Array(address.utf8)) else {
                let request = PolicyRequest(state: .rcpt, recipient: Array(address.utf8))
                guard let inquiry = MapInquiry(malformed: request) else { return .notLocal }
                return inquiry.answer(from: sources, in: context).deliverabilityOfMalformed
            }
            let inquiry = Inquiry(query, by: .everyone)
            return inquiry.answer(from: sources, in: context).deliverability
        }
    }

    static let answers: [(String, QmailDeliverableAnswer)] = [
        ("fred@a", .deliverable), ("FRED+x@a", .deliverable), ("any@r", .deliverable),
        ("postmaster@a", .deliverable), ("postmaster", .deliverable), ("nobody@a", .undeliverable),
        ("no body@a", .undeliverable), ("old@a", .undeliverable), ("off@a", .undeliverable), ("away@a", .temporary),
        ("big@a", .temporary), ("nobody@elsewhere", .notLocal), ("fred", .notLocal), ("", .notLocal), ("@a", .notLocal),
        (long + "@a", .undeliverable), (long + "@elsewhere", .notLocal),
        (longest + "@r", .deliverable), ("a..b@r", .deliverable), ("a@b_c", .notLocal),
        ("x" + longest + "@a", .undeliverable), ("x" + longest + "@elsewhere", .notLocal),
    ]

    @Test(arguments: answers)
    func answer(address: String, expected: QmailDeliverableAnswer) throws {
        let directory = """
            domain a
            domain r relay
            user fred@a (Fred Claude)
            user off@a status=disabled
            user away@a status=suspended
            user big@a status=full
            moved old@a to=t@elsewhere
            """
        #expect(try Self.answer(address, in: directory) == expected)
    }

    /// In every directory and for every address that stores are held to, and when any of its lookups fails.
    @Test(arguments: resolveTable)
    func sameAsRCPT(_ row: ResolveRow) throws {
        guard let (mailbox, reply, lookups) = try Asking.rcpt(row) else { return }
        let expected: QmailDeliverableAnswer =
            reply.hasPrefix("2")
            ? .deliverable
            : reply.hasPrefix("4") ? .temporary : reply.hasPrefix("550 5.7.1") ? .notLocal : .undeliverable
        #expect(try Self.answer(mailbox.description, in: row.directory, limits: row.limits) == expected)
        for failing in 0..<lookups {
            let failure: Tamper = { number, _, answer in
                number == failing ? .couldNotTell(Trouble(source: "memory", reason: "gone")) : answer
            }
            let answer = try Self.answer(
                mailbox.description, in: row.directory, limits: row.limits, tamper: failure)
            #expect(answer == .temporary)
        }
    }
}
