// What this process knows of LDAP servers beyond one connection, so that a new one does not learn it anew at the cost of
// those who wait: which have kept somebody waiting in vain, and which take part in replication.

import Synchronization

/// Shared by all connections of the process. It holds a few words a server that was ever configured.
final class ServerMemory: Sendable {
    static let shared = ServerMemory()

    private struct State {
        /// When a server had last kept somebody waiting, or had been found incomplete.
        var avoidedSince: [String: Nanoseconds] = [:]
        /// Whether a server has shown a contextCSN; absent while it was not looked at.
        var isMarked: [String: Bool] = [:]

        func isAvoided(_ uri: String, _ now: Nanoseconds) -> Bool {
            avoidedSince[uri].map { now - $0 < LDAPLimits.avoidance } ?? false
        }
    }

    private let state = Mutex(State())

    /// To be tried after the others, for a minute.
    func avoid(_ uri: String, now: Nanoseconds = MonotonicTime.now()) {
        state.withLock { $0.avoidedSince[uri] = now }
    }

    func welcome(_ uri: String) { state.withLock { $0.avoidedSince[uri] = nil } }

    func isAvoided(_ uri: String, now: Nanoseconds = MonotonicTime.now()) -> Bool {
        state.withLock { $0.isAvoided(uri, now) }
    }

    /// Has a server that has too much to do avoided, where there is another.
    /// - Returns: whether to ask another now; not where this one was avoided already, so that nobody goes round and round
    ///   servers none of which has time.
    func leaves(_ uri: String, among uris: [String], now: Nanoseconds = MonotonicTime.now()) -> Bool {
        state.withLock { state in
            if state.isAvoided(uri, now) || !uris.contains(where: { $0 != uri }) { return false }
            state.avoidedSince[uri] = now
            return true
        }
    }

    /// The places of these servers in the order in which they are to be tried: the configured one, but last those that are
    /// avoided, of whom the one that has been so for longest goes first.
    func order(of uris: [String], now: Nanoseconds = MonotonicTime.now()) -> [Int] {
        state.withLock { state in
            let avoided = uris.indices.filter { state.isAvoided(uris[$0], now) }
            let since = uris.map { state.avoidedSince[$0] ?? 0 }
            return uris.indices.filter { !avoided.contains($0) }
                + avoided.sorted { (since[$0], $0) < (since[$1], $1) }
        }
    }

    func note(_ uri: String, isMarked: Bool) { state.withLock { $0.isMarked[uri] = isMarked } }

    /// Whether any of these has shown a contextCSN.
    func anyMarked(_ uris: [String]) -> Bool {
        state.withLock { state in uris.contains { state.isMarked[$0] == true } }
    }

    /// Whether each of these has been looked at, and has none.
    func allUnmarked(_ uris: [String]) -> Bool {
        state.withLock { state in uris.allSatisfy { state.isMarked[$0] == false } }
    }
}
