// Where an entry points: targets, members, owner, new address.

import MailAddress
import MailboxDirectory

extension Questions {
    func mailboxes(_ role: ReferenceRole, of key: [UInt8], domain: Int64) throws(SQLiteFailure) -> [Mailbox] {
        var mailboxes: [Mailbox] = []
        try forEachReference(role, of: key, domain: domain) { row throws(SQLiteFailure) in
            mailboxes.append(try Self.mailbox(row))
        }
        return mailboxes
    }

    func members(of key: [UInt8], domain: Int64) throws(SQLiteFailure) -> [ListMember] {
        var members: [ListMember] = []
        try forEachReference(.member, of: key, domain: domain) { row throws(SQLiteFailure) in
            members.append(ListMember(mailbox: try Self.mailbox(row), name: try row.string(4)))
        }
        return members
    }

    /// Members after this position of the table.
    func page(of key: [UInt8], domain: Int64, after position: Int) throws(SQLiteFailure) -> Answer {
        let statement = pageStatement
        statement.bind(1, key)
        statement.bind(2, domain)
        statement.bind(3, Int64(position))
        // One more, which tells whether the list is over.
        statement.bind(4, Int64(Self.page + 1))
        defer { statement.reset() }
        var members: [ListMember] = []
        var last = position
        while try statement.step() {
            if members.count == Self.page { return .page(members, next: last) }
            members.append(ListMember(mailbox: try Self.mailbox(statement), name: try statement.string(4)))
            last = Int(statement.int(5))
        }
        return .members(members)
    }

    private func forEachReference(
        _ role: ReferenceRole, of key: [UInt8], domain: Int64,
        _ body: (PreparedStatement) throws(SQLiteFailure) -> Void
    ) throws(SQLiteFailure) {
        let statement = referencesStatement
        statement.bind(1, key)
        statement.bind(2, domain)
        statement.bind(3, role.word)
        defer { statement.reset() }
        while try statement.step() { try body(statement) }
    }

    private static func mailbox(_ row: PreparedStatement) throws(SQLiteFailure) -> Mailbox {
        guard let key = try row.addressPart(0), let domainKey = try row.addressPart(2), !key.isEmpty, !domainKey.isEmpty
        else {
            throw .wrong(
                "a row of the table \"reference\" points nowhere; find it with \"sqlite3\", where to_key or to_domain_key"
                    + " is empty, and remove it")
        }
        return Mailbox(
            localPart: LocalPart(stored: try row.addressPart(1) ?? key, key: key),
            domain: Domain(stored: try row.addressPart(3) ?? domainKey, key: domainKey))
    }
}

extension ReferenceRole {
    /// As it is written in the table, and bound.
    fileprivate var word: StaticString {
        switch self {
        case .target: "target"
        case .member: "member"
        case .owner: "owner"
        case .newAddress: "new address"
        case .catchAll: "catch-all"
        }
    }
}
