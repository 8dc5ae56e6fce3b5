// A statement of the C interface, prepared once and used many times. It is confined to the owner of its connection, and
// must be reset after each use: a statement at rest on a row keeps its read transaction open.

import GRDBSQLite

final class PreparedStatement {
    let handle: OpaquePointer

    /// - Throws: what SQLite says when it can't compile `sql`.
    init(_ connection: OpaquePointer, _ sql: String) throws(SQLiteFailure) {
        var handle: OpaquePointer?
        let code = sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard code == SQLITE_OK, let handle else { throw SQLiteFailure(code: code, connection: connection) }
        self.handle = handle
    }

    deinit { sqlite3_finalize(handle) }

    func reset() { sqlite3_reset(handle) }

    /// Whether there is a row.
    func step() throws(SQLiteFailure) -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        if code == SQLITE_DONE { return false }
        throw SQLiteFailure(code: code, connection: sqlite3_db_handle(handle))
    }

    /// Runs a statement that has no rows.
    func run() throws(SQLiteFailure) {
        defer { reset() }
        while try step() {}
    }
}

// Binding. Positions count from 1, as in SQL.
extension PreparedStatement {
    func bind(_ position: Int32, _ value: Int64) { sqlite3_bind_int64(handle, position, value) }

    func bindNull(_ position: Int32) { sqlite3_bind_null(handle, position) }

    /// Binds text that stays where it is until the statement is reset.
    func bind(_ position: Int32, unmoved text: UnsafeBufferPointer<UInt8>) {
        text.withMemoryRebound(to: CChar.self) { characters in
            _ = sqlite3_bind_text(handle, position, characters.baseAddress, Int32(characters.count), nil)
        }
    }

    func bind(_ position: Int32, _ text: StaticString) {
        bind(position, unmoved: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Binds a copy.
    func bind(_ position: Int32, _ text: [UInt8]) {
        text.withUnsafeBytes { bytes in
            // No pointer would be NULL, and no text is not that.
            let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            _ = withUnsafePointer(to: 0 as CChar) { nothing in
                sqlite3_bind_text(handle, position, start ?? nothing, Int32(bytes.count), Self.copied)
            }
        }
    }

    func bind(_ position: Int32, _ text: [UInt8]?) {
        if let text { bind(position, text) } else { bindNull(position) }
    }

    /// `SQLITE_TRANSIENT`, a macro that Swift can't see.
    private static var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }
}

// Reading the row at hand. Columns count from 0, as in the C interface.
extension PreparedStatement {
    func int(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

    /// The octets of a text, valid until the next step; nil when the column is NULL. An empty text is no nil.
    @inline(__always)
    func text(_ column: Int32) -> UnsafeBufferPointer<UInt8>? {
        // As a blob: SQLite would look for room for a closing NUL in a text.
        guard let start = sqlite3_column_blob(handle, column) else {
            return isNull(column) ? nil : UnsafeBufferPointer(start: nil, count: 0)
        }
        let count = Int(sqlite3_column_bytes(handle, column))
        return UnsafeBufferPointer(start: start.assumingMemoryBound(to: UInt8.self), count: count)
    }

    func octets(_ column: Int32) -> [UInt8]? { text(column).map { Array($0) } }

    /// A part of an address; nil when the column is NULL.
    /// - Throws: when it holds a control character, which no address can have: in a reply it would begin a forged line.
    func addressPart(_ column: Int32) throws(SQLiteFailure) -> [UInt8]? {
        guard let octets = text(column) else { return nil }
        for octet in octets where octet < 32 || octet == 127 {
            let shown = String(decoding: octets.map { $0 < 32 || $0 == 127 ? UInt8(ascii: "?") : $0 }, as: UTF8.self)
            throw .wrong("an address on record, \"\(shown)\", holds a control character; correct it with \"sqlite3\"")
        }
        return Array(octets)
    }

    /// A text for people; empty when the column is NULL.
    /// - Throws: when it is no UTF-8.
    func string(_ column: Int32) throws(SQLiteFailure) -> String {
        guard let octets = text(column), !octets.isEmpty else { return "" }
        var union: UInt8 = 0
        for octet in octets { union |= octet }
        if union < 0x80 { return String(decoding: octets, as: UTF8.self) }
        guard let string = String(validating: octets, as: UTF8.self) else {
            let shown = String(decoding: octets, as: UTF8.self)
            throw .wrong("a text on record, \"\(shown)\", is not UTF-8; give that record another, or use \"sqlite3\"")
        }
        return string
    }
}
