// Domains, and the members of lists.

import GRDB
import GRDBSQLite
import MailAddress
import MailboxDirectory

extension StoreView {
    func insert(_ domain: DomainRecord) throws {
        if try questions().domain(domain.domain) != nil { throw StoreError.domainTaken(domain.domain) }
        try run(
            """
            INSERT INTO domain (name, kind, target_key, target, catch_all_key, catch_all_local_part,
                catch_all_domain_key, catch_all_domain, detail_separators, transport, key)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, columns(of: domain))
        try questions().forgetDomains()
    }

    func replace(_ domain: DomainRecord) throws {
        guard try questions().domain(domain.domain) != nil else {
            throw StoreError.notFound(.domain, domain.domain.description)
        }
        try run(
            """
            UPDATE domain SET name = ?, kind = ?, target_key = ?, target = ?, catch_all_key = ?,
                catch_all_local_part = ?, catch_all_domain_key = ?, catch_all_domain = ?, detail_separators = ?,
                transport = ?
            WHERE key = ?
            """, columns(of: domain))
        try questions().forgetDomains()
    }

    func removeDomain(_ domain: Domain) throws {
        try clearly {
            guard let id = try questions().domain(domain)?.id else {
                throw StoreError.notFound(.domain, domain.description)
            }
            let use = try statement(
                """
                SELECT 1 FROM entry WHERE domain_id = ?1 UNION ALL SELECT 1 FROM domain WHERE target_key = ?2 LIMIT 1
                """)
            use.bind(1, id)
            use.bind(2, domain.key)
            defer { use.reset() }
            if try use.step() { throw StoreError.notEmpty(domain) }
            use.reset()
            try run("DELETE FROM domain WHERE id = ?", [id])
            try questions().forgetDomains()
        }
    }

    private func columns(of domain: DomainRecord) -> [(any DatabaseValueConvertible)?] {
        var kind = "local"
        var target: Domain?
        switch domain.kind {
        case .local: break
        case .relay: kind = "relay"
        case .alias(let other): (kind, target) = ("alias", other)
        }
        let (localPart, catchAll) = (domain.catchAll?.localPart, domain.catchAll?.domain)
        return [
            Self.spelling(domain.domain.octets, key: domain.domain.key), kind,
            target.map { String(decoding: $0.key, as: UTF8.self) },
            target.flatMap { Self.spelling($0.octets, key: $0.key) },
            localPart.map { String(decoding: $0.key, as: UTF8.self) },
            localPart.flatMap { Self.spelling($0.octets, key: $0.key) },
            catchAll.map { String(decoding: $0.key, as: UTF8.self) },
            catchAll.flatMap { Self.spelling($0.octets, key: $0.key) },
            String(decoding: domain.detailSeparators, as: UTF8.self), domain.transport,
            String(decoding: domain.domain.key, as: UTF8.self),
        ]
    }

    func addMembers(_ members: [ListMember], toListAt address: Mailbox) throws -> Int {
        try clearly {
            let place = try place(of: .list, at: address)
            let last = try statement(
                """
                SELECT position FROM reference WHERE key = ?1 AND domain_id = ?2 AND role = 'member'
                ORDER BY position DESC LIMIT 1
                """)
            last.bind(1, place.key)
            last.bind(2, place.domainID)
            var position = try last.step() ? Int(last.int(0)) + 1 : 0
            last.reset()
            var added = 0
            let present = try statement(Self.memberSQL)
            for member in members {
                if try isThere(member.mailbox, present, place) { continue }
                try point(place, .member, to: member.mailbox, name: member.name, position: position)
                position += 1
                added += 1
            }
            return added
        }
    }

    func removeMembers(_ members: [Mailbox], fromListAt address: Mailbox) throws -> Int {
        try clearly {
            let place = try place(of: .list, at: address)
            var removed = 0
            for member in members {
                try run(
                    """
                    DELETE FROM reference INDEXED BY reference_to
                    WHERE to_domain_key = ? AND to_key = ? AND key = ? AND domain_id = ? AND role = 'member'
                    """,
                    [
                        String(decoding: member.domain.key, as: UTF8.self),
                        String(decoding: member.localPart.key, as: UTF8.self), place.keyText, place.domainID,
                    ])
                removed += database.changesCount
            }
            return removed
        }
    }

    /// By the index on where references point, and not by the list's own key: that would read the whole list for each
    /// member.
    static let memberSQL = """
        SELECT 1 FROM reference INDEXED BY reference_to
        WHERE to_domain_key = ?1 AND to_key = ?2 AND key = ?3 AND domain_id = ?4 AND role = 'member'
        """

    private func isThere(
        _ member: Mailbox, _ statement: PreparedStatement, _ place: Place
    ) throws(SQLiteFailure) -> Bool {
        statement.bind(1, member.domain.key)
        statement.bind(2, member.localPart.key)
        statement.bind(3, place.key)
        statement.bind(4, place.domainID)
        defer { statement.reset() }
        return try statement.step()
    }
}
