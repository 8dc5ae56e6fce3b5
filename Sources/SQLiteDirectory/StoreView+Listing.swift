// Records in their order, one at a time.

import GRDB
import GRDBSQLite
import MailAddress
import MailboxDirectory

extension StoreView {
    func forEach(
        _ kind: RecordKind, in domain: Domain?, faulty: (Trouble) throws -> Void, _ body: (Record) throws -> Void
    ) throws {
        let domains = try clearly { try keys(of: domain) }
        defer { domains.reset() }
        while try clearly({ try domains.step() }) {
            guard let key = domains.octets(0) else { continue }
            // By the key alone: what is remembered of the domain is as stored.
            let asked = Domain(stored: key, key: key)
            let domain = try readable(faulty) { () throws(SQLiteFailure) in try questions().domain(asked) }
            guard let known = domain ?? nil else { continue }
            if kind == .domain {
                try body(.domain(known.record))
            } else {
                try forEachEntry(kind, in: known, faulty: faulty, body)
            }
        }
    }

    /// What a row says; nil for one that does not say what it must, of which is told. A file that can't be read is no
    /// fault of one row, and ends the reading.
    private func readable<Result>(
        _ faulty: (Trouble) throws -> Void, _ body: () throws(SQLiteFailure) -> Result
    ) throws -> Result? {
        do throws(SQLiteFailure) {
            return try body()
        } catch {
            let trouble = Trouble(source: name, reason: error.reason(path: path))
            guard error.isOfOneRow else { throw StoreError.trouble(trouble) }
            try faulty(trouble)
            return nil
        }
    }

    /// The keys of all domains in their order, or of this one if it is on record.
    private func keys(of domain: Domain?) throws -> PreparedStatement {
        guard let domain else { return try statement("SELECT key FROM domain ORDER BY key") }
        let one = try statement("SELECT key FROM domain WHERE key = ?1")
        one.bind(1, domain.key)
        return one
    }

    private func forEachEntry(
        _ kind: RecordKind, in domain: Questions.KnownDomain, faulty: (Trouble) throws -> Void,
        _ body: (Record) throws -> Void
    ) throws {
        let condition = kind == .forward ? "e.forward IS NOT NULL" : "e.kind = ?2"
        let rows = try clearly {
            try statement(
                """
                SELECT \(QuestionSQL.entryColumns), e.key FROM entry e
                WHERE e.domain_id = ?1 AND \(condition) ORDER BY e.key
                """)
        }
        defer { rows.reset() }
        rows.bind(1, domain.id)
        if kind != .forward { rows.bind(2, Array(kind.rawValue.utf8)) }
        while try clearly({ try rows.step() }) {
            let record = try readable(faulty) { () throws(SQLiteFailure) -> Record? in
                guard let key = rows.octets(9) else { return nil }
                let entry = try EntryRow.read(
                    rows, key: key, domain: domain.record.domain, domainID: domain.id, of: try questions())
                return try self.record(kind, of: entry, domainID: domain.id)
            }
            if let record = record ?? nil { try body(record) }
        }
    }
}
