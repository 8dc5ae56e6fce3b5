// Records in the words of the options: as fields for `show`, and as a row for `ls`.

import MailAddress
import MailboxDirectory

extension Record {
    /// The address, or the domain.
    var title: String {
        if case .domain(let domain) = self { return domain.domain.description }
        return address?.description ?? ""
    }

    /// What there is to show, in order. A name may come more than once.
    var fields: [(name: String, value: String)] {
        switch self {
        case .domain(let domain):
            [
                ("domain", domain.domain.description), ("kind", domain.kind.word),
                ("alias-of", domain.kind.target?.description ?? ""), ("catch-all", domain.catchAll?.description ?? ""),
                ("detail-separator", domain.separators), ("transport", domain.transport ?? ""),
            ]
        case .user(let user):
            [
                ("address", user.address.description), ("name", user.fullName), ("login", user.login ?? ""),
                ("status", user.status.rawValue),
            ]
        case .alias(let alias):
            [("address", alias.address.description)] + alias.targets.map { ("to", $0.description) }
        case .forward(let forward):
            [("address", forward.address.description)] + forward.targets.map { ("to", $0.description) }
                + [("keep-copy", forward.keepsCopy ? "yes" : "no"), ("reply", forward.reply.rawValue)]
        case .moved(let moved):
            [("address", moved.address.description), ("to", moved.newAddress?.description ?? "")]
        case .list(let list, let members):
            [
                ("address", list.address.description), ("name", list.name),
                ("owner", list.owner?.description ?? ""), ("expn", list.expansion.rawValue),
            ] + (list.membership == .elsewhere ? [("members", "another server's to tell")] : [])
                + members.map { ("member", $0.text) }
        }
    }

    /// The cells under `RecordKind.columns`.
    var row: [String] {
        switch self {
        case .domain, .user, .moved: fields.map(\.value)
        case .alias(let alias): [alias.address.description, alias.targets.joined]
        case .forward(let forward):
            [
                forward.address.description, forward.targets.joined, forward.keepsCopy ? "yes" : "no",
                forward.reply.rawValue,
            ]
        case .list(let list, let members):
            [
                list.address.description, list.name, list.owner?.description ?? "", list.expansion.rawValue,
                list.membership == .elsewhere ? "?" : String(members.count),
            ]
        }
    }
}

extension RecordKind {
    /// What stands before the address in a sentence.
    var phrase: String { self == .moved ? "moved address" : rawValue }

    /// The header over `Record.row`.
    var columns: [String] {
        switch self {
        case .domain: ["DOMAIN", "KIND", "ALIAS OF", "CATCH-ALL", "DETAIL SEPARATOR", "TRANSPORT"]
        case .user: ["ADDRESS", "NAME", "LOGIN", "STATUS"]
        case .alias, .moved: ["ADDRESS", "TO"]
        case .forward: ["ADDRESS", "TO", "KEEP COPY", "REPLY"]
        case .list: ["ADDRESS", "NAME", "OWNER", "EXPN", "MEMBERS"]
        }
    }
}

extension DomainKind {
    /// `local`, `relay` or `alias`.
    var word: String {
        switch self {
        case .local: "local"
        case .relay: "relay"
        case .alias: "alias"
        }
    }

    /// The domain that an alias is another name of.
    var target: Domain? {
        if case .alias(let domain) = self { return domain }
        return nil
    }
}

extension DomainRecord {
    /// The detail separators as text.
    var separators: String { String(decoding: detailSeparators, as: UTF8.self) }
}

extension ListMember {
    /// As `--member` takes it.
    var text: String { name.isEmpty ? mailbox.description : "\(name) <\(mailbox)>" }
}

extension [Mailbox] {
    fileprivate var joined: String { map(\.description).joined(separator: ", ") }
}
