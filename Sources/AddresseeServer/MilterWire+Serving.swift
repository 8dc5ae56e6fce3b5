// The milter protocol as the server has it: RCPT is asked of the directory, for the SMTP client that the mail server names.

import AddresseeConfiguration
import LookupProtocols
import SMTPProtocol
import Verification

extension MilterWire: ServedWire {
    static func question(
        _ request: MilterRequest, by client: ClientClass, on loop: LoopContext
    ) -> LookupQuestion<MilterAnswer> {
        guard case .recipient(let recipient) = request else { return .decided(request.answer ?? .proceed) }
        guard let query = Query(recipient) else {
            return MapInquiry(malformed: recipient).map { .map($0) } ?? .decided(.proceed)
        }
        // What is said goes on to the SMTP client. A mail server learns nothing in its name that it may not know itself.
        let named = loop.service.configuration.clientClass(of: ClientAddress(recipient.client))
        return .query(Inquiry(query, by: client.limited(to: client.disclosure.limited(to: named.disclosure))))
    }

    static func about(_ request: MilterRequest) -> String {
        if case .recipient(let recipient) = request { recipient.about } else { "" }
    }

    static func answer(_ verdict: Verdict, on wire: Verification.Wire) -> MilterAnswer { verdict.milterAnswer }

    /// As for policy delegation.
    static func answer(_ found: MapAnswer) -> MilterAnswer { found.milterAnswerOnMalformed }

    /// The other steps ask nothing.
    static func isForPostmaster(_ request: MilterRequest) -> Bool {
        guard case .recipient(let recipient) = request else { return true }
        return Query(recipient)?.isForPostmaster ?? false
    }

    static func farewell(_ ending: Ending) -> MilterAnswer? {
        switch ending {
        case .tooManyQuestions: tooManyQuestions
        // What nobody asked for would be taken for the next answer.
        case .tooManyConnections, .notAdmitted, .idle, .shuttingDown: nil
        }
    }

    static func log(_ request: MilterRequest, _ answer: MilterAnswer, by client: ClientAddress, in log: ServerLog) {
        if case .recipient(let recipient) = request { log.asked(recipient, by: client, answer: answer) }
    }

    var patience: Duration? { isInUse ? .seconds(LookupLimits.milterSilence) : nil }
}

extension MilterRecipient {
    /// What is asked about, for the log.
    var about: String { String(decoding: address ?? path, as: UTF8.self) }
}
