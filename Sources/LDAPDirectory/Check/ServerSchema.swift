// The schema that a server shows, as far as it matters to searching (RFC 4512).

/// Attribute types and object classes, by their names and OIDs in lower case.
struct ServerSchema {
    struct Attribute: Hashable {
        var names: [String] = []
        /// The type that it is a kind of, whose rules it has where it names none.
        var superior: String?
        var equality: String?
        var substring: String?
        /// Whether it is the server's to set: NO-USER-MODIFICATION, or a usage other than that of users (RFC 4512 4.1.2).
        var isOfServer = false
    }

    private var attributes: [String: Attribute] = [:]
    private var classes: Set<String> = []

    /// Longest chain of superiors that is followed; a schema has no loops, but a server may show anything.
    private static let depth = 20

    init(attributeTypes: [[UInt8]], objectClasses: [[UInt8]]) {
        for definition in attributeTypes {
            let attribute = Self.attribute(definition)
            for name in attribute.names { attributes[name] = attribute }
        }
        for definition in objectClasses { classes.formUnion(Self.attribute(definition).names) }
    }

    func has(class name: AttributeName) -> Bool { classes.contains(name.key) }

    func has(attribute name: AttributeName) -> Bool { attributes[name.key] != nil }

    /// All names of the attributes that are the server's to set.
    var serverAttributes: Set<String> {
        Set(attributes.values.filter(\.isOfServer).flatMap(\.names))
    }

    /// Whether matching rules are shown at all; Active Directory shows none.
    var tellsRules: Bool { attributes.values.contains { $0.equality != nil } }

    /// An attribute and what it is a kind of, in that order, each by all its names.
    func line(of name: AttributeName) -> [Attribute] {
        var line: [Attribute] = []
        var next: String? = name.key
        while let name = next, let attribute = attributes[name], line.count < Self.depth {
            line.append(attribute)
            next = attribute.superior
        }
        return line
    }

    func equality(of name: AttributeName) -> String? { line(of: name).lazy.compactMap(\.equality).first }

    func substring(of name: AttributeName) -> String? { line(of: name).lazy.compactMap(\.substring).first }

    /// Rules that tell upper case from lower case, by name and OID (RFC 4517).
    static let caseSensitive: Set<String> = [
        "caseexactmatch", "2.5.13.5", "caseexactia5match", "1.3.6.1.4.1.1466.109.114.1", "octetstringmatch",
        "2.5.13.17",
    ]

    /// `( 2.5.4.3 NAME ( 'cn' 'commonName' ) DESC 'any text' SUP name EQUALITY … )`
    private static func attribute(_ definition: [UInt8]) -> Attribute {
        let words = words(definition)
        var attribute = Attribute()
        if let oid = words.first { attribute.names.append(oid.text) }
        var index = 1
        while index < words.count {
            let word = words[index]
            index += 1
            if word.isQuoted { continue }
            switch word.text {
            case "name":
                while index < words.count, words[index].isQuoted {
                    attribute.names.append(words[index].text)
                    index += 1
                }
            case "sup": if index < words.count { attribute.superior = words[index].text }
            case "equality": if index < words.count { attribute.equality = words[index].text }
            case "substr": if index < words.count { attribute.substring = words[index].text }
            case "no-user-modification": attribute.isOfServer = true
            case "usage":
                if index < words.count, words[index].text != "userapplications" { attribute.isOfServer = true }
            default: break
            }
        }
        return attribute
    }

    /// In lower case; what stands between quotes is one word, and parentheses and `$` are none.
    private static func words(_ definition: [UInt8]) -> [(text: String, isQuoted: Bool)] {
        var words: [(text: String, isQuoted: Bool)] = []
        var word: [UInt8] = []
        var isInQuotes = false
        func take() {
            if !word.isEmpty || isInQuotes {
                words.append((String(decoding: word, as: UTF8.self).lowercased(), isInQuotes))
            }
            word = []
        }
        for octet in definition {
            switch octet {
            case UInt8(ascii: "'"):
                take()
                isInQuotes.toggle()
            case UInt8(ascii: " "), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "$"), 9...13:
                if isInQuotes { word.append(octet) } else { take() }
            default: word.append(octet)
            }
        }
        take()
        return words
    }
}
