// One SMTP connection: carries bytes between the channel and the session, and does what the session says. All rules of
// the protocol are in the session; those of the connection are in Connection.swift.

import AddresseeConfiguration
import NIOCore
import NIOSSL
import SMTPProtocol
import Verification

final class SMTPHandler: Connection {
    var session: Session
    /// Where mail goes, as it was when the client connected; empty where none is taken.
    private(set) var nextHops: [NextHopConfiguration] = []
    private(set) var routes: [Route] = []
    /// The transaction, where mail is taken; that of the last MAIL.
    var envelope: Envelope?
    var passage: Passage?
    /// What a mail server knows of the transaction.
    var transaction: HopTransaction?
    /// Recipients that wait while the server is asked for another.
    var accepted: [AcceptedRecipient] = []
    var isAskingServer = false
    /// The members of lists that are being said, or wait for that.
    private var longReplies: [Verdict] = []
    private var framing = LineFraming()
    /// Questions whose replies have not been handed to the channel yet.
    private var unsent = 0

    override init(loop: LoopContext, listener: ListenerConfiguration) {
        session = Session(loop.service.session(of: .everyone, at: listener))
        super.init(loop: loop, listener: listener)
    }

    override func prepare() {
        session = Session(loop.service.session(of: clientClass, at: listener, notifies: loop.nextHopsNotify))
        nextHops = loop.service.configuration.nextHops
        if !nextHops.isEmpty { routes = nextHops.map(\.route) }
    }

    override func began() { session.connected() }

    override var isWaiting: Bool { session.isWaiting }

    override func takeOutput(_ allocator: ByteBufferAllocator) -> ByteBuffer? {
        unsent = 0
        var buffer: ByteBuffer?
        session.takeOutput { output in buffer = allocator.buffer(bytes: output) }
        return buffer
    }

    override func farewell(_ ending: Ending) {
        let hostname = loop.service.hostname
        let reply =
            switch ending {
            case .tooManyConnections: ReplyCatalogue.tooManyConnections(hostname)
            case .notAdmitted: ReplyCatalogue.clientNotAdmitted(hostname)
            case .tooManyQuestions: ReplyCatalogue.tooManyQuestions(hostname)
            case .idle: ReplyCatalogue.idle(hostname)
            case .shuttingDown: ReplyCatalogue.shuttingDown(hostname)
            }
        session.end(with: reply)
    }

    override func forgotten() {
        accepted = []
        abandonMessage()
        forgetEnvelope()
        forgetLongReplies()
    }

    /// Forgets the transaction: of long lists there is much to be freed.
    private func forgetEnvelope() {
        if let envelope { loop.letGo(envelope, mailboxes: envelope.size) }
        envelope = nil
    }

    private func forgetLongReplies() {
        for case .members(let mailboxes) in longReplies { loop.letGo(mailboxes, mailboxes: mailboxes.count) }
        longReplies = []
    }

    // MARK: Lines

    /// Takes whole lines, and mail data, from what has come in, as long as there is room for replies and data.
    override func process() {
        var hasNewCommand = false
        // A command keeps the connection alive; a client that sends octet after octet and no end of line does not.
        defer { if hasNewCommand { timers.lastCommand = loop.eventLoop.now } }
        reading: while state == .open, !isHeld {
            switch session.turn() {
            case .say:
                saySome()
                continue
            case .readData:
                if !receiveData() { break reading }
                hasNewCommand = true
                continue
            case .wait:
                isHeld = true
                break reading
            case .readLine: break
            }
            let line = inbound.withUnsafeReadableBytes { bytes in
                framing.next(Span(_unsafeBytes: bytes), from: 0)
            }
            let next: Int
            let action: Session.Action
            switch line {
            case .incomplete(let consumed):
                inbound.moveReaderIndex(forwardBy: consumed)
                compact()
                send(flush: false)
                return
            case .overlong(let end, let beginsChunk):
                next = end
                action = session.receivedOverlongLine(beginsChunk: beginsChunk)
            case .line(let end, let following):
                next = following
                action = inbound.withUnsafeReadableBytes { bytes in
                    session.received(Span(_unsafeBytes: UnsafeRawBufferPointer(rebasing: bytes[..<end])))
                }
            }
            if action == .wait {
                isHeld = true
                break
            }
            inbound.moveReaderIndex(forwardBy: next)
            hasNewCommand = true
            carryOut(action)
            if session.output.count >= Self.flushSize || unsent >= session.configuration.slots { sendMuch() }
        }
        send(flush: false)
    }

    /// Says some more of a long reply, if the client takes it, and lets the other connections go before the rest.
    private func saySome() {
        if session.output.isEmpty, session.sayMore() == .close { return close() }
        sendMuch()
        if !session.isWaiting { forgetLongReplies() }
        if isHeld || !session.isSaying { return }
        isHeld = true
        loop.turns.add { [self] in if state == .open { goOnAfterAnswer() } }
    }

    private func carryOut(_ action: Session.Action) {
        switch action {
        case .go, .wait: break
        case .ask(let query, let ticket): ask(query, ticket)
        case .close: close()
        case .startTLS: startTLS()
        case .begin(let sender, let parameters):
            abandonMessage()
            forgetEnvelope()
            envelope = Envelope(sender: sender, parameters: parameters)
        case .forget:
            abandonMessage()
            forgetEnvelope()
        case .openMessage: openMessage()
        }
    }

    private func ask(_ query: Query, _ ticket: Int) {
        unsent += 1
        // MAIL FROM:<> is never refused, but the recipients after it are questions like any other: a limit that bounces
        // could pass by would be none.
        switch admitQuestion(isForPostmaster: query.isForPostmaster) {
        case .admitted: break
        case .refused: return answer(query, ticket, .tooManyQuestions)
        case .closed: return end(.tooManyQuestions)
        }
        if !nextHops.isEmpty, case .recipient(let path, _) = query { return accept(path, query, ticket) }
        let verdict = loop.answer(
            Inquiry(query, by: clientClass, over: routes), about: query.about,
            later: { [self] verdict in answerLater(query, ticket, verdict) })
        if let verdict { answer(query, ticket, verdict) }
    }

    /// An answer has come that had to be waited for.
    private func answerLater(_ query: Query, _ ticket: Int, _ verdict: Verdict) {
        if context == nil || state != .open { return }
        answer(query, ticket, verdict)
        goOnAfterAnswer()
    }

    func answer(_ query: Query, _ ticket: Int, _ verdict: Verdict) {
        if loop.logsQuestions { loop.shared.log.asked(query, by: client, verdict: verdict) }
        let reply = verdict.reply(
            on: query.wire, form: listener.enhancedCodes ? .enhanced : .plain, naming: listener.possibilities)
        if reply.lineCount > 1, case .members = verdict { longReplies.append(verdict) }
        say(reply, to: ticket)
        if !longReplies.isEmpty, !session.isWaiting { forgetLongReplies() }
    }

    func say(_ reply: Reply, to ticket: Int) {
        if session.answered(reply, to: ticket) == .close { close() }
    }

    /// RFC 3207 4.2: what the client sent before the handshake is thrown away, and it starts anew.
    private func startTLS() {
        guard let context, let tls = loop.service.tls else { return abort() }
        send(flush: true)
        inbound = ByteBuffer()
        framing = LineFraming()
        abandonMessage()
        forgetEnvelope()
        do {
            try context.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls), position: .first)
            session.tlsStarted()
        } catch {
            errorCaught(context: context, error: error)
        }
    }
}
