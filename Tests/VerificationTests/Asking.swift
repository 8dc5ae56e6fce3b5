// One question over one wire to a directory in memory, to its reply lines.

import DirectoryTesting
import MailAddress
import MailboxDirectory
import SMTPProtocol
import Testing
import Verification

private func empty() throws -> any RecordStore { try MemoryStore() }

/// One question with all that its answer depends on.
struct Asking {
    var directory: String
    var question: String
    var wire: Wire
    var disclosure = Disclosure.full
    var isTrusted = true
    var mayRelay = false
    var utf8 = false
    var limits = ExpansionLimits()
    var tamper: Tamper?

    var client: ClientClass {
        ClientClass(name: "test", networks: [], disclosure: disclosure, isTrusted: isTrusted, mayRelay: mayRelay)
    }

    var query: Query {
        get throws {
            let subject: Subject =
                switch Question(text: question) {
                case .address(let mailbox): .mailbox(mailbox)
                case .postmaster: .postmaster
                case .name(let octets): .name(octets)
                }
            switch (wire, subject) {
            case (.verify, _): return .verify(subject, utf8: utf8)
            case (.expand, _): return .expand(subject, utf8: utf8)
            case (.recipient, .mailbox(let mailbox)): return .recipient(.mailbox(mailbox), utf8: utf8)
            case (.recipient, .postmaster): return .recipient(.postmaster, utf8: utf8)
            case (.recipient, .name): throw TextError("RCPT takes no names")
            }
        }
    }

    func verdict() throws -> Verdict {
        let row = ResolveRow("", directory, question, "")
        return try row.withSources(from: empty, tamper: tamper) { sources in
            let context = Inquiry.Context(
                sources: sources.map(\.name), defaultDomain: ResolveRow.defaultDomain, limits: limits)
            let inquiry = Inquiry(try query, by: client)
            let verdict = inquiry.answer(from: sources, in: context)
            if let short = try shortWay() {
                // At RCPT it does not know the name, which is not told there.
                let replies = [short, verdict].map { $0.reply(on: wire, form: .enhanced) }
                #expect(replies[0] == replies[1], "the short way: \(question)")
            }
            return verdict
        }
    }

    /// What the short way says, of a directory of its own, or the walk that goes on from what that has read; nil where there is
    /// no short way.
    private func shortWay() throws -> Verdict? {
        let row = ResolveRow("", directory, question, "")
        return try row.withSources(from: empty, tamper: tamper) { sources in
            let inquiry = Inquiry(try query, by: client)
            guard let mailbox = inquiry.mailbox, sources.count == 1,
                limits.lookups >= MailboxMemory.Fact.plainLookups
            else { return nil }
            var read: FirstAnswers?
            let fact = MailboxMemory.Fact.plain(mailbox, in: sources[0], read: &read)
            if let verdict = fact.flatMap({ inquiry.answer(on: $0, asked: mailbox) }) { return verdict }
            let context = Inquiry.Context(
                sources: sources.map(\.name), defaultDomain: ResolveRow.defaultDomain, limits: limits)
            // It asks less, so that what is tampered with would be another answer.
            guard let read, tamper == nil,
                case .finished(let resolution)? = inquiry.expansion(in: context)?.run(sources, turns: .max, read: read)
            else { return nil }
            return inquiry.answer(on: resolution)
        }
    }

    /// What becomes of an RCPT where there are these next hops.
    func acceptance(over routes: [Route]) throws -> Acceptance {
        let row = ResolveRow("", directory, question, "")
        return try row.withSources(from: empty, tamper: tamper) { sources in
            let context = Inquiry.Context(
                sources: sources.map(\.name), defaultDomain: ResolveRow.defaultDomain, limits: limits)
            let query = try query
            guard case .recipient(let path, _) = query else { throw TextError("only RCPT is accepted") }
            return DeliveryInquiry(query, to: path, by: client, over: routes).answer(from: sources, in: context)
        }
    }

    /// The reply as it goes on the wire, LF between lines.
    func reply(_ form: ReplyForm = .enhanced, naming: Bool = true) throws -> String {
        try verdict().reply(on: wire, form: form, naming: naming).lines(withEnhancedCode: form == .enhanced)
            .joined(separator: "\n")
    }
}

extension Disclosure {
    static func all(_ vrfy: VRFYDisclosure, _ expn: EXPNDisclosure, _ rcpt: RCPTDisclosure) -> Disclosure {
        Disclosure(vrfy: vrfy, expn: expn, rcpt: rcpt)
    }

    static let existence = Disclosure(vrfy: .existence, expn: .full, rcpt: .existence)
}

extension Asking {
    /// What RCPT says to the address of a row, and how many lookups that takes; nil where it asks for no address.
    static func rcpt(_ row: ResolveRow) throws -> (mailbox: Mailbox, reply: String, lookups: Int)? {
        guard case .address(let mailbox) = Question(text: row.question) else { return nil }
        var asking = Asking(directory: row.directory, question: row.question, wire: .recipient, limits: row.limits)
        var lookups = 0
        asking.tamper = { number, _, answer in
            lookups = number + 1
            return answer
        }
        return (mailbox, try asking.reply(), lookups)
    }
}
