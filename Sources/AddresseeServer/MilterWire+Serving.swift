// The milter protocol as the server has it: RCPT is asked of the directory, for the SMTP client that the mail server names.

import AddresseeConfiguration
import LookupProtocols
import MailAddress
import SMTPProtocol
import Verification

extension MilterWire: ServedWire {
    static func question(_ request: MilterRequest, by client: ClientClass, on loop: LoopContext) -> RecipientQuestion {
        guard case .recipient(let recipient) = request else { return .nothing }
        guard let query = Query(recipient) else {
            return MapInquiry(malformed: recipient, in: loop.service.inquiries).map { .malformed($0) } ?? .nothing
        }
        // What is said goes on to the SMTP client. A mail server learns nothing in its name that it may not know itself.
        let named = loop.service.configuration.clientClass(of: ClientAddress(recipient.client))
        return .query(query, client.disclosure.limited(to: named.disclosure))
    }

    static func mailbox(_ question: RecipientQuestion) -> Mailbox? { question.mailbox }

    static func answer(
        _ question: RecipientQuestion, known: MailboxMemory.Key?, to request: MilterRequest, by client: ClientClass,
        of loop: LoopContext, later: @autoclosure () -> (MilterAnswer) -> Void
    ) -> MilterAnswer? {
        switch question {
        case .query(let query, let disclosure):
            let verdict = loop.answer(
                query, by: client.limited(to: disclosure), known: known,
                later: { [later = later()] in later($0.milterAnswer) })
            return verdict?.milterAnswer
        case .malformed(let inquiry):
            let answer = loop.answer(
                inquiry, about: request.about, later: { [later = later()] in later($0.milterAnswerOnMalformed) })
            return answer?.milterAnswerOnMalformed
        case .nothing: return request.answer ?? .proceed
        }
    }

    /// The other steps ask nothing.
    static func isForPostmaster(_ request: MilterRequest) -> Bool {
        guard case .recipient(let recipient) = request else { return true }
        return Query(recipient)?.isForPostmaster ?? false
    }

    static var tooManyQuestions: MilterAnswer { Verdict.tooManyQuestions.milterAnswer }

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

extension MilterRequest {
    fileprivate var about: String { if case .recipient(let recipient) = self { recipient.about } else { "" } }
}
