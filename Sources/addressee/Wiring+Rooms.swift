// Gives the commands the stores and the server.

import AddresseeCommands
import AddresseeConfiguration
import AddresseeServer
import Logging
import MailboxDirectory
import SQLiteDirectory
import Verification

extension Wiring {
    static let rooms = Wiring(
        openSource: { source in
            switch source.kind {
            case .sqlite(let path): SQLiteReader(path: path, name: source.name)
            }
        },
        openStore: { source in
            switch source.kind {
            case .sqlite(let path): try SQLiteStore(path: path, name: source.name)
            }
        },
        createStore: { source in
            switch source.kind {
            case .sqlite(let path):
                try SQLiteStore.create(path: path)
                return try SQLiteStore(path: path, name: source.name)
            }
        },
        serve: { configuration, ready in
            do {
                try await Server.rooms(configuration).run(configuration, ready: ready)
            } catch let error as ServerError {
                switch error {
                case .tls: throw CommandFailure(.configuration, "\(error)")
                case .listen, .lost: throw CommandFailure(.temporary, "\(error)")
                }
            }
        })
}

extension Server {
    /// The server over the stores that there are.
    static func rooms(_ configuration: Configuration) -> Server {
        let threshold = LogThreshold(Logger.Level(rawValue: configuration.logLevel.rawValue) ?? .info)
        return Server(
            logger: Logger(label: "addressee") { _ in LineLogHandler(level: threshold) }, threshold: threshold,
            makeSources: { configuration in
                try configuration.sources.map { source in
                    switch source.kind {
                    case .sqlite(let path):
                        let reader = SQLiteReader(path: path, name: source.name)
                        if let trouble = reader.check() { throw trouble }
                        return reader
                    }
                }
            },
            reload: { try Configuration.load(file: configuration.file) })
    }
}
