// Where an entry points: targets, members, owner, new address.

import MailAddress
import MailboxDirectory

extension Questions {
    /// How the roles are written in the table.
    enum Role: String {
        case target
        case member
        case owner
        case newAddress = "new address"

        /// The word as it is bound.
        var octets: StaticString {
            switch self {
            case .target: "target"
            case .member: "member"
            case .owner: "owner"
            case .newAddress: "new address"
            }
        }
    }

    func mailboxes(_ role: Role, of key: [UInt8], domain: Int64) throws(SQLiteFailure) -> [Mailbox] {
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

    private func forEachReference(
        _ role: Role, of key: [UInt8], domain: Int64,
        _ body: (PreparedStatement) throws(SQLiteFailure) -> Void
    ) throws(SQLiteFailure) {
        let statement = referencesStatement
        statement.bind(1, key)
        statement.bind(2, domain)
        statement.bind(3, role.octets)
        defer { statement.reset() }
        while try statement.step() { try body(statement) }
    }

    private static func mailbox(_ row: PreparedStatement) throws(SQLiteFailure) -> Mailbox {
        guard let key = row.octets(0), let domainKey = row.octets(2), !key.isEmpty, !domainKey.isEmpty else {
            throw .wrong("a row of the table \"reference\" points nowhere; look for it with \"addressee check\"")
        }
        return Mailbox(
            localPart: LocalPart(stored: row.octets(1) ?? key, key: key),
            domain: Domain(stored: row.octets(3) ?? domainKey, key: domainKey))
    }
}
