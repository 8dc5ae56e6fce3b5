// What must hold of one line and of one address, whatever their octets. Used by the generated tests and the fuzzers.

import MailAddress
import SMTPProtocol

enum LineChecks {
    /// What an address says of itself must be read as itself.
    static func address(_ octets: [UInt8]) -> String? {
        guard let mailbox = try? Mailbox(octets: octets.span) else { return nil }
        var spelled: [UInt8] = []
        mailbox.append(to: &spelled)
        // Least quoting may not make it longer, but for the quotes that dots need which were read without them; IDNA may make
        // more of a domain. And it is the same mailbox.
        let quotes = mailbox.localPart.needsQuotes && mailbox.localPart.isReadWithoutQuotes ? 2 : 0
        if octets.allSatisfy({ $0 < 128 }), spelled.count > octets.count + quotes {
            return "longer when spelled with the least quoting"
        }
        if spelled.count > AddressLimits.mailbox { return "longer than any mailbox" }
        guard let again = try? Mailbox(octets: spelled.span) else { return "its own spelling is refused" }
        if again != mailbox || again.hashValue != mailbox.hashValue { return "its own spelling is another mailbox" }
        var spelledAgain: [UInt8] = []
        again.append(to: &spelledAgain)
        return spelledAgain == spelled ? nil : "spelled otherwise the second time"
    }

    /// One line to a session in a transaction: one reply or one question, and a question only about what was sent.
    static func line(_ octets: [UInt8]) -> String? {
        var session = Session(SessionConfiguration(hostname: Array("mx.example".utf8), offersTLS: true))
        _ = session.received(Array("MAIL FROM:<> SMTPUTF8".utf8).span)
        session.takeOutput { _ in }
        let action = session.received(octets.span)
        let isSilent = session.output.isEmpty
        switch action {
        case .ask(let query, _): return isSilent ? self.query(query, octets) : "a question and a reply"
        case .wait: return "waits for nothing"
        case .begin, .forget, .openMessage: return "mail is taken where there is no next hop"
        // The octets of a chunk come first.
        case .go where session.isReceivingChunk: return isSilent ? nil : "a reply before the chunk"
        case .go, .close, .startTLS: return isSilent ? "neither a question nor a reply" : nil
        }
    }

    private static func query(_ query: Query, _ line: [UInt8]) -> String? {
        if line.contains(where: { ($0 < 32 && $0 != 9) || $0 == 127 }) { return "a control character was taken" }
        switch query {
        case .recipient(.postmaster, _): return nil
        case .recipient(.mailbox(let mailbox), _): return check(mailbox)
        case .verify(let subject, let utf8), .expand(let subject, let utf8):
            if !utf8, line.contains(where: { $0 >= 128 }) { return "UTF-8 was taken without SMTPUTF8" }
            switch subject {
            case .postmaster: return nil
            case .name(let name): return name.isEmpty ? "an empty name" : nil
            case .mailbox(let mailbox): return check(mailbox)
            }
        }
    }

    private static func check(_ mailbox: Mailbox) -> String? {
        var spelled: [UInt8] = []
        mailbox.append(to: &spelled)
        return address(spelled)
    }
}
