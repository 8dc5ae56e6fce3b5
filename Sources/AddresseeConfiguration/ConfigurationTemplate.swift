// What `addressee init` writes: config/addressee.yaml with values of its own. In that file a setting that is commented out shows
// its default and begins "#key:", or "#" and two spaces or more below a key; prose begins "# ". A test takes the "#" away and
// finds that nothing changes.

import AddresseeSample

/// The commented YAML that `addressee init` writes.
public enum ConfigurationTemplate {
    /// The sample with these values, which are quoted where YAML needs it. Nothing is checked.
    public static func text(hostname: String, defaultDomain: String, listen: String, database: String) -> String {
        let values = [
            "hostname: mail.example.org": hostname, "default-domain: example.org": defaultDomain,
            "    sqlite: directory.sqlite": database, "  - smtp: 127.0.0.1:2525": listen,
        ]
        let lines = Sample.configuration.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            guard let value = values[String(line)], let colon = line.firstIndex(of: ":") else { return String(line) }
            return "\(line[...colon]) \(quoted(value))"
        }
        return lines.joined(separator: "\n")
    }

    /// A YAML scalar: plain when no reader could take it for anything else, else in double quotes (YAML 1.1 5.7).
    private static func quoted(_ value: String) -> String {
        let first = value.utf8.first ?? 0
        let isPlain = value.utf8.allSatisfy { isWord($0) || "-./:+@".utf8.contains($0) }
        if isPlain, isWord(first) || "./".utf8.contains(first), value.utf8.last != UInt8(ascii: ":"), value != "null" {
            return value
        }
        let escaped = value.unicodeScalars.map { scalar in
            switch scalar {
            case "\"", "\\": "\\\(scalar)"
            case "\n": "\\n"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                "\\x" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
            default: String(scalar)
            }
        }
        return "\"\(escaped.joined())\""
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
