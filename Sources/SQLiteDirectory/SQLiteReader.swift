// The question path: one read-only connection to the directory, for one event loop. Every error is "could not tell".

public import MailboxDirectory

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A source that answers from an SQLite directory, on the caller's stack, in microseconds.
///
/// It is confined to its owner, such as one event loop. Changes that others commit are seen by the next question, or by
/// the next batch. It opens the file with the first question, and again after an error or when another file stands at
/// the path; until that works, every answer is `.couldNotTell`.
public final class SQLiteReader: Source {
    public let name: String
    private let path: String

    private var connection: ReadConnection?
    private var isInBatch = false
    private var hasSnapshot = false
    /// Why the last attempt to open failed; given to all questions until the next attempt is due.
    private var trouble: Trouble?
    private var failures = 0
    private var nextAttempt: Int64 = 0
    /// How often something has changed, or may have.
    private var changes: UInt64 = 0
    private var countedVersion: Int64 = -1
    private var nextIdentityCheck: Int64 = 0

    /// Between looks at whether another file stands at the path; nanoseconds. No command can put one there and ask in less.
    private static let identityPeriod: Int64 = 1_000_000
    /// At most between attempts to open the file; nanoseconds.
    private static let patience: Int64 = 1_000_000_000
    private static let firstBackOff: Int64 = 10_000_000

    /// - Parameters:
    ///   - path: the file, as `SQLiteStore.create(path:)` made it. It need not be there yet.
    ///   - name: the name of the source in the configuration.
    public init(path: String, name: String) {
        self.path = path
        self.name = name
    }

    /// Opens the file now, so that a program can say at its start what is wrong.
    ///
    /// - Returns: why no question can be answered; nil when they can.
    public func check() -> Trouble? {
        defer { if !isInBatch { endSnapshot() } }
        return beginSnapshot()
    }

    /// From here to `endBatch()`, or to the next call of this, questions share one read transaction, which begins with
    /// the first of them; what others write meanwhile is not seen. Batch may follow batch without an end: as long as
    /// nobody has written, they share the transaction, which saves the system calls that each would cost.
    ///
    /// End it within some milliseconds all the same: while it lasts, SQLite can't begin its log anew.
    public func beginBatch() {
        isInBatch = true
        guard hasSnapshot else { return }
        if connection?.isCurrent != true || !isSameFile() { endSnapshot() }
    }

    public func endBatch() {
        isInBatch = false
        endSnapshot()
    }

    public func answer(_ lookup: Lookup) -> Answer {
        if !hasSnapshot, let trouble = beginSnapshot() { return .couldNotTell(trouble) }
        defer { if !isInBatch { endSnapshot() } }
        guard let connection else { return .couldNotTell(Trouble(source: name, reason: "\(path) is closed")) }
        do throws(SQLiteFailure) {
            return try connection.questions.answer(lookup)
        } catch {
            return .couldNotTell(failed(error))
        }
    }

    public func version() -> UInt64? { isInBatch && beginSnapshot() == nil ? changes : nil }

    public func view() -> (any Source)? {
        let view = SQLiteReader(path: path, name: name)
        // Its batch is never over, so that its snapshot stays.
        view.beginBatch()
        return view.version() == nil ? nil : view
    }

    private func beginSnapshot() -> Trouble? {
        if hasSnapshot { return nil }
        if let trouble, Self.now() < nextAttempt { return trouble }
        do throws(SQLiteFailure) {
            if try !checkIdentity() { close() }
            let open: ReadConnection
            if let connection { open = connection } else { open = try ReadConnection(path: path) }
            connection = open
            try open.beginSnapshot()
            hasSnapshot = true
            if open.seenVersion != countedVersion {
                countedVersion = open.seenVersion
                changes += 1
            }
            trouble = nil
            failures = 0
            return nil
        } catch {
            return failed(error)
        }
    }

    /// Whether the file at the path is still the one that is open: one that was put in its place must be seen by the very
    /// next question that anyone can ask.
    private func checkIdentity() throws(SQLiteFailure) -> Bool {
        let now = Self.now()
        if now < nextIdentityCheck { return true }
        if let connection, try DirectoryFile.identity(path) != connection.identity { return false }
        nextIdentityCheck = now + Self.identityPeriod
        return true
    }

    /// As `checkIdentity()`. Where the file can't be found the next snapshot will say why.
    private func isSameFile() -> Bool {
        do throws(SQLiteFailure) { return try checkIdentity() } catch { return false }
    }

    private func endSnapshot() {
        if hasSnapshot { connection?.endSnapshot() }
        hasSnapshot = false
    }

    /// Closes the connection, unless a row alone was at fault, and puts off the next attempt.
    private func failed(_ failure: SQLiteFailure) -> Trouble {
        let trouble = Trouble(source: name, reason: failure.reason(path: path))
        if failure.isOfOneRow, hasSnapshot { return trouble }
        close()
        self.trouble = trouble
        // The first time at once: a lock that is free again, or a file that has just been replaced.
        nextAttempt = failures == 0 ? 0 : Self.now() + min(Self.firstBackOff << Int64(min(failures, 10)), Self.patience)
        failures += 1
        return trouble
    }

    private func close() {
        endSnapshot()
        connection = nil
        // The next connection counts from a number of its own.
        countedVersion = -1
    }

    /// Nanoseconds on a clock that is never set back.
    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
