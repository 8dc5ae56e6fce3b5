// Who points to an address, or into a domain. All of it is found by indexes.

import GRDB
import GRDBSQLite
import MailAddress
import MailboxDirectory

extension StoreView {
    func references(to address: Mailbox, limit: Int) throws -> [Reference] {
        var found: [Reference] = []
        try clearly {
            try collect(
                """
                SELECT iif(e.kind = 'user', 'forward', e.kind), r.role, e.local_part, e.key, d.name, d.key FROM reference r
                CROSS JOIN entry e ON e.key = r.key AND e.domain_id = r.domain_id
                CROSS JOIN domain d ON d.id = e.domain_id
                WHERE r.to_domain_key = ?1 AND r.to_key = ?2 LIMIT ?3
                """, [address.domain.key, address.localPart.key], limit, into: &found)
            try collect(
                """
                SELECT 'domain', 'catch-all', NULL, NULL, name, key FROM domain
                WHERE catch_all_domain_key = ?1 AND catch_all_key = ?2 LIMIT ?3
                """, [address.domain.key, address.localPart.key], limit, into: &found)
        }
        return found.sorted { $0.name < $1.name }
    }

    func references(
        withDetailOf names: [AddressName], faulty: (Trouble) throws -> Void
    ) throws -> [AddressReference] {
        var found: [AddressReference] = []
        try clearly {
            for name in names {
                for separator in name.detailSeparators {
                    // Keys are compared octet by octet, so that all with this beginning stand together in the index.
                    let start = name.mailbox.localPart.key + [separator]
                    let end = name.mailbox.localPart.key + [separator + 1]
                    for sql in Self.detailStatements {
                        try forEach(sql, [name.mailbox.domain.key, start, end]) {
                            rows, reference throws(SQLiteFailure) in
                            let target = try Self.target(rows)
                            if name.isBase(of: target) {
                                found.append(AddressReference(reference, to: target, in: self.name))
                            }
                        }
                    }
                }
            }
        }
        return found.sorted { ($0.reference.name, "\($0.target)") < ($1.reference.name, "\($1.target)") }
    }

    /// After the columns of `forEach`: key, local-part, key of the domain, and domain of what is pointed to.
    private static let detailStatements = [
        """
        SELECT iif(e.kind = 'user', 'forward', e.kind), r.role, e.local_part, e.key, d.name, d.key,
            r.to_key, r.to_local_part, r.to_domain_key, r.to_domain FROM reference r
        CROSS JOIN entry e ON e.key = r.key AND e.domain_id = r.domain_id
        CROSS JOIN domain d ON d.id = e.domain_id
        WHERE r.to_domain_key = ?1 AND r.to_key >= ?2 AND r.to_key < ?3
        """,
        """
        SELECT 'domain', 'catch-all', NULL, NULL, name, key,
            catch_all_key, catch_all_local_part, catch_all_domain_key, catch_all_domain FROM domain
        WHERE catch_all_domain_key = ?1 AND catch_all_key >= ?2 AND catch_all_key < ?3
        """,
    ]

    private static func target(_ rows: PreparedStatement) throws(SQLiteFailure) -> Mailbox {
        guard let key = rows.octets(6), let domainKey = rows.octets(8) else {
            throw .wrong("a row of the table \"reference\" points nowhere")
        }
        return Mailbox(
            localPart: LocalPart(stored: rows.octets(7) ?? key, key: key),
            domain: Domain(stored: rows.octets(9) ?? domainKey, key: domainKey))
    }

    func references(toDomain domain: Domain, limit: Int) throws -> [Reference] {
        var found: [Reference] = []
        try clearly {
            try collect(
                "SELECT 'domain', 'target', NULL, NULL, name, key FROM domain WHERE target_key = ?1 LIMIT ?2",
                [domain.key], limit, into: &found)
            try collect(
                """
                SELECT e.kind, 'target', e.local_part, e.key, d.name, d.key FROM domain d
                CROSS JOIN entry e ON e.domain_id = d.id
                WHERE d.key = ?1 LIMIT ?2
                """, [domain.key], limit, into: &found)
            // A forward on a user is a record too.
            try collect(
                """
                SELECT 'forward', 'target', e.local_part, e.key, d.name, d.key FROM domain d
                CROSS JOIN entry e ON e.domain_id = d.id
                WHERE d.key = ?1 AND e.forward IS NOT NULL AND e.kind = 'user' LIMIT ?2
                """, [domain.key], limit, into: &found)
            try collect(
                """
                SELECT iif(e.kind = 'user', 'forward', e.kind), r.role, e.local_part, e.key, d.name, d.key FROM reference r
                CROSS JOIN entry e ON e.key = r.key AND e.domain_id = r.domain_id
                CROSS JOIN domain d ON d.id = e.domain_id
                WHERE r.to_domain_key = ?1 AND d.key <> ?1 LIMIT ?2
                """, [domain.key], limit, into: &found)
            try collect(
                """
                SELECT 'domain', 'catch-all', NULL, NULL, name, key FROM domain
                WHERE catch_all_domain_key = ?1 AND catch_all_key IS NOT NULL AND key <> ?1 LIMIT ?2
                """, [domain.key], limit, into: &found)
        }
        return found
    }

    func redirections(inDomain domain: Domain, limit: Int) throws -> [Reference] {
        var found: [Reference] = []
        try clearly {
            for sql in Self.redirectionStatements { try collect(sql, [domain.key], limit, into: &found) }
        }
        return found
    }

    /// Domains, then what stands in this one, then what points into it. By the kind and by the partial index on forwards,
    /// so that users are passed over unread.
    static let redirectionStatements = [
        "SELECT 'domain', 'target', NULL, NULL, name, key FROM domain WHERE target_key = ?1 LIMIT ?2",
        """
        SELECT e.kind, 'target', e.local_part, e.key, d.name, d.key FROM domain d
        CROSS JOIN entry e ON e.domain_id = d.id AND e.kind IN ('alias', 'moved', 'list')
        WHERE d.key = ?1 LIMIT ?2
        """,
        """
        SELECT 'forward', 'target', e.local_part, e.key, d.name, d.key FROM domain d
        CROSS JOIN entry e INDEXED BY entry_forward ON e.domain_id = d.id AND e.forward IS NOT NULL
        WHERE d.key = ?1 LIMIT ?2
        """,
        """
        SELECT iif(e.kind = 'user', 'forward', e.kind), r.role, e.local_part, e.key, d.name, d.key FROM reference r
        CROSS JOIN entry e ON e.key = r.key AND e.domain_id = r.domain_id
        CROSS JOIN domain d ON d.id = e.domain_id
        WHERE r.to_domain_key = ?1 AND d.key <> ?1 LIMIT ?2
        """,
        """
        SELECT 'domain', 'catch-all', NULL, NULL, name, key FROM domain
        WHERE catch_all_domain_key = ?1 AND catch_all_key IS NOT NULL AND key <> ?1 LIMIT ?2
        """,
    ]

    /// Adds what the statement finds until there are `limit`, which is bound after the keys.
    private func collect(
        _ sql: String, _ keys: [[UInt8]], _ limit: Int, into found: inout [Reference]
    ) throws(SQLiteFailure) {
        if found.count >= limit { return }
        try forEach(sql, keys, limit: limit - found.count) { _, reference throws(SQLiteFailure) in
            found.append(reference)
        }
    }

    /// Hands out what the statement finds. Its first columns: kind, role, local-part and its key, name of the domain and
    /// its key.
    private func forEach(
        _ sql: String, _ keys: [[UInt8]], limit: Int? = nil,
        _ body: (PreparedStatement, Reference) throws(SQLiteFailure) -> Void
    ) throws(SQLiteFailure) {
        let rows = try statement(sql)
        defer { rows.reset() }
        for (index, key) in keys.enumerated() { rows.bind(Int32(index + 1), key) }
        if let limit { rows.bind(Int32(keys.count + 1), Int64(limit)) }
        while try rows.step() {
            guard let kind = RecordKind(rawValue: try rows.string(0)),
                let role = ReferenceRole(rawValue: try rows.string(1)), let domainKey = rows.octets(5)
            else { throw .wrong("a row of the table \"reference\" has an unknown role") }
            let domain = Domain(stored: rows.octets(4) ?? domainKey, key: domainKey)
            var name = domain.description
            if let key = rows.octets(3) {
                let localPart = LocalPart(stored: rows.octets(2) ?? key, key: key)
                name = Mailbox(localPart: localPart, domain: domain).description
            }
            try body(rows, Reference(kind: kind, role: role, name: name))
        }
    }
}
