// One connection: carries bytes between the channel and the session, and does what the session says. All rules of the
// protocol are in the session; here are only reading, writing, pausing, time and closing.

import AddresseeConfiguration
import NIOCore
import NIOSSL
import SMTPProtocol
import Verification

final class SMTPHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Reply octets after which they are sent before more is read.
    static let flushSize = 32_768
    /// What a client may still send after the last reply, in time, before the connection is cut.
    static let lingering = TimeAmount.seconds(2)
    /// Time between two looks at whether a client is still sending, when the server stops.
    static let drainGrace = TimeAmount.milliseconds(100)

    private let loop: LoopContext
    private let listener: ListenerConfiguration
    private var session: Session
    private var framing = LineFraming()
    private var inbound = ByteBuffer()
    private var client = ClientAddress.unixSocket
    private var clientClass = ClientClass.everyone
    private var context: ChannelHandlerContext?
    private var timers = Timers()
    private var state = State.open
    private var isCounted = false
    private var isHeld = false
    private var wantsRead = false
    private var hasInputEnded = false
    /// Questions whose replies have not been handed to the channel yet.
    private var unsent = 0

    private enum State {
        case open
        /// The last reply is written; what comes in is thrown away until the client closes.
        case lingering
        case closed
    }

    private struct Timers {
        var idle: Scheduled<Void>?
        var write: Scheduled<Void>?
        var end: Scheduled<Void>?
        var lastCommand = NIODeadline.now()
        var lastInput = NIODeadline.now()

        mutating func cancel() {
            idle?.cancel()
            write?.cancel()
            end?.cancel()
        }
    }

    init(loop: LoopContext, listener: ListenerConfiguration) {
        self.loop = loop
        self.listener = listener
        session = Session(loop.service.session(of: .everyone, at: listener))
    }

    // MARK: Events of the channel

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        loop.add(self)
        client = ClientAddress(context.remoteAddress, at: listener.address)
        let service = loop.service
        clientClass = service.configuration.clientClass(of: client)
        session = Session(service.session(of: clientClass, at: listener))
        isCounted = loop.shared.admitConnection(limit: service.configuration.limits.connections)
        if !isCounted {
            loop.shared.log.refused(client, reason: "too many connections")
            end(with: ReplyCatalogue.tooManyConnections(service.hostname))
        } else if let admitted = listener.clients, !admitted.contains(clientClass.name) {
            loop.shared.log.refused(client, reason: "the class \(clientClass.name) is not admitted here")
            end(with: ReplyCatalogue.clientNotAdmitted(service.hostname))
        } else {
            loop.shared.log.connected(client, class: clientClass.name)
            session.connected()
            send(flush: true)
            watchIdle()
            if loop.isDraining { drain() }
        }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        forget()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        forget()
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if state != .open { return }
        timers.lastInput = .now()
        if inbound.readableBytes == 0 {
            inbound = bytes
        } else {
            inbound.writeBuffer(&bytes)
        }
        process()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        loop.endBatch()
        context.flush()
    }

    func read(context: ChannelHandlerContext) {
        // Not reading is what makes a client wait that sends faster than it takes its replies.
        if isHeld && state == .open { wantsRead = true } else { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            timers.write?.cancel()
            timers.write = nil
            if isHeld { release() }
        } else if timers.write == nil {
            watchWriting(pending: nil)
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent {
            // Nothing more will come; what is answered is still delivered.
            if state == .open {
                process()
                loop.endBatch()
            }
            // What has come in is kept until the client takes its replies, and the directory has answered.
            if isHeld || session.isWaiting, state == .open { hasInputEnded = true } else { finish() }
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        loop.shared.log.connectionLost(client, error)
        abort()
    }

    // MARK: Lines

    /// Takes whole lines from what has come in, as long as there is room for their replies.
    private func process() {
        var hasNewCommand = false
        // A command keeps the connection alive; a client that sends octet after octet and no end of line does not.
        defer { if hasNewCommand { timers.lastCommand = .now() } }
        while state == .open, !isHeld {
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
            case .overlong(let end):
                next = end
                action = session.receivedOverlongLine()
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

    private func carryOut(_ action: Session.Action) {
        switch action {
        case .go, .wait: break
        case .ask(let query, let ticket): ask(query, ticket)
        case .close: close()
        case .startTLS: startTLS()
        }
    }

    private func ask(_ query: Query, _ ticket: Int) {
        unsent += 1
        // MAIL FROM:<> is never refused, but the recipients after it are questions like any other: a limit that bounces
        // could pass by would be none.
        if let limit = clientClass.questionsPerMinute, !query.isForPostmaster {
            switch loop.shared.admitQuestion(of: client, perMinute: limit) {
            case .admitted: break
            case .refused: return answer(query, ticket, .tooManyQuestions)
            case .closed:
                loop.shared.log.refused(client, reason: "too many questions")
                return end(with: ReplyCatalogue.tooManyQuestions(loop.service.hostname))
            }
        }
        let verdict = loop.answer(query, by: clientClass) { [self] verdict in answerLater(query, ticket, verdict) }
        if let verdict { answer(query, ticket, verdict) }
    }

    /// An answer has come that had to be waited for: sends what may be sent now, and goes on with what had to wait.
    private func answerLater(_ query: Query, _ ticket: Int, _ verdict: Verdict) {
        guard let context, state == .open else { return }
        answer(query, ticket, verdict)
        if state != .open { return }
        // A line that waited for this answer is taken now; a client that takes no replies is still waited for.
        if isHeld, context.channel.isWritable { isHeld = false }
        if !isHeld { process() }
        if state != .open { return }
        send(flush: false)
        loop.flushSoon(self)
        goOn()
    }

    /// All that could be done at this time of the loop is done.
    func flush() { context?.flush() }

    private func answer(_ query: Query, _ ticket: Int, _ verdict: Verdict) {
        if loop.shared.log.showsQuestions { loop.shared.log.asked(query, by: client, verdict: verdict) }
        let wire: Wire =
            switch query {
            case .recipient: .recipient
            case .verify: .verify
            case .expand: .expand
            }
        let reply = verdict.reply(
            on: wire, form: listener.enhancedCodes ? .enhanced : .plain, naming: listener.possibilities)
        if session.answered(reply, to: ticket) == .close { close() }
    }

    // MARK: Sending, holding, closing

    private func send(flush: Bool) {
        guard let context else { return }
        unsent = 0
        session.takeOutput { output in
            context.write(wrapOutboundOut(context.channel.allocator.buffer(bytes: output)), promise: nil)
        }
        if flush { context.flush() }
    }

    private func sendMuch() {
        guard let context else { return }
        loop.endBatch()
        send(flush: true)
        if !context.channel.isWritable { isHeld = true }
    }

    /// There is room again: goes on with what has come in, then reads on.
    private func release() {
        guard let context else { return }
        isHeld = false
        process()
        loop.endBatch()
        context.flush()
        goOn()
    }

    /// Reads on, or ends when the client has ended and has its answers.
    private func goOn() {
        guard let context, !isHeld, state == .open else { return }
        if hasInputEnded {
            if !session.isWaiting { finish() }
            return
        }
        if wantsRead {
            wantsRead = false
            context.read()
        }
    }

    /// A long session must not keep the memory of its longest burst.
    private func compact() {
        if inbound.readableBytes == 0 {
            inbound = ByteBuffer()
        } else if inbound.readerIndex > 4096 {
            inbound.discardReadBytes()
        }
    }

    private func end(with reply: Reply) {
        session.end(with: reply)
        close()
    }

    /// Sends what there is and closes. The read side stays open for a moment: closing a socket that still has input
    /// would make the client's kernel throw away our last reply.
    private func close() {
        guard let context, state == .open else { return }
        send(flush: true)
        // The client may be found gone while the last reply is sent.
        if state != .open { return }
        state = .lingering
        inbound = ByteBuffer()
        isHeld = false
        timers.cancel()
        let eventLoop = context.eventLoop.assumeIsolated()
        let patience = TimeAmount(loop.service.configuration.timeouts.write)
        timers.end = eventLoop.scheduleTask(in: patience) { [self] in abort() }
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { [self] _ in
            timers.end?.cancel()
            if state == .lingering { timers.end = eventLoop.scheduleTask(in: Self.lingering) { [self] in abort() } }
        }
        context.close(mode: .output, promise: sent)
        if wantsRead { context.read() }
    }

    /// The client has closed its side: closes ours when all is sent, or when it won't take it.
    private func finish() {
        guard let context, state != .closed else { return }
        loop.endBatch()
        state = .lingering
        timers.cancel()
        let eventLoop = context.eventLoop.assumeIsolated()
        let patience = TimeAmount(loop.service.configuration.timeouts.write)
        timers.end = eventLoop.scheduleTask(in: patience) { [self] in abort() }
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { [self] _ in abort() }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: sent)
    }

    /// Cuts the connection now.
    func abort() {
        guard state != .closed else { return }
        state = .closed
        context?.close(promise: nil)
    }

    /// The server is stopping: what has been asked is answered, then 421. Only silence tells that nothing more is under
    /// way, so the end comes when nothing came in and nothing waited to go out between two looks. The loop reads from
    /// every connection between them, so that what a client has sent is not taken for silence when the loop is busy.
    func drain(lastHeard before: NIODeadline? = nil) {
        guard let context, state == .open else { return }
        timers.end?.cancel()
        timers.end = context.eventLoop.assumeIsolated().scheduleTask(in: Self.drainGrace) { [self] in
            let lastHeard = max(timers.lastInput, timers.lastCommand)
            if isHeld || session.isWaiting || lastHeard != before { return drain(lastHeard: lastHeard) }
            end(with: ReplyCatalogue.shuttingDown(loop.service.hostname))
        }
    }

    /// The time for that is over.
    func stop() {
        if state == .open { end(with: ReplyCatalogue.shuttingDown(loop.service.hostname)) }
        abort()
    }

    /// Cuts a client that takes nothing of its replies for a whole time-out.
    private func watchWriting(pending: Int?) {
        guard let context else { return }
        let limit = TimeAmount(loop.service.configuration.timeouts.write)
        let before = pending ?? self.pending
        timers.write = context.eventLoop.assumeIsolated().scheduleTask(in: limit) { [self] in
            let now = self.pending
            if now < before { return watchWriting(pending: now) }
            loop.shared.log.connectionFailed(client, reason: "the client does not read its replies")
            abort()
        }
    }

    /// Octets that the channel still holds.
    private var pending: Int { (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0 }

    private func watchIdle() {
        guard let context else { return }
        let limit = TimeAmount(loop.service.configuration.timeouts.idle)
        let left = timers.lastCommand + limit
        timers.idle = context.eventLoop.assumeIsolated().scheduleTask(deadline: left) { [self] in
            if state != .open { return }
            // Who is slow to take replies is not silent: the time-out for writing is for that.
            if isHeld || session.isWaiting { timers.lastCommand = .now() }
            if NIODeadline.now() - timers.lastCommand < limit { return watchIdle() }
            end(with: ReplyCatalogue.idle(loop.service.hostname))
        }
    }

    /// RFC 3207 4.2: what the client sent before the handshake is thrown away, and it starts anew.
    private func startTLS() {
        guard let context, let tls = loop.service.tls else { return abort() }
        send(flush: true)
        inbound = ByteBuffer()
        framing = LineFraming()
        do {
            try context.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls), position: .first)
            session.tlsStarted()
        } catch {
            errorCaught(context: context, error: error)
        }
    }

    private func forget() {
        // A channel that closes while it is read from gets no end of that read, and the next question, whoever asks it,
        // must not be answered from this one's view of the directory.
        loop.endBatch()
        timers.cancel()
        state = .closed
        loop.remove(self)
        if isCounted {
            isCounted = false
            loop.shared.connectionClosed()
            loop.shared.log.disconnected(client)
        }
    }
}
