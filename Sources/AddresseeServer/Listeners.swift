// The sockets that accept connections.

import AddresseeConfiguration
import Foundation
import LookupProtocols
import NIOCore
import NIOPosix
import Verification

/// The listeners that are open.
struct Listeners {
    private let group: MultiThreadedEventLoopGroup
    private let loops: Loops
    private var open: [(configuration: ListenerConfiguration, channel: any Channel)] = []

    /// Connections that the kernel holds until they are accepted.
    static let backlog: Int32 = 4096
    /// Octets that the kernel holds of what a client of a Unix socket has not read.
    static let unixBuffer: SocketOptionValue = 32_768
    /// The same over TCP, where Linux makes it twice as many.
    static let tcpBuffer: SocketOptionValue = 131_072

    init(group: MultiThreadedEventLoopGroup, loops: Loops) {
        self.group = group
        self.loops = loops
    }

    /// The addresses in use; a port that was given as 0 is the one that the system chose.
    var addresses: [ListenAddress] {
        open.map { listener in
            guard case .ip(let host, _) = listener.configuration.address, let port = listener.channel.localAddress?.port
            else { return listener.configuration.address }
            return .ip(host: host, port: port)
        }
    }

    /// Opens the listeners that are not open yet, does `then`, and closes those that are not wanted any more. When
    /// anything fails, all is as it was.
    mutating func change(
        to wanted: [ListenerConfiguration], then: () async throws -> Void = {}
    ) async throws {
        // An address that stays in use with other settings can't be opened twice: it is closed first.
        let kept = open.filter { wanted.contains($0.configuration) }
        let unwanted = open.filter { !wanted.contains($0.configuration) }
        var opened: [(configuration: ListenerConfiguration, channel: any Channel)] = []
        var closed: [ListenerConfiguration] = []
        do {
            for configuration in wanted where !kept.contains(where: { $0.configuration == configuration }) {
                for old in unwanted where old.configuration.address == configuration.address {
                    try await old.channel.close()
                    closed.append(old.configuration)
                }
                opened.append((configuration, try await listen(configuration)))
            }
            try await then()
        } catch {
            for listener in opened { try? await listener.channel.close() }
            open = open.filter { !closed.contains($0.configuration) }
            var lost: [String] = []
            for configuration in closed {
                do {
                    open.append((configuration, try await listen(configuration)))
                } catch {
                    lost.append("\(error)")
                }
            }
            if lost.isEmpty { throw error }
            throw ServerError.lost(because: "\(error)", lost: lost)
        }
        for old in unwanted where !closed.contains(old.configuration) { try? await old.channel.close() }
        // In the order of the configuration.
        open = wanted.compactMap { configuration in
            (kept + opened).first { $0.configuration == configuration }
        }
    }

    mutating func close() async {
        for listener in open { try? await listener.channel.close() }
        open = []
    }

    private func listen(_ listener: ListenerConfiguration) async throws -> any Channel {
        let loops = loops
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let loop = loops.context(on: channel.eventLoop) else {
                        throw ChannelError.operationUnsupported
                    }
                    try Self.open(channel, for: listener, on: loop)
                }
            }
        do {
            switch listener.address {
            case .ip(let host, let port):
                // What a client does not read is to be seen here, and not to lie in the kernel, megabytes for each.
                return try await bootstrap.childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                    .childChannelOption(.socketOption(.so_sndbuf), value: Self.tcpBuffer)
                    .bind(host: host, port: port).get()
            case .unix(let path):
                // A client of such a socket is seen to read when most of this has been read.
                let small = bootstrap.childChannelOption(.socketOption(.so_sndbuf), value: Self.unixBuffer)
                return try await bind(small, path: path, mode: listener.unixMode)
            }
        } catch let error as ServerError {
            throw error
        } catch {
            throw ServerError.listen(listener.address.description, reason: Self.reason(error))
        }
    }

    /// Has a channel served as the listener says.
    static func open(
        _ channel: any Channel, for listener: ListenerConfiguration, on loop: LoopContext
    ) throws {
        let handler: Connection
        switch listener.wire {
        case .smtp: handler = SMTPHandler(loop: loop, listener: listener)
        case .socketmap: handler = SocketmapHandler(SocketmapWire(), loop: loop, listener: listener)
        case .tcpTable:
            let map = Array((listener.map ?? .recipients).rawValue.utf8)
            handler = LookupHandler(TCPTableWire(map: map), loop: loop, listener: listener)
        case .readsocket: handler = LookupHandler(ReadsocketWire(), loop: loop, listener: listener)
        case .policy: handler = PolicyHandler(PolicyWire(), loop: loop, listener: listener)
        case .milter: handler = LookupHandler(MilterWire(), loop: loop, listener: listener)
        case .qmailDeliverable: return try QmailDeliverableHandler.open(channel, loop: loop, listener: listener)
        }
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    /// A socket that is left over is replaced; one that somebody listens on is not.
    private func bind(_ bootstrap: ServerBootstrap, path: String, mode: UInt16?) async throws -> any Channel {
        if let other = try? await ClientBootstrap(group: group).connect(unixDomainSocketPath: path).get() {
            try? await other.close()
            throw ServerError.listen("unix:\(path)", reason: Self.taken)
        }
        let channel = try await bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
        guard let mode else { return channel }
        do {
            try FileManager.default.setAttributes([.posixPermissions: Int(mode)], ofItemAtPath: path)
        } catch {
            try? await channel.close()
            throw error
        }
        return channel
    }

    private static let taken = "another program listens there already; stop it or choose another address"

    private static func reason(_ error: any Error) -> String {
        guard let error = error as? IOError else { return "\(error)" }
        switch error.errnoCode {
        case EADDRINUSE: return taken
        case EACCES: return "not permitted; ports below 1024 need privilege"
        case EADDRNOTAVAIL: return "this machine has no such address"
        default: return String(cString: strerror(error.errnoCode))
        }
    }
}
