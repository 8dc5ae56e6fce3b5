// The one YAML document of a file, by Yams. What Yams says of bad syntax becomes a problem with its line.

import Yams

enum YAMLDocument {
    /// The root node; nil, with a problem reported, when there is none.
    static func root(of yaml: String, _ findings: Findings) -> Node? {
        guard !reportControlCharacter(in: yaml, findings) else { return nil }
        do {
            // Yams keeps a pointer into the string. Swift holds up to 15 octets in place and lends a pointer to them that
            // dies at once; the empty lines make the string too long for that.
            // And it takes a byte order mark for text when it is told the encoding.
            let text = yaml.unicodeScalars.first == "\u{FEFF}" ? String(yaml.unicodeScalars.dropFirst()) : yaml
            let parser = try Parser(yaml: text + String(repeating: "\n", count: 16), encoding: .utf8)
            if let root = try parser.singleRoot(), !root.isNull { return root }
            findings.report(1, "the file is empty; \"addressee init\" writes a commented one")
        } catch let error as YamlError {
            report(error, in: yaml, findings)
        } catch {
            findings.report(1, "not YAML: \(error)")
        }
        return nil
    }

    /// YAML 1.1 5.1 allows tab, line feed and carriage return only.
    private static func reportControlCharacter(in yaml: String, _ findings: Findings) -> Bool {
        var line = 1
        for byte in yaml.utf8 {
            if byte == UInt8(ascii: "\n") { line += 1 }
            if byte < 0x20, byte != UInt8(ascii: "\t"), byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") {
                findings.report(line, "not YAML: a control character (\(byte)); is this a text file?")
                return true
            }
        }
        return false
    }

    private static func report(_ error: YamlError, in yaml: String, _ findings: Findings) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            reportSyntax(problem, at: mark, context: context, in: lines(of: yaml), findings)
        case .composer(_, let problem, let mark, _) where problem.contains("another document"):
            findings.report(mark.line, "a second document begins here; the configuration is one document")
        case .composer(_, let problem, let mark, _):
            findings.report(mark.line, "not YAML: \(problem), column \(mark.column)")
        case .duplicatedKeysInMapping(let keys, let context):
            reportDuplicate(keys.first ?? "", first: context.mark, in: lines(of: yaml), findings)
        case .reader(let problem, let offset, _, _):
            let line = 1 + yaml.prefix(offset ?? 0).count(where: \.isNewline)
            findings.report(line, "not YAML: \(problem)")
        default:
            findings.report(1, "not YAML: \(error)")
        }
    }

    private static func reportSyntax(
        _ problem: String, at mark: Mark, context: YamlError.Context?, in lines: [Substring], _ findings: Findings
    ) {
        // Libyaml stops one line late when it waited for something that never came.
        let suspects = [mark.line, mark.line - 1].filter { lines.indices.contains($0 - 1) }
        if let line = suspects.first(where: { isIndentedWithTab(lines[$0 - 1]) }) {
            findings.report(line, "the line is indented with a tab; YAML wants spaces")
        } else if let line = suspects.first(where: { lines[$0 - 1].contains(": [") && lines[$0 - 1].contains("]:") }) {
            findings.report(line, "not YAML: a value that begins with \"[\" must stand in quotes: \"[::1]:2525\"")
        } else if let context, context.text.contains("quoted scalar") {
            let column = context.mark.column
            findings.report(context.mark.line, "not YAML: the quotes that open at column \(column) never close")
        } else if let context, problem == "could not find expected ':'" {
            findings.report(context.mark.line, "not YAML: a key without \":\" after it")
        } else {
            let start = context.flatMap { $0.mark.line == mark.line ? nil : $0 }
            let origin = start.map { " (\($0.text) that began at line \($0.mark.line))" } ?? ""
            findings.report(min(mark.line, lines.count), "not YAML: \(problem), column \(mark.column)\(origin)")
        }
    }

    private static func isIndentedWithTab(_ line: Substring) -> Bool {
        line.prefix { $0 == " " || $0 == "\t" }.contains("\t")
    }

    /// Yams tells where the key stands first; the reader wants the one to remove.
    private static func reportDuplicate(_ key: String, first: Mark, in lines: [Substring], _ findings: Findings) {
        let second = lines.indices.dropFirst(first.line).first { index in
            // In a block list the first key of an item stands behind "- ".
            guard lines[index].prefix(while: { " -".contains($0) }).count == first.column - 1 else { return false }
            let rest = lines[index].drop { " -\"'".contains($0) }
            return rest.hasPrefix(key) && rest.dropFirst(key.count).first.map { ": \"'".contains($0) } == true
        }
        if let second {
            findings.report(second + 1, "the key \(key.quoted) stands at line \(first.line) already; give it once")
        } else {
            findings.report(first.line, "the key \(key.quoted) is given twice; give it once")
        }
    }

    private static func lines(of yaml: String) -> [Substring] {
        yaml.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    }
}

extension Node {
    /// Nothing after the colon, or `null` or `~` without quotes.
    var isNull: Bool {
        guard case .scalar(let scalar) = self, scalar.style == .plain else { return false }
        return ["", "~", "null"].contains(scalar.string)
    }
}
