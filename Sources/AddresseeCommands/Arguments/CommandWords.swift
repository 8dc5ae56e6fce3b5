// Words that people try where a command should stand: what other programs call it, a slip of the keys, or the verb before the
// noun.

import AddresseeConfiguration
import ArgumentParser
import MailboxDirectory

/// Finds the command that was meant.
enum CommandWords {
    /// The verbs of records by what others call them.
    private static let verbs = [
        "list": "ls", "dir": "ls", "all": "ls", "search": "ls", "find": "ls",
        "get": "show", "view": "show", "info": "show", "print": "show", "cat": "show", "display": "show",
        "describe": "show",
        "members": "show",
        "create": "add", "new": "add", "insert": "add", "make": "add",
        "edit": "set", "change": "set", "modify": "set", "update": "set", "mod": "set",
        "delete": "rm", "remove": "rm", "del": "rm", "destroy": "rm", "drop": "rm", "purge": "rm", "erase": "rm",
        "subscribe": "join", "add-member": "join", "addmember": "join", "invite": "join",
        "unsubscribe": "leave", "remove-member": "leave", "rm-member": "leave", "kick": "leave",
    ]

    /// The commands at the top by what others call them.
    private static let nouns = [
        "users": "user", "mailbox": "user", "mailboxes": "user", "account": "user", "accounts": "user",
        "people": "user",
        "domains": "domain", "aliases": "alias", "forwards": "forward", "redirect": "forward", "forwarding": "forward",
        "lists": "list", "group": "list", "groups": "list", "mailinglist": "list", "relocated": "moved",
        "query": "verify", "lookup": "verify", "vrfy": "verify", "expn": "expand", "trace": "resolve",
        "explain": "resolve",
        "start": "serve", "run": "serve", "server": "serve", "daemon": "serve", "test": "check", "doctor": "check",
        "lint": "check", "status": "check", "validate": "check", "references": "refs",
        "load": "import",
        "setup": "init", "configure": "init", "rcpt": "verify", "ask": "verify",
    ]

    /// What is no command at the top, and how it is done.
    private static let others: [String: String] = {
        let listing = "\"addressee user ls --json\" prints users, and so each other kind of record"
        let copying =
            "\"sqlite3 FILE '.backup COPY'\" copies a directory, while it is served too; \".restore\" puts it back"
        let ending = "a server ends on SIGTERM"
        let reading = "a server reads its configuration again on SIGHUP, and sees records at once"
        return [
            "version": "use: addressee --version",
            "export": listing, "dump": listing, "backup": copying, "restore": copying, "copy": copying, "save": copying,
            "stop": ending, "quit": ending, "shutdown": ending, "kill": ending, "reload": reading, "refresh": reading,
            "restart": "\(ending), and \(reading)",
            "config": "it is the file that \"addressee init\" makes; \"addressee check\" examines it",
            "catchall": catchAll, "catch-all": catchAll,
        ]
    }()

    private static let catchAll = "use: addressee domain set DOMAIN --catch-all ADDRESS"

    /// What a word is that stands where a command should, for the parser takes it for an argument that nobody wants, or
    /// stumbles over an option behind it; nil where every such word is a command.
    static func complaint(of arguments: [String]) -> String? {
        var command: any ParsableCommand.Type = Addressee.self
        var path = "addressee"
        for (index, word) in arguments.enumerated() {
            if word.hasPrefix("-") { return nil }
            let names = command.configuration.subcommands.map { $0._commandName }
            if names.isEmpty || (command == Addressee.self && word == "help") { return nil }
            guard let next = command.configuration.subcommands.first(where: { $0._commandName == word }) else {
                let rest = arguments.dropFirst(index + 1).first
                return "there is no command \(word.quoted)" + hint(word, after: command, path, names, rest)
            }
            command = next
            path += " \(word)"
        }
        return nil
    }

    private static func hint(
        _ word: String, after command: any ParsableCommand.Type, _ path: String, _ names: [String], _ next: String?
    ) -> String {
        if command == Import.self { return "; use: \(path) csv FILE" }
        let given = word.lowercased()
        if let noun = command as? any RecordCommand.Type {
            if let special = special(given, noun.kind) { return "; \(special)" }
            if let verb = verbs[given], names.contains(verb) { return "; use: \(path) \(verb)" }
        } else if let name = nouns[given], names.contains(name) {
            return "; use: \(path) \(name)"
        } else if command == Addressee.self, let other = others[given] {
            return "; \(other)"
        } else if command == Addressee.self {
            let verb = verbs[given] ?? given
            let nouns = Addressee.configuration.subcommands.compactMap { $0 as? any RecordCommand.Type }
            if let first = nouns.first(where: { $0.commandNames.contains(verb) }) {
                let noun = nouns.first { $0._commandName == next || self.nouns[next ?? ""] == $0._commandName }
                let shared = first.kind == .domain ? UserCommand.kind.rawValue : first._commandName
                return "; the noun comes first, as in: addressee \(noun?._commandName ?? shared) \(verb)"
            }
        }
        return NearestWord.of(word, among: names).map { "; did you mean \($0.quoted)?" } ?? ""
    }

    /// What is no verb here, and how it is done.
    private static func special(_ word: String, _ kind: RecordKind) -> String? {
        switch (word, kind) {
        case ("rename", .domain), ("mv", .domain), ("move", .domain):
            return "a name can't be changed; add the new domain, and: addressee domain set OLD --alias-of NEW"
        case ("rename", _), ("mv", _), ("move", _):
            return "an address can't be changed; add the new one, remove the old, and: addressee alias add OLD --to NEW"
        case ("disable", .user), ("lock", .user), ("block", .user):
            return "use: addressee user set ADDRESS --status disabled"
        case ("alias", .domain): return "use: addressee domain add DOMAIN --alias-of OTHER"
        case ("catchall", .domain), ("catch-all", .domain): return catchAll
        case ("expand", .list): return "use: addressee expand LIST"
        case ("passwd", .user), ("password", .user): return "no passwords are kept here"
        case ("suspend", .user): return "use: addressee user set ADDRESS --status suspended"
        case ("enable", .user), ("unlock", .user), ("activate", .user), ("unblock", .user):
            return "use: addressee user set ADDRESS --status active"
        default: return nil
        }
    }
}

extension RecordCommand {
    fileprivate static var commandNames: [String] { configuration.subcommands.map { $0._commandName } }
}
