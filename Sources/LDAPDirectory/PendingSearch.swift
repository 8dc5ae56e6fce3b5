// A search on its way, as the owner thread keeps it.

/// The searches of a batch that are still out. Confined to the owner thread.
final class PendingBatch {
    private var outcomes: [SearchOutcome?]
    private var left: Int
    private let reply: @Sendable ([SearchOutcome]) -> Void

    init(_ batch: SearchBatch) {
        outcomes = Array(repeating: nil, count: batch.searches.count)
        left = batch.searches.count
        reply = batch.reply
    }

    func finish(_ index: Int, _ outcome: SearchOutcome) {
        guard outcomes[index] == nil else { return }
        outcomes[index] = outcome
        left -= 1
        if left == 0 { reply(outcomes.compactMap { $0 }) }
    }
}

struct PendingSearch {
    let batch: PendingBatch
    let index: Int
    let search: LDAPSearch
    let deadline: Nanoseconds
    /// Whether a connection has been lost under it; once is forgiven.
    var isRetried = false
    /// Whether it went with others in vain, and is to go alone.
    var isAlone = false
    /// What earlier pages brought, and where the next begins.
    var entries: [LDAPEntry] = []
    var cookie: [UInt8] = []

    var isJoinable: Bool { !isAlone && !search.addresses.isEmpty }

    func finish(_ outcome: SearchOutcome) { batch.finish(index, outcome) }
}

/// What a server has been sent.
struct SentSearch {
    let search: LDAPSearch
    let time: Nanoseconds
    /// Those for whom it was sent, who still wait.
    var parts: [PendingSearch]
    /// Whether it is for addresses, with or without others.
    let isJoinable: Bool
    /// Whether it was sent for more than one.
    let isJoined: Bool

    init(_ search: LDAPSearch, at time: Nanoseconds, for parts: [PendingSearch]) {
        self.search = search
        self.time = time
        self.parts = parts
        isJoinable = parts.first?.isJoinable ?? false
        isJoined = parts.count > 1
    }

    var deadline: Nanoseconds { parts.lazy.map(\.deadline).min() ?? .max }
}
