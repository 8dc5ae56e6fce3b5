// One mapping of the file. Its keys are asked for one by one; `close()` reports those that nobody asked for.

import Yams

/// A mapping, and which of its keys are known.
struct Section {
    /// `limits`; empty for the whole file.
    let name: String
    let line: Int
    let findings: Findings
    private var settings: [Setting] = []
    private var known: [String] = []
    private var missing: [(key: String, example: String)] = []

    /// Takes a mapping; anything else is reported.
    init?(_ node: Node, name: String, line: Int, findings: Findings) {
        guard case .mapping(let mapping) = node else {
            let what = name.isEmpty ? "the file" : name
            findings.report(line, "\(what) must hold \"key: value\" lines, not \(node.kind)")
            return nil
        }
        self.name = name
        self.line = line
        self.findings = findings
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key else {
                findings.report(key.mark?.line ?? line, "a key must be one word, not \(key.kind)")
                continue
            }
            settings.append(
                Setting(
                    key: scalar.string, name: path(scalar.string), line: scalar.mark?.line ?? line, node: value,
                    findings: findings))
        }
    }

    /// Takes the whole file.
    init?(root: Node, findings: Findings) {
        self.init(root, name: "", line: root.mark?.line ?? 1, findings: findings)
    }

    /// The setting of a key; nil when it is absent. From now on the key is known.
    mutating func setting(_ key: String) -> Setting? {
        if !known.contains(key) { known.append(key) }
        findings.look(for: path(key))
        return settings.first { $0.key == key }
    }

    /// The keys that are there.
    var keys: [String] { settings.map(\.key) }

    /// Makes keys known all of which are told in one place.
    mutating func know(_ keys: [String]) { known.append(contentsOf: keys) }

    /// A mapping below; nil when the key is absent or has no value, as when all of its lines are commented out.
    mutating func section(_ key: String) -> Section? {
        guard let setting = setting(key), !setting.node.isNull else { return nil }
        return setting.section()
    }

    /// A list below; nil when the key is absent or has no value. `empty` says what is wrong with one without items.
    mutating func list(_ key: String, empty: String) -> [Setting]? {
        guard let setting = setting(key), !setting.node.isNull else { return nil }
        return setting.items(empty: empty) ?? []
    }

    /// Notes that a key is absent that can't be left out.
    mutating func require(_ key: String, for example: String) { missing.append((key, example)) }

    /// Reports the keys that nobody asked for, and those that are missing unless one of the former was meant for it.
    func close() {
        var meant: Set<String> = []
        for setting in settings where !known.contains(setting.key) {
            let place = name.isEmpty ? "" : " in \(name)"
            var hint = "; the keys here are \(known.joined(separator: ", "))"
            let longer = known.filter { $0.hasPrefix(setting.key + "-") }
            if longer.count > 1 {
                meant.formUnion(longer)
                hint = "; did you mean \(longer.map(\.quoted).joined(separator: " or "))?"
            } else if let near = NearestWord.of(setting.key, among: known) {
                meant.insert(near)
                hint = "; did you mean \(near.quoted)?"
            }
            findings.report(setting.line, "unknown key \(setting.key.quoted)\(place)\(hint)")
        }
        for (key, example) in missing where !meant.contains(key) {
            findings.report(line, "\(path(key)) is missing; add \(example.quoted)")
        }
    }

    private func path(_ key: String) -> String { name.isEmpty ? key : "\(name).\(key)" }
}

extension Node {
    /// For a message.
    var kind: String {
        switch self {
        case .scalar(let scalar): isNull ? "nothing" : scalar.string.quoted
        case .mapping: "keys and values"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }
}
