// One connection to a mail server that is handed messages: what is sent, what is waited for and how long, and its end. The
// rules of the protocol are in Handover. Only ever touched on its loop.

import AddresseeConfiguration
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import SMTPProtocol

/// Why a next hop can't be used now.
struct HopFailure: Error, Hashable {
    /// For the log.
    var reason: String
    /// For the client.
    var reply = ReplyCatalogue.nextHopLost
    /// Whether the server has refused what it was given, and is well.
    var isRefusal = false
}

final class HopConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    typealias Answer = (Result<HeardReply, HopFailure>) -> Void

    let hop: Hop
    /// Messages that have been handed over it.
    private(set) var uses = 0
    private(set) var extensions = ServerExtensions()
    private(set) var isOpen = false
    /// Whether what is sent now is taken for a message: no command is one then, QUIT neither (RFC 5321 4.1.1.4).
    var isInMessage = false
    /// Called once when it ends while nothing is waited for.
    var lost: ((HopFailure) -> Void)?
    /// Called when it takes more after `isFull`.
    var hasRoom: (() -> Void)?

    private let timeouts: Timeouts.NextHop
    private var handover: Handover
    private var context: ChannelHandlerContext?
    private var inbound = ByteBuffer()
    private var opened: ((Result<HopConnection, HopFailure>) -> Void)?
    private var waiting = CircularBuffer<Wait>()
    /// Replies that have come.
    private var answered = 0
    private var timer: Scheduled<Void>?
    private var writeTimer: Scheduled<Void>?
    private var isOver = false

    private struct Wait {
        var limit: Duration
        var answer: Answer
    }

    /// - Parameter opened: called once: with this connection when commands may be sent.
    init(
        _ hop: Hop, name: [UInt8], timeouts: Timeouts.NextHop,
        opened: @escaping (Result<HopConnection, HopFailure>) -> Void
    ) {
        self.hop = hop
        self.timeouts = timeouts
        self.opened = opened
        handover = Handover(
            isLocal: hop.server.dialect == .lmtp, name: name, usesStartTLS: hop.server.security == .startTLS)
    }

    /// Connects.
    func connect(on eventLoop: any EventLoop) {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(TimeAmount(timeouts.connect))
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            // A server with very much to say must leave others their turns.
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try bound.value.prepare(channel) }
            }
        let connected =
            switch hop.server.address {
            case .host(let host, let port): bootstrap.connect(host: host, port: port)
            case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
            }
        connected.assumeIsolated().whenFailure { [self] error in
            fail(HopFailure(reason: "\(hop.server.address): \(Self.reason(error))", reply: ReplyCatalogue.nextHopDown))
        }
    }

    private func prepare(_ channel: any Channel) throws {
        if hop.server.security == .implicit { try channel.pipeline.syncOperations.addHandler(try makeTLS()) }
        try channel.pipeline.syncOperations.addHandler(self)
    }

    private func makeTLS() throws -> NIOSSLClientHandler {
        guard let tls = hop.tls else { throw HopFailure(reason: "there is no TLS for it") }
        // An address has no place in SNI (RFC 6066 3), and is verified as what the connection leads to.
        let name = hop.server.tlsName.flatMap { (try? SocketAddress(ipAddress: $0, port: 0)) == nil ? $0 : nil }
        return try NIOSSLClientHandler(context: tls, serverHostname: name)
    }

    // MARK: Use

    /// Sends a command, with the next `flush`: commands that go together should arrive together, or the server answers the
    /// first by itself, and holds back its other answers until we have acknowledged that one (RFC 896), which takes 40 ms.
    /// - Parameters:
    ///   - line: without CRLF.
    ///   - limit: how long its reply may take once it is its turn.
    ///   - answer: called once.
    func send(_ line: [UInt8], within limit: Duration, _ answer: @escaping Answer) {
        if isOver { return answer(.failure(Self.gone)) }
        handover.send(line)
        wait(limit, answer)
    }

    /// Waits for a reply to the end of a message.
    func expect(_ answers: [Answer]) {
        if isOver {
            for answer in answers { answer(.failure(Self.gone)) }
            return
        }
        isInMessage = false
        handover.expect(answers.count)
        for answer in answers { wait(timeouts.end, answer) }
    }

    /// Sends octets of a message, with the next `flush`.
    func write(_ octets: ByteBuffer) {
        if isOver { return }
        context?.write(wrapOutboundOut(octets), promise: nil)
    }

    /// Whether it has to catch up before it is given more.
    var isFull: Bool { !isOver && context?.channel.isWritable == false }

    /// Whether nothing is waited for.
    var isIdle: Bool { waiting.isEmpty }

    /// A message has been handed over it.
    func countUse() { uses += 1 }

    /// Says QUIT and closes, or just closes where something is under way, a message too.
    func close() {
        if isOver { return }
        if waiting.isEmpty, isOpen, !isInMessage {
            handover.send(Array("QUIT".utf8))
            flush()
        }
        finish()
        context?.close(promise: nil)
    }

    private static let gone = HopFailure(reason: "the connection has ended")

    private func wait(_ limit: Duration, _ answer: @escaping Answer) {
        waiting.append(Wait(limit: limit, answer: answer))
        if waiting.count == 1 { startTimer(limit) }
    }

    private func startTimer(_ limit: Duration) {
        timer?.cancel()
        timer = context?.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(limit)) { [self] in
            fail(
                HopFailure(
                    reason: "\(hop.server.address): no answer in \(limit.components.seconds) s",
                    reply: ReplyCatalogue.nextHopDown))
        }
    }

    /// Sends what has been written.
    func flush() {
        guard let context, !isOver else { return }
        var buffer: ByteBuffer?
        handover.takeOutput { output in buffer = context.channel.allocator.buffer(bytes: output) }
        // Writing may find the connection broken, and reads what is left of it then.
        if let buffer { context.write(wrapOutboundOut(buffer), promise: nil) }
        context.flush()
    }

    // MARK: Events of the channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { began() }
    }

    func channelActive(context: ChannelHandlerContext) {
        began()
        context.fireChannelActive()
    }

    private func began() { startTimer(hop.server.security == .implicit ? timeouts.connect : timeouts.reply) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var octets = unwrapInboundIn(data)
        inbound.writeBuffer(&octets)
        let before = answered
        while inbound.readableBytes > 0, !isOver {
            let (event, consumed) = inbound.withUnsafeReadableBytes { bytes in
                handover.received(Span(_unsafeBytes: bytes))
            }
            inbound.moveReaderIndex(forwardBy: consumed)
            flush()
            guard let event else { break }
            take(event)
        }
        // Once for all that came together.
        if answered > before, !isOver {
            if let next = waiting.first { startTimer(next.limit) } else { timer?.cancel() }
        }
        if inbound.readableBytes == 0 { inbound.clear() } else { inbound.discardReadBytes() }
    }

    private func take(_ event: Handover.Event) {
        switch event {
        case .ready:
            timer?.cancel()
            extensions = handover.extensions
            isOpen = true
            let opened = opened
            self.opened = nil
            opened?(.success(self))
        case .startTLS:
            guard let context else { return }
            do {
                try context.pipeline.syncOperations.addHandler(try makeTLS(), position: .first)
                startTimer(timeouts.connect)
            } catch {
                fail(HopFailure(reason: "\(hop.server.address): \(error)", reply: ReplyCatalogue.nextHopDown))
            }
        case .answered(let reply):
            if waiting.isEmpty { return }
            let wait = waiting.removeFirst()
            answered += 1
            wait.answer(.success(reply))
            // RFC 5321 3.8: the server is about to close, whatever it was asked.
            if reply.endsConnection { fail(HopFailure(reason: "\(hop.server.address): \(reply)")) }
        case .failed(let fault):
            fail(
                HopFailure(
                    reason: "\(hop.server.address): \(fault)",
                    reply: isOpen ? ReplyCatalogue.nextHopLost : ReplyCatalogue.nextHopDown))
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            writeTimer?.cancel()
            writeTimer = nil
            hasRoom?()
        } else if writeTimer == nil {
            writeTimer = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(timeouts.block)) { [self] in
                fail(
                    HopFailure(
                        reason: "\(hop.server.address): takes nothing of the message for "
                            + "\(timeouts.block.components.seconds) s"))
            }
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent {
            if hop.server.security == .startTLS {
                handover.tlsStarted()
                flush()
            }
            startTimer(timeouts.reply)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(
            HopFailure(
                reason: "\(hop.server.address): \(Self.reason(error))",
                reply: isOpen ? ReplyCatalogue.nextHopLost : ReplyCatalogue.nextHopDown))
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(
            HopFailure(
                reason: "\(hop.server.address): it closed the connection",
                reply: isOpen ? ReplyCatalogue.nextHopLost : ReplyCatalogue.nextHopDown))
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    // MARK: The end

    private func fail(_ failure: HopFailure) {
        if isOver { return }
        let (opened, waiting, lost) = (opened, waiting, lost)
        finish()
        context?.close(promise: nil)
        if let opened { return opened(.failure(failure)) }
        if waiting.isEmpty { lost?(failure) }
        for wait in waiting { wait.answer(.failure(failure)) }
    }

    private func finish() {
        isOver = true
        isOpen = false
        timer?.cancel()
        writeTimer?.cancel()
        (opened, waiting, lost, hasRoom) = (nil, [], nil, nil)
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { reason($0.error) } ?? error.dnsAError.map { "\($0)" }
                ?? "the name is unknown"
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case let error as ChannelError: error.isConnectTimeout ? "no connection in time" : "\(error)"
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            "its certificate has another name than the one that it must have (tls-name)"
        case is NIOSSLError, is BoringSSLError:
            "\(error)".contains("CERTIFICATE_VERIFY_FAILED")
                ? "its certificate is expired, is not for servers, or is none of those that are trusted (ca-file)"
                : "TLS fails with it; does it speak TLS there? (\(type(of: error)))"
        case is SocketAddressError: "its name is unknown"
        default: "\(error)"
        }
    }
}

extension ChannelError {
    fileprivate var isConnectTimeout: Bool { if case .connectTimeout = self { true } else { false } }
}
