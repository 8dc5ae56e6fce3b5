// A server in this process, over directories in memory.

import AddresseeConfiguration
import AddresseeServer
import DialogueTesting
import Foundation
import Logging
import MailboxDirectory
import SMTPProtocol
import Testing
import Verification

enum ServedDirectory {
    /// Takes mail for all, wherever it goes.
    static func nextHops(in folder: String) throws -> [NextHopConfiguration] {
        let template = try MaildirTemplate("\(folder)/{domain}/{local-part}")
        return [
            NextHopConfiguration(
                name: "everywhere", kind: .maildir(template), route: Route(places: Set(RecipientPlace.allCases)))
        ]
    }

    /// Serves the directory of a dialogue, under its settings, while `body` runs with the port.
    /// - Parameter isLate: whether answers have to be waited for.
    static func serve(
        _ dialogue: Dialogue, wire: ListenerWire = .smtp, isLate: Bool = false, log: LogBook? = nil,
        change: @Sendable (inout Configuration) -> Void = { _ in },
        _ body: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        let directory = try DialogueFiles.directory(dialogue.directory)
        var client = dialogue.client
        client.networks = []
        var listener = ListenerConfiguration(wire: wire, address: .ip(host: "127.0.0.1", port: 0))
        listener.enhancedCodes = dialogue.form == .enhanced
        listener.possibilities = dialogue.namesPossibilities
        let sources = directory.sources.map {
            SourceConfiguration(name: $0.name, kind: .sqlite(path: "/nowhere"))
        }
        let mail = FileManager.default.temporaryDirectory.appendingPathComponent("addressee-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: mail) }
        var settings = Configuration(
            file: "none", hostname: dialogue.hostname, defaultDomain: directory.defaultDomain, sources: sources,
            listeners: [listener], clients: [client],
            limits: SessionLimits(recipients: dialogue.recipients, errors: dialogue.errors), threads: 1)
        if dialogue.takesMail { settings.nextHops = try nextHops(in: mail) }
        change(&settings)
        try await serve(
            settings, log: log,
            openSources: {
                try directory.sources.map { text in
                    let store = try MemoryStore(name: text.name, text.records)
                    let source = FailingSource(base: store.source, failing: text.failing)
                    return isLate ? LateSource(base: source) : source
                }
            }, body)
    }

    /// Serves these sources while `body` runs with the port of the first listener.
    static func serve(
        _ configuration: Configuration, log: LogBook? = nil,
        openSources: @escaping @Sendable () throws -> [any Source],
        _ body: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        let server = Server(
            logger: log?.logger ?? Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            openSources: { _ in openSources }, reload: { configuration })
        let (addresses, continuation) = AsyncStream.makeStream(of: [ListenAddress].self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            let events = AsyncStream<Server.Event> { _ in }
            group.addTask { try await server.run(configuration, events: events) { continuation.yield($0) } }
            group.addTask {
                for await case .ip(_, let port) in addresses.compactMap(\.first) { return try await body(port) }
            }
            // The server never ends by itself: what ends first is the body, or a failure.
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}
