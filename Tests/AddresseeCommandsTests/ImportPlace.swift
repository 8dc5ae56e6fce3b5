// Where imports are tried: directories in memory, a configuration and files in a temporary folder.

import AddresseeConfiguration
import Foundation
import MailAddress
import MailboxDirectory
import Synchronization

@testable import AddresseeCommands

/// Safe because one test runs one command after the other.
final class ImportPlace: @unchecked Sendable {
    struct Outcome {
        var status: Int32
        var out: String
        /// With the file's name as FILE.
        var err: String
    }

    private let folder = NSTemporaryDirectory() + "import-\(UUID().uuidString)"
    private let stores: [any RecordStore]

    /// Sources by these names answer what was not asked.
    var odd: Set<String> = []

    /// - Parameter inBulk: whether the stores have a way for very many users.
    init(sources: [String] = ["main"], inBulk: Bool = true) throws {
        let address = try Mailbox("fred@example.org")
        let records: [Record] = [
            .domain(DomainRecord(domain: try Domain("example.org"))),
            .user(User(address: address, fullName: "Fred Claude", login: "fc")),
            .alias(Alias(address: try Mailbox("info@example.org"), targets: [address])),
            .forward(Forward(address: try Mailbox("away@example.org"), targets: [try Mailbox("x@example.com")])),
        ]
        // The second source has a domain more, or nothing could be written there.
        let others: [Record] = [
            .domain(DomainRecord(domain: try Domain("example.org"))),
            .domain(DomainRecord(domain: try Domain("example.net"))),
            .forward(Forward(address: try Mailbox("later@example.org"), targets: [try Mailbox("x@example.com")])),
        ]
        stores = try sources.enumerated().map { index, name in
            let store = try MemoryStore(name: name, index == 0 ? records : others)
            return inBulk ? BulkMemoryStore(store) : store
        }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let list = sources.map { "  - name: \($0)\n    sqlite: \($0).sqlite\n" }.joined()
        try Data("default-domain: example.org\nsources:\n\(list)".utf8).write(
            to: URL(fileURLWithPath: folder + "/addressee.yaml"))
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func run(_ text: String, _ options: String..., terminal: Bool = false) async -> Outcome {
        await run(octets: Array(text.utf8), options, terminal: terminal)
    }

    func run(octets: [UInt8], _ options: [String] = [], terminal: Bool = false) async -> Outcome {
        let file = folder + "/users.csv"
        try? Data(octets).write(to: URL(fileURLWithPath: file))
        var outcome = await run(file: file, options, terminal: terminal)
        outcome.err = outcome.err.replacing(file, with: "FILE")
        return outcome
    }

    func run(file: String, _ options: [String] = [], terminal: Bool = false) async -> Outcome {
        let out = Mutex("")
        let err = Mutex("")
        let output = Output(
            isTerminal: terminal, isColoured: false, isErrorTerminal: terminal,
            standardOutput: { text in out.withLock { $0 += text } },
            standardError: { text in err.withLock { $0 += text } })
        let wiring = Wiring(
            openSource: { source in
                if self.odd.contains(source.name) { return OddSource(name: source.name) }
                return try self.store(source.name).read { $0 }
            },
            openStore: { source in try self.store(source.name) },
            createStore: { source in try self.store(source.name) },
            serve: { _, _ in })
        let arguments = ["import", "csv", file, "--config", folder + "/addressee.yaml"] + options
        let status = await Program.run(arguments, wiring: wiring, output: output)
        return Outcome(status: status, out: out.withLock { $0 }, err: err.withLock { $0 })
    }

    private func store(_ name: String) throws -> any RecordStore {
        guard let store = stores.first(where: { $0.name == name }) else {
            throw Trouble(source: name, reason: "no such store")
        }
        return store
    }

    func user(_ address: String, in source: String = "main") throws -> User? {
        let mailbox = try Mailbox(address)
        guard case .user(let user)? = try store(source).read({ try $0.record(.user, at: mailbox) }) else { return nil }
        return user
    }

    /// Users in the first source.
    var count: Int {
        get throws {
            var count = 0
            try stores[0].read { reading in try reading.forEach(.user, in: nil) { _ in count += 1 } }
            return count
        }
    }
}

/// Takes users in bulk, and like a database finds out only at the end what it can't keep.
final class BulkMemoryStore: BulkUserStore {
    private let store: MemoryStore

    init(_ store: MemoryStore) { self.store = store }

    var name: String { store.name }

    func read<Result>(_ body: (any RecordReading) throws -> Result) throws -> Result { try store.read(body) }

    func write<Result>(_ body: (any RecordWriting) throws -> Result) throws -> Result { try store.write(body) }

    func importUsers(
        next: () throws -> User?, onConflict conflict: BulkConflict, fault: (BulkError) -> Void,
        progress: (Int) -> Void
    ) throws -> BulkResult {
        var users: [User] = []
        var thrown: (any Error)?
        do {
            while let user = try next() {
                users.append(user)
                progress(users.count)
            }
        } catch {
            thrown = error
        }
        return try store.write { writing in
            var result = BulkResult(added: 0)
            var faults = 0
            var seen: Set<Mailbox> = []
            for (index, user) in users.enumerated() {
                let old = seen.insert(user.address).inserted ? try writing.record(.user, at: user.address) : nil
                do {
                    switch (conflict, old) {
                    case (.keep, .user?): result.kept += 1
                    case (.replace(let fields), .user(var known)?):
                        if fields.contains(.fullName) { known.fullName = user.fullName }
                        if fields.contains(.login) { known.login = user.login }
                        if fields.contains(.status) { known.status = user.status }
                        try writing.replace(.user(known))
                        result.replaced += 1
                    default:
                        try writing.insert(.user(user))
                        result.added += 1
                    }
                } catch let error as StoreError {
                    faults += 1
                    fault(BulkError(index: index, reason: error))
                }
            }
            if let thrown { throw thrown }
            if faults > 0 { throw BulkRefused() }
            return result
        }
    }
}
