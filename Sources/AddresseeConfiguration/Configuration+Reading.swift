// From a file to a `Configuration`. Each part reads its own keys; what crosses parts is checked here.

import Foundation
import MailAddress
import MailboxDirectory
import Verification

extension Configuration {
    /// Reads the file.
    ///
    /// - Throws: all that is wrong with it; when it can't be read, one problem without a line.
    public static func load(file: String) throws(ConfigurationError) -> Configuration {
        try parse(try contents(of: file), file: file)
    }

    /// Reads YAML that came from `file`, which is only named in problems and gives the folder for relative paths.
    ///
    /// - Throws: all that is wrong with it.
    public static func parse(_ yaml: String, file: String) throws(ConfigurationError) -> Configuration {
        let findings = Findings(file: file)
        let configuration = read(yaml, findings)
        guard findings.error == nil, let configuration else {
            throw findings.error ?? unreadable(file, "the file holds no configuration")
        }
        return configuration
    }

    /// Nil when something is missing that has no default; `findings` holds all that is wrong.
    static func read(_ yaml: String, _ findings: Findings) -> Configuration? {
        guard let node = YAMLDocument.root(of: yaml, findings),
            var root = Section(root: node, findings: findings)
        else { return nil }
        let hostname = readHostname(from: &root)
        let domain = readDefaultDomain(from: &root)
        let sources = SourceConfiguration.read(from: &root)
        let clients = ClientClass.read(from: &root)
        let tls = TLSConfiguration.read(from: &root)
        let listeners = ListenerConfiguration.read(
            from: &root, classes: clients.map(\.name), hasTLS: root.setting("tls")?.node.isNull == false)
        let nextHops = NextHopConfiguration.read(from: &root)
        let rewriting = SenderRewriting.read(from: &root, hasNextHops: !nextHops.isEmpty)
        let limits = SessionLimits.read(from: &root)
        let timeouts = Timeouts.read(from: &root)
        let threads = readThreads(from: &root)
        let logLevel = LogLevel.read(from: &root)
        root.close()
        guard let domain else { return nil }
        return Configuration(
            file: findings.file, hostname: hostname, defaultDomain: domain, sources: sources, listeners: listeners,
            nextHops: nextHops, senderRewriting: rewriting, clients: clients, tls: tls, limits: limits.session,
            expansion: limits.expansion,
            timeouts: timeouts,
            threads: threads, logLevel: logLevel)
    }

    private static func readHostname(from root: inout Section) -> String {
        guard let setting = root.setting("hostname") else { return machineName }
        guard let domain = setting.ownDomain(such: "mail.example.org") else { return "" }
        // Clients that did not ask for SMTPUTF8 read the greeting too.
        return domain.isASCII ? domain.description : String(decoding: domain.key, as: UTF8.self)
    }

    /// The name of this machine, when a greeting may say it (RFC 5321 4.2); a container may be called `my_box`.
    private static var machineName: String {
        let name = ProcessInfo.processInfo.hostName
        guard let domain = try? Domain(name), !domain.hasUnderscore else { return "localhost" }
        return name
    }

    private static func readDefaultDomain(from root: inout Section) -> Domain? {
        guard let setting = root.setting("default-domain") else {
            root.require("default-domain", for: "default-domain: example.org")
            return nil
        }
        return setting.ownDomain(such: "example.org")
    }

    private static func readThreads(from root: inout Section) -> Int? {
        guard let setting = root.setting("threads"), !setting.isWord("auto") else { return nil }
        return setting.number(in: 1...64, or: "auto")
    }

    private static func contents(of file: String) throws(ConfigurationError) -> String {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: file))
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
            throw unreadable(file, "there is no such file; \"addressee init\" writes one, --config names another")
        } catch let error as CocoaError where error.code == .fileReadNoPermission {
            throw unreadable(file, "this user may not read the file")
        } catch {
            throw unreadable(file, "the file can't be read; is it a folder?")
        }
        guard let yaml = String(validating: data, as: UTF8.self) else {
            let valid = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
                .prefix { String(validating: $0, as: UTF8.self) != nil }
            throw ConfigurationError(problems: [
                .init(file: file, line: valid.count + 1, text: "the line is not UTF-8; save the file as UTF-8")
            ])
        }
        return yaml
    }

    private static func unreadable(_ file: String, _ text: String) -> ConfigurationError {
        ConfigurationError(problems: [.init(file: file, line: nil, text: text)])
    }
}

extension Setting {
    /// A domain that is served here, or the name of this server.
    func ownDomain(such example: String) -> Domain? {
        guard let domain = domain(such: example) else { return nil }
        guard let fault = AddressFault(ofDomain: domain) else { return domain }
        if let given = text(""), let index = Array(given.utf8).firstIndex(of: UInt8(ascii: "_")) {
            report("\(name) \(given.quoted) is no domain. \(AddressSyntaxError.unexpectedOctet(at: index))")
        } else {
            report("\(name): \(fault)")
        }
        return nil
    }

    /// A mailbox that is named beside records.
    func mailbox(such example: String) -> Mailbox? {
        text("an address such as \(example)").flatMap { mailbox($0) }
    }

    func mailbox(_ text: String) -> Mailbox? {
        do {
            let mailbox = try Mailbox(text)
            guard let fault = AddressFault(ofTarget: mailbox) else { return mailbox }
            report("\(name): \(fault)")
        } catch {
            report("\(name) \(text.quoted) is no address. \(error)")
        }
        return nil
    }

    func domain(such example: String) -> Domain? {
        guard let text = text("a domain such as \(example)") else { return nil }
        do {
            return try Domain(text)
        } catch {
            report("\(name) \(text.quoted) is no domain. \(error)")
            return nil
        }
    }
}
