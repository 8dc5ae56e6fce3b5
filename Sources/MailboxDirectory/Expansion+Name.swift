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

    mutating func askForName() -> Step {
        note("not an address in the default domain; now as a name")
        stage = .name(source: 0)
        return step()
    }

    mutating func nameAnswered(_ answer: Answer, source: Int) -> Step {
        if case .matches(let entries, let rank) = answer {
            note("\(entries.count) match\(entries.count == 1 ? "" : "es") by \(rank.described)", source: source)
            consider(entries, rank: rank)
        } else {
            note("no such name", source: source)
        }
        if source + 1 < sourceNames.count {
            stage = .name(source: source + 1)
            return step()
        }
        guard let first = matches.first else {
            resolution.asked = nil
            if nodes.isEmpty { return nameIsUnknown() }
            return failed(.unknown, canonical: nodes[0].address)
        }
        if matches.count > 1 {
            let shown = Array(matches.prefix(limits.possibilities))
            return finish(.ambiguous(shown, complete: shown.count == matches.count))
        }
        nodes = [Node(address: first.address, origin: .asked)]
        walk = AddressWalk(node: 0)
        // With one source the entry is all there is to know; with several, a forward may sit on it in another.
        if sourceNames.count == 1 { return apply(first, detail: [], source: 0) }
        stage = .domain(source: 0)
        return step()
    }

    private mutating func consider(_ entries: [Entry], rank: NameRank) {
        if let best = matchRank, best < rank { return }
        if let best = matchRank, rank < best { matches = [] }
        matchRank = rank
        for entry in entries where !matches.contains(where: { $0.address == entry.address }) { matches.append(entry) }
    }

    /// A name that can't even be a local-part, and that nobody bears.
    private mutating func nameIsUnknown() -> Step {
        finish(.answered)
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
