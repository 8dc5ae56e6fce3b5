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
    /// what is on record, gives the whole import up, unless `conflict` says otherwise.
    ///
    /// - Parameters:
    ///   - progress: called after each 10,000 users that were taken in; the rest of the work, about as much again, comes
    ///     after the last.
    ///   - conflict: what becomes of users who are on record already.
    ///   - fault: told of each user who can't be taken in; there is an end after a hundred.
    ///   - next: gives the next user; nil ends the import. What it throws gives the import up, and is thrown on.
    /// - Throws: `BulkRefused` after a fault; `StoreError.trouble`; what `next` threw.
    public func importUsers(
        next: () throws -> User?, onConflict conflict: BulkConflict, fault: (BulkError) -> Void,
        progress: (Int) -> Void
    ) throws -> BulkResult {
        hasWritten.store(true, ordering: .relaxed)
        return try StoreError.clearly(name: name, path: path) {
            try examine()
            return try queue.writeWithoutTransaction { database in
                let usual = try Int.fetchOne(database, sql: "PRAGMA cache_size") ?? -2000
                try database.execute(sql: "PRAGMA cache_size = -\(UserStaging.cacheKiB)")
                // The checks of the schema cost more than the insert itself, and a User can't break one: its status is
                // of a closed set, and an empty name or login is kept as none. STRICT types and keys are still checked.
                try database.execute(sql: "PRAGMA ignore_check_constraints = ON")
                defer {
                    try? database.execute(sql: "PRAGMA ignore_check_constraints = OFF")
                    try? database.execute(sql: "PRAGMA cache_size = \(usual)")
                }
                let staging = try UserStaging(StoreView(database, name: name, path: path), conflict)
                defer { staging.discard() }
                do {
                    while let user = try next() {
                        try staging.take(user, fault)
                        if staging.count.isMultiple(of: 10_000) { progress(staging.count) }
                    }
                    try staging.endBatch()
                } catch {
                    // Who corrects the one fault wants to know of the others.
                    try? staging.tellFaults(fault)
                    throw error
                }
                var result = BulkResult(added: 0)
                try database.inTransaction(.immediate) {
                    result = try staging.finish(fault)
                    try checkFiles()
                    return .commit
                }
                // The log has grown to the size of the import. When a reader is in the way it is emptied later.
                _ = try? database.checkpoint(.truncate)
                return result
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
final class UserStaging {
    /// Memory for pages and for sorting while an import runs, in KiB. SQLite sorts runs of this size: 8 MB stay in the
    /// processor's cache, and sort in two thirds of the time of 128 MB.
    static let cacheKiB = 8 * 1024

    private let view: StoreView
    private let conflict: BulkConflict
    private let user: PreparedStatement
    private let word: PreparedStatement
    /// Where users were put, and the first of them. Others may change a domain before the import is finished.
    private var domains: [Domain: (id: Int64, first: Int)] = [:]
    /// Domains that were asked for and are not on record.
    private var missing: Set<Domain> = []
    private(set) var count = 0
    /// Whether the transaction of the staging is open.
    private var isStaging = false
    private var isFaulty = false
    private var kept = 0

    init(_ view: StoreView, _ conflict: BulkConflict) throws {
        self.view = view
        self.conflict = conflict
        // Some may be left of an import that could not discard them.
        try view.database.execute(sql: Self.dropTables)
        try view.database.execute(sql: Self.tables)
        user = try view.statement("INSERT INTO temp.staged_user VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
        word = try view.statement("INSERT INTO temp.staged_name VALUES (?1, ?2, ?3)")
    }

    /// Stages a user, or tells that the domain is not on record.
    func take(_ next: User, _ fault: (BulkError) -> Void) throws {
        let address = next.address
        guard let domainID = try domains[address.domain]?.id ?? newDomain(address.domain) else {
            tell(BulkError(index: count, reason: .noSuchDomain(address.domain)), fault)
            count += 1
            return
        }
        // One transaction for all that is staged: it touches nothing but the temporary tables, and locks nothing else.
        if !isStaging { try view.database.beginTransaction(.deferred) }
        isStaging = true
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
    private func newDomain(_ domain: Domain) throws -> Int64? {
        if missing.contains(domain) { return nil }
        try endBatch()
        guard let known = try view.questions().domain(domain) else {
            missing.insert(domain)
            return nil
        }
        domains[domain] = (known.id, count)
        return known.id
    }

    private func tell(_ error: BulkError, _ fault: (BulkError) -> Void) {
        isFaulty = true
        fault(error)
    }

    /// To be called when all are staged: what follows needs the directory as it is then.
    func endBatch() throws {
        if isStaging { try view.database.commit() }
        isStaging = false
    }

    /// Takes away what is left of the staging.
    func discard() {
        if isStaging { try? view.database.rollback() }
        isStaging = false
        try? view.database.execute(sql: Self.dropTables)
    }

    /// The domains must be those that were seen; a number may be another domain's by now.
    private func checkDomains(_ fault: (BulkError) -> Void) throws {
        try view.questions().forgetDomains()
        for (domain, seen) in domains {
            guard let known = try view.questions().domain(domain) else {
                tell(BulkError(index: seen.first, reason: .noSuchDomain(domain)), fault)
                continue
            }
            if known.id != seen.id {
                throw SQLiteFailure.wrong("the domain \(domain) was added anew meanwhile; import once more")
            }
        }
    }

    /// Puts what was staged in its place, in a transaction.
    func finish(_ fault: (BulkError) -> Void) throws -> BulkResult {
        try checkDomains(fault)
        // Otherwise the schema refuses, which costs nothing where all is well.
        if isFaulty || conflict != .refuse { try tellFaults(fault) }
        if isFaulty { throw BulkRefused() }
        let replaced = try makeRoom()
        do {
            try view.database.execute(sql: Self.storeUsers(conflict))
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
            // The statement has undone itself, so what stands in the tables is what stood there before.
            try tellFaults(fault)
            throw isFaulty ? BulkRefused() : error
        }
        try view.database.execute(sql: Self.storeNames)
        return BulkResult(added: count - kept - replaced, kept: kept, replaced: replaced)
    }

    /// Takes away what the users that are replaced had.
    /// - Returns: how many they are.
    private func makeRoom() throws -> Int {
        guard case .replace(let fields) = conflict else { return 0 }
        let replaced = try Int.fetchOne(view.database, sql: Self.countKnown) ?? 0
        if fields.contains(.login) { try view.database.execute(sql: Self.clearLogins) }
        if !fields.contains(.fullName) {
            try view.database.execute(sql: Self.leaveOutNames)
            return replaced
        }
        let rows = try view.statement(Self.knownNames)
        let word = try view.statement("DELETE FROM main.name WHERE word = ?1 AND key = ?2 AND domain_id = ?3")
        defer { rows.reset() }
        while try rows.step() {
            guard let key = rows.octets(0) else { continue }
            for name in NameFolding.keys(ofFullName: try rows.string(2)) {
                word.bind(1, name)
                word.bind(2, key)
                word.bind(3, rows.int(1))
                try word.run()
            }
        }
        return replaced
    }

    /// Finds the users who can't be added, and leaves out those who are not to be.
    func tellFaults(_ fault: (BulkError) -> Void) throws {
        try endBatch()
        if case .replace = conflict { try view.database.execute(sql: Self.indexStaged) }
        let addresses = try view.statement(Self.takenAddresses(conflict))
        defer { addresses.reset() }
        var told: Set<Int64> = []
        while try addresses.step() {
            told.insert(addresses.int(0))
            let (key, domainKey) = (addresses.octets(1) ?? [], addresses.octets(3) ?? [])
            let address = Mailbox(
                localPart: LocalPart(stored: addresses.octets(2) ?? key, key: key),
                domain: Domain(stored: addresses.octets(4) ?? domainKey, key: domainKey))
            guard let kind = RecordKind(rawValue: try addresses.string(5)) else {
                throw SQLiteFailure.wrong("a row of the table \"entry\" is of no known kind")
            }
            tell(BulkError(index: Int(addresses.int(0)), reason: .addressTaken(address, by: kind)), fault)
        }
        if conflict == .keep {
            try view.database.execute(sql: Self.leaveOutNames)
            try view.database.execute(sql: Self.leaveOutUsers)
            kept += view.database.changesCount
        }
        let logins = try view.statement(Self.takenLogins(conflict))
        defer { logins.reset() }
        while try logins.step() {
            // One fault of a user is enough.
            if told.contains(logins.int(0)) { continue }
            tell(BulkError(index: Int(logins.int(0)), reason: .loginTaken(try logins.string(1))), fault)
        }
    }
}
