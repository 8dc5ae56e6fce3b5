// What a server does for the file of a directory while it answers from it: it notices that other files were put there, empties
// the log into the file, and examines it. On a thread of its own, which nobody waits for but at the end.

import CSQLiteSettings
import Foundation
import GRDBSQLite
public import MailboxDirectory
import Synchronization

/// Looks after one directory's file, as long as anybody holds this.
///
/// When the last owner lets it go the log is emptied into the file and goes, so that the file alone is the whole directory.
public final class SQLiteUpkeep: Sendable {
    /// What is worth a line in the log.
    public enum Event: Hashable, Sendable {
        /// Other files stand there; all is closed and opened anew.
        case reopened(reason: String)
        /// The file was examined; empty when it is sound.
        case examined([Finding])
        /// The file could not be looked after; questions may be answered all the same.
        case failed(reason: String)
    }

    public let path: String
    private let work: UpkeepWork

    /// - Parameters:
    ///   - path: the file.
    ///   - name: the name of the source in the configuration.
    ///   - told: called on the thread of the upkeep.
    public init(path: String, name: String, told: @escaping @Sendable (Event) -> Void) {
        self.path = path
        SQLiteEngine.setUp()
        _ = sqlite_survive_lost_mappings()
        work = UpkeepWork(path: path, told: told)
        work.begin()
    }

    deinit { work.end() }

    /// Ends every upkeep of this process, and waits until each log is in its file.
    public static func endAll() { UpkeepWork.endAll() }

    /// Waits for the examination of a file of at most 16 MiB; a larger one is examined while questions are answered.
    public func waitForFirstExamination() { work.waitForFirstExamination() }
}

/// The thread, and what it is told.
final class UpkeepWork: Sendable {
    /// How often the files are looked at, how often the log is emptied, and how long a file is thought sound; seconds,
    /// and nanoseconds.
    private static let period = 0.1
    private static let logPeriod: Int64 = 1_000_000_000
    private static let examinationPeriod: Int64 = 24 * 3600 * 1_000_000_000
    /// After an examination that could not be finished.
    private static let secondLook: Int64 = 60 * 1_000_000_000
    /// At least between two examinations of one file.
    private static let shortest: Int64 = 5 * 1_000_000_000
    /// How long the end may take; seconds.
    private static let patience = 60.0

    private struct State {
        var isOver = false
        var hasEnded = false
        var hasExamined = false
        /// Those that are being examined.
        var files: OpenDirectory.Generation?
    }

    let path: String
    let directory: OpenDirectory
    let told: @Sendable (SQLiteUpkeep.Event) -> Void
    private let condition = NSCondition()
    private let state = Mutex(State())

    init(path: String, told: @escaping @Sendable (SQLiteUpkeep.Event) -> Void) {
        self.path = path
        self.told = told
        directory = OpenDirectory.at(path)
    }

    private static let running = Mutex<[ObjectIdentifier: UpkeepWork]>([:])

    static func endAll() {
        let all = running.withLock { Array($0.values) }
        for work in all { work.end() }
        for work in all { work.wait(atMost: patience) { $0.hasEnded } }
    }

    func begin() {
        directory.soundness.examinerCame()
        Self.running.withLock { $0[ObjectIdentifier(self)] = self }
        let thread = Thread { [self] in
            run()
            directory.soundness.examinerLeft()
            _ = Self.running.withLock { $0.removeValue(forKey: ObjectIdentifier(self)) }
            change { $0.hasEnded = true }
        }
        thread.name = "upkeep"
        thread.start()
    }

    /// Tells the thread to end.
    func end() {
        change { $0.isOver = true }
        state.withLock { $0.files }?.interrupt()
    }

    func waitForFirstExamination() { wait(atMost: Self.patience) { $0.hasExamined } }

    private var isOver: Bool { state.withLock { $0.isOver } }

    private func change(_ body: (inout State) -> Void) {
        condition.lock()
        state.withLock { body(&$0) }
        condition.broadcast()
        condition.unlock()
    }

    private func wait(atMost seconds: Double, _ isEnough: (State) -> Bool) {
        let deadline = Date(timeIntervalSinceNow: seconds)
        condition.lock()
        defer { condition.unlock() }
        while !state.withLock({ isEnough($0) }) {
            if !condition.wait(until: deadline) { return }
        }
    }

    /// What is due when; on the clock of the upkeep.
    private struct Due {
        var log: Int64 = 0
        var examination: Int64 = 0
        /// Not before that, as long as the file is as it was when it was examined.
        var earliest: Int64 = 0
        var examined: FileStamp?
        var isDamaged = false
    }

    /// The thread.
    private func run() {
        var file: LookedAfterFile?
        var due = Due()
        var failure = ""
        while !isOver {
            do throws(SQLiteFailure) {
                if let open = file, !open.isInPlace() {
                    file = nil
                    told(.reopened(reason: open.close()))
                }
                let open = if let file { file } else { try LookedAfterFile(directory) }
                file = open
                failure = ""
                try lookAfter(open, &due)
            } catch {
                // Each question hears of it too; here it is told once.
                let reason = error.reason(path: path)
                if !error.isOfOtherFiles, reason != failure { told(.failed(reason: reason)) }
                failure = reason
                _ = file?.close()
                file = nil
                change { $0.hasExamined = true }
            }
            wait(atMost: Self.period) { $0.isOver }
        }
        _ = file?.close()
    }

    private func lookAfter(_ file: LookedAfterFile, _ due: inout Due) throws(SQLiteFailure) {
        let now = UpkeepClock.now()
        if now >= due.log {
            file.emptyLog()
            due.log = now + Self.logPeriod
        }
        if directory.soundness.takeWish() { due.examination = 0 }
        let isAnother = FileStamp(path) != due.examined
        // It may have been mended.
        if due.isDamaged, isAnother, now >= due.earliest { due.examination = 0 }
        guard now >= due.examination, isAnother || now >= due.earliest else { return }
        try examine(file, &due)
    }

    private func examine(_ file: LookedAfterFile, _ due: inout Due) throws(SQLiteFailure) {
        let stamp = FileStamp(path)
        defer {
            due.examined = stamp
            due.earliest = UpkeepClock.now() + Self.shortest
            state.withLock { $0.files = nil }
        }
        state.withLock { $0.files = file.generation }
        if isOver { return }
        let isSmall = (stamp?.size ?? 0) <= SQLiteReader.smallFile
        if !isSmall { change { $0.hasExamined = true } }
        let examination = Examination { [self, files = file.generation] rest in
            wait(atMost: Double(rest) / 1e9) { $0.isOver }
            return isOver || files.fault() != nil
        }
        guard let damages = try file.examine(examination, isUrgent: isSmall) else {
            due.examination = isSmall ? 0 : UpkeepClock.now() + Self.secondLook
            return
        }
        let reasons = damages.map { SQLiteFailure(code: SQLITE_CORRUPT, message: $0).reason(path: path) }
        directory.soundness.set(reasons.first)
        due.isDamaged = !reasons.isEmpty
        due.examination = UpkeepClock.now() + Self.examinationPeriod
        told(.examined(reasons.map { Finding(.error, .directory, reason: $0) }))
        change { $0.hasExamined = true }
    }
}

enum UpkeepClock {
    /// Nanoseconds on a clock that is never set back.
    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
