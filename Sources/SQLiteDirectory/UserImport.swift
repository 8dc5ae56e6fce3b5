// A million users at once: staged as they come in temporary tables, which keeps nobody else from writing; then put into
// each table in that table's own order, so that every page is written once. That is one transaction: what is killed
// half-way leaves the directory as it was.

import GRDB
import GRDBSQLite
import MailAddress
public import MailboxDirectory
import Synchronization

extension SQLiteStore: BulkUserStore {
    /// Adds users, all or none.
    ///
    /// A user may be added where a forward alone is. An address or a login that is taken, by a user of this import or by
    /// what is on record, gives the whole import up.
    ///
    /// - Parameters:
    ///   - progress: called after each 10,000 users that were taken in; the rest of the work, about as much again, comes
    ///     after the last.
    ///   - next: gives the next user; nil ends the import. What it throws gives the import up, and is thrown on.
    /// - Returns: how many were added.
    /// - Throws: `BulkError` about one user; `StoreError.trouble`; what `next` threw.
    @discardableResult
    public func importUsers(
        next: () throws -> User?, progress: (Int) -> Void = { _ in }
    ) throws -> Int {
        hasWritten.store(true, ordering: .relaxed)
        return try StoreError.clearly(name: name, path: path) {
            try queue.writeWithoutTransaction { database in
                let usual = try Int.fetchOne(database, sql: "PRAGMA cache_size") ?? -2000
                try database.execute(sql: "PRAGMA cache_size = -\(UserImport.cacheKiB)")
                // The checks of the schema cost more than the insert itself, and a User can't break one: its status is
                // of a closed set, and an empty name or login is kept as none. STRICT types and keys are still checked.
                try database.execute(sql: "PRAGMA ignore_check_constraints = ON")
                defer {
                    try? database.execute(sql: "PRAGMA ignore_check_constraints = OFF")
                    try? database.execute(sql: "PRAGMA cache_size = \(usual)")
                }
                let staging = try UserImport(StoreView(database, name: name, path: path))
                defer { staging.discard() }
                while let user = try next() {
                    try staging.take(user)
                    if staging.count.isMultiple(of: 10_000) { progress(staging.count) }
                }
                try staging.endBatch()
                try database.inTransaction(.immediate) {
                    try staging.finish()
                    try checkFiles()
                    return .commit
                }
                // The log has grown to the size of the import. When a reader is in the way it is emptied later.
                _ = try? database.checkpoint(.truncate)
                return staging.count
            }
        }
    }

    /// As `importUsers(next:progress:)`, for users that are at hand.
    @discardableResult
    public func importUsers(_ users: some Sequence<User>, progress: (Int) -> Void = { _ in }) throws -> Int {
        var iterator = users.makeIterator()
        return try importUsers(next: { iterator.next() }, progress: progress)
    }
}

/// The staging tables of one import.
final class UserImport {
    /// Memory for pages and for sorting while an import runs, in KiB. SQLite sorts runs of this size: 8 MB stay in the
    /// processor's cache, and sort in two thirds of the time of 128 MB.
    static let cacheKiB = 8 * 1024

    private let view: StoreView
    private let user: PreparedStatement
    private let word: PreparedStatement
    /// Where users were put, and the first of them. Others may change a domain before the import is finished.
    private var domains: [Domain: (id: Int64, first: Int)] = [:]
    private(set) var count = 0

    init(_ view: StoreView) throws {
        self.view = view
        // Some may be left of an import that could not discard them.
        try view.database.execute(sql: Self.dropTables)
        try view.database.execute(sql: Self.tables)
        user = try view.statement("INSERT INTO temp.staged_user VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
        word = try view.statement("INSERT INTO temp.staged_name VALUES (?1, ?2, ?3)")
    }

    func take(_ next: User) throws {
        let address = next.address
        let domainID = try domains[address.domain]?.id ?? newDomain(address.domain)
        // One transaction for all that is staged: it touches nothing but the temporary tables, and locks nothing else.
        if !view.database.isInsideTransaction { try view.database.beginTransaction(.deferred) }
        let (key, login) = (address.localPart.key, LoginColumns(next.login))
        user.bind(1, Int64(count))
        user.bind(2, key)
        user.bind(3, domainID)
        user.bind(4, address.localPart.octets == key ? nil : address.localPart.octets)
        user.bind(5, next.status == .active ? nil : Array(next.status.rawValue.utf8))
        user.bind(6, next.fullName.isEmpty ? nil : Array(next.fullName.utf8))
        user.bind(7, login.key)
        user.bind(8, login.spelled)
        try user.run()
        for name in NameFolding.keys(ofFullName: next.fullName) {
            word.bind(1, name)
            word.bind(2, key)
            word.bind(3, domainID)
            try word.run()
        }
        count += 1
    }

    /// Looks outside of the transaction, for within it the directory would stay as it was when first looked at.
    private func newDomain(_ domain: Domain) throws -> Int64 {
        try endBatch()
        guard let known = try view.questions().domain(domain) else {
            throw BulkError(index: count, reason: .noSuchDomain(domain))
        }
        domains[domain] = (known.id, count)
        return known.id
    }

    /// To be called when all are staged: what follows needs the directory as it is then.
    func endBatch() throws {
        if view.database.isInsideTransaction { try view.database.commit() }
    }

    /// Takes away what is left of the staging.
    func discard() {
        if view.database.isInsideTransaction { try? view.database.rollback() }
        try? view.database.execute(sql: Self.dropTables)
    }

    /// The domains must be those that were seen; a number may be another domain's by now.
    private func checkDomains() throws {
        try view.questions().forgetDomains()
        for (domain, seen) in domains.sorted(by: { $0.value.first < $1.value.first }) {
            guard let known = try view.questions().domain(domain) else {
                throw BulkError(index: seen.first, reason: .noSuchDomain(domain))
            }
            if known.id != seen.id {
                throw SQLiteFailure.wrong("the domain \(domain) was added anew meanwhile; import once more")
            }
        }
    }

    /// Puts what was staged in its place, in a transaction.
    func finish() throws {
        try checkDomains()
        do {
            try view.database.execute(sql: Self.storeUsers)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
            // The statement has undone itself, so what stands in the tables is what stood there before.
            try refuse()
            throw error
        }
        try view.database.execute(sql: Self.storeNames)
    }

    /// Finds the first user who can't be added.
    private func refuse() throws {
        var first: BulkError?
        for (sql, isLogin) in [(Self.takenAddresses, false), (Self.takenLogins, true)] {
            let row = try view.statement(sql)
            defer { row.reset() }
            guard try row.step(), row.int(0) < first?.index ?? .max else { continue }
            let index = Int(row.int(0))
            if isLogin {
                first = BulkError(index: index, reason: .loginTaken(try row.string(1)))
            } else {
                let (key, domainKey) = (row.octets(1) ?? [], row.octets(3) ?? [])
                let address = Mailbox(
                    localPart: LocalPart(stored: row.octets(2) ?? key, key: key),
                    domain: Domain(stored: row.octets(4) ?? domainKey, key: domainKey))
                guard let kind = RecordKind(rawValue: try row.string(5)) else {
                    throw SQLiteFailure.wrong("a row of the table \"entry\" is of no known kind")
                }
                first = BulkError(index: index, reason: .addressTaken(address, by: kind))
            }
        }
        if let first { throw first }
    }
}
