// What a lookup wire's requests are to the server: how each is answered, and what is said when it can't be.

import AddresseeConfiguration
import LookupProtocols
import MailAddress
import SMTPProtocol
import Verification

protocol ServedWire: LookupWire {
    /// The answer to one request.
    /// - Parameter later: called on the loop with the answer, where it has to be waited for.
    /// - Returns: the answer; nil where it comes later.
    static func answer(
        _ request: Request, of loop: LoopContext, by client: ClientClass, later: @escaping (Answer) -> Void
    ) -> Answer?

    /// Whether it asks for the postmaster, who is never refused for policy (RFC 5321 4.5.1).
    static func isForPostmaster(_ request: Request) -> Bool

    static var tooManyQuestions: Answer { get }

    /// What is said last, though nobody asked; nil for nothing.
    static func farewell(_ ending: Ending) -> Answer?

    static func log(_ request: Request, _ answer: Answer, by client: ClientAddress, in log: ServerLog)

    /// How long the other side may be silent at least; nil where the configured time is enough.
    var patience: Duration? { get }
}

extension ServedWire {
    var patience: Duration? { nil }
}

extension ServedWire {
    /// The answer of a map, whatever the wire.
    static func answer(
        _ inquiry: MapInquiry, about: String, of loop: LoopContext, later: @escaping (MapAnswer) -> Void
    ) -> MapAnswer? {
        if let mailbox = inquiry.mailbox, let fact = loop.recall(mailbox), let answer = inquiry.answer(on: fact) {
            return answer
        }
        guard let expansion = inquiry.expansion else { return inquiry.answer(on: nil) }
        let resolution = loop.resolve(expansion, of: inquiry.mailbox, about: about) { resolution in
            later(inquiry.answer(on: resolution))
        }
        return resolution.map { inquiry.answer(on: $0) }
    }
}

/// The wires that ask maps.
protocol MapWire: ServedWire where Request == MapRequest, Answer == MapAnswer {}

extension SocketmapWire: MapWire {}

extension TCPTableWire: MapWire {}

extension MapWire {
    static func answer(
        _ request: MapRequest, of loop: LoopContext, by client: ClientClass, later: @escaping (MapAnswer) -> Void
    ) -> MapAnswer? {
        answer(
            MapInquiry(request, by: client, in: loop.service.inquiries), about: request.about, of: loop, later: later)
    }

    static func isForPostmaster(_ request: MapRequest) -> Bool {
        guard let at = request.key.lastIndex(of: UInt8(ascii: "@")) else { return false }
        return (try? LocalPart(octets: Array(request.key[..<at])))?.isPostmaster ?? false
    }

    static var tooManyQuestions: MapAnswer { Verdict.tooManyQuestions.refusal }

    static func farewell(_ ending: Ending) -> MapAnswer? {
        switch ending {
        case .tooManyConnections: .temporary("4.3.2 Too many connections, try again later")
        case .notAdmitted: .permanent("5.7.1 No service for you")
        case .tooManyQuestions: tooManyQuestions
        // Between two requests nothing may be said: the client would take it for the next answer.
        case .idle, .shuttingDown: nil
        }
    }

    static func log(_ request: MapRequest, _ answer: MapAnswer, by client: ClientAddress, in log: ServerLog) {
        log.asked(request, by: client, answer: answer)
    }
}

extension PolicyWire: ServedWire {
    static func answer(
        _ request: PolicyRequest, of loop: LoopContext, by client: ClientClass, later: @escaping (PolicyAction) -> Void
    ) -> PolicyAction? {
        guard let query = Query(request) else {
            guard let inquiry = MapInquiry(malformed: request, in: loop.service.inquiries) else { return .dunno }
            return answer(inquiry, about: request.about, of: loop) { later($0.policyActionOnMalformed) }
                .map(\.policyActionOnMalformed)
        }
        // What is said goes on to the SMTP client, who may know less than Postfix; and whoever names a client that may know
        // all is not told more for it. "unknown" is nobody's friend.
        var asking = client
        if !request.clientAddress.isEmpty {
            let address = ClientAddress(String(decoding: request.clientAddress, as: UTF8.self))
            let named = loop.service.configuration.clientClass(of: address ?? ClientAddress(ipv6High: 0, low: 0))
            asking.disclosure = client.disclosure.limited(to: named.disclosure)
        }
        let verdict = loop.answer(query, by: asking) { later($0.policyAction(on: query.wire)) }
        return verdict?.policyAction(on: query.wire)
    }

    static func isForPostmaster(_ request: PolicyRequest) -> Bool { Query(request)?.isForPostmaster ?? false }

    static var tooManyQuestions: PolicyAction { Verdict.tooManyQuestions.policyAction(on: .recipient) }

    /// In trouble the manual has a server say nothing and close.
    static func farewell(_ ending: Ending) -> PolicyAction? { nil }

    static func log(_ request: PolicyRequest, _ answer: PolicyAction, by client: ClientAddress, in log: ServerLog) {
        log.asked(request, by: client, answer: answer)
    }
}
