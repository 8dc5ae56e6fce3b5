// What belongs to one event loop: its own sources, and the connections it serves. Only ever touched on that loop.

import MailboxDirectory
import NIOCore
import SMTPProtocol
import Verification

/// One event loop's share of the server.
final class LoopContext {
    private(set) var service: Service
    private(set) var sources: [any Source]
    private var connections: [ObjectIdentifier: SMTPHandler] = [:]
    private var isInBatch = false
    let shared: SharedState

    init(service: Service, sources: [any Source], shared: SharedState) {
        self.service = service
        self.sources = sources
        self.shared = shared
    }

    /// Takes a new configuration; connections that are open keep how they are served.
    func replace(service: Service, sources: [any Source]) {
        self.service = service
        self.sources = sources
    }

    func add(_ handler: SMTPHandler) { connections[ObjectIdentifier(handler)] = handler }

    func remove(_ handler: SMTPHandler) { connections[ObjectIdentifier(handler)] = nil }

    func drainAll() {
        for handler in connections.values { handler.drain() }
    }

    func stopAll() {
        for handler in connections.values { handler.stop() }
    }

    /// The verdict on one query: every question over SMTP takes this way.
    func answer(_ query: Query, by client: ClientClass) -> Verdict {
        let inquiry = Inquiry(query, by: client, in: service.inquiries)
        guard let expansion = inquiry.expansion else { return inquiry.verdict(on: nil) }
        beginBatch()
        let resolution = expansion.run(sources)
        switch resolution.outcome {
        case .couldNotTell(let trouble): shared.log.couldNotTell(trouble, query: query)
        case .loop(let path): shared.log.loop(path, query: query)
        case .limit(let kind, let path): shared.log.limit(kind, path, query: query)
        case .answered, .ambiguous: break
        }
        return inquiry.verdict(on: resolution)
    }

    /// The questions of one read share one view of the directory, which is no older than the read.
    private func beginBatch() {
        if isInBatch { return }
        isInBatch = true
        for source in sources { source.beginBatch() }
    }

    func endBatch() {
        if !isInBatch { return }
        isInBatch = false
        for source in sources { source.endBatch() }
    }
}
