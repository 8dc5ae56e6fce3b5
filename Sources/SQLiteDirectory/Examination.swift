// Looks for damage in a directory's file, page by page and row by row, and whether every index agrees with its table: a key
// that only one of them has is a name that is not found. It works for some milliseconds and then rests for longer; only
// the walk over the pages of one table goes on without a rest, some seconds for ten million addresses. While a table is read
// SQLite can't empty its log.

import CSQLiteSettings
import GRDBSQLite
import Synchronization

final class Examination: Sendable {
    /// Between two looks at the clock; steps of SQLite's machine.
    private static let steps: Int32 = 2000
    /// How long to work before each rest, nanoseconds, and how many times as long to rest.
    static let slice: Int64 = 4_000_000
    private static let restsPerSlice: Int64 = 4

    /// Ends the examination: called with the rest that is due, in nanoseconds, and rests for as long.
    typealias Rest = @Sendable (Int64) -> Bool

    private let slice: Int64
    private let rest: Rest
    private let began = Atomic<Int64>(0)

    /// - Parameters:
    ///   - slice: how long to work before each rest, nanoseconds.
    ///   - rest: rests, and returns whether to give up.
    init(slice: Int64 = Examination.slice, rest: @escaping Rest) {
        self.slice = slice
        self.rest = rest
    }

    /// - Parameter isUrgent: works without a rest.
    /// - Returns: what is damaged; empty when the file is sound. Nil when it was given up.
    func run(_ connection: OpaquePointer, isUrgent: Bool) throws(SQLiteFailure) -> [String]? {
        began.store(UpkeepClock.now(), ordering: .relaxed)
        if !isUrgent {
            let own = Unmanaged.passUnretained(self).toOpaque()
            sqlite3_progress_handler(
                connection, Self.steps,
                { own in
                    guard let own else { return 0 }
                    return Unmanaged<Examination>.fromOpaque(own).takeUnretainedValue().isOver() ? 1 : 0
                }, own)
        }
        defer { sqlite3_progress_handler(connection, 0, nil, nil) }
        do throws(SQLiteFailure) {
            var damages: [String] = []
            for table in try tables(connection) {
                damages += try Self.damages(connection, of: table, limit: Self.told - damages.count)
                if damages.count >= Self.told { break }
            }
            return damages
        } catch {
            if error.code & 0xFF == SQLITE_INTERRUPT { return nil }
            if error.isDamage { return [error.message] }
            throw error
        }
    }

    /// Looks for damage in the whole file or in one table, without a rest: a second for some hundred thousand addresses.
    /// - Returns: what is damaged, at most `limit`; empty when it is sound.
    static func damages(
        _ connection: OpaquePointer, of table: String? = nil, limit: Int
    ) throws(SQLiteFailure) -> [String] {
        // A row that was written past the schema's checks is a fault of its own, and no damage.
        _ = try PreparedStatement(connection, "PRAGMA ignore_check_constraints = ON").step()
        defer { _ = try? PreparedStatement(connection, "PRAGMA ignore_check_constraints = OFF").step() }
        let quoted = table.map { $0.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") }
        do throws(SQLiteFailure) {
            let check = try PreparedStatement(
                connection, "PRAGMA integrity_check(\(quoted.map { "\"\($0)\"" } ?? "\(limit)"))")
            var damages: [String] = []
            while damages.count < limit, try check.step() {
                let found = String(decoding: check.octets(0) ?? [], as: UTF8.self)
                if found != "ok" { damages.append(found) }
            }
            return damages
        } catch {
            if error.isDamage { return [error.message] }
            throw error
        }
    }

    /// As many damages are told.
    private static let told = 5

    /// Each by itself, so that a view of the file lasts no longer than one.
    private func tables(_ connection: OpaquePointer) throws(SQLiteFailure) -> [String] {
        let names = try PreparedStatement(
            connection, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        var tables: [String] = []
        while try names.step() { tables.append(try names.string(0)) }
        return tables
    }

    private func isOver() -> Bool {
        let worked = UpkeepClock.now() - began.load(ordering: .relaxed)
        if worked < slice { return false }
        if rest(worked * Self.restsPerSlice) { return true }
        began.store(UpkeepClock.now(), ordering: .relaxed)
        return false
    }
}
