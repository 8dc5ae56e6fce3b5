// One connection, whatever is spoken over it: reading, holding, sending, time and closing. What is said is for those that
// inherit it: `began`, `process`, `takeOutput`, `isWaiting` and `farewell`.

import AddresseeConfiguration
import NIOCore
import Verification

/// Why the server ends a connection that did nothing wrong in its protocol.
enum Ending {
    case tooManyConnections
    case notAdmitted
    case tooManyQuestions
    case idle
    case shuttingDown
}

class Connection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Reply octets after which they are sent before more is read.
    static let flushSize = 32_768
    /// What a client may still send after the last reply, in time, before the connection is cut.
    static let lingering = TimeAmount.seconds(2)
    /// Time between two looks at whether a client is still sending, when the server stops.
    static let drainGrace = TimeAmount.milliseconds(100)

    final let loop: LoopContext
    final let listener: ListenerConfiguration
    final var inbound = ByteBuffer()
    final private(set) var client = ClientAddress.unixSocket
    final private(set) var clientClass = ClientClass.everyone
    final private(set) var context: ChannelHandlerContext?
    final var timers: Timers
    final private(set) var state = State.open
    final var isHeld = false
    private var isCounted = false
    private var wantsRead = false
    final private(set) var hasInputEnded = false

    enum State {
        case open
        /// The last reply is written; what comes in is thrown away until the client closes.
        case lingering
        case closed
    }

    struct Timers {
        var idle: Scheduled<Void>?
        var write: Scheduled<Void>?
        var end: Scheduled<Void>?
        var lastCommand: NIODeadline
        var lastInput: NIODeadline

        mutating func cancel() {
            idle?.cancel()
            write?.cancel()
            end?.cancel()
        }
    }

    init(loop: LoopContext, listener: ListenerConfiguration) {
        self.loop = loop
        self.listener = listener
        timers = Timers(lastCommand: loop.eventLoop.now, lastInput: loop.eventLoop.now)
    }

    // MARK: What each protocol has of its own

    /// The client is known: whatever is made for one client is made now.
    func prepare() {}

    /// The client is admitted.
    func began() {}

    /// Takes whole requests from `inbound`, as long as there is room for their replies.
    func process() {}

    /// Nothing more will come: `process` is called once more.
    func inputEnded() {}

    /// What is to be sent now; nil for nothing.
    func takeOutput(_ allocator: ByteBufferAllocator) -> ByteBuffer? { nil }

    /// Whether an answer has to be waited for.
    var isWaiting: Bool { false }

    /// How long a client may ask nothing.
    var idleLimit: TimeAmount { TimeAmount(loop.service.configuration.timeouts.idle) }

    /// The connection is over, whatever ended it. May be called more than once.
    func forgotten() {}

    /// Makes ready for `takeOutput` what is said last.
    func farewell(_ ending: Ending) {}

    // MARK: Events of the channel

    final func channelActive(context: ChannelHandlerContext) {
        self.context = context
        loop.add(self)
        client = ClientAddress(context.remoteAddress, at: listener.address)
        loop.learn(context.localAddress, of: listener.address)
        let service = loop.service
        clientClass = service.configuration.clientClass(of: client)
        prepare()
        isCounted = loop.shared.admitConnection(limit: service.configuration.limits.connections)
        if !isCounted {
            loop.shared.log.refused(client, reason: "too many connections")
            end(.tooManyConnections)
        } else if let admitted = listener.clients, !admitted.contains(clientClass.name) {
            loop.shared.log.refused(client, reason: "the class \(clientClass.name) is not admitted here")
            end(.notAdmitted)
        } else {
            loop.shared.log.connected(client, class: clientClass.name)
            began()
            send(flush: true)
            watchIdle()
            if loop.isDraining { drain() }
        }
        context.fireChannelActive()
    }

    final func channelInactive(context: ChannelHandlerContext) {
        forget()
        context.fireChannelInactive()
    }

    final func handlerRemoved(context: ChannelHandlerContext) {
        forget()
        self.context = nil
    }

    final func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if state != .open { return }
        timers.lastInput = loop.eventLoop.now
        if inbound.readableBytes == 0 {
            inbound = bytes
        } else {
            inbound.writeBuffer(&bytes)
        }
        process()
    }

    final func channelReadComplete(context: ChannelHandlerContext) {
        loop.endBatch()
        context.flush()
        if state == .lingering { context.read() }
        // However few requests come at a time, who takes no replies must wait.
        if state == .open, !context.channel.isWritable { isHeld = true }
    }

    final func read(context: ChannelHandlerContext) {
        // Not reading is what makes a client wait that sends faster than it takes its replies.
        if isHeld && state == .open { wantsRead = true } else { context.read() }
    }

    final func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            timers.write?.cancel()
            timers.write = nil
            if isHeld { release() }
        } else if timers.write == nil {
            watchWriting(since: progress)
        }
        context.fireChannelWritabilityChanged()
    }

    final func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent {
            // Nothing more will come; what is answered is still delivered.
            if state == .open {
                inputEnded()
                process()
                loop.endBatch()
            }
            // What has come in is kept until the client takes its replies, and the directory has answered.
            if isHeld || isWaiting, state == .open { hasInputEnded = true } else { finish() }
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    final func errorCaught(context: ChannelHandlerContext, error: any Error) {
        loop.shared.log.connectionLost(client, error)
        abort()
    }

    /// All that could be done at this time of the loop is done.
    final func flush() { context?.flush() }

    /// An answer that had to be waited for has been taken: goes on with what had to wait for it, and sends what may be sent.
    final func goOnAfterAnswer() {
        // It came at a time of its own, and what was asked then needs a new view of the directory after it.
        defer { loop.endBatch() }
        guard let context, state == .open else { return }
        // What waited for this answer is taken now; a client that takes no replies is still waited for.
        if isHeld, context.channel.isWritable { isHeld = false }
        if !isHeld { process() }
        if state != .open { return }
        send(flush: false)
        loop.flushSoon(self)
        goOn()
    }

    /// Whether the client's class may ask one more question now; for the postmaster it always may (RFC 5321 4.5.1).
    final func admitQuestion(isForPostmaster: @autoclosure () -> Bool) -> QuestionBudget.Admission {
        guard let limit = clientClass.questionsPerMinute, !isForPostmaster() else {
            loop.payer = nil
            return .admitted
        }
        loop.payer = LoopContext.Payer(client: client, perMinute: limit)
        let admission = loop.shared.admitQuestion(of: client, perMinute: limit, now: loop.eventLoop.now)
        if admission == .closed { loop.shared.log.refused(client, reason: "too many questions") }
        return admission
    }

    // MARK: Sending, holding, closing

    final func send(flush: Bool) {
        guard let context else { return }
        if let output = takeOutput(context.channel.allocator) {
            context.write(wrapOutboundOut(output), promise: nil)
        }
        if flush { context.flush() }
    }

    final func sendMuch() {
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
            if !isWaiting { finish() }
            return
        }
        if wantsRead {
            wantsRead = false
            context.read()
        }
    }

    /// A long session must not keep the memory of its longest burst.
    final func compact() {
        if inbound.readableBytes == 0 {
            inbound = ByteBuffer()
        } else if inbound.readerIndex > 4096 {
            inbound.discardReadBytes()
        }
    }

    /// The last thing that is said to a client whose protocol was in order.
    final func end(_ ending: Ending) {
        farewell(ending)
        close()
    }

    /// Sends what there is and closes. The read side stays open for a moment: closing a socket that still has input
    /// would make the client's kernel throw away our last reply.
    final func close() {
        guard let context, state == .open else { return }
        send(flush: true)
        // The client may be found gone while the last reply is sent.
        if state != .open { return }
        // Closing one side of two, of which the other is closed, would throw away what it has not taken yet.
        if hasInputEnded { return finish() }
        state = .lingering
        inbound = ByteBuffer()
        isHeld = false
        timers.cancel()
        let eventLoop = context.eventLoop.assumeIsolated()
        watchEnd(since: progress)
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { [self] _ in
            timers.end?.cancel()
            if state == .lingering { timers.end = eventLoop.scheduleTask(in: Self.lingering) { [self] in abort() } }
        }
        context.close(mode: .output, promise: sent)
        context.read()
    }

    /// The client has closed its side: closes ours when all is sent, or when it won't take it.
    private func finish() {
        guard let context, state != .closed else { return }
        loop.endBatch()
        state = .lingering
        timers.cancel()
        watchEnd(since: progress)
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { [self] _ in abort() }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: sent)
    }

    /// Cuts the connection now.
    final func abort() {
        guard state != .closed else { return }
        state = .closed
        context?.close(promise: nil)
    }

    /// The server is stopping: what has been asked is answered, then 421. Only silence tells that nothing more is under
    /// way, so the end comes when nothing came in and nothing waited to go out between two looks. The loop reads from
    /// every connection between them, so that what a client has sent is not taken for silence when the loop is busy.
    final func drain(lastHeard before: NIODeadline? = nil) {
        guard let context, state == .open else { return }
        timers.end?.cancel()
        timers.end = context.eventLoop.assumeIsolated().scheduleTask(in: Self.drainGrace) { [self] in
            let lastHeard = max(timers.lastInput, timers.lastCommand)
            if isHeld || isWaiting || lastHeard != before { return drain(lastHeard: lastHeard) }
            end(.shuttingDown)
        }
    }

    /// The time for that is over.
    final func stop() {
        if state == .open { end(.shuttingDown) }
        abort()
    }

    /// Cuts a client that takes nothing of its replies for a whole time-out.
    private func watchWriting(since before: WriteProgress) {
        guard let context else { return }
        let limit = TimeAmount(loop.service.configuration.timeouts.write)
        timers.write = context.eventLoop.assumeIsolated().scheduleTask(in: limit) { [self] in
            let now = progress
            if now.isBeyond(before) { return watchWriting(since: now) }
            loop.shared.log.connectionFailed(client, reason: "the client does not read its replies")
            abort()
        }
    }

    /// The same for what is left when all has been said.
    private func watchEnd(since before: WriteProgress) {
        guard let context else { return }
        let limit = TimeAmount(loop.service.configuration.timeouts.write)
        timers.end = context.eventLoop.assumeIsolated().scheduleTask(in: limit) { [self] in
            let now = progress
            if now.isBeyond(before) { return watchEnd(since: now) }
            abort()
        }
    }

    private var progress: WriteProgress { WriteProgress(of: context?.channel) }

    private func watchIdle() {
        guard let context else { return }
        let left = timers.lastCommand + idleLimit
        timers.idle = context.eventLoop.assumeIsolated().scheduleTask(deadline: left) { [self] in
            if state != .open { return }
            // Who is slow to take replies is not silent: the time-out for writing is for that.
            if isHeld || isWaiting { timers.lastCommand = loop.eventLoop.now }
            if loop.eventLoop.now - timers.lastCommand < idleLimit { return watchIdle() }
            end(.idle)
        }
    }

    private func forget() {
        // A channel that closes while it is read from gets no end of that read, and the next question, whoever asks it,
        // must not be answered from this one's view of the directory.
        loop.endBatch()
        timers.cancel()
        state = .closed
        forgotten()
        loop.remove(self)
        if isCounted {
            isCounted = false
            loop.shared.connectionClosed()
            loop.shared.log.disconnected(client)
        }
    }
}
