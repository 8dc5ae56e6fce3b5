// What this process has open of one directory. SQLite's locks belong to a process and to a file, not to a connection, so
// that the file beside a database can't be in use for two databases in one process: where another file has been put in the
// place of the one that is open, every connection to the former is closed before one to the latter is opened.

import CSQLiteSettings
import GRDBSQLite
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// One directory, for all of this process that use it.
final class OpenDirectory: Sendable {
    /// The files that connections have open, as long as any has.
    final class Generation: Sendable {
        let paths: DirectoryPaths
        let files: DirectoryFiles
        let access: FileAccess
        /// Whether others stand there now: then every connection to these is closed.
        let isStale = Atomic(false)
        /// Pages that had been lost when these were opened.
        let lostMappings = sqlite_lost_mappings()
        private let reason = Mutex("")
        /// The connection on which something runs long, as a number; 0 where nothing does.
        private let longRunning = Mutex<UInt>(0)

        init(_ paths: DirectoryPaths, _ files: DirectoryFiles, _ access: FileAccess) {
            self.paths = paths
            self.files = files
            self.access = access
        }

        /// Why they are let go.
        var whyStale: String { reason.withLock { $0 } }

        func makeStale(because text: String) {
            reason.withLock { if $0.isEmpty { $0 = text } }
            isStale.store(true, ordering: .sequentiallyConsistent)
            interrupt()
        }

        /// Runs what takes long, until it is interrupted.
        func runLong<Result>(
            _ connection: OpaquePointer, _ body: () throws(SQLiteFailure) -> Result
        ) throws(SQLiteFailure) -> Result {
            longRunning.withLock { $0 = UInt(bitPattern: connection) }
            defer { longRunning.withLock { $0 = 0 } }
            return try body()
        }

        /// Ends what takes long, with `SQLITE_INTERRUPT`.
        func interrupt() {
            longRunning.withLock { if let connection = OpaquePointer(bitPattern: $0) { sqlite3_interrupt(connection) } }
        }

        /// Why they have to be let go; nil while all is as it was.
        func fault() -> String? {
            if isStale.load(ordering: .sequentiallyConsistent) { return whyStale }
            if sqlite_lost_mappings() != lostMappings { return "\(paths.index) was cut short" }
            do throws(SQLiteFailure) {
                let now = try DirectoryFiles(paths)
                if access == .shared { return now.difference(from: files, paths) }
                if now.database != files.database { return "another file stands at \(paths.database)" }
                return (FileStamp(paths.log)?.size ?? 0) > 0 ? "\(paths.database) is being written" : nil
            } catch {
                return error.reason(path: paths.database)
            }
        }
    }

    private struct State {
        var generation: Generation?
        var readers: [ObjectIdentifier: ReadConnection] = [:]
        /// Those who have other connections, and close them in their own time.
        var others = 0
        /// The files that were let go last, whose log may still lie there.
        var left: Generation?
    }

    private struct Known {
        weak var directory: OpenDirectory?
    }

    private static let all = Mutex<[String: Known]>([:])

    let path: String
    let soundness: Soundness
    private let state = Mutex(State())

    private init(_ path: String) {
        self.path = path
        soundness = Soundness(path)
    }

    /// The one for this path.
    static func at(_ path: String) -> OpenDirectory {
        all.withLock { all in
            if let known = all[path]?.directory { return known }
            all = all.filter { $0.value.directory != nil }
            let directory = OpenDirectory(path)
            all[path] = Known(directory: directory)
            return directory
        }
    }

    /// Opens a connection for questions.
    /// - Throws: why that can't be now.
    func connect() throws(SQLiteFailure) -> ReadConnection {
        try state.withLock { state throws(SQLiteFailure) in
            try Self.prepare(&state, path)
            let place = try Self.place(state, path)
            let connection = try ReadConnection(place.paths, place.access)
            connection.generation = try generation(&state, place)
            state.readers[ObjectIdentifier(connection)] = connection
            return connection
        }
    }

    /// Opens what is no reader.
    /// - Parameters:
    ///   - patience: how long to wait for other programs to let former files go; seconds.
    ///   - open: opens it, and reads.
    /// - Returns: to be kept until what was opened is closed.
    func join(
        patience: Double = 0, _ open: (DirectoryPaths, FileAccess) throws(SQLiteFailure) -> Void
    ) throws(SQLiteFailure) -> Hold {
        var left = patience
        while true {
            do throws(SQLiteFailure) {
                return try state.withLock { state throws(SQLiteFailure) in
                    try Self.prepare(&state, path)
                    let place = try Self.place(state, path)
                    try open(place.paths, place.access)
                    let generation = try generation(&state, place)
                    state.others += 1
                    return Hold(self, generation)
                }
            } catch {
                guard error.isOfOtherFiles, left > 0 else { throw error }
                usleep(20_000)
                left -= 0.02
            }
        }
    }

    /// Somebody's share in what is open.
    final class Hold: Sendable {
        let files: Generation
        private let directory: OpenDirectory

        fileprivate init(_ directory: OpenDirectory, _ files: Generation) {
            self.directory = directory
            self.files = files
        }

        deinit { directory.leave() }
    }

    private func leave() {
        state.withLock { state in
            state.others -= 1
            Self.settle(&state)
        }
    }

    /// A reader is done with its connection.
    func close(_ connection: ReadConnection) {
        connection.close()
        state.withLock { state in
            state.readers[ObjectIdentifier(connection)] = nil
            Self.settle(&state)
        }
    }

    /// Lets these files go, if they are still open.
    func retire(_ generation: Generation, because reason: String) {
        generation.makeStale(because: reason)
        state.withLock { state in
            guard state.generation === generation else { return }
            Self.closeIdle(&state)
        }
    }

    // MARK: - With the state locked

    /// Sees to it that a connection may be opened.
    private static func prepare(_ state: inout State, _ path: String) throws(SQLiteFailure) {
        SQLiteEngine.setUp()
        if let generation = state.generation {
            if let fault = generation.fault() {
                generation.makeStale(because: fault)
                closeIdle(&state)
            }
            if state.generation != nil, generation.isStale.load(ordering: .sequentiallyConsistent) {
                throw .otherFiles("\(generation.whyStale), and \(path) is opened anew; ask again")
            }
        }
        guard state.generation == nil else { return }
        _ = try DirectoryFile.identity(path)
        try checkOthers(path)
        state.left?.removeLog()
    }

    /// Where a file is about to be opened.
    private struct Place {
        var paths: DirectoryPaths
        var access: FileAccess
        var database: DirectoryFile.Identity
    }

    private static func place(_ state: State, _ path: String) throws(SQLiteFailure) -> Place {
        let database = try DirectoryFile.identity(path)
        if let known = state.generation { return Place(paths: known.paths, access: known.access, database: database) }
        let paths = DirectoryPaths(path)
        return Place(paths: paths, access: try FileAccess.of(paths), database: database)
    }

    /// The files that have just been opened there.
    /// - Throws: when others came there meanwhile, so that it can't be told which were opened.
    private func generation(_ state: inout State, _ place: Place) throws(SQLiteFailure) -> Generation {
        let generation =
            if let known = state.generation { known } else {
                Generation(place.paths, try DirectoryFiles(place.paths), place.access)
            }
        if generation.files.database != place.database || generation.fault() != nil {
            throw .otherFiles("\(path) was replaced while it was opened; ask again")
        }
        guard state.generation == nil else { return generation }
        if let left = state.left, left.files.database != place.database { soundness.anotherFileStands() }
        state.left = nil
        state.generation = generation
        return generation
    }

    /// Closes every reader that is between two views; the others close themselves at the end of theirs.
    private static func closeIdle(_ state: inout State) {
        for reader in state.readers.values { reader.close() }
        settle(&state)
    }

    private static func settle(_ state: inout State) {
        state.readers = state.readers.filter { !$0.value.isClosed }
        guard let generation = state.generation, state.readers.isEmpty, state.others == 0 else { return }
        state.left = generation
        state.generation = nil
    }

    /// A log is in use for one database. Who has it open has that database open too; where another program has only one of
    /// the two, the other is not the one that stands here.
    private static func checkOthers(_ path: String) throws(SQLiteFailure) {
        let paths = DirectoryPaths(path)
        var attempts = 0
        while true {
            guard let holders = paths.lockHolders(), holders.is_exclusive == 0 else { return }
            let isForeign = holders.uses_index != 0 && holders.uses_database == 0
            let isTorn = holders.is_wal != 0 && holders.uses_database != 0 && holders.uses_index == 0
            if !isForeign, !isTorn { return }
            // A program that opens or closes it just now has one of the two for a moment.
            if attempts < openingAttempts {
                attempts += 1
                usleep(2000)
                continue
            }
            let number = isForeign ? holders.index_holder : holders.database_holder
            let program = number > 0 ? "process \(number)" : "another program"
            if isForeign {
                throw .otherFiles(
                    "\(path) was put in the place of a file that \(program) still has open, and the log beside it belongs"
                        + " to that one; try again when that program has noticed, or end it")
            }
            let files: [String] = [paths.log, paths.index]
            if let closed = files.first(where: { file in access(file, R_OK) != 0 && errno == EACCES }) {
                throw .wrong(
                    "\(closed) may not be read by this user, so that what is in the log is not known; ask as the user of"
                        + " \(program), or let this one read it")
            }
            throw .otherFiles(
                "\(paths.log) or \(paths.index) was removed while \(program) has \(path) open; try again when that program"
                    + " has noticed, or end it")
        }
    }

    private static let openingAttempts = 10
}

extension OpenDirectory.Generation {
    /// Removes a log that was made for a file which stands there no longer: read with another, it would make a mix of both.
    fileprivate func removeLog() {
        guard access == .shared, let now = try? DirectoryFiles(paths), now.database != files.database else { return }
        guard let holders = paths.lockHolders(), holders.uses_database == 0, holders.uses_index == 0 else { return }
        if now.log != nil, now.log == files.log { unlink(paths.log) }
        if now.index != nil, now.index == files.index { unlink(paths.index) }
    }
}
