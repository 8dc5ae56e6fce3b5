// `addressee init`

import AddresseeConfiguration
import ArgumentParser
import Foundation
import MailAddress
import MailboxDirectory
import Verification

/// Writes a configuration and makes the directory that it names; both or neither.
struct Init: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a commented configuration and create the SQLite directory.",
        discussion: """
            Nothing is overwritten. Where the configuration is there already, the directories that it names and that are \
            missing are made.

            Example: addressee init --domain example.org --config ./addressee.yaml
            """)

    @Option(
        help: ArgumentHelp(
            "The directory's file. (default: directory.sqlite beside the configuration, or in /var/lib/addressee when"
                + " that is in /etc)", valueName: "file"),
        completion: .file())
    var database: String?

    @Option(help: ArgumentHelp("Where to answer.", valueName: "address:port"))
    var listen = "\(ListenerConfiguration.standard.address)"

    @Option(help: ArgumentHelp("The first domain. (default: that of this machine)", valueName: "domain"))
    var domain: DomainText?

    @OptionGroup var options: ConfigurationOption

    func run() throws {
        let file = options.location
        if FileManager.default.fileExists(atPath: file), database == nil, domain == nil {
            return try makeMissing(for: try Configuration.load(file: file))
        }
        let machine = ProcessInfo.processInfo.hostName
        let domain = try firstDomain(machine: machine)
        do {
            _ = try ListenAddress(listen)
        } catch {
            throw CommandFailure(.usage, "--listen can't be \(listen.quoted); \(error)")
        }
        let text = ConfigurationTemplate.text(
            hostname: Self.isHostname(machine) ? machine : "localhost", defaultDomain: domain.description,
            listen: listen, database: databasePath(configuration: file))
        let configuration = try Configuration.parse(text, file: file)
        let source = configuration.sources[0]
        guard case .sqlite(let path) = source.kind else { return }
        try checkVacant([file, path])
        var files = NewFiles()
        do {
            try files.makeFolder(of: file)
            try files.makeFolder(of: path)
            for suffix in ["", "-wal", "-shm", "-journal"] { files.expect(path + suffix) }
            let store = try ConfiguredDirectory.wiring().createStore(source)
            try RecordEditor(store: store, defaultDomain: domain).add(.domain(DomainRecord(domain: domain)))
            try files.write(text, to: file)
        } catch {
            files.undo()
            throw error
        }
        try tell(file: file, database: path, domain: domain)
    }

    /// Makes the directories of a configuration that somebody has written, and puts the default domain into the first.
    private func makeMissing(for configuration: Configuration) throws {
        var made: [String] = []
        for source in configuration.sources {
            guard case .sqlite(let path) = source.kind, !FileManager.default.fileExists(atPath: path) else { continue }
            let store = try ConfiguredDirectory.wiring().createStore(source)
            var text = "made \(path.printable)"
            if made.isEmpty, source.name == configuration.sources.first?.name {
                try RecordEditor(store: store, defaultDomain: configuration.defaultDomain)
                    .add(.domain(DomainRecord(domain: configuration.defaultDomain)))
                text += ", with the domain \(configuration.defaultDomain)"
            }
            made.append(text)
        }
        if made.isEmpty {
            throw CommandFailure(
                .data, "\(configuration.file) is there already, with all it names, and nothing is overwritten; use it")
        }
        try Output.current.write(made.joined(separator: "\n") + "\n")
    }

    private func checkVacant(_ files: [String]) throws(CommandFailure) {
        for file in files where FileManager.default.fileExists(atPath: file) {
            throw CommandFailure(
                .data, "\(file) is there already, and nothing is overwritten; use it, or name another file")
        }
    }

    private func tell(file: String, database: String, domain: Domain) throws {
        let option = options.file.map { " --config \($0.shellWord)" } ?? ""
        try Output.current.write(
            """
            made \(file.printable)
            made \(database.printable), with the domain \(domain)

            Now add somebody, and serve:
              addressee user add fred@\(domain) --name "Fred Claude"\(option)
              addressee serve\(option)

            """)
    }

    /// The path as the configuration has it: what a person types is meant from the working directory, but a path in the
    /// configuration is taken from its folder.
    private func databasePath(configuration file: String) -> String {
        guard let database else {
            let isSystemWide = file == Configuration.locate(option: nil, environment: [:])
            return isSystemWide ? "/var/lib/addressee/directory.sqlite" : "directory.sqlite"
        }
        let whole = URL(fileURLWithPath: database).standardizedFileURL.path
        let folder = URL(fileURLWithPath: file).standardizedFileURL.deletingLastPathComponent().path
        return whole.hasPrefix(folder + "/") ? String(whole.dropFirst(folder.count + 1)) : whole
    }

    private func firstDomain(machine: String) throws(CommandFailure) -> Domain {
        if let domain {
            let given = try domain.domain()
            if let fault = AddressFault(ofDomain: given) { throw CommandFailure(.data, fault.description) }
            return given
        }
        if let domain = Self.domain(ofMachine: machine) { return domain }
        throw CommandFailure(
            .usage,
            "the name of this machine (\(machine)) tells no mail domain; say it: addressee init --domain example.org")
    }

    /// Whether a greeting may say it (RFC 5321 4.2).
    private static func isHostname(_ name: String) -> Bool {
        (try? Domain(name)).map { !$0.hasUnderscore } ?? false
    }

    /// The domain that the mail of a machine is likely for: `example.org` on `mail.example.org`.
    static func domain(ofMachine name: String) -> Domain? {
        let labels = name.split(separator: ".")
        guard labels.count > 1, !["local", "localdomain", "internal", "lan"].contains(labels.last ?? "") else {
            return nil
        }
        let domain = try? Domain(labels.count == 2 ? name : labels.dropFirst().joined(separator: "."))
        return domain.flatMap { $0.hasUnderscore ? nil : $0 }
    }
}
