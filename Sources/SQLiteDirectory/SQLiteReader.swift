// The question path: one read-only connection to the directory, for one event loop. Every error is "could not tell".

import GRDBSQLite
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
/// It is confined to its owner, such as one event loop; `SharedSQLiteReader` is for many. Changes that others commit are seen by the next question, or by
/// the next batch. It opens the file with the first question, and again after an error or when another file stands at
/// the path, or beside it in the place of SQLite's two; until that works, every answer is `.couldNotTell`.
///
/// A user who may not write the file, or beside it, can ask as well, as long as nobody is writing.
public final class SQLiteReader: Source {
    public let name: String
    private let path: String
    private let directory: OpenDirectory
    private var upkeep: SQLiteUpkeep?
    private let mayWait: Bool

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
    private var countedSoundness: UInt64 = 0
    private var nextIdentityCheck: Int64 = 0

    /// Between looks at whether other files stand at the path; nanoseconds. No command can put one there and ask in less.
    private static let identityPeriod: Int64 = 1_000_000
    /// At most between attempts to open the file; nanoseconds.
    private static let patience: Int64 = 1_000_000_000
    /// How long a command waits for others to let former files go; nanoseconds.
    private static let commandPatience: Int64 = 2_000_000_000
    private static let firstBackOff: Int64 = 10_000_000
    /// What is examined while somebody waits for it, which takes a third of a second; octets.
    static let smallFile: Int64 = 16 << 20

    /// - Parameters:
    ///   - path: the file, as `SQLiteStore.create(path:)` made it. It need not be there yet.
    ///   - name: the name of the source in the configuration.
    ///   - mayWait: whether who asks can wait a second or two, as a command can: for other programs to let former files
    ///     go, and for a file of at most 16 MiB to be examined before the first answer that somebody is not there, which
    ///     out of a damaged file is `.couldNotTell`.
    public convenience init(path: String, name: String, mayWait: Bool = false) {
        self.init(path: path, name: name, upkeep: nil, mayWait: mayWait)
    }

    /// One of several over a file that is looked after as long as any of them is open.
    public convenience init(name: String, upkeep: SQLiteUpkeep) {
        self.init(path: upkeep.path, name: name, upkeep: upkeep, mayWait: false)
    }

    private init(path: String, name: String, upkeep: SQLiteUpkeep?, mayWait: Bool) {
        self.path = path
        self.name = name
        self.upkeep = upkeep
        self.mayWait = mayWait
        directory = OpenDirectory.at(path)
    }

    deinit { release() }

    /// Closes the file. Where this is the last reader that an upkeep is for, the log is emptied into the file first.
    public func release() {
        isInBatch = false
        letGo()
        upkeep = nil
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
        if connection?.isCurrent != true || !isInPlace() { endSnapshot() }
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
            let answer = try connection.answer(lookup)
            guard lookup.leavesOut(answer) else { return answer }
            if mayWait { try connection.examine(directory.soundness) }
            guard let reason = directory.soundness.reason() else { return answer }
            return .couldNotTell(Trouble(source: name, reason: reason))
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
            if !isInPlace() { letGo() }
            let open = try openSnapshot()
            hasSnapshot = true
            let soundness = directory.soundness.version
            if open.seenVersion != countedVersion || soundness != countedSoundness {
                countedVersion = open.seenVersion
                countedSoundness = soundness
                changes += 1
            }
            trouble = nil
            failures = 0
            return nil
        } catch {
            return failed(error)
        }
    }

    /// On the connection that is there, or on a new one when somebody has closed that.
    private func openSnapshot() throws(SQLiteFailure) -> ReadConnection {
        if let connection, try connection.beginSnapshot() { return connection }
        letGo()
        let open = try connect()
        connection = open
        guard try open.beginSnapshot() else { throw .otherFiles("\(path) was replaced just now; ask again") }
        return open
    }

    private func connect() throws(SQLiteFailure) -> ReadConnection {
        let deadline = Self.now() + (mayWait ? Self.commandPatience : 0)
        while true {
            do throws(SQLiteFailure) { return try directory.connect() } catch {
                guard error.isOfOtherFiles, Self.now() < deadline else { throw error }
                usleep(20_000)
            }
        }
    }

    /// Whether the files at the path are still those that are open: one that was put in the place of another must be seen by
    /// the very next question that anyone can ask.
    private func isInPlace() -> Bool {
        let now = Self.now()
        if now < nextIdentityCheck { return true }
        if let generation = connection?.generation, let fault = generation.fault() {
            directory.retire(generation, because: fault)
            return false
        }
        nextIdentityCheck = now + Self.identityPeriod
        return true
    }

    private func endSnapshot() {
        if hasSnapshot { connection?.endSnapshot() }
        hasSnapshot = false
    }

    /// Closes the connection, unless a row alone was at fault, and puts off the next attempt.
    private func failed(_ failure: SQLiteFailure) -> Trouble {
        let trouble = Trouble(source: name, reason: failure.reason(path: path))
        if failure.isOfOneRow, hasSnapshot { return trouble }
        // The first time the index of the log may be at fault, which may tell of another file than this one.
        if failure.isDamage, directory.soundness.damageWasMet(failure), let generation = connection?.generation {
            directory.retire(generation, because: trouble.reason)
        }
        letGo()
        self.trouble = trouble
        // The first time at once: a lock that is free again, or a file that has just been replaced.
        nextAttempt = failures == 0 ? 0 : Self.now() + min(Self.firstBackOff << Int64(min(failures, 10)), Self.patience)
        failures += 1
        return trouble
    }

    private func letGo() {
        endSnapshot()
        if let connection { directory.close(connection) }
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
