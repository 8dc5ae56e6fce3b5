// A directory as people write it: one record a line. The format is described in Tests/Dialogues/README.md.

public import MailAddress
public import MailboxDirectory

/// The sources of a dialogue, in their order.
public struct DirectoryText: Sendable {
    public struct SourceText: Sendable {
        public var name: String
        public var records: [Record] = []
        /// The kinds of lookup that fail: `domain`, `entries`, `name`, `members`.
        public var failing: Set<String> = []
    }

    public var defaultDomain: Domain
    public var sources: [SourceText]

    public init(name: String, text: String) throws {
        var found: Domain?
        var sources = [SourceText(name: "first")]
        var number = 0
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            let words = Self.words(line)
            guard let kind = words.first, !kind.hasPrefix("#") else { continue }
            let rest = Words(Array(words.dropFirst()))
            do {
                switch kind {
                case "default": found = try Domain(rest.first)
                case "source": sources.append(SourceText(name: rest.first))
                case "fails":
                    sources[sources.count - 1].failing =
                        rest.all.isEmpty ? ["domain", "entries", "name", "members"] : Set(rest.all)
                case "member": try Self.addMember(rest, to: &sources)
                default: sources[sources.count - 1].records.append(try Self.record(kind, rest))
                }
            } catch {
                throw DialogueError("\(name):\(number): \(error)")
            }
        }
        guard let found else { throw DialogueError("\(name): no default domain") }
        defaultDomain = found
        self.sources = sources
    }

    private static func addMember(_ words: Words, to sources: inout [SourceText]) throws {
        let last = sources.count - 1
        guard case .list(let list, let members)? = sources[last].records.last else {
            throw DialogueError("a member without a list")
        }
        let member = ListMember(mailbox: try Mailbox(words.all.last ?? ""), name: words.name)
        sources[last].records[sources[last].records.count - 1] = .list(list, members: members + [member])
    }

    private static func record(_ kind: String, _ words: Words) throws -> Record {
        if kind == "domain" { return .domain(try domain(words)) }
        let address = try Mailbox(words.first)
        switch kind {
        case "user":
            return .user(
                User(
                    address: address, fullName: words.name, login: words["login"],
                    status: try words.value("status") ?? .active))
        case "alias": return .alias(Alias(address: address, targets: try words.mailboxes("to")))
        case "forward":
            return .forward(
                Forward(
                    address: address, targets: try words.mailboxes("to"), keepsCopy: words.all.contains("keep-copy"),
                    reply: try words.value("reply") ?? .auto))
        case "moved": return .moved(Moved(address: address, newAddress: try words.mailboxes("to").first))
        case "list":
            return .list(
                MailingList(address: address, name: words.name, expansion: try words.value("expn") ?? .trusted),
                members: [])
        default: throw DialogueError("no kind of record: \(kind)")
        }
    }

    private static func domain(_ words: Words) throws -> DomainRecord {
        var record = DomainRecord(domain: try Domain(words.first))
        if words.all.contains("relay") { record.kind = .relay }
        if let other = words["alias"] { record.kind = .alias(of: try Domain(other)) }
        record.catchAll = try words.mailboxes("catch-all").first
        if let separators = words["separators"] { record.detailSeparators = Array(separators.utf8) }
        return record
    }

    /// Words between spaces; a name in quotes is one word, and keeps its first quote.
    static func words(_ line: Substring) -> [String] {
        var words: [String] = []
        var word = ""
        var isQuoted = false
        for character in line {
            if character == "\"", word.isEmpty || isQuoted {
                if !isQuoted { word.append(character) }
                isQuoted.toggle()
            } else if character == " ", !isQuoted {
                if !word.isEmpty { words.append(word) }
                word = ""
            } else {
                word.append(character)
            }
        }
        return word.isEmpty ? words : words + [word]
    }
}

/// The words of a record after its kind.
struct Words {
    var all: [String]

    init(_ all: [String]) { self.all = all }

    var first: String { all.first ?? "" }

    /// The name in quotes, if there is one.
    var name: String { all.first { $0.hasPrefix("\"") }.map { String($0.dropFirst()) } ?? "" }

    subscript(key: String) -> String? {
        all.first { $0.hasPrefix(key + "=") }.map { String($0.dropFirst(key.utf8.count + 1)) }
    }

    func mailboxes(_ key: String) throws -> [Mailbox] {
        try (self[key] ?? "").split(separator: ",").map { try Mailbox(String($0)) }
    }

    func value<Value: RawRepresentable>(_ key: String) throws -> Value? where Value.RawValue == String {
        guard let text = self[key] else { return nil }
        guard let value = Value(rawValue: text) else { throw DialogueError("\(key)=\(text)") }
        return value
    }
}
