// Choosing one of a source's servers: each is tried once, the best is used. A server without contextCSN, where another has
// one, is still being filled or was put up anew, and is left out; one that does not find who must be found is used only
// where there is no other.

/// One round over the servers.
struct ServerRound {
    /// What becomes of a server that was reached.
    enum Choice: Equatable {
        case used
        /// Another has to be looked at first.
        case later
        /// And why.
        case leftOut(String)
    }

    private let uris: [String]
    /// Servers still to be tried.
    private var left: [Int]
    /// The first server that is used if no other turns out to be better.
    private var unmarked: (handle: LDAPHandle, index: Int)?
    private var incomplete: (handle: LDAPHandle, index: Int)?
    private let memory: ServerMemory

    init(_ uris: [String], memory: ServerMemory = .shared) {
        self.uris = uris
        self.memory = memory
        left = memory.order(of: uris)
    }

    /// The server to try next.
    mutating func next() -> Int? { left.isEmpty ? nil : left.removeFirst() }

    mutating func choose(_ handle: LDAPHandle, _ index: Int) -> Choice {
        switch handle.wholeness {
        case .whole: return .used
        case .incomplete(let reason):
            if incomplete == nil { incomplete = (handle, index) }
            memory.avoid(uris[index])
            return .leftOut(reason)
        case .unmarked:
            if isOutdone(index) {
                memory.avoid(uris[index])
                return .leftOut(reason(index))
            }
            if unmarked == nil {
                // One that keeps others waiting is not asked for this.
                if memory.allUnmarked(left.map { uris[$0] }.filter { !memory.isAvoided($0) }) { return .used }
                unmarked = (handle, index)
            }
            return .later
        }
    }

    /// The best that is left, when all have been tried; nil when none is of any use.
    mutating func best() -> (handle: LDAPHandle, index: Int)? {
        if let unmarked, !isOutdone(unmarked.index) { return unmarked }
        return incomplete
    }

    /// Lets go of the servers that were put off, when one is used.
    mutating func close() { (left, unmarked, incomplete) = (left, nil, nil) }

    /// The server that was put off and is now known to be left out.
    var outdone: (uri: String, reason: String)? {
        unmarked.flatMap { isOutdone($0.index) ? (uris[$0.index], reason($0.index)) : nil }
    }

    private func isOutdone(_ index: Int) -> Bool {
        memory.anyMarked(uris.indices.filter { $0 != index }.map { uris[$0] })
    }

    private func reason(_ index: Int) -> String {
        "\(uris[index]): this server has no contextCSN, and another of the source has: it is still being filled, or was put"
            + " up anew; wait for its replication to end, or take it out of uris"
    }
}
