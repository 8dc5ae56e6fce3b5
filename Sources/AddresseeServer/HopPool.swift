// The connections of one event loop to its next hops: kept for the next message, counted, and not tried anew while a server
// that takes long to fail is down. Only ever touched on its loop.

import AddresseeConfiguration
import NIOCore
import NIOSSL
import SMTPProtocol

/// A mail server as the next hop, ready for use.
struct Hop: Sendable {
    let name: String
    let server: MailServer
    /// Where TLS is used.
    let tls: NIOSSLContext?
}

final class HopPool {
    /// How long a connection is kept that nobody uses: less than servers wait, which is five minutes
    /// (RFC 5321 4.5.3.2.7), and less than they do under load.
    private static let idleLimit = TimeAmount.seconds(20)
    /// Messages over one connection.
    private static let mostUses = 100
    /// How long a server that was slow to fail is left alone at most.
    private static let longestRest = TimeAmount.seconds(30)

    let hop: Hop
    private let eventLoop: any EventLoop
    private let limit: Int
    private let shared: SharedState
    private let begin: (HopConnection) -> Void
    private var idle: [(connection: HopConnection, ends: Scheduled<Void>)] = []
    private var open = 0
    private var queue: [Ask] = []
    private var rest: (until: NIODeadline, failure: HopFailure)?
    private var isClosed = false

    private struct Ask {
        var name: [UInt8]
        var timeouts: Timeouts.NextHop
        var deadline: Scheduled<Void>?
        var number: Int
        var done: (Result<HopConnection, HopFailure>) -> Void
    }
    private var asks = 0

    /// - Parameters:
    ///   - loops: how many event loops share the connections that the server may be asked for.
    ///   - connect: begins a connection on the event loop.
    init(
        _ hop: Hop, loops: Int, eventLoop: any EventLoop, shared: SharedState,
        connect: @escaping (HopConnection) -> Void
    ) {
        self.hop = hop
        self.eventLoop = eventLoop
        self.shared = shared
        begin = connect
        limit = max(1, hop.server.connections / max(1, loops))
    }

    /// Gives a connection over which commands may be sent.
    /// - Parameters:
    ///   - isFresh: whether it must be a new one.
    ///   - done: called once, maybe before this returns.
    func take(
        name: [UInt8], timeouts: Timeouts.NextHop, isFresh: Bool = false,
        _ done: @escaping (Result<HopConnection, HopFailure>) -> Void
    ) {
        while !isFresh, let (connection, ends) = idle.popLast() {
            ends.cancel()
            connection.lost = nil
            if connection.isOpen { return done(.success(connection)) }
            open -= 1
        }
        if let rest {
            if rest.until > eventLoop.now { return done(.failure(rest.failure)) }
            self.rest = nil
        }
        asks += 1
        var ask = Ask(name: name, timeouts: timeouts, number: asks, done: done)
        if open < limit { return connect(ask) }
        let number = asks
        ask.deadline = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(timeouts.connect)) { [self] in
            guard let index = queue.firstIndex(where: { $0.number == number }) else { return }
            let failure = HopFailure(
                reason: "\(hop.server.address): all \(limit) connections that this event loop may have are in use",
                reply: ReplyCatalogue.nextHopBusy)
            report(failure)
            queue.remove(at: index).done(.failure(failure))
        }
        queue.append(ask)
    }

    /// Takes back a connection over which a new transaction may begin.
    func give(_ connection: HopConnection) {
        guard connection.isOpen, connection.uses < Self.mostUses, !isClosed else { return drop(connection) }
        connection.hasRoom = nil
        if !queue.isEmpty {
            let ask = queue.removeFirst()
            ask.deadline?.cancel()
            connection.lost = nil
            return ask.done(.success(connection))
        }
        connection.lost = { [self] _ in forget(connection) }
        let ends = eventLoop.assumeIsolated().scheduleTask(in: Self.idleLimit) { [self] in
            forget(connection)
            connection.close()
        }
        idle.append((connection, ends))
    }

    /// Takes back a connection that is of no use any more.
    func drop(_ connection: HopConnection) {
        connection.lost = nil
        connection.hasRoom = nil
        connection.close()
        ended()
    }

    /// The hop is no longer in the configuration, or the server stops.
    func close() {
        isClosed = true
        for (connection, ends) in idle {
            ends.cancel()
            drop(connection)
        }
        idle = []
    }

    /// Tells of trouble, once a second.
    func report(_ failure: HopFailure) { shared.log.nextHopFailed(hop.name, failure) }

    private func forget(_ connection: HopConnection) {
        guard let index = idle.firstIndex(where: { $0.connection === connection }) else { return }
        idle.remove(at: index).ends.cancel()
        connection.lost = nil
        ended()
    }

    private func ended() {
        open -= 1
        if open < limit, !queue.isEmpty {
            let ask = queue.removeFirst()
            ask.deadline?.cancel()
            connect(ask)
        }
    }

    private func connect(_ ask: Ask) {
        open += 1
        let start = eventLoop.now
        let connection = HopConnection(hop, name: ask.name, timeouts: ask.timeouts) { [self] result in
            switch result {
            case .success(let connection): shared.learn(hop.server, connection.extensions)
            case .failure(let failure):
                // What fails at once is tried at once; what takes its time is left alone for as long as that was.
                let now = eventLoop.now
                if now - start > .seconds(1) { rest = (now + min(now - start, Self.longestRest), failure) }
                report(failure)
                ended()
            }
            ask.done(result)
        }
        begin(connection)
    }
}
