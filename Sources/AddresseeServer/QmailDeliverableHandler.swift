// One connection over which qmail-deliverabled is asked: the RCPT question, with a number for the answer. HTTP is for
// hummingbird, which stands behind it; the socket, its limits and its time are those of every connection.

import AddresseeConfiguration
import HTTPTypes
import HummingbirdCore
import Logging
import LookupProtocols
import NIOCore
import NIOHTTP1
import SMTPProtocol
import Verification

final class QmailDeliverableHandler: Connection {
    /// The requests that have come in whole and have no response yet.
    fileprivate var waiting = CircularBuffer<Turn>()
    /// Takes the answer to the request at hand, or nil when there is none any more.
    private var answered: ((QmailDeliverableAnswer?) -> Void)?
    /// Requests for something else.
    private var errors = 0

    /// One request, as far as the connection cares.
    fileprivate struct Turn {
        var version: HTTPVersion
        /// Whether the connection closes after the response.
        var isLast: Bool
    }

    /// Sets up the channel for a connection, and begins to answer.
    static func open(_ channel: any Channel, loop: LoopContext, listener: ListenerConfiguration) throws {
        let handler = QmailDeliverableHandler(loop: loop, listener: listener)
        try channel.pipeline.syncOperations.addHandler(handler)
        let bound = NIOLoopBound(handler, eventLoop: channel.eventLoop)
        let http = HTTP1Channel { request, writer, channel in
            if request.headers[.expect]?.lowercased() == "100-continue" {
                try await writer.writeInformationalHead(HTTPResponse(status: .continue))
            }
            // An answer before the end of the request would be one to a request that is none yet.
            for try await _ in request.body {}
            guard let answer = await bound.answer(request.head) else {
                // What was sent last is on its way; the connection closes by itself.
                return try await channel.closeFuture.get()
            }
            var head = HTTPResponse(
                status: HTTPResponse.Status(code: answer.status),
                headerFields: [
                    .contentType: "text/plain; charset=utf-8", .contentLength: "\(answer.text.utf8.count)",
                    .cacheControl: "no-store",
                ])
            if answer == .noSuchMethod { head.headerFields[.allow] = "GET" }
            // No content may follow then (RFC 9110 9.3.2).
            if request.method == .head { return try await writer.writeResponse(head) }
            try await writer.write(response: head, body: ResponseBody(byteBuffer: ByteBuffer(string: answer.text)))
        }
        // What happens on a connection is told by this server's own log, one line an event.
        let silent = Logger(label: "http") { _ in SwiftLogNoOpLogHandler() }
        http.setup(channel: channel, logger: silent).assumeIsolated().whenSuccess { asynchronous in
            do {
                let pipeline = channel.pipeline.syncOperations
                let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
                try pipeline.addHandler(HTTPTurns(handler), position: .after(decoder))
                loop.shared.run { await http.handle(value: asynchronous, logger: silent) }
            } catch {
                channel.close(promise: nil)
            }
        }
    }

    override var isWaiting: Bool { !waiting.isEmpty }

    override func process() {
        guard let context, inbound.readableBytes > 0 else { return }
        let octets = inbound
        inbound = ByteBuffer()
        context.fireChannelRead(NIOAny(octets))
        context.fireChannelReadComplete()
    }

    override func forgotten() { answer(nil) }

    /// The first of those that wait has its response.
    fileprivate func responded(_ turn: Turn) {
        if turn.isLast { close() } else { goOnAfterAnswer() }
    }

    fileprivate func wasMalformed() { loop.shared.log.malformed(client, at: listener) }

    /// - Parameter done: called once, on this loop, with the answer; or with nil when the connection is over.
    fileprivate func ask(_ request: QmailDeliverableRequest, _ done: @escaping (QmailDeliverableAnswer?) -> Void) {
        answered = done
        if context == nil || state != .open { return answer(nil) }
        switch request {
        case .refused(let refusal):
            errors += 1
            if errors >= loop.service.configuration.limits.errors { fail() }
            answer(refusal)
        case .deliverable(let address): ask(address)
        }
        loop.endBatch()
    }

    private func ask(_ address: [UInt8]) {
        let query = Query(deliverable: address)
        let admission = admitQuestion(isForPostmaster: query?.isForPostmaster ?? false)
        if admission == .closed { isLastTurn() }
        if admission != .admitted { return answer(Verdict.tooManyQuestions.deliverability) }
        if let query {
            let verdict = loop.answer(
                Inquiry(query, by: clientClass), about: query.about,
                later: { [self] in told($0.deliverability, of: address) })
            if let verdict { told(verdict.deliverability, of: address) }
            return
        }
        let request = PolicyRequest(state: .rcpt, recipient: address)
        guard let inquiry = MapInquiry(malformed: request) else {
            return told(.notLocal, of: address)
        }
        let found = loop.answer(
            inquiry, about: String(decoding: address, as: UTF8.self),
            later: { [self] in told($0.deliverabilityOfMalformed, of: address) })
        if let found { told(found.deliverabilityOfMalformed, of: address) }
    }

    private func told(_ answer: QmailDeliverableAnswer, of address: [UInt8]) {
        if context != nil, loop.logsQuestions {
            loop.shared.log.asked(deliverable: address, by: client, answer: answer)
        }
        self.answer(answer)
    }

    private func answer(_ answer: QmailDeliverableAnswer?) {
        let done = answered
        answered = nil
        done?(answer)
    }

    private func fail() {
        wasMalformed()
        isLastTurn()
    }

    private func isLastTurn() {
        if !waiting.isEmpty { waiting[waiting.startIndex].isLast = true }
    }
}

extension NIOLoopBound<QmailDeliverableHandler> {
    /// The answer to one request; nil when the connection is over.
    fileprivate func answer(_ head: HTTPRequest) async -> QmailDeliverableAnswer? {
        let request = QmailDeliverableRequest(method: head.method.rawValue, target: head.path ?? "")
        return await withCheckedContinuation { continuation in
            eventLoop.execute { value.ask(request) { continuation.resume(returning: $0) } }
        }
    }
}

/// What hummingbird leaves to others: HTTP/1.0, which request is a connection's last, and a body that has no end.
private final class HTTPTurns: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// Octets of one request's body that are read and thrown away; more is no request that anybody means.
    static let body = 65_536

    private let connection: QmailDeliverableHandler
    private var turn: QmailDeliverableHandler.Turn?
    private var bodyLength = 0
    /// Nothing is taken from the client after its last request.
    private var isOver = false

    init(_ connection: QmailDeliverableHandler) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isOver { return }
        var part = unwrapInboundIn(data)
        switch part {
        case .head(var head):
            // After an offer to speak something else the codec reads no more requests.
            let isLast = !head.isKeepAlive || head.method == .CONNECT || head.headers.contains(name: "Upgrade")
            turn = QmailDeliverableHandler.Turn(version: head.version, isLast: isLast)
            bodyLength = 0
            // This is how hummingbird is told.
            if isLast { head.headers.replaceOrAdd(name: "Connection", value: "close") }
            if (head.version.major, head.version.minor) < (1, 1) {
                // It knows no 100 (RFC 9110 10.1.1).
                head.headers.remove(name: "Expect")
            } else if head.headers["Host"].count != 1 {
                // RFC 9112 3.2.
                return refuse(context, HTTPParserError.unknown)
            }
            part = .head(head)
        case .body(let bytes):
            bodyLength += bytes.readableBytes
            if bodyLength > Self.body { return refuse(context, HTTPParserError.unknown) }
        case .end:
            guard let turn else { return }
            self.turn = nil
            isOver = turn.isLast
            connection.waiting.append(turn)
            connection.timers.lastCommand = connection.loop.eventLoop.now
        }
        context.fireChannelRead(wrapInboundOut(part))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is HTTPParserError || error is ByteToMessageDecoderError {
            refuse(context, HTTPParserError.unknown)
        } else {
            connection.errorCaught(context: context, error: error)
        }
    }

    /// What came before is answered; then hummingbird says 400.
    private func refuse(_ context: ChannelHandlerContext, _ error: HTTPParserError) {
        // The second comes of what a client sends after the first, and one of a connection that ends within a request.
        if isOver || connection.state != .open { return }
        isOver = true
        connection.waiting.append(QmailDeliverableHandler.Turn(version: .http1_1, isLast: true))
        connection.timers.lastCommand = connection.loop.eventLoop.now
        connection.wasMalformed()
        context.fireErrorCaught(error)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            // 100 is for a request that has not come in whole.
            if head.status.code >= 200, let turn = connection.waiting.first {
                head.version = turn.version == .http1_0 ? .http1_0 : .http1_1
                if turn.isLast {
                    head.headers.replaceOrAdd(name: "Connection", value: "close")
                } else if turn.version == .http1_0 {
                    head.headers.add(name: "Connection", value: "keep-alive")
                }
            }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            context.write(data, promise: promise)
            if let turn = connection.waiting.popFirst() { connection.responded(turn) }
        }
    }
}
