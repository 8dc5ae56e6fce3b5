// One value of the file and the ways to read it. Each reports what is wrong and then gives nil, so that the caller goes
// on with the default and the other problems are found too. Quotes never matter: "5" is as good as 5.

import Yams

/// The value of one key, or one item of a list.
struct Setting {
    let key: String
    /// For messages: `limits.connections`.
    let name: String
    let line: Int
    let node: Node
    let findings: Findings

    func report(_ text: String) { findings.report(line, text) }

    /// One word or line of text; reported when it is empty, a list or a mapping.
    func text(_ expected: String) -> String? {
        guard case .scalar(let scalar) = node, !node.isNull, !scalar.string.isEmpty else {
            refuse(expected)
            return nil
        }
        return scalar.string
    }

    /// Whether it is this word, which stands for something else than the values that follow.
    func isWord(_ word: String) -> Bool {
        if case .scalar(let scalar) = node { scalar.string == word } else { false }
    }

    /// `true` or `false`.
    func flag() -> Bool? {
        guard let text = text("true or false") else { return nil }
        switch text {
        case "true": return true
        case "false": return false
        case let other:
            // YAML 1.1 takes these too, and every reader differs.
            let words = ["yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"]
            let meant = words[other.lowercased()]
            refuse("true or false", hint: meant.map { "; did you mean \($0)?" })
            return nil
        }
    }

    /// A whole number, digits only. `or` is a word that the caller has dealt with; `reason` tells whose limit it is.
    func number(in range: ClosedRange<Int>, or word: String? = nil, reason: String? = nil) -> Int? {
        let choice = word.map { "\($0) or " } ?? ""
        let source = reason.map { " (\($0))" } ?? ""
        let expected = "\(choice)a whole number from \(range.lowerBound) to \(range.upperBound)\(source)"
        guard let text = text(expected) else { return nil }
        if text == "0" || text.isDecimal && text.first != "0", let number = Int(text), range.contains(number) {
            return number
        }
        let digits = text.filter { !"_,' ".contains($0) }.drop { $0 == "0" }
        let plain = digits.isDecimal && digits != text ? String(digits) : text.octets.map(String.init)
        let hint = plain.map { "; write \($0)" }
        let meant = word.map { NearestWord.hint(text, among: [$0]) }.flatMap { $0.isEmpty ? nil : $0 }
        refuse(expected, hint: hint ?? meant)
        return nil
    }

    /// `300s`, `5m` or `1h`.
    func duration(in range: ClosedRange<Duration>) -> Duration? {
        let expected = "a time from \(range.lowerBound.spelled) to \(range.upperBound.spelled), such as 300s, 5m or 1h"
        guard let text = text(expected) else { return nil }
        let units = ["s": 1, "m": 60, "h": 3600]
        let digits = text.dropLast()
        if let unit = units[String(text.suffix(1))], digits.isDecimal, let count = Int(digits), count < 1_000_000 {
            let duration = Duration.seconds(count * unit)
            if range.contains(duration) { return duration }
        }
        refuse(expected, hint: text.isDecimal ? "; did you mean \(text)s?" : nil)
        return nil
    }

    /// One of the words of an enum.
    func choice<Choice: CaseIterable & RawRepresentable<String>>(of: Choice.Type) -> Choice? {
        let words = Choice.allCases.map(\.rawValue)
        let expected = words.dropLast().joined(separator: ", ") + " or " + (words.last ?? "")
        guard let text = text(expected) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        refuse(expected, hint: NearestWord.hint(text, among: words))
        return nil
    }

    /// A name that stands in logs and other settings.
    func name(of what: String) -> String? {
        let expected = "a name for the \(what): up to 64 letters, digits, \"-\", \"_\" or \".\""
        guard let text = text(expected) else { return nil }
        let isName = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard isName, text.utf8.count <= 64 else {
            refuse(expected)
            return nil
        }
        return text
    }

    /// A file, from the folder of the configuration when it is relative.
    func path() -> String? { text("the name of a file").map(findings.resolve) }

    /// The items of a list; `empty` says what is wrong when there are none.
    func items(empty: String) -> [Setting]? {
        guard case .sequence(let items) = node else {
            refuse("a list")
            return nil
        }
        if items.isEmpty { report("\(name) is empty; \(empty)") }
        return items.map { item in
            Setting(key: key, name: name, line: item.mark?.line ?? line, node: item, findings: findings)
        }
    }

    func section() -> Section? { Section(node, name: name, line: line, findings: findings) }

    func refuse(_ expected: String, hint: String? = nil) {
        if node.isNull {
            report("\(name) has no value; it must be \(expected)")
        } else {
            report("\(name) must be \(expected), not \(node.kind)\(hint ?? "")")
        }
    }
}

extension StringProtocol {
    /// Whether it is ASCII digits and nothing else.
    var isDecimal: Bool {
        !isEmpty && utf8.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    }
}

extension Duration {
    /// As the configuration has it, in the largest unit that divides it.
    var spelled: String {
        let seconds = components.seconds
        if seconds >= 3600, seconds % 3600 == 0 { return "\(seconds / 3600)h" }
        return seconds >= 60 && seconds % 60 == 0 ? "\(seconds / 60)m" : "\(seconds)s"
    }
}

extension String {
    /// What `25M`, `25 MB` or `25MiB` most likely means: so many times 1024 octets, once, twice or three times over.
    fileprivate var octets: Int? {
        guard let match = wholeMatch(of: /([0-9]{1,9}) ?([kmg])i?b?/.ignoresCase()), let count = Int(match.1) else {
            return nil
        }
        let shift = ["k": 10, "m": 20, "g": 30][match.2.lowercased()] ?? 0
        return count << shift
    }
}
