// What an administrator sees and does inside one transaction. It must not be kept after that.

import GRDB
import GRDBSQLite
import MailAddress
import MailboxDirectory

/// Ours; GRDB has a class of this name.
typealias Record = MailboxDirectory.Record

final class StoreView: RecordReading {
    let name: String
    let database: Database
    let path: String
    private var preparedQuestions: Questions?

    init(_ database: Database, name: String, path: String) {
        self.database = database
        self.name = name
        self.path = path
    }

    func answer(_ lookup: Lookup) -> Answer {
        do throws(SQLiteFailure) {
            return try questions().answer(lookup)
        } catch {
            return .couldNotTell(Trouble(source: name, reason: error.reason(path: path)))
        }
    }

    func record(_ kind: RecordKind, at address: Mailbox) throws -> Record? {
        try clearly { () throws -> Record? in
            guard let domain = try questions().domain(address.domain) else { return nil }
            if kind == .domain { return .domain(domain.record) }
            guard let entry = try questions().entry(at: address.localPart, in: domain) else { return nil }
            return try record(kind, of: entry, domainID: domain.id)
        }
    }

    /// The record of this kind that is in the entry, whole; nil when there is none.
    func record(_ kind: RecordKind, of entry: Entry, domainID: Int64) throws(SQLiteFailure) -> Record? {
        switch (kind, entry) {
        case (.user, .user(let user, _)): return .user(user)
        case (.forward, .user(_, let forward?)), (.forward, .forward(let forward)): return .forward(forward)
        case (.alias, .alias(let alias)): return .alias(alias)
        case (.moved, .moved(let moved)): return .moved(moved)
        case (.list, .list(let list)):
            return .list(list, members: try questions().members(of: list.address.localPart.key, domain: domainID))
        default: return nil
        }
    }

    /// Prepared with the first question; most transactions need them.
    func questions() throws(SQLiteFailure) -> Questions {
        if let preparedQuestions { return preparedQuestions }
        let questions = try Questions(try connection())
        preparedQuestions = questions
        return questions
    }

    func statement(_ sql: String) throws(SQLiteFailure) -> PreparedStatement {
        try PreparedStatement(try connection(), sql)
    }

    private func connection() throws(SQLiteFailure) -> OpaquePointer {
        guard let connection = database.sqliteConnection else { throw .wrong("\(path) is closed") }
        return connection
    }

    func clearly<Result>(_ body: () throws -> Result) throws -> Result {
        try StoreError.clearly(name: name, path: path, body)
    }
}

extension StoreError {
    /// Turns the errors of SQLite into our own, and lets others pass.
    static func clearly<Result>(name: String, path: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as DatabaseError {
            throw StoreError.trouble(Trouble(source: name, reason: SQLiteFailure(error).reason(path: path)))
        } catch let error as SQLiteFailure {
            throw StoreError.trouble(Trouble(source: name, reason: error.reason(path: path)))
        }
    }
}
