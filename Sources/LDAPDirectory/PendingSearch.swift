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
    /// What earlier pages brought, and where the next begins.
    var entries: [LDAPEntry] = []
    var cookie: [UInt8] = []

    func finish(_ outcome: SearchOutcome) { batch.finish(index, outcome) }
}
