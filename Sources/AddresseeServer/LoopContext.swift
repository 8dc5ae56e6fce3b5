// What belongs to one event loop: its own sources, and the connections it serves. Only ever touched on that loop.

import MailAddress
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
    private var memory: RecipientMemory
    /// That of all sources together, in this batch; nil when one of them has none.
    private var version: UInt64?
    let shared: SharedState

    init(service: Service, sources: [any Source], shared: SharedState) {
        self.service = service
        self.sources = sources
        self.shared = shared
        memory = RecipientMemory(places: service.rememberedRecipients)
    }

    /// Takes a new configuration; connections that are open keep how they are served.
    func replace(service: Service, sources: [any Source]) {
        self.service = service
        self.sources = sources
        memory = RecipientMemory(places: service.rememberedRecipients)
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
        beginBatch()
        guard case .recipient(.mailbox(let mailbox), _) = query, let version else { return resolve(query, by: client) }
        let disclosure = client.disclosure.rcpt
        if let verdict = memory.recall(mailbox, version: version, disclosure: disclosure) { return verdict }
        let verdict = resolve(query, by: client)
        memory.remember(verdict, of: mailbox, version: version, disclosure: disclosure)
        return verdict
    }

    private func resolve(_ query: Query, by client: ClientClass) -> Verdict {
        let inquiry = Inquiry(query, by: client, in: service.inquiries)
        guard let expansion = inquiry.expansion else { return inquiry.verdict(on: nil) }
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
        version = 0
        for source in sources {
            source.beginBatch()
            // Each number only ever grows, so their sum is another one when any of them is.
            if let sum = version, let next = source.version() { version = sum &+ next } else { version = nil }
        }
    }

    func endBatch() {
        if !isInBatch { return }
        isInBatch = false
        for source in sources { source.endBatch() }
    }
}
