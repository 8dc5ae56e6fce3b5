// What waits to be sent, in the order in which it came. Searches for addresses wait in a line of their own, for several
// of them can go as one.

/// Confined to the owner thread.
struct SearchQueue {
    /// Pending searches of which those at the head have been taken.
    private struct Line {
        var searches: [PendingSearch] = []
        var head = 0

        var count: Int { searches.count - head }
        var waiting: ArraySlice<PendingSearch> { searches[head...] }

        mutating func take(_ most: Int) -> [PendingSearch] {
            let end = min(searches.count, head + most)
            let taken = Array(searches[head..<end])
            head = end
            if head == searches.count {
                searches.removeAll(keepingCapacity: searches.capacity < 1024)
                head = 0
            }
            return taken
        }

        mutating func putFirst(_ pending: [PendingSearch]) {
            searches.replaceSubrange(..<head, with: pending)
            head = 0
        }

        mutating func removeExpired(_ now: Nanoseconds) -> [PendingSearch] {
            let before = waiting
            searches = before.filter { $0.deadline > now }
            head = 0
            return before.filter { $0.deadline <= now }
        }

        var earliestDeadline: Nanoseconds { waiting.lazy.map(\.deadline).min() ?? .max }
    }

    private var single = Line()
    private var joinable = Line()

    var isEmpty: Bool { single.count + joinable.count == 0 }
    var hasJoinable: Bool { joinable.count > 0 }

    mutating func append(_ pending: PendingSearch) {
        if pending.isJoinable { joinable.searches.append(pending) } else { single.searches.append(pending) }
    }

    /// Puts before all others what has had its turn already.
    mutating func putFirst(_ pending: [PendingSearch]) {
        let (others, addresses) = (pending.filter { !$0.isJoinable }, pending.filter(\.isJoinable))
        if !others.isEmpty { single.putFirst(others) }
        if !addresses.isEmpty { joinable.putFirst(addresses) }
    }

    mutating func takeSingle() -> PendingSearch? { single.take(1).first }

    /// Searches that may go as one: as many as look for no more addresses than these, and one at least.
    mutating func takeJoinable(addresses most: Int) -> [PendingSearch] {
        var addresses = 0
        let fitting = joinable.waiting.prefix { pending in
            addresses += pending.search.addresses.count
            return addresses <= most
        }
        return joinable.take(max(fitting.count, 1))
    }

    mutating func takeAll() -> [PendingSearch] { single.take(.max / 2) + joinable.take(.max / 2) }

    mutating func removeExpired(_ now: Nanoseconds) -> [PendingSearch] {
        single.removeExpired(now) + joinable.removeExpired(now)
    }

    var earliestDeadline: Nanoseconds { min(single.earliestDeadline, joinable.earliestDeadline) }
}
