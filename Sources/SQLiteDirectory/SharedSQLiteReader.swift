// A reader that many may ask: a global of a program, or what its tasks have in common.

public import MailboxDirectory
import Synchronization

/// As `SQLiteReader`, for any number of callers on whatever threads. One is answered after the other, in microseconds. Each
/// question sees what was written before it; there are no batches.
public final class SharedSQLiteReader: Source, Sendable {
    public let name: String
    private let reader: Mutex<SQLiteReader>

    /// - Parameters:
    ///   - path: the file, as `SQLiteStore.create(path:)` made it. It need not be there yet.
    ///   - name: the name of the source.
    public init(path: String, name: String) {
        self.name = name
        reader = Mutex(SQLiteReader(path: path, name: name))
    }

    public func answer(_ lookup: Lookup) -> Answer { reader.withLock { $0.answer(lookup) } }

    /// As `SQLiteReader.check()`.
    public func check() -> Trouble? { reader.withLock { $0.check() } }
}
