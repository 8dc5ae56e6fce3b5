// One event loop of a server without sockets, threads or time: a test moves its clock, and is the other end of each
// connection.

import AddresseeConfiguration
import DialogueTesting
import Logging
import MailAddress
import MailboxDirectory
import NIOConcurrencyHelpers
import NIOCore
import NIOEmbedded
import SMTPProtocol
import Verification

@testable import AddresseeServer

/// What was written to a log.
final class LogBook: LogHandler, Sendable {
    private let all = NIOLockedValueBox<[String]>([])

    private let level = NIOLockedValueBox(Logger.Level.debug)

    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }

    /// Shared by all that write to it.
    var logLevel: Logger.Level {
        get { level.withLockedValue { $0 } }
        set { level.withLockedValue { $0 = newValue } }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func setLevel(_ new: Logger.Level) { level.withLockedValue { $0 = new } }

    func log(event: LogEvent) {
        let fields = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.sorted()
        all.withLockedValue { $0.append((["\(event.level)", "\(event.message)"] + fields).joined(separator: " ")) }
    }

    /// Level, event and fields of each line, with spaces between.
    var lines: [String] { all.withLockedValue { $0 } }

    /// Those of one event.
    func lines(_ event: String) -> [String] { lines.filter { $0.split(separator: " ")[1] == event } }

    var logger: Logger { Logger(label: "test") { _ in self } }
}

/// Answers what another source answers, when a test says so.
final class HeldSource: Source {
    private let base: any Source
    private var held: [(lookup: Lookup, later: @Sendable (Answer) -> Void)] = []

    init(base: any Source) { self.base = base }

    var name: String { base.name }
    var answersAtOnce: Bool { false }

    func answer(_ lookup: Lookup) -> Answer { base.answer(lookup) }

    func ask(_ lookup: Lookup, later: @escaping @Sendable (Answer) -> Void) -> Answer? {
        held.append((lookup, later))
        return nil
    }

    var isAsked: Bool { !held.isEmpty }

    /// Answers what is asked now, the youngest first.
    func answerAll() {
        let asked = held.reversed()
        held = []
        for (lookup, later) in asked { later(base.answer(lookup)) }
    }
}

/// The other end of a connection, as a socket would be: it may take nothing, and tells of half-closing.
final class TestSocket: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Whether what is written is taken.
    var takes = true {
        didSet { if takes { context?.flush() } }
    }
    /// Whether the server has closed its side.
    private(set) var isOutputClosed = false
    /// How often the server has asked for more to read.
    private(set) var reads = 0
    private var context: ChannelHandlerContext?
    private var closing: EventLoopPromise<Void>?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func read(context: ChannelHandlerContext) {
        reads += 1
        context.read()
    }

    func flush(context: ChannelHandlerContext) { if takes { context.flush() } }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode != .output { return context.close(mode: mode, promise: promise) }
        isOutputClosed = true
        if takes {
            context.flush()
            promise?.succeed()
        } else {
            closing = promise
        }
    }

    /// Has so many octets wait that the other end has not taken.
    func hold(_ octets: Int) {
        context?.flush()
        context?.write(wrapOutboundOut(ByteBuffer(repeating: 120, count: octets)), promise: nil)
    }

    /// The other end has taken all.
    func finishClosing() {
        context?.flush()
        closing?.succeed()
        closing = nil
    }
}

/// One connection, seen from the other end.
final class TestClient {
    let channel: EmbeddedChannel
    let socket = TestSocket()

    private let eventLoop: EmbeddedEventLoop

    init(_ eventLoop: EmbeddedEventLoop) {
        self.eventLoop = eventLoop
        channel = EmbeddedChannel(loop: eventLoop)
    }

    fileprivate func connect(from address: String) throws {
        try channel.pipeline.syncOperations.addHandler(socket, position: .first)
        channel.localAddress = try SocketAddress(ipAddress: "127.0.0.77", port: 25)
        channel.connect(to: try SocketAddress(ipAddress: address, port: 49152), promise: nil)
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ octets: [UInt8]) throws { try channel.writeInbound(ByteBuffer(bytes: octets)) }

    /// The client sends nothing more, and still receives.
    func end() { channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }

    /// What has come since it was asked for last.
    func received() throws -> String {
        // What is sent is sent when the loop has done what else is due.
        eventLoop.run()
        var octets: [UInt8] = []
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { octets += buffer.readableBytesView }
        return String(decoding: octets, as: UTF8.self)
    }

    /// Sends lines and gives what is said to them.
    func say(_ lines: String...) throws -> [String] {
        try send(lines.map { $0 + "\r\n" }.joined())
        return try replies()
    }

    /// The lines that have come.
    func replies() throws -> [String] { try received().split(separator: "\r\n").map(String.init) }

    /// Whether the channel has room, as NIO tells its handlers.
    func setWritable(_ isWritable: Bool) {
        channel.isWritable = isWritable
        channel.pipeline.fireChannelWritabilityChanged()
    }

    /// Whether the connection is cut.
    var isClosed: Bool { !channel.isActive }

    /// The client closes.
    func disconnect() { channel.close(promise: nil) }
}

/// One event loop of a server.
final class TestLoop {
    let eventLoop = EmbeddedEventLoop()
    let log = LogBook()
    let shared: SharedState
    let loop: LoopContext
    private(set) var hops: [TestClient] = []
    private var clients: [TestClient] = []

    fileprivate init(_ configuration: Configuration, _ sources: [any Source], _ level: Logger.Level) throws {
        log.setLevel(level)
        shared = SharedState(log: ServerLog(log.logger))
        loop = LoopContext(
            service: try Service(configuration), sources: sources, shared: shared, eventLoop: eventLoop)
        loop.connectHop = { [unowned self] connection, eventLoop in
            let hop = TestClient(self.eventLoop)
            hops.append(hop)
            // A handler that is added to a channel that is not active waits for that.
            try? hop.channel.pipeline.syncOperations.addHandler(connection)
        }
    }

    /// A client of the first listener, or of this one.
    func client(
        of listener: ListenerConfiguration? = nil, wire: ListenerWire = .smtp, from address: String = "127.0.0.1"
    ) throws -> TestClient {
        let client = TestClient(eventLoop)
        clients.append(client)
        let listener = listener ?? ListenerConfiguration(wire: wire, address: .ip(host: "0.0.0.0", port: 25))
        try Listeners.open(client.channel, for: listener, on: loop)
        try client.connect(from: address)
        return client
    }

    /// One that has been greeted.
    func greeted(from address: String = "127.0.0.1") throws -> TestClient {
        let client = try client(from: address)
        _ = try client.received()
        return client
    }

    /// The connection to a mail server that was asked for last, or the one of this number; the server accepts it.
    func accepted(_ number: Int? = nil) throws -> TestClient {
        let hop = hops[number ?? hops.count - 1]
        try hop.connect(from: "127.0.0.1")
        return hop
    }

    func advance(_ amount: TimeAmount) { eventLoop.advanceTime(by: amount) }

    fileprivate func end() {
        loop.stopAll()
        for client in clients { _ = try? client.channel.finish(acceptAlreadyClosed: true) }
        // One that ends may be followed by another.
        var index = 0
        while index < hops.count {
            _ = try? hops[index].channel.finish(acceptAlreadyClosed: true)
            index += 1
        }
        eventLoop.run()
        try? eventLoop.syncShutdownGracefully()
    }

    /// Runs `body` with a loop that serves the directory of the tables.
    static func run(
        clients: [ClientClass]? = nil, source: @escaping (any Source) -> any Source = { $0 },
        _ body: (TestLoop) throws -> Void
    ) throws {
        try with(clients: clients, source: source) { _ in }.run(body)
    }

    /// The same with other settings.
    static func with(
        clients: [ClientClass]? = nil, source: @escaping (any Source) -> any Source = { $0 },
        _ change: @escaping (inout Configuration) -> Void
    ) -> Setting {
        Setting(clients: clients, source: source, change: change)
    }

    /// What a loop is made of.
    struct Setting {
        fileprivate var clients: [ClientClass]?
        var source: (any Source) -> any Source
        /// Of the log, to begin with.
        var level = Logger.Level.debug
        fileprivate var change: (inout Configuration) -> Void

        func run(_ body: (TestLoop) throws -> Void) throws {
            let directory = try DialogueFiles.directory("table")
            let text = directory.sources[0]
            var settings = Configuration(
                file: "none", hostname: "mx.example", defaultDomain: directory.defaultDomain,
                sources: [SourceConfiguration(name: text.name, kind: .sqlite(path: "/nowhere"))],
                listeners: [ListenerConfiguration(address: .ip(host: "0.0.0.0", port: 25))], clients: clients,
                threads: 1)
            change(&settings)
            let loop = try TestLoop(settings, [source(try MemoryStore(name: text.name, text.records).source)], level)
            defer { loop.end() }
            try body(loop)
        }
    }
}
