// Adding, replacing and removing records. Each method looks at what stands there before it writes anything, so that an
// error that the caller survives leaves nothing half done.

import GRDB
import GRDBSQLite
import MailAddress
import MailboxDirectory

extension StoreView: RecordWriting {
    func insert(_ record: Record) throws {
        try clearly {
            guard let address = record.address else {
                if case .domain(let domain) = record { try insert(domain) }
                return
            }
            guard let domainID = try questions().domain(address.domain)?.id else {
                throw StoreError.noSuchDomain(address.domain)
            }
            let place = Place(key: address.localPart.key, domainID: domainID)
            let standing = try standing(at: place)
            switch (record, standing?.kind, standing?.hasForward) {
            case (_, nil, _), (.user, .forward?, _), (.forward, .user?, false?): break
            case (.forward, .user?, _): throw StoreError.addressTaken(address, by: .forward)
            case (_, let kind?, _): throw StoreError.addressTaken(address, by: kind)
            }
            try store(record, at: place, address, isNew: standing == nil)
        }
    }

    func replace(_ record: Record) throws {
        try clearly {
            guard let address = record.address else {
                if case .domain(let domain) = record { try replace(domain) }
                return
            }
            let place = try place(of: record.kind, at: address)
            try clear(record.kind, at: place)
            try store(record, at: place, address, isNew: false)
        }
    }

    func remove(_ kind: RecordKind, at address: Mailbox) throws {
        try clearly {
            let place = try place(of: kind, at: address)
            let standing = try standing(at: place)
            try clear(kind, at: place)
            switch (kind, standing?.kind, standing?.hasForward) {
            case (.user, _, true?):
                try run(
                    """
                    UPDATE entry SET kind = 'forward', keep_copy = 0, status = NULL, full_name = NULL,
                        login_key = NULL, login = NULL
                    WHERE key = ? AND domain_id = ?
                    """, [place.keyText, place.domainID])
            case (.forward, .user?, _):
                try run(
                    "UPDATE entry SET forward = NULL, keep_copy = 0 WHERE key = ? AND domain_id = ?",
                    [place.keyText, place.domainID])
            default:
                try run("DELETE FROM entry WHERE key = ? AND domain_id = ?", [place.keyText, place.domainID])
            }
        }
    }
}

extension StoreView {
    /// A row of the table "entry".
    struct Place {
        var key: [UInt8]
        var domainID: Int64
        var keyText: String { String(decoding: key, as: UTF8.self) }
    }

    func run(_ sql: String, _ arguments: [(any DatabaseValueConvertible)?]) throws {
        try database.cachedStatement(sql: sql).execute(arguments: StatementArguments(arguments))
    }

    func standing(at place: Place) throws -> (kind: RecordKind, hasForward: Bool)? {
        let row = try statement("SELECT kind, forward FROM entry WHERE key = ?1 AND domain_id = ?2")
        row.bind(1, place.key)
        row.bind(2, place.domainID)
        defer { row.reset() }
        guard try row.step() else { return nil }
        guard let kind = RecordKind(rawValue: try row.string(0)) else {
            throw SQLiteFailure.wrong("a row of the table \"entry\" is of no known kind")
        }
        return (kind, !row.isNull(1))
    }

    /// - Throws: `StoreError.notFound` unless a record of this kind is there.
    func place(of kind: RecordKind, at address: Mailbox) throws -> Place {
        guard let domainID = try questions().domain(address.domain)?.id else {
            throw StoreError.notFound(kind, address.description)
        }
        let place = Place(key: address.localPart.key, domainID: domainID)
        guard let standing = try standing(at: place),
            standing.kind == kind || (kind == .forward && standing.hasForward)
        else { throw StoreError.notFound(kind, address.description) }
        return place
    }
}
