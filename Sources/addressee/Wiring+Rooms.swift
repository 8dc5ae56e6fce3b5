// Gives the commands the stores and the server.

import AddresseeCommands
import AddresseeConfiguration
import AddresseeServer
import CMemory
import LDAPDirectory
import Logging
import MailboxDirectory
import SQLiteDirectory
import Verification

extension Wiring {
    static let rooms = Wiring(
        openSource: { source in
            switch source.kind {
            case .sqlite(let path): return SQLiteReader(path: path, name: source.name, mayWait: true)
            case .ldap(let ldap):
                let settings = try LDAPSettings(ldap, name: source.name).withoutCache()
                return LDAPDirectory(name: source.name, settings: settings)
            }
        },
        openStore: { source in
            switch source.kind {
            case .sqlite(let path):
                return try SQLiteStore(path: path, name: source.name) { Wiring.notify($0) }
            case .ldap(let ldap):
                let settings = try LDAPSettings(ldap, name: source.name)
                return LDAPStore(name: source.name, settings: settings) { Wiring.notify($0) }
            }
        },
        createStore: { source in
            switch source.kind {
            case .sqlite(let path):
                try SQLiteStore.create(path: path)
                return try SQLiteStore(path: path, name: source.name)
            case .ldap:
                throw CommandFailure(.usage, "the source \(source.name) is in LDAP, where no directory can be made")
            }
        },
        checkSource: { source, records in
            switch source.kind {
            case .sqlite(let path):
                return SQLiteCheck(path: path, name: source.name) { Wiring.notify($0) }.findings(records)
            case .ldap(let ldap):
                let settings = try LDAPSettings(ldap, name: source.name)
                return LDAPCheck(
                    name: source.name, settings: settings, extent: records.readsAll ? .everything : .sample
                )
                .findings()
            }
        },
        serve: { configuration, ready in
            defer { SQLiteUpkeep.endAll() }
            memory_join_at_once()
            do {
                try await Server.rooms(configuration).run(configuration, ready: ready)
            } catch let error as ServerError {
                switch error {
                case .tls, .nextHop: throw CommandFailure(.configuration, "\(error)")
                case .listen, .lost: throw CommandFailure(.temporary, "\(error)")
                }
            }
        })
}

extension Server {
    /// The server over the stores that there are.
    static func rooms(_ configuration: Configuration) -> Server {
        let threshold = LogThreshold(Logger.Level(rawValue: configuration.logLevel.rawValue) ?? .info)
        let logger = Logger(label: "addressee") { _ in LineLogHandler(level: threshold) }
        return Server(
            logger: logger, threshold: threshold,
            openSources: { configuration in
                // A connection to LDAP is shared by all event loops; a file is opened by each.
                let makers = try configuration.sources.map { try maker(of: $0, logger: logger) }
                return { try makers.map { try $0() } }
            },
            reload: { try Configuration.load(file: configuration.file) })
    }

    private static func maker(
        of source: SourceConfiguration, logger: Logger
    ) throws -> @Sendable () throws -> any Source {
        let name = source.name
        switch source.kind {
        case .sqlite(let path):
            let first = SQLiteReader(path: path, name: name)
            if let trouble = first.check() { throw trouble }
            first.release()
            let upkeep = SQLiteUpkeep(path: path, name: name) { logger.tell($0, source: name) }
            upkeep.waitForFirstExamination()
            return {
                let reader = SQLiteReader(name: name, upkeep: upkeep)
                if let trouble = reader.check() { throw trouble }
                return reader
            }
        case .ldap(let ldap):
            let settings = try LDAPSettings(ldap, name: name)
            let directory = LDAPDirectory(name: name, settings: settings) { event in
                logger.tell(event, source: name)
            }
            // Settings that fit no entry answer "no such user" to everybody.
            LDAPCheck(name: name, settings: settings).begin { logger.tell($0, source: name) }
            return { directory }
        }
    }
}
