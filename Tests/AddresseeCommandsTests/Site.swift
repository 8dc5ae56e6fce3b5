// A site to run commands at: one or two directories in memory, a configuration in a temporary folder, and an ear for
// what the commands say.

import AddresseeConfiguration
import Foundation
import MailAddress
import MailboxDirectory
import Synchronization

@testable import AddresseeCommands

/// What a command said, and how it ended.
struct Run: Equatable {
    var status: Int32
    var out: String
    var err: String

    init(_ status: Int32, out: String = "", err: String = "") {
        self.status = status
        self.out = out
        self.err = err
    }
}

/// Safe because a site belongs to one test, which runs one command after the other.
final class Site: @unchecked Sendable {
    let folder: TemporaryFolder
    let stores: [MemoryStore]
    /// Sources by these names fail at every question.
    var failing: Set<String> = []
    /// What is found in sources by these names, before what is found in their records.
    var findings: [String: [Finding]] = [:]
    /// Sources by these names can't be examined, for what they are or are set up as.
    var refusals: [String: CommandFailure] = [:]
    var servedConfiguration: Configuration?
    var onServe: @Sendable (Configuration) throws -> Void = { _ in }

    var configuration: String { folder.path + "/addressee.yaml" }

    /// - Parameter sources: the names of the sources; the records are in the first.
    init(_ records: [Record] = Site.records, sources: [String] = ["main"]) throws {
        folder = try TemporaryFolder(named: "addressee-test")
        stores = try sources.enumerated().map { try MemoryStore(name: $1, $0 == 0 ? records : []) }
        let list = sources.map { "  - name: \($0)\n    sqlite: \($0).sqlite\n" }.joined()
        let yaml = """
            default-domain: example.org
            sources:
            \(list)clients:
              - name: trusted
                networks: [127.0.0.0/8]
                trusted: true
                vrfy: full
                expn: full
                rcpt: full
              - name: partners
                networks: [192.0.2.0/24]
                vrfy: existence
                expn: full

            """
        try Data(yaml.utf8).write(to: URL(fileURLWithPath: configuration))
    }

    deinit { folder.remove() }

    var wiring: Wiring {
        Wiring(
            openSource: { source in
                if self.failing.contains(source.name) { return FailingSource(name: source.name) }
                return try self.store(source).source
            },
            openStore: { source in
                if self.failing.contains(source.name) { throw Trouble(source: source.name, reason: "the disk is gone") }
                return try self.store(source)
            },
            createStore: { source in
                guard case .sqlite(let path) = source.kind else {
                    throw Trouble(source: source.name, reason: "no path")
                }
                if self.failing.contains(source.name) { throw Trouble(source: source.name, reason: "the disk is gone") }
                try Data().write(to: URL(fileURLWithPath: path), options: .withoutOverwriting)
                return try self.store(source)
            },
            checkSource: { source, records in
                if self.failing.contains(source.name) { throw Trouble(source: source.name, reason: "the disk is gone") }
                if let refusal = self.refusals[source.name] { throw refusal }
                let own = self.findings[source.name] ?? []
                return try own + self.store(source).read { records.findings(in: $0) }
            },
            serve: { configuration, ready in
                self.servedConfiguration = configuration
                ready(configuration.listeners.map(\.address))
                try self.onServe(configuration)
            })
    }

    private func store(_ source: SourceConfiguration) throws -> MemoryStore {
        guard let store = stores.first(where: { $0.name == source.name }) else {
            throw Trouble(source: source.name, reason: "no such store")
        }
        return store
    }

    /// Runs a command with `--config`.
    func run(_ arguments: String..., terminal: Bool = false, coloured: Bool = false) async -> Run {
        await run(bare: arguments + ["--config", configuration], terminal: terminal, coloured: coloured)
    }

    /// Runs a command as it is.
    func run(bare arguments: [String], terminal: Bool = false, coloured: Bool = false) async -> Run {
        let out = Mutex("")
        let err = Mutex("")
        let output = Output(
            isTerminal: terminal, isColoured: coloured, isErrorTerminal: terminal,
            standardOutput: { text in out.withLock { $0 += text } },
            standardError: { text in err.withLock { $0 += text } })
        let status = await Program.run(arguments, wiring: wiring, output: output)
        return Run(status, out: out.withLock { $0 }, err: err.withLock { $0 })
    }
}

/// Safe because it holds nothing that changes.
private final class FailingSource: Source {
    let name: String

    init(name: String) { self.name = name }

    func answer(_ lookup: Lookup) -> Answer { .couldNotTell(Trouble(source: name, reason: "the disk is gone")) }
}

extension Site {
    static let records: [Record] = [
        .domain(DomainRecord(domain: domain("example.org"))),
        .domain(DomainRecord(domain: domain("example.net"), kind: .alias(of: domain("example.org")))),
        .domain(
            DomainRecord(
                domain: domain("relay.example"), kind: .relay, detailSeparators: [], transport: "lmtp:unix:/run/lmtp")),
        .user(User(address: mailbox("fred@example.org"), fullName: "Fred Claude", login: "fc")),
        .user(User(address: mailbox("wilma@example.org"), fullName: "Wilma Ångström", status: .suspended)),
        .user(User(address: mailbox("betty@example.org"), fullName: "Betty Stone", status: .disabled)),
        .user(User(address: mailbox("barney@example.org"), fullName: "Barney Stone")),
        .alias(Alias(address: mailbox("info@example.org"), targets: [mailbox("fred@example.org")])),
        .forward(
            Forward(
                address: mailbox("barney@example.org"), targets: [mailbox("barney@example.com")], keepsCopy: true)),
        .forward(Forward(address: mailbox("away@example.org"), targets: [mailbox("away@example.com")])),
        .moved(Moved(address: mailbox("old@example.org"), newAddress: mailbox("new@example.com"))),
        .moved(Moved(address: mailbox("gone@example.org"))),
        .list(
            MailingList(
                address: mailbox("staff@example.org"), name: "The staff", owner: mailbox("fred@example.org")),
            members: [
                ListMember(mailbox: mailbox("fred@example.org")),
                ListMember(mailbox: mailbox("sam@example.com"), name: "Sam Q. Smith"),
            ]),
        .list(MailingList(address: mailbox("closed@example.org"), expansion: .nobody), members: []),
    ]

    static func mailbox(_ text: String) -> Mailbox {
        do { return try Mailbox(text) } catch { preconditionFailure("\(text): \(error)") }
    }

    static func domain(_ text: String) -> Domain {
        do { return try Domain(text) } catch { preconditionFailure("\(text): \(error)") }
    }
}
