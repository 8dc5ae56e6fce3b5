// What is known of a file's soundness, by all of this process that read it. Out of a damaged file what is found is true, and
// what is not found tells nothing.

import GRDBSQLite
import MailboxDirectory
import Synchronization

final class Soundness: Sendable {
    private let path: String
    private let doubt = Mutex<String?>(nil)
    private let isDoubted = Atomic(false)
    /// Another number whenever an answer may have turned into "could not tell", or back.
    private let turns = Atomic<UInt64>(0)
    private let wasExamined = Atomic(false)
    private let isWanted = Atomic(false)
    /// How many see to it that the file is examined.
    private let examiners = Atomic(0)

    init(_ path: String) { self.path = path }

    var version: UInt64 { turns.load(ordering: .relaxed) }

    /// Whether the file has been examined, or was found damaged.
    var isKnown: Bool { wasExamined.load(ordering: .relaxed) }

    /// Why what is not found tells nothing; nil while it does.
    func reason() -> String? {
        isDoubted.load(ordering: .acquiring) ? doubt.withLock { $0 } : nil
    }

    /// - Parameter reason: nil when the file was found sound.
    func set(_ reason: String?) {
        let hasTurned = doubt.withLock { doubt in
            defer { doubt = reason }
            return doubt != reason
        }
        wasExamined.store(true, ordering: .relaxed)
        isDoubted.store(reason != nil, ordering: .releasing)
        if hasTurned { turns.add(1, ordering: .relaxed) }
    }

    /// Examines a file that is so small that somebody can wait for it, once.
    func examineSmallFile(_ connection: OpaquePointer) throws(SQLiteFailure) {
        guard !isKnown, let size = FileStamp(path)?.size, size <= SQLiteReader.smallFile else { return }
        let damages = try Examination.damages(connection, limit: 1)
        set(damages.first.map { SQLiteFailure(code: SQLITE_CORRUPT, message: $0).reason(path: path) })
    }

    /// A question met damage: as long as somebody examines the file, nothing that is not found is believed until he has.
    /// - Returns: whether that is news.
    func damageWasMet(_ failure: SQLiteFailure) -> Bool {
        guard reason() == nil else { return false }
        if examiners.load(ordering: .relaxed) > 0 {
            set(failure.reason(path: path))
            isWanted.store(true, ordering: .relaxed)
        }
        return true
    }

    /// What was known was of another file. A small one is examined before it is believed that somebody is not there.
    func anotherFileStands() {
        guard examiners.load(ordering: .relaxed) > 0 else {
            set(nil)
            wasExamined.store(false, ordering: .relaxed)
            return
        }
        let isSmall = (FileStamp(path)?.size ?? 0) <= SQLiteReader.smallFile
        set(isSmall ? "\(path) was replaced, and is being examined; ask again" : nil)
        isWanted.store(true, ordering: .relaxed)
    }

    func examinerCame() { examiners.add(1, ordering: .relaxed) }

    func examinerLeft() { examiners.subtract(1, ordering: .relaxed) }

    /// Whether an examination is wanted; told once.
    func takeWish() -> Bool { isWanted.exchange(false, ordering: .relaxed) }
}

extension Lookup {
    /// Whether an answer tells of something that was not found: in a damaged file it may be there all the same.
    func leavesOut(_ answer: Answer) -> Bool {
        switch answer {
        case .absent, .members, .page, .matches: true
        // Where it leads stands in other rows, of which some may be lost.
        case .entry(.alias, _), .entry(.forward, _), .entry(.moved, _), .entry(.user(_, .some), _): true
        case .entry(.list, let key), .entry(.user(_, .none), let key): key > 0
        case .domain, .couldNotTell, .stale: false
        }
    }
}
