// What a lookup wire's requests are to the server: how each is answered, and what is said when it can't be.

import AddresseeConfiguration
import LookupProtocols
import MailAddress
import SMTPProtocol
import Verification

extension ClientClass {
    /// The class that may know no more than another.
    func limited(to other: Disclosure) -> ClientClass {
        let disclosure = disclosure.limited(to: other)
        if disclosure == self.disclosure { return self }
        var limited = self
        limited.disclosure = disclosure
        return limited
    }
}

/// What a request asks of the directory.
enum LookupQuestion<Answer> {
    /// What RCPT or VRFY would say.
    case query(Inquiry)
    case map(MapInquiry)
    /// Nothing: this is the answer.
    case decided(Answer)

    /// The address that it is about, where what was found of it may be remembered.
    var mailbox: Mailbox? {
        switch self {
        case .query(let inquiry): inquiry.mailbox
        case .map(let inquiry): inquiry.mailbox
        case .decided: nil
        }
    }
}

protocol ServedWire: LookupWire {
    static func question(_ request: Request, by client: ClientClass, on loop: LoopContext) -> LookupQuestion<Answer>

    /// What is asked about, for the log.
    static func about(_ request: Request) -> String

    /// A verdict in the words of this wire.
    static func answer(_ verdict: Verdict, on wire: Verification.Wire) -> Answer

    /// A map's answer in them.
    static func answer(_ found: MapAnswer) -> Answer

    /// Whether it asks for the postmaster, who is never refused for policy (RFC 5321 4.5.1).
    static func isForPostmaster(_ request: Request) -> Bool

    /// Whether the server closes after its answer.
    static var isForOneQuestion: Bool { get }

    /// What is said last, though nobody asked; nil for nothing.
    static func farewell(_ ending: Ending) -> Answer?

    static func log(_ request: Request, _ answer: Answer, by client: ClientAddress, in log: ServerLog)

    /// Octets that the value of a map may have; nil for any number.
    static var valueLimit: Int? { get }

    /// How long the other side may be silent at least; nil where the configured time is enough.
    var patience: Duration? { get }
}

extension ServedWire {
    var patience: Duration? { nil }

    static var isForOneQuestion: Bool { false }

    static var valueLimit: Int? { nil }

    static var tooManyQuestions: Answer { answer(.tooManyQuestions, on: .recipient) }

    /// The answer to one request.
    /// - Parameters:
    ///   - question: that of the request.
    ///   - known: the key of its mailbox, where it has been made already.
    ///   - later: called on the loop with the answer, where it has to be waited for; made only there.
    /// - Returns: the answer; nil where it comes later.
    static func answer(
        _ question: LookupQuestion<Answer>, known: MailboxMemory.Key?, to request: Request, of loop: LoopContext,
        later: @autoclosure () -> (Answer) -> Void
    ) -> Answer? {
        switch question {
        case .query(let inquiry):
            let wire = inquiry.wire
            let verdict = loop.answer(
                inquiry, known: known, about: about(request),
                later: { [later = later()] in later(answer($0, on: wire)) })
            return verdict.map { answer($0, on: wire) }
        case .map(let inquiry):
            let found = loop.answer(
                inquiry, known: known, about: about(request), later: { [later = later()] in later(answer($0)) })
            return found.map { answer($0) }
        case .decided(let answer): return answer
        }
    }

    /// A client that asks for another one, whose address it names. What is said goes on to that one, who may know less;
    /// and whoever names a client that may know all is not told more for it. "unknown" is nobody's friend.
    static func disclosure(to client: ClientClass, for address: [UInt8], on loop: LoopContext) -> Disclosure {
        if address.isEmpty { return client.disclosure }
        return client.disclosure.limited(to: loop.disclosure(to: address))
    }
}

/// The wires that ask maps.
protocol MapWire: ServedWire where Request == MapRequest, Answer == MapAnswer {}

extension SocketmapWire: MapWire {
    static var valueLimit: Int? { LookupLimits.socketmapReply }
}

extension TCPTableWire: MapWire {
    static var valueLimit: Int? { LookupLimits.tcpTableReply }
}

extension MapWire {
    static func question(_ request: MapRequest, by client: ClientClass, on loop: LoopContext) -> LookupQuestion<
        MapAnswer
    > {
        .map(MapInquiry(request, by: client, valueLimit: valueLimit))
    }

    static func about(_ request: MapRequest) -> String { request.about }

    static func answer(_ verdict: Verdict, on wire: Verification.Wire) -> MapAnswer { verdict.refusal }

    static func answer(_ found: MapAnswer) -> MapAnswer { found }

    static func isForPostmaster(_ request: MapRequest) -> Bool {
        guard let at = request.key.lastIndex(of: UInt8(ascii: "@")) else { return false }
        return (try? LocalPart(octets: Array(request.key[..<at])))?.isPostmaster ?? false
    }

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
    static func question(
        _ request: PolicyRequest, by client: ClientClass, on loop: LoopContext
    ) -> LookupQuestion<PolicyAction> {
        if let query = Query(request) {
            // May be told is what both the client and the one that it names may learn.
            let disclosure = Self.disclosure(to: client, for: request.clientAddress, on: loop)
            return .query(Inquiry(query, by: client.limited(to: disclosure)))
        }
        return MapInquiry(malformed: request).map { .map($0) } ?? .decided(.dunno)
    }

    static func about(_ request: PolicyRequest) -> String { request.about }

    static func answer(_ verdict: Verdict, on wire: Verification.Wire) -> PolicyAction {
        verdict.policyAction(on: wire)
    }

    /// A map is asked where the recipient is malformed, and nowhere else.
    static func answer(_ found: MapAnswer) -> PolicyAction { found.policyActionOnMalformed }

    static func isForPostmaster(_ request: PolicyRequest) -> Bool { Query(request)?.isForPostmaster ?? false }

    /// In trouble the manual has a server say nothing and close.
    static func farewell(_ ending: Ending) -> PolicyAction? { nil }

    static func log(_ request: PolicyRequest, _ answer: PolicyAction, by client: ClientAddress, in log: ServerLog) {
        log.asked(request, by: client, answer: answer)
    }
}

extension ReadsocketWire: ServedWire {
    static var isForOneQuestion: Bool { true }

    static var valueLimit: Int? { LookupLimits.readsocketValue }

    static func question(
        _ request: ReadsocketRequest, by client: ClientClass, on loop: LoopContext
    ) -> LookupQuestion<ReadsocketAnswer> {
        let disclosure = Self.disclosure(to: client, for: request.clientAddress, on: loop)
        switch ReadsocketQuestion(request) {
        case .decided(let answer): return .decided(answer)
        case .query(let query): return .query(Inquiry(query, by: client.limited(to: disclosure)))
        case .map(let map):
            return .map(MapInquiry(map, by: client.limited(to: disclosure), valueLimit: valueLimit))
        }
    }

    static func about(_ request: ReadsocketRequest) -> String { request.about }

    static func answer(_ verdict: Verdict, on wire: Verification.Wire) -> ReadsocketAnswer {
        verdict.readsocketAnswer(on: wire)
    }

    static func answer(_ found: MapAnswer) -> ReadsocketAnswer { found.readsocketAnswer }

    static func isForPostmaster(_ request: ReadsocketRequest) -> Bool {
        switch ReadsocketQuestion(request) {
        case .decided: false
        case .query(let query): query.isForPostmaster
        case .map(let map): SocketmapWire.isForPostmaster(map)
        }
    }

    static func farewell(_ ending: Ending) -> ReadsocketAnswer? {
        switch ending {
        case .tooManyConnections: .later(Array("4.3.2 Too many connections, try again later".utf8))
        case .notAdmitted: .later(Array("5.7.1 No service for you".utf8))
        case .tooManyQuestions: tooManyQuestions
        case .idle: .later(Array("4.4.2 No question was heard; end it with a line feed".utf8))
        case .shuttingDown: .later(Array("4.3.2 Service not available, try again later".utf8))
        }
    }

    static func log(
        _ request: ReadsocketRequest, _ answer: ReadsocketAnswer, by client: ClientAddress, in log: ServerLog
    ) {
        log.asked(request, by: client, answer: answer)
    }
}
