// The server: event loops, listeners, and what signals make of them. The stores come from outside, one set a loop.

public import AddresseeConfiguration
public import Logging
public import MailboxDirectory
import NIOCore
import NIOPosix
import UnixSignals

/// Serves one configuration after another until it is told to stop.
public struct Server: Sendable {
    private let openSources: @Sendable (Configuration) throws -> @Sendable () throws -> [any Source]
    private let reload: @Sendable () throws -> Configuration
    private let logger: Logger
    private let threshold: LogThreshold

    /// Files that the program needs beside its connections.
    private static let otherFiles = 64

    /// - Parameters:
    ///   - threshold: set to the level of a configuration when it is reloaded.
    ///   - openSources: opens what all event loops share of the configured sources; what it returns is called once for
    ///     each event loop, and gives that loop's sources, in their order.
    ///   - reload: reads the configuration again, on SIGHUP.
    public init(
        logger: Logger, threshold: LogThreshold = LogThreshold(.info),
        openSources: @escaping @Sendable (Configuration) throws -> @Sendable () throws -> [any Source],
        reload: @escaping @Sendable () throws -> Configuration
    ) {
        self.logger = logger
        self.threshold = threshold
        self.openSources = openSources
        self.reload = reload
    }

    /// What a server is told while it runs.
    public enum Event: Hashable, Sendable {
        /// Read the configuration again.
        case reload
        /// Stop; the text says why, for the log.
        case stop(String)
    }

    /// Listens and answers until SIGTERM or SIGINT; then stops accepting, answers what was asked, and returns.
    /// - Parameter ready: called once all listeners are open, with the addresses they have.
    public func run(_ configuration: Configuration, ready: @Sendable ([ListenAddress]) -> Void) async throws {
        // The last two have no meaning here. A script for log files that sends one to every server must not end this one.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup, .sigusr1, .sigusr2)
        let events = signals.compactMap { signal -> Event? in
            switch signal {
            case .sighup: return .reload
            case .sigusr1, .sigusr2:
                ServerLog(logger).ignored("\(signal)")
                return nil
            default: return .stop("\(signal)")
            }
        }
        try await run(configuration, events: events, ready: ready)
    }

    /// Listens and answers until an event, the end of the events, or the cancellation of the task stops it.
    public func run(
        _ configuration: Configuration, events: some AsyncSequence<Event, Never>,
        ready: @Sendable ([ListenAddress]) -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.threads ?? System.coreCount)
        do {
            try await serve(configuration, group: group, events: events, ready: ready)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
    }

    private func serve(
        _ configuration: Configuration, group: MultiThreadedEventLoopGroup,
        events: some AsyncSequence<Event, Never>, ready: @Sendable ([ListenAddress]) -> Void
    ) async throws {
        let log = ServerLog(logger)
        let shared = SharedState(log: log)
        let service = try Service(configuration)
        if !configuration.nextHops.isEmpty { shared.files.start() }
        defer { shared.files.shutdownGracefully { _ in } }
        let connections = configuration.limits.connections
        let handing = configuration.nextHops.compactMap(\.server?.connections).reduce(0, +)
        if let files = SystemCall.raiseFileLimit(), files < connections + handing + Self.otherFiles {
            log.fewFiles(files, connections: connections + handing)
        }
        let loops = try await Loops(group, service: service, shared: shared, openSources: openSources)
        var listeners = Listeners(group: group, loops: loops)
        try await listeners.change(to: configuration.listeners)
        if try await loops.isMissing(configuration.defaultDomain) {
            log.defaultDomainIsMissing(configuration.defaultDomain)
        }
        for file in configuration.exposedFiles { log.exposed(file) }
        log.started(listeners.addresses.map(\.description), sources: configuration.sources.map(\.name))
        loops.introduce()
        ready(listeners.addresses)
        var sweep = MaildirSweep(configuration.nextHops, shared: shared)
        defer { sweep.stop() }
        var timeout = configuration.timeouts.shutdown
        events: for await event in events {
            switch event {
            case .reload:
                do {
                    let next = try reload()
                    if !next.nextHops.isEmpty { shared.files.start() }
                    try await take(next, loops: loops, listeners: &listeners)
                    sweep.stop()
                    sweep = MaildirSweep(next.nextHops, shared: shared)
                    timeout = next.timeouts.shutdown
                    threshold.value = Logger.Level(rawValue: next.logLevel.rawValue) ?? .info
                    for file in next.exposedFiles { log.exposed(file) }
                    log.reloaded(next.file, addresses: listeners.addresses.map(\.description))
                    if next.threads != configuration.threads { log.needsRestart("threads") }
                } catch {
                    log.notReloaded(configuration.file, reason: "\(error)")
                }
            case .stop(let reason):
                log.stopping(reason: reason, connections: shared.openConnections)
                break events
            }
        }
        await listeners.close()
        // A cancelled task may not wait, and connections have to be waited for.
        try await Task { [timeout] in
            try await loops.stop(shared: shared, timeout: timeout)
            await shared.endOfTasks()
        }.value
        log.stopped()
    }

    /// The new configuration is in force whole, or not at all.
    private func take(_ next: Configuration, loops: Loops, listeners: inout Listeners) async throws {
        let service = try Service(next)
        try await listeners.change(to: next.listeners) {
            try await loops.replace(service: service, openSources: openSources)
        }
        loops.introduce()
    }
}
