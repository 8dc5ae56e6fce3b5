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

protocol ServedWire: LookupWire {
    /// What a request asks of the directory.
    associatedtype Question

    static func question(_ request: Request, by client: ClientClass, on loop: LoopContext) -> Question

    /// The address that a question is about, where what was found of it may be remembered.
    static func mailbox(_ question: Question) -> Mailbox?

    /// The answer to one request.
    /// - Parameters:
    ///   - question: that of the request.
    ///   - known: the key of its mailbox, where it has been made already.
    ///   - later: called on the loop with the answer, where it has to be waited for; made only there.
    /// - Returns: the answer; nil where it comes later.
    static func answer(
        _ question: Question, known: MailboxMemory.Key?, to request: Request, by client: ClientClass,
        of loop: LoopContext, later: @autoclosure () -> (Answer) -> Void
    ) -> Answer?

    /// Whether it asks for the postmaster, who is never refused for policy (RFC 5321 4.5.1).
    static func isForPostmaster(_ request: Request) -> Bool

    static var tooManyQuestions: Answer { get }

    /// Whether the server closes after its answer.
    static var isForOneQuestion: Bool { get }

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
    static var isForOneQuestion: Bool { false }

    /// A client that asks for another one, whose address it names. What is said goes on to that one, who may know less;
    /// and whoever names a client that may know all is not told more for it. "unknown" is nobody's friend.
    static func disclosure(to client: ClientClass, for address: [UInt8], on loop: LoopContext) -> Disclosure {
        if address.isEmpty { return client.disclosure }
        return client.disclosure.limited(to: loop.disclosure(to: address))
    }
}

/// The wires that ask maps.
protocol MapWire: ServedWire where Request == MapRequest, Answer == MapAnswer {}

extension SocketmapWire: MapWire {}

extension TCPTableWire: MapWire {}

extension MapWire {
    static func question(_ request: MapRequest, by client: ClientClass, on loop: LoopContext) -> MapInquiry {
        MapInquiry(request, by: client, in: loop.service.inquiries)
    }

    static func mailbox(_ question: MapInquiry) -> Mailbox? { question.mailbox }

    static func answer(
        _ question: MapInquiry, known: MailboxMemory.Key?, to request: MapRequest, by client: ClientClass,
        of loop: LoopContext, later: @autoclosure () -> (MapAnswer) -> Void
    ) -> MapAnswer? {
        loop.answer(question, known: known, about: request.about, later: later())
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

/// What a mail server asks about a recipient.
enum RecipientQuestion {
    /// What may be told is what both the mail server and the client that it names may learn.
    case query(Query, Disclosure)
    /// No mailbox of anybody; the question is whether its domain is one where all mailboxes are on record.
    case malformed(MapInquiry)
    /// There is nothing to ask of a directory.
    case nothing

    var mailbox: Mailbox? {
        if case .query(let query, _) = self { query.mailbox } else { nil }
    }
}

extension PolicyWire: ServedWire {
    static func question(_ request: PolicyRequest, by client: ClientClass, on loop: LoopContext) -> RecipientQuestion {
        if let query = Query(request) {
            return .query(query, Self.disclosure(to: client, for: request.clientAddress, on: loop))
        }
        return MapInquiry(malformed: request, in: loop.service.inquiries).map { .malformed($0) } ?? .nothing
    }

    static func mailbox(_ question: RecipientQuestion) -> Mailbox? { question.mailbox }

    static func answer(
        _ question: RecipientQuestion, known: MailboxMemory.Key?, to request: PolicyRequest, by client: ClientClass,
        of loop: LoopContext, later: @autoclosure () -> (PolicyAction) -> Void
    ) -> PolicyAction? {
        switch question {
        case .query(let query, let disclosure):
            let wire = query.wire
            let verdict = loop.answer(
                query, by: client.limited(to: disclosure), known: known,
                later: { [later = later()] in later($0.policyAction(on: wire)) })
            return verdict?.policyAction(on: wire)
        case .malformed(let inquiry):
            let answer = loop.answer(
                inquiry, about: request.about, later: { [later = later()] in later($0.policyActionOnMalformed) })
            return answer?.policyActionOnMalformed
        case .nothing: return .dunno
        }
    }

    static func isForPostmaster(_ request: PolicyRequest) -> Bool { Query(request)?.isForPostmaster ?? false }

    static var tooManyQuestions: PolicyAction { Verdict.tooManyQuestions.policyAction(on: .recipient) }

    /// In trouble the manual has a server say nothing and close.
    static func farewell(_ ending: Ending) -> PolicyAction? { nil }

    static func log(_ request: PolicyRequest, _ answer: PolicyAction, by client: ClientAddress, in log: ServerLog) {
        log.asked(request, by: client, answer: answer)
    }
}

extension ReadsocketWire: ServedWire {
    static var isForOneQuestion: Bool { true }

    enum Question {
        case query(Query, Disclosure)
        case map(MapInquiry)
        case decided(ReadsocketAnswer)
    }

    static func question(_ request: ReadsocketRequest, by client: ClientClass, on loop: LoopContext) -> Question {
        let disclosure = Self.disclosure(to: client, for: request.clientAddress, on: loop)
        switch ReadsocketQuestion(request) {
        case .decided(let answer): return .decided(answer)
        case .query(let query): return .query(query, disclosure)
        case .map(let map):
            return .map(MapInquiry(map, by: client.limited(to: disclosure), in: loop.service.inquiries))
        }
    }

    static func mailbox(_ question: Question) -> Mailbox? {
        switch question {
        case .query(let query, _): query.mailbox
        case .map(let inquiry): inquiry.mailbox
        case .decided: nil
        }
    }

    static func answer(
        _ question: Question, known: MailboxMemory.Key?, to request: ReadsocketRequest, by client: ClientClass,
        of loop: LoopContext, later: @autoclosure () -> (ReadsocketAnswer) -> Void
    ) -> ReadsocketAnswer? {
        switch question {
        case .decided(let answer): return answer
        case .query(let query, let disclosure):
            let wire = query.wire
            let verdict = loop.answer(
                query, by: client.limited(to: disclosure), known: known,
                later: { [later = later()] in later($0.readsocketAnswer(on: wire)) })
            return verdict?.readsocketAnswer(on: wire)
        case .map(let inquiry):
            let answer = loop.answer(
                inquiry, known: known, about: request.about, later: { [later = later()] in later($0.readsocketAnswer) })
            return answer?.readsocketAnswer
        }
    }

    static func isForPostmaster(_ request: ReadsocketRequest) -> Bool {
        switch ReadsocketQuestion(request) {
        case .decided: false
        case .query(let query): query.isForPostmaster
        case .map(let map): SocketmapWire.isForPostmaster(map)
        }
    }

    static var tooManyQuestions: ReadsocketAnswer { Verdict.tooManyQuestions.readsocketAnswer(on: .recipient) }

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
