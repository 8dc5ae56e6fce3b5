// The JSON of records. `record` is the kind and `source` where it is kept; the other keys are those of the options.

import MailAddress
import MailboxDirectory

extension JSON {
    init(_ record: Record, source: String) {
        var members = Self.members(of: record)
        members["record"] = .string(record.kind.rawValue)
        members["source"] = .string(source)
        if let address = record.address { members["address"] = JSON(address) }
        self = .object(members)
    }

    init(_ mailbox: Mailbox?) {
        self.init(mailbox?.description)
    }

    /// Somebody with a name, which may be empty.
    init(address: Mailbox, name: String) {
        self = .object(["address": JSON(address), "name": .string(name)])
    }

    private static func members(of record: Record) -> [String: JSON] {
        switch record {
        case .domain(let domain):
            [
                "domain": .string(domain.domain.description),
                "kind": .string(domain.kind.word),
                "aliasOf": JSON(domain.kind.target?.description),
                "catchAll": JSON(domain.catchAll),
                "detailSeparator": .string(domain.separators),
                "transport": JSON(domain.transport),
            ]
        case .user(let user):
            [
                "name": .string(user.fullName), "login": JSON(user.login),
                "status": .string(user.status.rawValue),
            ]
        case .alias(let alias): ["to": .array(alias.targets.map { JSON($0) })]
        case .forward(let forward):
            [
                "to": .array(forward.targets.map { JSON($0) }),
                "keepCopy": .bool(forward.keepsCopy), "reply": .string(forward.reply.rawValue),
            ]
        case .moved(let moved): ["to": JSON(moved.newAddress)]
        case .list(let list, let members):
            [
                "name": .string(list.name), "owner": JSON(list.owner), "expn": .string(list.expansion.rawValue),
                "members": list.membership == .elsewhere
                    ? .null : .array(members.map { JSON(address: $0.mailbox, name: $0.name) }),
            ]
        }
    }
}
