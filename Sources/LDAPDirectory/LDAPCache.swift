// Answers remembered for a while. What could not be told is never among them; what was absent is, for its own, shorter
// time, and is never given when that is over.

import MailAddress
import MailboxDirectory
import Synchronization

/// A bounded memory of answers, for many threads.
final class LDAPCache: Sendable {
    private struct Item {
        var answer: Answer
        var time: Nanoseconds
        var stamp: UInt64
    }

    private struct Shard {
        var items: [Lookup: Item] = [:]
        /// In the order of their time; an item that was replaced stands here again.
        var order: [(lookup: Lookup, stamp: UInt64)] = []
        var head = 0
        var stamp: UInt64 = 0
    }

    private final class LockedShard: Sendable {
        let state = Mutex(Shard())
    }

    private let shards: [LockedShard]
    private let capacity: Int
    private let positive: Nanoseconds
    private let negative: Nanoseconds
    private let stale: Nanoseconds
    private let forgotten = Atomic<Int>(0)

    init(_ settings: LDAPCacheSettings) {
        let count = settings.entries <= 0 ? 0 : settings.entries < 1024 ? 1 : 16
        shards = (0..<count).map { _ in LockedShard() }
        capacity = count == 0 ? 0 : max(1, settings.entries / count)
        positive = settings.positive.nanoseconds
        negative = settings.negative.nanoseconds
        stale = max(settings.stale.nanoseconds, positive)
    }

    /// Another number whenever something has been forgotten: an answer that was asked for before must not be kept then.
    var generation: Int { forgotten.load(ordering: .acquiring) }

    /// Whether what was not found is remembered as well as what was.
    var remembersAbsence: Bool { !shards.isEmpty && negative > 0 }

    /// What is known and not too old; nil when somebody has to be asked.
    func answer(_ lookup: Lookup, now: Nanoseconds) -> Answer? {
        guard let item = item(lookup) else { return nil }
        return now - item.time < (item.answer.isPositive ? positive : negative) ? item.answer : nil
    }

    /// What was found some time ago, for when nobody can be asked; with its age.
    func staleAnswer(_ lookup: Lookup, now: Nanoseconds) -> (Answer, age: Nanoseconds)? {
        guard let item = item(lookup), item.answer.isPositive, now - item.time < stale else { return nil }
        return (item.answer, now - item.time)
    }

    func keep(_ answer: Answer, to lookup: Lookup, now: Nanoseconds, generation: Int) {
        if case .couldNotTell = answer { return }
        guard let shard = shard(lookup) else { return }
        shard.state.withLock { shard in
            // Under the lock, so that what is being forgotten now can't come back.
            if generation != self.generation { return }
            shard.stamp += 1
            shard.items[lookup] = Item(answer: answer, time: now, stamp: shard.stamp)
            shard.order.append((lookup, shard.stamp))
            while shard.items.count > capacity || shard.order.count - shard.head > 2 * capacity + 16 {
                let oldest = shard.order[shard.head]
                shard.head += 1
                if shard.items[oldest.lookup]?.stamp == oldest.stamp { shard.items[oldest.lookup] = nil }
            }
            if shard.head > capacity + 16 {
                shard.order.removeFirst(shard.head)
                shard.head = 0
            }
        }
    }

    /// Forgets what is remembered of an address; of lists and names too, for any of them may lead to it.
    func forget(_ address: Mailbox) {
        forgotten.add(1, ordering: .acquiringAndReleasing)
        for shard in shards {
            shard.state.withLock { shard in
                for (lookup, item) in shard.items where Self.concerns(lookup, item.answer, address) {
                    shard.items[lookup] = nil
                }
            }
        }
    }

    /// Forgets what is remembered of a domain, and of lists and names, which may be in it.
    func forget(_ domain: Domain) {
        forgotten.add(1, ordering: .acquiringAndReleasing)
        for shard in shards {
            shard.state.withLock { shard in
                for lookup in shard.items.keys where Self.concerns(lookup, domain) { shard.items[lookup] = nil }
            }
        }
    }

    private static func concerns(_ lookup: Lookup, _ domain: Domain) -> Bool {
        switch lookup {
        case .domain(let known): known == domain
        case .name, .members, .moreMembers, .moreTargets: true
        case .entries: false
        }
    }

    func forgetAll() {
        forgotten.add(1, ordering: .acquiringAndReleasing)
        for shard in shards { shard.state.withLock { $0 = Shard() } }
    }

    /// How many answers are remembered.
    var count: Int { shards.reduce(0) { sum, shard in sum + shard.state.withLock { $0.items.count } } }

    private func item(_ lookup: Lookup) -> Item? { shard(lookup)?.state.withLock { $0.items[lookup] } }

    private func shard(_ lookup: Lookup) -> LockedShard? {
        if shards.count < 2 { return shards.first }
        return shards[Int(UInt(bitPattern: lookup.hashValue) % UInt(shards.count))]
    }

    private static func concerns(_ lookup: Lookup, _ answer: Answer, _ address: Mailbox) -> Bool {
        switch lookup {
        case .domain: return false
        case .name, .members, .moreMembers, .moreTargets: return true
        case .entries(let keys):
            if keys.contains(address) { return true }
            if case .entry(let entry, _) = answer { return entry.address == address }
            return false
        }
    }
}

extension Answer {
    /// Whether something was found.
    var isPositive: Bool {
        switch self {
        case .domain, .entry, .matches, .members, .page: true
        // What is told again because nothing newer can be had is not made new by that.
        case .absent, .couldNotTell, .stale: false
        }
    }
}
