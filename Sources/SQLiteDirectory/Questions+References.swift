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
        let (members, next) = try page(.member, of: key, domain: domain, after: position) {
            row throws(SQLiteFailure) in
            ListMember(mailbox: try Self.mailbox(row), name: try row.string(4))
        }
        return next.map { .page(members, next: $0) } ?? .members(members)
    }

    /// Targets after this position of the table.
    /// - Returns: the position after which there are more; nil where these are all.
    func targets(
        of key: [UInt8], domain: Int64, after position: Int = .min
    ) throws(SQLiteFailure) -> (targets: [Mailbox], next: Int?) {
        try page(.target, of: key, domain: domain, after: position) { row throws(SQLiteFailure) in
            try Self.mailbox(row)
        }
    }

    func forward(
        _ address: Mailbox, domain: Int64, pointsTo target: Mailbox
    ) throws(SQLiteFailure) -> Bool {
        let statement = pointsToStatement
        statement.bind(1, address.localPart.key)
        statement.bind(2, domain)
        statement.bind(3, target.localPart.key)
        statement.bind(4, target.domain.key)
        defer { statement.reset() }
        return try statement.step()
    }

    private func page<Element>(
        _ role: ReferenceRole, of key: [UInt8], domain: Int64, after position: Int,
        _ read: (PreparedStatement) throws(SQLiteFailure) -> Element
    ) throws(SQLiteFailure) -> ([Element], next: Int?) {
        let statement = pageStatement
        statement.bind(1, key)
        statement.bind(2, domain)
        statement.bind(3, Int64(position))
        // One more, which tells whether there are others.
        statement.bind(4, Int64(Self.page + 1))
        statement.bind(5, role.word)
        defer { statement.reset() }
        var elements: [Element] = []
        var last = position
        while try statement.step() {
            if elements.count == Self.page { return (elements, last) }
            elements.append(try read(statement))
            last = Int(statement.int(5))
        }
        return (elements, nil)
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
