// A bare name: the default domain first, then every source in the same order of ranks. One match is that one; several
// different mailboxes are ambiguous.

import MailAddress

extension Expansion {
    var nameQuery: NameQuery {
        guard case .name(let octets) = question else { return NameQuery(localPart: nil, folded: [], limit: 1) }
        return NameQuery(
            localPart: nodes.first?.address.localPart, folded: NameFolding.fold(octets),
            limit: limits.possibilities + 1)
    }

    mutating func askForName() -> Move {
        note("not an address in the default domain; now as a name")
        stage = .name(source: 0)
        return step()
    }

    mutating func found(_ entries: [Entry], rank: NameRank, source: Int) -> Move {
        note("\(entries.count) match\(entries.count == 1 ? "" : "es") by \(rank.described)", source: source)
        if rank <= matchRank ?? rank {
            if let matchRank, rank < matchRank { matches = [] }
            matchRank = rank
            for entry in entries where !matches.contains(where: { $0.entry.address == entry.address }) {
                matches.append(Match(entry: entry, source: source))
            }
        }
        return nextSourceForName(after: source)
    }

    mutating func nameIsAbsent(source: Int) -> Move {
        note("no such name", source: source)
        return nextSourceForName(after: source)
    }

    private mutating func nextSourceForName(after source: Int) -> Move {
        if source + 1 < sourceNames.count {
            stage = .name(source: source + 1)
            return step()
        }
        let different = differentMatches
        guard let first = different.first else { return nameIsUnknown() }
        if different.count > 1 {
            let shown = different.prefix(limits.possibilities).map(\.entry)
            return finish(.ambiguous(shown, complete: shown.count == different.count))
        }
        note("the one match is \(first.entry.address)")
        nodes = [Node(address: first.entry.address, origin: .asked)]
        walk = AddressWalk(node: 0)
        // With one source the entry is all there is to know; with several, a forward may sit on it in another.
        if sourceNames.count == 1 { return apply(first.entry, separatedDetail: [], source: first.source) }
        walk.named = first
        walk.keys = [first.entry.address]
        walk.detailKeys = 1
        stage = .entries(source: 0)
        return step()
    }

    /// The matches without those that are only another name of the same mailbox: an alias or a forward to it alone.
    private var differentMatches: [Match] {
        if matches.count < 2 || matches.count > limits.possibilities { return matches }
        var byAddress: [Mailbox: Match] = [:]
        for match in matches { byAddress[match.entry.address] = match }
        var ends: Set<Mailbox> = []
        var different: [Match] = []
        for match in matches {
            var end = match.entry.address
            // No way is longer than there are matches, unless it goes in a loop.
            for _ in matches {
                guard let next = byAddress[end]?.entry.onlyTarget else { break }
                end = next
            }
            if ends.insert(end).inserted { different.append(byAddress[end] ?? match) }
        }
        return different
    }

    private mutating func nameIsUnknown() -> Move {
        // A name that can't be a local-part has no address that could be said to be unknown.
        guard let address = nodes.first?.address else { return finish(.answered) }
        note("\(address.localPart) is nobody's name")
        resolution.failures = [Failure(mailbox: address, reason: .unknown)]
        return finish(.answered)
    }
}

extension Entry {
    /// The one address to which all mail goes on from here.
    fileprivate var onlyTarget: Mailbox? {
        switch self {
        case .alias(let alias) where alias.targets.count == 1 && alias.next == nil: alias.targets[0]
        case .forward(let forward) where forward.targets.count == 1 && forward.next == nil: forward.targets[0]
        case .alias, .forward, .user, .moved, .list: nil
        }
    }
}

extension NameRank {
    var described: String {
        switch self {
        case .localPart: "local-part"
        case .login: "login"
        case .fullName: "full name"
        }
    }
}
