// Records written as text, one a line, so that a test can show a directory in a few words:
//   domain a    domain r relay    domain b alias-of=a catch-all=x@a separators=+-
//   user fred@a (Fred Claude) login=fred status=disabled    moved gone@a to=new@b
//   alias x@a fred@a y@b    forward f@a t@x keep reply=251
//   list l@a (Title) expn=nobody owner=o@a : m@a n@b (Name of n)
//   source        (what follows stands in the next source)

import MailAddress
public import MailboxDirectory

/// A line that can't be read.
public struct TextError: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

/// The records of a text, source by source.
public func records(_ text: String) throws -> [[Record]] {
    var sources: [[Record]] = [[]]
    for line in text.split(separator: "\n") {
        let words = words(line)
        guard let kind = words.first else { continue }
        if kind == "source" {
            sources.append([])
        } else {
            sources[sources.count - 1].append(try record(words, line: String(line)))
        }
    }
    return sources
}

/// The words of a line; white space in quotes or in parentheses does not part them.
func words(_ line: Substring) -> [String] {
    var words: [String] = []
    var word = ""
    var isQuoted = false
    var isName = false
    var isEscaped = false
    for character in line {
        if character == " ", !isQuoted, !isName {
            if !word.isEmpty { words.append(word) }
            word = ""
            continue
        }
        word.append(character)
        if isEscaped {
            isEscaped = false
        } else if isQuoted, character == "\\" {
            isEscaped = true
        } else if character == "\"" {
            isQuoted.toggle()
        } else if !isQuoted, character == "(" {
            isName = true
        } else if character == ")" {
            isName = false
        }
    }
    if !word.isEmpty { words.append(word) }
    return words
}

/// One line's record.
private func record(_ words: [String], line: String) throws -> Record {
    var options: [String: String] = [:]
    var flags: Set<String> = []
    var name = ""
    var rest: [String] = []
    var members: [ListMember]?
    for word in words.dropFirst(2) {
        if word.hasPrefix("(") {
            let text = String(word.dropFirst().dropLast())
            if let last = members?.indices.last { members?[last].name = text } else { name = text }
        } else if word == ":" {
            members = []
        } else if members != nil {
            members?.append(ListMember(mailbox: try Mailbox(word)))
        } else if !word.hasPrefix("\""), let equals = word.firstIndex(of: "=") {
            options[String(word[..<equals])] = String(word[word.index(after: equals)...])
        } else if word == "keep" || word == "relay" {
            flags.insert(word)
        } else {
            rest.append(word)
        }
    }
    guard words.count > 1 else { throw TextError("too short: \(line)") }
    if words[0] == "domain" {
        var domain = DomainRecord(domain: try Domain(words[1]), kind: flags.contains("relay") ? .relay : .local)
        if let other = options["alias-of"] { domain.kind = .alias(of: try Domain(other)) }
        domain.catchAll = try options["catch-all"].map { try Mailbox($0) }
        if let separators = options["separators"] { domain.detailSeparators = Array(separators.utf8) }
        domain.transport = options["transport"]
        return .domain(domain)
    }
    let address = try Mailbox(words[1])
    let targets = try rest.map { try Mailbox($0) }
    switch words[0] {
    case "user":
        let status = options["status"].flatMap(AccountStatus.init) ?? .active
        return .user(User(address: address, fullName: name, login: options["login"], status: status))
    case "alias": return .alias(Alias(address: address, targets: targets))
    case "forward":
        let reply = options["reply"].flatMap(ForwardReply.init) ?? .auto
        return .forward(
            Forward(address: address, targets: targets, keepsCopy: flags.contains("keep"), reply: reply))
    case "moved": return .moved(Moved(address: address, newAddress: try options["to"].map { try Mailbox($0) }))
    case "list":
        let access = options["expn"].flatMap(ExpansionAccess.init) ?? .trusted
        let owner = try options["owner"].map { try Mailbox($0) }
        return .list(
            MailingList(address: address, name: name, owner: owner, expansion: access), members: members ?? [])
    default: throw TextError("unknown kind: \(line)")
    }
}

extension Question {
    /// An address, `<postmaster>`, or a bare name.
    public init(text: String) {
        if text == "<postmaster>" {
            self = .postmaster
        } else if let mailbox = try? Mailbox(text) {
            self = .address(mailbox)
        } else {
            self = .name(Array(text.utf8))
        }
    }
}

extension Resolution {
    /// `asked a@a; chain alias a@a, user b@a; => b@a` (`to` instead of `=>` where it did not end at one mailbox) and
    /// `; not c@a unknown`; or the outcome, where that is not an answer.
    public var text: String {
        switch outcome {
        case .couldNotTell: return "could not tell"
        case .loop(let path): return "loop \(path.arrows)"
        case .limit(let kind, _): return "limit \(kind.rawValue)"
        case .ambiguous(let entries, let complete):
            return "ambiguous " + entries.map(\.address.description).sorted().joined(separator: ", ")
                + (complete ? "" : " and more")
        case .answered: break
        }
        var parts = [asked.map { "asked \($0)" } ?? "asked nothing"]
        if !chain.isEmpty {
            parts.append("chain " + chain.map { "\($0.kindName) \($0.address)" }.joined(separator: ", "))
        }
        if !recipients.isEmpty {
            parts.append((end == nil ? "to " : "=> ") + recipients.map(\.text).joined(separator: ", "))
        }
        if !failures.isEmpty { parts.append("not " + failures.map(\.text).joined(separator: ", ")) }
        return parts.joined(separator: "; ")
    }
}

extension Recipient {
    var text: String {
        let kindText =
            switch kind {
            case .user(.active): ""
            case .user(let status): " \(status.rawValue)"
            case .list(let access): " list \(access.rawValue)"
            case .postmaster: " postmaster"
            case .elsewhere: " elsewhere"
            case .relay: " relay"
            }
        let detailText = separatedDetail.isEmpty ? "" : "{\(String(decoding: detail, as: UTF8.self))}"
        let placeText = isInRelayDomain && kind != .relay ? " in a relay domain" : ""
        return "\(mailbox)\(detailText)\(kindText)\(placeText)" + (name.isEmpty ? "" : " (\(name))")
    }
}

extension Failure {
    var text: String {
        switch reason {
        case .unknown: "\(mailbox) unknown"
        case .notServed: "\(mailbox) not served"
        case .disabled: "\(mailbox) disabled"
        case .suspended: "\(address) suspended"
        case .moved(let address): "\(mailbox) moved" + (address.map { " to \($0)" } ?? "")
        }
    }
}
