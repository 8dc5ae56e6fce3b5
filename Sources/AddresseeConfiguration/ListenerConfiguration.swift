// A place where clients may connect, and how they are served there.

public import Verification

/// What is spoken at a listener, in the word that names it in the configuration.
public enum ListenerWire: String, Hashable, Sendable, CaseIterable {
    case smtp
    /// The maps of Postfix's socketmap_table(5).
    case socketmap
    /// One map of Postfix's tcp_table(5).
    case tcpTable = "tcp-table"
    /// Postfix's policy delegation (SMTPD_POLICY_README).
    case policy
    /// The filters of sendmail and Postfix.
    case milter
    /// The questions of Exim's ${readsocket}.
    case readsocket
    /// What Haraka and qmail sites ask qmail-deliverabled, over HTTP.
    case qmailDeliverable = "qmail-deliverable"
}

/// A place where clients may connect, and how they are served there.
public struct ListenerConfiguration: Hashable, Sendable {
    public var wire: ListenerWire
    public var address: ListenAddress
    /// Whether replies carry enhanced codes (RFC 2034); without them they are the plain replies of RFC 821.
    public var enhancedCodes: Bool
    /// Whether an ambiguous name is answered with the possibilities, to clients with `vrfy: full`.
    public var possibilities: Bool
    /// The classes that may connect; nil for all.
    public var clients: [String]?
    /// Whether STARTTLS is offered; then the configuration has `tls`.
    public var startTLS: Bool
    /// The mode of a Unix socket, 0...0o777; nil leaves it to the umask.
    public var unixMode: UInt16?
    /// The map that is served, where the wire's requests name none; nil on other wires.
    public var map: DirectoryMap?

    public init(
        wire: ListenerWire = .smtp, address: ListenAddress, enhancedCodes: Bool = true, possibilities: Bool = true,
        clients: [String]? = nil, startTLS: Bool = false, unixMode: UInt16? = nil, map: DirectoryMap? = nil
    ) {
        self.wire = wire
        self.address = address
        self.enhancedCodes = enhancedCodes
        self.possibilities = possibilities
        self.clients = clients
        self.startTLS = startTLS
        self.unixMode = unixMode
        self.map = map
    }

    /// SMTP for this machine, on a port that needs no privilege.
    public static let standard = ListenerConfiguration(address: .ip(host: "127.0.0.1", port: 2525))
}

extension ListenerConfiguration {
    /// Reads `listeners`. `classes` are the names of the classes of clients; `hasTLS` tells whether there is `tls`.
    static func read(from root: inout Section, classes: [String], hasTLS: Bool) -> [ListenerConfiguration] {
        guard let items = root.list("listeners", empty: "name one listener at least, or leave the key out") else {
            return [.standard]
        }
        var lines: [ListenAddress: Int] = [:]
        return items.compactMap { item in
            guard var section = item.section() else { return nil }
            let listener = readOne(from: &section, classes: classes, hasTLS: hasTLS)
            section.close()
            guard let listener else { return nil }
            if case .ip(_, port: 0) = listener.address { return listener }
            if let line = lines.updateValue(section.line, forKey: listener.address) {
                item.report("the listener at line \(line) has \(listener.address) already")
            }
            return listener
        }
    }

    private static func readOne(
        from section: inout Section, classes: [String], hasTLS: Bool
    ) -> ListenerConfiguration? {
        let (wire, address) = readAddress(from: &section)
        var listener = ListenerConfiguration(wire: wire, address: address ?? standard.address)
        readWords(from: &section, into: &listener)
        if let setting = section.setting("clients") { listener.clients = setting.classes(among: classes) }
        if let setting = section.setting("starttls"), let value = setting.flag() {
            listener.startTLS = value
            if value, wire != .smtp {
                setting.report("\(setting.name) is only for smtp")
            } else if value, !hasTLS {
                setting.report("\(setting.name) needs a tls section with certificate and private-key")
            }
        }
        if let setting = section.setting("unix-mode") {
            listener.unixMode = setting.mode()
            if case .ip? = address { setting.report("\(setting.name) is only for listeners on unix:/path/to/socket") }
        }
        listener.map = readMap(from: &section, on: wire)
        return address == nil ? nil : listener
    }

    /// A tcp_table request names no map: so each listener has its own.
    private static func readMap(from section: inout Section, on wire: ListenerWire) -> DirectoryMap? {
        guard let setting = section.setting("map") else {
            if wire == .tcpTable { section.require("map", for: "map: recipients") }
            return nil
        }
        if wire != .tcpTable { setting.report("\(setting.name) is only for tcp-table") }
        guard let name = setting.text("the name of a map, such as recipients") else { return nil }
        if let map = DirectoryMap(rawValue: name) { return map }
        let maps = DirectoryMap.allCases.map(\.rawValue)
        let near = NearestWord.hint(name, among: maps)
        let hint = near.isEmpty ? "; the maps are \(maps.joined(separator: ", "))" : near
        setting.report("there is no map \(name.quoted)\(hint)")
        return nil
    }

    /// What only SMTP has words for.
    private static func readWords(from section: inout Section, into listener: inout ListenerConfiguration) {
        let flags = [("enhanced-codes", \ListenerConfiguration.enhancedCodes), ("possibilities", \.possibilities)]
        for (key, path) in flags {
            guard let setting = section.setting(key), let value = setting.flag() else { continue }
            listener[keyPath: path] = value
            if listener.wire != .smtp { setting.report("\(setting.name) is only for smtp") }
        }
    }

    /// The one key that names both the wire and the address.
    private static func readAddress(from section: inout Section) -> (wire: ListenerWire, address: ListenAddress?) {
        var found: (wire: ListenerWire, setting: Setting)?
        for wire in ListenerWire.allCases {
            guard let setting = section.setting(wire.rawValue) else { continue }
            if let found {
                let wires = "\(found.wire.rawValue) or \(wire.rawValue)"
                setting.report("one listener is \(wires); give each an item of its own")
            } else {
                found = (wire, setting)
            }
        }
        guard let found else {
            // A wire that is misspelt is told as an unknown key.
            let wires = ListenerWire.allCases.map(\.rawValue)
            if !section.keys.contains(where: { NearestWord.of($0, among: wires) != nil }) {
                section.require("smtp", for: "smtp: 127.0.0.1:2525")
            }
            return (.smtp, nil)
        }
        let address = readAddress(found.setting, from: section)
        if found.wire == .tcpTable, case .unix? = address {
            found.setting.report(
                "\(found.setting.name) needs ADDRESS:PORT, for Postfix's tcp: takes no Unix socket; socketmap does")
        }
        return (found.wire, address)
    }

    private static func readAddress(_ setting: Setting, from section: Section) -> ListenAddress? {
        guard let text = setting.text("ADDRESS:PORT or unix:/path/to/socket") else { return nil }
        do {
            let address = try ListenAddress(text)
            guard case .unix(let path) = address else { return address }
            return try ListenAddress("unix:" + section.findings.resolve(path))
        } catch {
            setting.report("\(setting.name) can't listen on \(text.quoted); \(error)")
            return nil
        }
    }
}

extension Setting {
    /// Names of classes of clients, each at most once.
    fileprivate func classes(among classes: [String]) -> [String]? {
        guard let items = items(empty: "leave the key out for all classes") else { return nil }
        var names: [String] = []
        for item in items {
            guard let name = item.text("the name of a class of clients") else { continue }
            if !classes.contains(name) {
                let near = NearestWord.hint(name, among: classes)
                let hint = near.isEmpty ? "; the classes are \(classes.joined(separator: ", "))" : near
                item.report("no class of clients is called \(name.quoted)\(hint)")
            } else if names.contains(name) {
                item.report("\(name.quoted) stands in \(self.name) already; name it once")
            }
            names.append(name)
        }
        return names
    }

    /// The octal mode of a file.
    fileprivate func mode() -> UInt16? {
        let expected = "an octal mode from 0000 to 0777, such as \"0660\""
        guard let text = text(expected) else { return nil }
        if text.isDecimal, text.utf8.count <= 4, let mode = UInt16(text, radix: 8), mode <= 0o777 { return mode }
        refuse(expected)
        return nil
    }
}
