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
    /// Another number whenever any answer may be another one; nil in a batch in which a source can't tell.
    private var version: UInt64?
    private var epoch: UInt64 = 0
    private var lastVersions: [UInt64] = []
    private(set) var isDraining = false
    let shared: SharedState

    init(service: Service, sources: [any Source], shared: SharedState) {
        self.service = service
        self.sources = sources
        self.shared = shared
        memory = RecipientMemory(places: service.rememberedRecipients)
    }

    /// Takes a new configuration; connections that are open keep how they are served.
    func replace(service: Service, sources: [any Source]) {
        if service.rememberedRecipients != self.service.rememberedRecipients {
            memory = RecipientMemory(places: service.rememberedRecipients)
        }
        self.service = service
        self.sources = sources
        // Other sources count from numbers of their own.
        lastVersions = []
    }

    func add(_ handler: SMTPHandler) { connections[ObjectIdentifier(handler)] = handler }

    func remove(_ handler: SMTPHandler) { connections[ObjectIdentifier(handler)] = nil }

    func drainAll() {
        isDraining = true
        for handler in connections.values { handler.drain() }
    }

    func stopAll() {
        for handler in connections.values { handler.stop() }
    }

    /// The verdict on one query: every question over SMTP takes this way.
    func answer(_ query: Query, by client: ClientClass) -> Verdict {
        guard case .recipient(.mailbox(let mailbox), let utf8) = query else { return resolve(query, by: client) }
        beginBatch()
        guard let version else { return resolve(query, by: client) }
        let asker = RecipientMemory.Asker(disclosure: client.disclosure.rcpt, utf8: utf8)
        if let verdict = memory.recall(mailbox, version: version, asker: asker) { return verdict }
        let verdict = resolve(query, by: client)
        memory.remember(verdict, of: mailbox, version: version, asker: asker)
        return verdict
    }

    private func resolve(_ query: Query, by client: ClientClass) -> Verdict {
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
        var versions: [UInt64] = []
        for source in sources {
            source.beginBatch()
            if let version = source.version() { versions.append(version) }
        }
        guard versions.count == sources.count else {
            version = nil
            return
        }
        if versions != lastVersions {
            lastVersions = versions
            epoch += 1
        }
        version = epoch
    }

    func endBatch() {
        if !isInBatch { return }
        isInBatch = false
        for source in sources { source.endBatch() }
    }
}
