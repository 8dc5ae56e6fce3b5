// In which order changes are sent: at no moment does anything point to what is not there because of it.

import MailAddress
import MailboxDirectory

/// Domains come first, then new entries after those they point to, then changes; then what is removed, before what it
/// points to; domains last.
struct ChangeOrder {
    let sorted: [PlannedChange]

    init(_ changes: [PlannedChange]) {
        var groups = [[PlannedChange]](repeating: [], count: 5)
        for change in changes { groups[Self.rank(change)].append(change) }
        sorted =
            Self.targetsFirst(groups[0], \.placesAfter) + Self.targetsFirst(groups[1], \.placesAfter) + groups[2]
            + Self.targetsFirst(groups[3], \.placesBefore).reversed()
            + Self.targetsFirst(groups[4], \.placesBefore).reversed()
    }

    private static func rank(_ change: PlannedChange) -> Int {
        switch (change.subject, change.operation) {
        case (.domain, .delete): 4
        case (.domain, _): 0
        case (.records, .add): 1
        case (.records, .modify): 2
        case (.records, .delete): 3
        }
    }

    /// In the order of their names, but after those they point to; in a circle, anyhow.
    private static func targetsFirst(
        _ changes: [PlannedChange], _ targets: (PlannedChange.Subject) -> [PlannedChange.Place]
    ) -> [PlannedChange] {
        let named = changes.sorted { $0.subject.description < $1.subject.description }
        var places: [PlannedChange.Place: [Int]] = [:]
        for (index, change) in named.enumerated() { places[change.subject.place, default: []].append(index) }
        var sorted: [Int] = []
        var seen: Set<Int> = []
        var done: Set<Int> = []
        for start in named.indices {
            // By hand, for a chain may be long.
            var path = [start]
            while let index = path.last {
                var open: [Int] = []
                if seen.insert(index).inserted {
                    open = targets(named[index].subject).flatMap { places[$0] ?? [] }.filter { !seen.contains($0) }
                }
                path += open
                if !open.isEmpty { continue }
                path.removeLast()
                if done.insert(index).inserted { sorted.append(index) }
            }
        }
        return sorted.map { named[$0] }
    }
}

extension PlannedChange {
    /// What a change is of.
    enum Place: Hashable {
        case address(Mailbox)
        case domain(Domain)
    }
}

extension PlannedChange.Subject {
    var place: PlannedChange.Place {
        switch self {
        case .records(let slot): .address(slot.address)
        case .domain(let slot): .domain(slot.domain)
        }
    }

    /// Where it led before, and where it will lead.
    var placesBefore: [PlannedChange.Place] {
        switch self {
        case .records(let slot): Self.places(slot.before)
        case .domain(let slot): Self.places(slot.before.map { [.domain($0)] } ?? [])
        }
    }

    var placesAfter: [PlannedChange.Place] {
        switch self {
        case .records(let slot): Self.places(slot.after)
        case .domain(let slot): Self.places(slot.after.map { [.domain($0)] } ?? [])
        }
    }

    private static func places(_ records: [Record]) -> [PlannedChange.Place] {
        records.flatMap { record -> [PlannedChange.Place] in
            var places = record.references.map { PlannedChange.Place.address($0.mailbox) }
            if case .domain(let domain) = record, case .alias(let other) = domain.kind { places.append(.domain(other)) }
            return places
        }
    }
}
