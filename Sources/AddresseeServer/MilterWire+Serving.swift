// The milter protocol as the server has it: RCPT is asked of the directory, for the SMTP client that the mail server names.

import AddresseeConfiguration
import LookupProtocols
import SMTPProtocol
import Verification

extension MilterWire: ServedWire {
    static func answer(
        _ request: MilterRequest, of loop: LoopContext, by client: ClientClass,
        later: @autoclosure () -> (MilterAnswer) -> Void
    ) -> MilterAnswer? {
        guard case .recipient(let recipient) = request else { return request.answer }
        guard let query = Query(recipient) else {
            guard let inquiry = MapInquiry(malformed: recipient, in: loop.service.inquiries) else { return .proceed }
            let answer = loop.answer(
                inquiry, about: recipient.about,
                later: { [later = later()] in later($0.milterAnswerOnMalformed) })
            return answer?.milterAnswerOnMalformed
        }
        // What is said goes on to the SMTP client. A mail server learns nothing in its name that it may not know itself.
        let named = loop.service.configuration.clientClass(of: ClientAddress(recipient.client))
        let asking = client.limited(to: named.disclosure)
        return loop.answer(query, by: asking, later: { [later = later()] in later($0.milterAnswer) })?.milterAnswer
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
