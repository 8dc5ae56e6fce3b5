// Asks the maps of SRS: under which sender a message is forwarded, and whom a notification that comes back is for. One for
// each event loop, with a connection to each map. Only ever touched on its loop.

import AddresseeConfiguration
import LookupProtocols
import MailAddress
import NIOCore
import NIOPosix
import Verification

final class SenderRewriter {
    /// What a map says of an address.
    enum Answer: Equatable {
        case rewritten(Mailbox)
        /// It stays as it is, or is none of the map's.
        case kept
        /// What the map would have for it has so many octets before "@" or after it that it is no address. It will be so
        /// at every try.
        case tooLong(octets: Int)
        /// It can't be told now.
        case failed(String)

        init(_ answer: MapAnswer, about mailbox: Mailbox) {
            switch answer {
            case .found(let value):
                if let rewritten = Mailbox(key: value) {
                    self = rewritten == mailbox ? .kept : .rewritten(rewritten)
                } else if let octets = value.excess {
                    self = .tooLong(octets: octets)
                } else {
                    self = .failed("\(String(decoding: value, as: UTF8.self)) is no address")
                }
            case .absent: self = .kept
            case .temporary(let text), .permanent(let text): self = .failed(String(decoding: text, as: UTF8.self))
            }
        }
    }

    private let forwardMap: MapClient
    private let reverseMap: MapClient

    /// - Parameter patience: how long an answer may take, the connection included.
    init(_ rewriting: SenderRewriting, eventLoop: any EventLoop, patience: TimeAmount = .seconds(10)) {
        switch rewriting {
        case .socketmap(let address):
            forwardMap = MapClient(.socketmap, address, eventLoop, patience)
            reverseMap = forwardMap
        case .tcpTables(let forward, let reverse):
            forwardMap = MapClient(.tcpTable, forward, eventLoop, patience)
            reverseMap = MapClient(.tcpTable, reverse, eventLoop, patience)
        }
    }

    /// Under which sender it is forwarded.
    func forward(_ sender: Mailbox, _ done: @escaping (Answer) -> Void) { ask(forwardMap, "forward", sender, done) }

    /// Whom a notification is for.
    func reverse(_ recipient: Mailbox, _ done: @escaping (Answer) -> Void) {
        ask(reverseMap, "reverse", recipient, done)
    }

    func close() {
        forwardMap.close()
        reverseMap.close()
    }

    private func ask(_ map: MapClient, _ name: String, _ mailbox: Mailbox, _ done: @escaping (Answer) -> Void) {
        // Without quotes, as mail servers have it inside: what is put around a quoted local-part would be no address.
        let key = mailbox.localPart.octets + [UInt8(ascii: "@")] + mailbox.domain.octets
        map.ask(MapRequest(map: Array(name.utf8), key: key)) { done(Answer($0, about: mailbox)) }
    }
}

extension [UInt8] {
    /// The octets of the part of an address that has more than any may have; nil where there is none.
    fileprivate var excess: Int? {
        guard let at = lastIndex(of: UInt8(ascii: "@")) else { return nil }
        let domain = count - at - 1
        if at > AddressLimits.localPart { return at }
        return domain > AddressLimits.domain ? domain : nil
    }
}

extension Mailbox {
    /// Whether it looks like one that SRS has made: `SRS0` or `SRS1`, and a separator.
    var isRewritten: Bool {
        let start = localPart.key.prefix(5)
        return (start.starts(with: "srs0".utf8) || start.starts(with: "srs1".utf8))
            && start.count == 5 && "=+-".utf8.contains(localPart.key[4])
    }
}

/// One server of maps: a connection that is kept as long as it holds, and questions that are answered in their order.
private final class MapClient {
    private let patience: TimeAmount
    private let spoken: MapClientWire.Dialect
    private let address: ServerAddress
    private let eventLoop: any EventLoop
    private var connection: MapConnection?

    init(
        _ spoken: MapClientWire.Dialect, _ address: ServerAddress, _ eventLoop: any EventLoop, _ patience: TimeAmount
    ) {
        self.patience = patience
        self.spoken = spoken
        self.address = address
        self.eventLoop = eventLoop
    }

    func ask(_ request: MapRequest, _ done: @escaping (MapAnswer) -> Void) {
        if connection?.isOver != false {
            let new = MapConnection(spoken, address, patience)
            connection = new
            new.connect(on: eventLoop)
        }
        guard let connection else { return }
        let isFresh = connection.answers == 0
        connection.ask(request) { [self] answer in
            // A connection that was kept may have been closed by the server meanwhile: that says nothing of the map.
            if answer == nil, !isFresh { return ask(request, done) }
            done(answer ?? .temporary("\(address) does not answer"))
        }
    }

    func close() { connection?.close() }
}

private final class MapConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let patience: TimeAmount
    private let address: ServerAddress
    private var wire: MapClientWire
    private var context: ChannelHandlerContext?
    private var inbound = ByteBuffer()
    private var unsent = ByteBuffer()
    private var waiting: [(MapAnswer?) -> Void] = []
    private var timer: Scheduled<Void>?
    private var eventLoop: NIOIsolatedEventLoop?
    private(set) var isOver = false
    /// Answers so far.
    private(set) var answers = 0

    init(_ spoken: MapClientWire.Dialect, _ address: ServerAddress, _ patience: TimeAmount) {
        self.patience = patience
        wire = MapClientWire(spoken)
        self.address = address
    }

    func connect(on eventLoop: any EventLoop) {
        self.eventLoop = eventLoop.assumeIsolated()
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let bootstrap = ClientBootstrap(group: eventLoop).connectTimeout(patience).channelInitializer {
            channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(bound.value) }
        }
        let connected =
            switch address {
            case .host(let host, let port): bootstrap.connect(host: host, port: port)
            case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
            }
        connected.assumeIsolated().whenFailure { [self] _ in end() }
    }

    /// - Parameter done: called once; with nil when the connection ends before the answer.
    func ask(_ request: MapRequest, _ done: @escaping (MapAnswer?) -> Void) {
        waiting.append(done)
        if waiting.count == 1 { startTimer() }
        unsent.writeBytes(wire.request(request))
        flush()
    }

    func close() { end() }

    private func flush() {
        guard let context, context.channel.isActive, unsent.readableBytes > 0 else { return }
        let octets = unsent
        unsent = ByteBuffer()
        context.writeAndFlush(wrapOutboundOut(octets), promise: nil)
    }

    private func startTimer() {
        timer?.cancel()
        timer = eventLoop?.scheduleTask(in: patience) { [self] in end() }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        flush()
    }

    func channelActive(context: ChannelHandlerContext) {
        flush()
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var octets = unwrapInboundIn(data)
        inbound.writeBuffer(&octets)
        while !isOver {
            let step = inbound.withUnsafeReadableBytes { wire.next(Span(_unsafeBytes: $0)) }
            switch step {
            case .malformed: return end()
            case .incomplete(let consumed):
                inbound.moveReaderIndex(forwardBy: consumed)
                inbound.discardReadBytes()
                return
            case .answer(let answer, let next):
                inbound.moveReaderIndex(forwardBy: next)
                if waiting.isEmpty { return end() }
                answers += 1
                let done = waiting.removeFirst()
                if waiting.isEmpty { timer?.cancel() } else { startTimer() }
                done(answer)
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { end() }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    private func end() {
        if isOver { return }
        isOver = true
        timer?.cancel()
        context?.close(promise: nil)
        let unanswered = waiting
        waiting = []
        for done in unanswered { done(nil) }
    }
}
