// qmail-deliverabled as the server has it: the RCPT question, with a number for the answer.

import AddresseeConfiguration
import LookupProtocols
import SMTPProtocol
import Verification

extension QmailDeliverableWire: ServedWire {
    static func answer(
        _ request: QmailDeliverableRequest, of loop: LoopContext, by client: ClientClass,
        later: @autoclosure () -> (QmailDeliverableAnswer) -> Void
    ) -> QmailDeliverableAnswer? {
        guard case .deliverable(let address) = request else { return .silence }
        if let query = Query(deliverable: address) {
            let verdict = loop.answer(query, by: client, later: { [later = later()] in later($0.deliverability) })
            return verdict?.deliverability
        }
        let request = PolicyRequest(state: .rcpt, recipient: address)
        guard let inquiry = MapInquiry(malformed: request, in: loop.service.inquiries) else { return .notLocal }
        let about = String(decoding: address, as: UTF8.self)
        let answer = answer(
            inquiry, about: about, of: loop, later: { [later = later()] in later($0.deliverabilityOfMalformed) })
        return answer?.deliverabilityOfMalformed
    }

    /// The end asks nothing.
    static func isForPostmaster(_ request: QmailDeliverableRequest) -> Bool {
        guard case .deliverable(let address) = request else { return true }
        return Query(deliverable: address)?.isForPostmaster ?? false
    }

    static var tooManyQuestions: QmailDeliverableAnswer { Verdict.tooManyQuestions.deliverability }

    static func farewell(_ ending: Ending) -> QmailDeliverableAnswer? {
        switch ending {
        case .tooManyQuestions: tooManyQuestions
        // No request is there that it could be the response to.
        case .tooManyConnections, .notAdmitted, .idle, .shuttingDown: nil
        }
    }

    static func log(
        _ request: QmailDeliverableRequest, _ answer: QmailDeliverableAnswer, by client: ClientAddress,
        in log: ServerLog
    ) {
        if case .deliverable(let address) = request { log.asked(deliverable: address, by: client, answer: answer) }
    }
}
