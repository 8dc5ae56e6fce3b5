// Every key of the configuration: each is read, has an effect of its own, and a wrong one is refused in each section.

import Testing
import Yams

@testable import AddresseeConfiguration

/// The keys of a file, such as `limits.errors`; those of lists without a number.
enum KeyPaths {
    static func all(in yaml: String) throws -> Set<String> {
        guard let root = try Yams.compose(yaml: yaml) else { return [] }
        var paths: Set<String> = []
        collect(root, "", into: &paths)
        return paths
    }

    /// The file without one key, wherever that stands; one file for each place.
    static func files(without path: String, _ yaml: String) throws -> [String] {
        guard let root = try Yams.compose(yaml: yaml) else { return [] }
        return try removed(path.split(separator: ".")[...], from: root).map { try Yams.serialize(node: $0) }
    }

    private static func collect(_ node: Node, _ prefix: String, into paths: inout Set<String>) {
        if let items = node.sequence {
            for item in items { collect(item, prefix, into: &paths) }
        }
        guard let pairs = node.mapping else { return }
        for (key, value) in pairs {
            let path = prefix + (key.string ?? "?")
            paths.insert(path)
            collect(value, path + ".", into: &paths)
        }
    }

    private static func removed(_ path: ArraySlice<Substring>, from node: Node) -> [Node] {
        if let items = node.sequence.map({ Array($0) }) {
            return items.indices.flatMap { index in
                removed(path, from: items[index]).map { item in
                    var changed = items
                    changed[index] = item
                    return Node(changed)
                }
            }
        }
        guard let key = path.first, let pairs = node.mapping.map({ Array($0) }),
            let index = pairs.firstIndex(where: { $0.key.string == String(key) })
        else { return [] }
        var changed = pairs.map { ($0.key, $0.value) }
        if path.count == 1 {
            changed.remove(at: index)
            return [Node(changed)]
        }
        return removed(path.dropFirst(), from: pairs[index].value).map { value in
            changed[index].1 = value
            return Node(changed)
        }
    }
}

struct KeyTests {
    /// A wrong key in each section, and the name that the section has. `KEY` stands for the wrong one.
    static let sections: [(yaml: String, name: String)] = otherSections + listeners

    private static let listeners = ListenerWire.allCases.map { wire in
        let map = wire == .tcpTable ? "map: recipients, " : ""
        return (yaml: "listeners: [{\(wire.rawValue): \"127.0.0.1:1\", \(map)KEY: 1}]", name: "listeners")
    }

    private static let otherSections: [(yaml: String, name: String)] = [
        ("KEY: 1", ""),
        ("limits: {errors: 5, KEY: 1}", "limits"),
        ("timeouts: {idle: 5s, KEY: 1s}", "timeouts"),
        ("log: {level: info, KEY: 1}", "log"),
        ("tls: {certificate: c, private-key: k, KEY: 1}", "tls"),
        ("clients: [{name: a, KEY: 1}]", "clients"),
        ("clients: [{name: a, networks: [unix]}, {name: b, KEY: 1}]", "clients"),
        ("next-hops: [{name: a, maildir: \"/m/{domain}/{local-part}\", KEY: 1}]", "next-hops"),
        ("next-hops: [{name: a, smtp: \"m:25\", KEY: 1}]", "next-hops"),
        ("next-hops: [{name: a, lmtp: \"m:24\", KEY: 1}]", "next-hops"),
        ("next-hops: [{name: a, smtp: \"m:25\"}]\nsrs: {socketmap: \"m:1\", KEY: 1}", "srs"),
        ("next-hops: [{name: a, smtp: \"m:25\"}]\nsrs: {forward: \"m:1\", reverse: \"m:2\", KEY: 1}", "srs"),
        ("sources: [{name: a, sqlite: d, KEY: 1}]", "sources"),
        ("sources: [{name: a, ldap: LDAP, KEY: 1}]", "sources"),
        ("sources: [{name: a, ldap: {uris: ldap://a, base: a, preset: ad, KEY: 1}}]", "sources.ldap"),
        ("sources: [{name: a, ldap: {uris: ldap://a, base: a, preset: ad, roles: {KEY: 1}}}]", "sources.ldap.roles"),
        ("sources: [{name: a, ldap: {uris: ldap://a, base: a, preset: ad, cache: {KEY: 1}}}]", "sources.ldap.cache"),
        (
            "sources: [{name: a, ldap: {uris: ldap://a, base: a, preset: ad, status-words: {KEY: 1}}}]",
            "sources.ldap.status-words"
        ),
        (
            "sources: [{name: a, ldap: {uris: ldap://a, base: a, preset: ad, domains: [{domain: a.example, KEY: 1}]}}]",
            "sources.ldap.domains"
        ),
    ]

    @Test(arguments: sections)
    func aWrongKeyIsRefused(yaml: String, name: String) {
        let ldap = "{uris: ldap://a, base: a, preset: ad}"
        var text = yaml.replacing("LDAP", with: ldap)
        if !text.hasPrefix("sources") { text = "sources: [{name: main, sqlite: d}]\n" + text }
        text = "default-domain: example.org\n" + text
        #expect(Case.problems(in: text.replacing(/,? *KEY: 1s?/, with: "")) == [])
        let problems = Case.problems(in: text.replacing("KEY", with: "wrong-key"))
        #expect(problems.count == 1, "\(problems)")
        let place = name.isEmpty ? "" : " in \(name)"
        #expect(problems.first?.contains(": unknown key \"wrong-key\"\(place); ") == true, "\(problems)")
    }

    /// No section is left out above. What new entries get has names of the site's own.
    @Test func everySectionIsTried() throws {
        let findings = Findings(file: "a")
        _ = Configuration.read(ConfigurationTests.all, findings)
        _ = Configuration.read(LDAPSourceTests.all, findings)
        let names = findings.keys.map { $0.split(separator: ".").dropLast().joined(separator: ".") }
        #expect(Set(names).subtracting(Self.sections.map(\.name)) == ["sources.ldap.new-entries"])
    }

    /// The file of `everySettingIsTaken` has every key that is looked for, but for those that exclude others there.
    @Test func everyKeyIsTried() throws {
        let findings = Findings(file: "a")
        _ = Configuration.read(ConfigurationTests.all, findings)
        #expect(findings.error == nil)
        let given = try KeyPaths.all(in: ConfigurationTests.all)
        #expect(findings.keys.subtracting(given) == ["srs.socketmap", "sources.ldap"])
        let more = Findings(file: "a")
        _ = Configuration.read(LDAPSourceTests.all, more)
        #expect(more.error == nil)
        let inLDAP = try KeyPaths.all(in: LDAPSourceTests.all)
        #expect(
            more.keys.filter { $0.hasPrefix("sources.ldap") }.subtracting(inLDAP)
                == ["sources.ldap.password-env", "sources.ldap.sasl"])
    }

    /// Whoever takes a key out of those files gets another configuration, or none.
    @Test(arguments: [ConfigurationTests.all, LDAPSourceTests.all])
    func everyKeyHasAnEffect(yaml: String) throws {
        let whole = try Configuration.parse(yaml, file: "a")
        for path in try KeyPaths.all(in: yaml) {
            let files = try KeyPaths.files(without: path, yaml)
            #expect(!files.isEmpty)
            let changed = files.contains { (try? Configuration.parse($0, file: "a")) != whole }
            #expect(changed, "\(path) has no effect")
        }
    }

    @Test(arguments: [1, 64, 65]) func longestName(count: Int) {
        let name = String(repeating: "n", count: count)
        for yaml in [
            "sources: [{name: \(name), sqlite: d}]", "sources: [{name: a, sqlite: d}]\nclients: [{name: \(name)}]",
        ] {
            #expect(Case.problems(in: "default-domain: example.org\n" + yaml).count == (count > 64 ? 1 : 0))
        }
    }
}
