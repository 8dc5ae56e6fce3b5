// Between HTTP and a wire of lines: each request becomes a line `METHOD SP TARGET`, each line `STATUS SP BODY` a response.
// What HTTP is, is for NIO's codec, which stands before it; headers and bodies of requests mean nothing here.

import LookupProtocols
import NIOCore
import NIOHTTP1

final class HTTPLines: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = HTTPServerResponsePart

    /// Octets of one request's body that are read and thrown away; more is no request that anybody means.
    static let body = 65_536

    private var head: HTTPRequestHead?
    private var bodyLength = 0
    /// The requests that have no response yet.
    private var waiting = CircularBuffer<(version: HTTPVersion, isLast: Bool)>()
    /// Nothing is taken from the client after its last request.
    private var isOver = false
    private var lastSent: EventLoopFuture<Void>?

    /// Its codec and itself, before the handler of the connection.
    static func add(to pipeline: ChannelPipeline) throws {
        try pipeline.syncOperations.addHandler(HTTPResponseEncoder())
        try pipeline.syncOperations.addHandler(
            ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
        try pipeline.syncOperations.addHandler(HTTPLines())
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isOver { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            bodyLength = 0
        case .body(let bytes):
            bodyLength += bytes.readableBytes
            if bodyLength > Self.body { refuse(context) }
        case .end:
            guard let head else { return }
            self.head = nil
            // After an offer to speak something else the codec reads no more requests.
            isOver = !head.isKeepAlive || head.method == .CONNECT || head.headers.contains(name: "Upgrade")
            waiting.append((head.version, isOver))
            hand(context, "\(head.method.rawValue) \(head.uri)\n" + (isOver ? "\(QmailDeliverableWire.closing)\n" : ""))
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The second comes of what a client sends after the first.
        if error is HTTPParserError || error is ByteToMessageDecoderError {
            refuse(context)
        } else {
            context.fireErrorCaught(error)
        }
    }

    /// What came before is answered; then the wire says that this is no request, and closes.
    private func refuse(_ context: ChannelHandlerContext) {
        if isOver { return }
        isOver = true
        waiting.append((.http1_1, true))
        hand(context, "\n")
    }

    private func hand(_ context: ChannelHandlerContext, _ line: String) {
        context.fireChannelRead(wrapInboundOut(context.channel.allocator.buffer(string: line)))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        var lines = unwrapOutboundIn(data)
        while let end = lines.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
            let length = end - lines.readerIndex
            guard let line = lines.readString(length: length) else { break }
            lines.moveReaderIndex(forwardBy: 1)
            respond(context, line)
        }
        guard let promise else { return }
        if let lastSent { lastSent.cascade(to: promise) } else { promise.succeed() }
    }

    private func respond(_ context: ChannelHandlerContext, _ line: String) {
        guard let request = waiting.popFirst() else { return }
        let body = context.channel.allocator.buffer(string: line.dropFirst(4) + "\n")
        var headers = HTTPHeaders([
            ("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", "\(body.readableBytes)"),
            ("Cache-Control", "no-store"),
        ])
        if request.isLast {
            headers.add(name: "Connection", value: "close")
        } else if request.version == .http1_0 {
            headers.add(name: "Connection", value: "keep-alive")
        }
        let status = HTTPResponseStatus(statusCode: Int(line.prefix(3)) ?? 500)
        let version = request.version == .http1_0 ? HTTPVersion.http1_0 : .http1_1
        let head = HTTPResponseHead(version: version, status: status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        let sent = context.eventLoop.makePromise(of: Void.self)
        lastSent = sent.futureResult
        context.write(wrapOutboundOut(.end(nil)), promise: sent)
    }
}
