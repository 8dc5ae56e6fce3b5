// The order in which an address is looked up: as given; the same in the domain that its domain is an alias of; without
// the detail, likewise, the longest base first; postmaster; the catch-all; and last what the domain's kind says. An alias
// or a catch-all never shadows a real mailbox, and a detail never falls to the catch-all while its base exists. What the
// detail does not find by itself goes on with it (RFC 5233 4).

import MailAddress

extension Expansion {
    mutating func found(_ record: DomainRecord, source: Int) -> Move {
        walk.place = Place(record: record, source: source)
        guard case .alias(let other) = record.kind else {
            note("domain \(record.domain) is \(record.kind == .relay ? "relay" : "local")", source: source)
            return domainIsKnown()
        }
        note("domain \(record.domain) is an alias of \(other)", source: source)
        stage = .aliasedDomain(source: 0)
        return step()
    }

    mutating func domainIsAbsent(source: Int) -> Move {
        if source + 1 < sourceNames.count {
            stage = .domain(source: source + 1)
            return step()
        }
        if walk.node > 0 { known[nodes[walk.node].address.domain] = .some(nil) }
        return domainIsNotServed()
    }

    mutating func foundAliased(_ record: DomainRecord) -> Move {
        if case .alias = record.kind {
            note("\(record.domain) is an alias itself")
            walk.place?.fault = .isAlias
        } else {
            walk.place?.aliased = record
        }
        return domainIsKnown()
    }

    mutating func aliasedDomainIsAbsent(source: Int) -> Move {
        if source + 1 < sourceNames.count {
            stage = .aliasedDomain(source: source + 1)
            return step()
        }
        note("no source has the domain that this one is an alias of")
        walk.place?.fault = .isMissing
        return domainIsKnown()
    }

    private mutating func domainIsKnown() -> Move {
        if case .domain = purpose, let place = walk.place {
            if let fault = place.fault { return couldNotTell(fault, of: place) }
            resolution.served = ServedDomain(
                domain: place.record.domain, isRelay: place.ruling.kind == .relay,
                transport: place.record.transport ?? place.ruling.transport)
            return finish(.answered)
        }
        if let literal = walk.literal, !isPostmasterOfLiteral { return leave(literal) }
        // The first address is on a walk of its own more often than not, so its domain is kept only when that is left.
        if walk.node > 0 { known[nodes[walk.node].address.domain] = walk.place }
        return lookUpEntries()
    }

    mutating func domainIsNotServed() -> Move {
        let address = nodes[walk.node].address
        if let literal = walk.literal {
            let postmaster = nodes[walk.node].target ?? address
            return postmaster.localPart.isPostmaster ? reached(postmaster: postmaster) : leave(literal)
        }
        if address.localPart.key.starts(with: LocalPart.postmaster.key), isOfLiteral(address) {
            return postmasterOfLiteral()
        }
        return isElsewhere(address)
    }

    private mutating func isElsewhere(_ address: Mailbox) -> Move {
        guard case .asked = nodes[walk.node].origin else {
            note("domain \(address.domain) is elsewhere")
            let detail = nodes[walk.node].target.map {
                Array(address.localPart.octets.dropFirst($0.localPart.octets.count))
            }
            return reached(
                Recipient(
                    mailbox: address, name: nodes[walk.node].name, kind: .elsewhere, separatedDetail: detail ?? []),
                canonical: address)
        }
        switch question {
        case .name where !address.localPart.isPostmaster:
            note("the default domain \(address.domain) is not on record")
            return askForName()
        case .postmaster, .name: return reached(postmaster: address)
        case .address:
            note("domain \(address.domain) is not served here")
            return failed(.notServed, canonical: address)
        }
    }

    /// Whether it is at an address of this server's own. That is no domain, and of domains nothing else is true for it.
    private func isOfLiteral(_ address: Mailbox) -> Bool {
        if case .domain = purpose { return false }
        if address.domain == defaultDomain { return false }
        return literals.contains(address.domain) || address.domain.mappedIPv4.map(literals.contains) == true
    }

    private mutating func reached(postmaster address: Mailbox) -> Move {
        note("postmaster is always deliverable (RFC 5321 4.5.1)")
        return reached(Recipient(mailbox: address, kind: .postmaster), canonical: address)
    }

    /// The postmaster of an address that this server listens at is the one of no domain (RFC 5321 4.5.1, RFC 1123 5.2.17):
    /// who has no domain to write to has at least an address. The separators of that domain tell where a detail begins.
    private mutating func postmasterOfLiteral() -> Move {
        let (address, target, domain) = (nodes[walk.node].address, nodes[walk.node].target, defaultDomain)
        note("\(address.domain) is an address of this server, whose postmaster is that of \(domain)")
        let localPart = address.localPart.isPostmaster ? .postmaster : address.localPart
        nodes[walk.node].address = Mailbox(localPart: localPart, domain: domain)
        nodes[walk.node].target = target.map { Mailbox(localPart: $0.localPart, domain: domain) }
        walk = AddressWalk(node: walk.node, literal: address.domain)
        stage = .domain(source: 0)
        return step()
    }

    /// Whether what was asked for at an address of this server's own is its postmaster, by the separators of the domain.
    private var isPostmasterOfLiteral: Bool {
        let (address, target) = (nodes[walk.node].address, nodes[walk.node].target)
        if address.localPart.isPostmaster || target?.localPart.isPostmaster == true { return true }
        guard let place = walk.place else { return false }
        // The separators of a domain that can't be looked into are not known.
        if place.fault != nil { return true }
        let separators = place.ruling.detailSeparators
        return !separators.isEmpty && address.localPart.bases(separators: separators).contains(where: \.isPostmaster)
    }

    /// It only began like the postmaster's name: an address of this server's own has no other mailbox.
    private mutating func leave(_ literal: Domain) -> Move {
        let (address, target) = (nodes[walk.node].address, nodes[walk.node].target)
        nodes[walk.node].address = Mailbox(localPart: address.localPart, domain: literal)
        nodes[walk.node].target = target.map { Mailbox(localPart: $0.localPart, domain: literal) }
        walk = AddressWalk(node: walk.node)
        return isElsewhere(nodes[walk.node].address)
    }

    /// Makes the keys in their order and asks the first source.
    mutating func lookUpEntries() -> Move {
        dropStrangeDetail()
        let address = nodes[walk.node].address
        walk.keys = [address]
        if walk.place?.fault != nil {
            // What may stand in the other domain can't be told, and the address as given alone goes before it.
            walk.detailKeys = 1
            stage = .entries(source: 0)
            return step()
        }
        let other = walk.place?.aliasedDomain
        if let other { walk.keys.append(Mailbox(localPart: address.localPart, domain: other)) }
        walk.detailKeys = walk.keys.count
        if let separators = walk.place?.ruling.detailSeparators, !separators.isEmpty {
            for base in address.localPart.bases(separators: separators) {
                walk.keys.append(Mailbox(localPart: base, domain: address.domain))
                if let other { walk.keys.append(Mailbox(localPart: base, domain: other)) }
            }
        }
        stage = .entries(source: 0)
        return step()
    }

    mutating func found(_ entry: Entry, key: Int, source: Int) -> Move {
        if isTracing {
            let text = described(entry, key: key)
            note(text, source: source)
        }
        consider(Match(entry: entry, key: key, source: source))
        return nextSource(after: source)
    }

    mutating func entryIsAbsent(source: Int) -> Move {
        if isTracing {
            let keys = walk.keys.map(\.description).joined(separator: ", ")
            note("\(keys): not here", source: source)
        }
        return nextSource(after: source)
    }

    private mutating func nextSource(after source: Int) -> Move {
        if source + 1 < sourceNames.count, !isSettled {
            stage = .entries(source: source + 1)
            return step()
        }
        guard let best = walk.best ?? walk.named else { return nothingFound() }
        if let canonical = otherCanonical(of: best) { return lookUp(canonical, of: best) }
        return apply(best.entry, separatedDetail: walk.detail ?? separatedDetail(at: best.key), source: best.source)
    }

    /// The canonical address of a user who was found by another one, where several sources may say what is at it.
    private func otherCanonical(of match: Match) -> Mailbox? {
        guard sourceNames.count > 1, walk.detail == nil, case .user(let user, nil) = match.entry,
            walk.keys.indices.contains(match.key), walk.keys[match.key] != user.address
        else { return nil }
        return user.address
    }

    /// Looks whether another source has a forward on the user: that is on record at the canonical address.
    private mutating func lookUp(_ canonical: Mailbox, of match: Match) -> Move {
        note("now the address by which that user is on record")
        walk.detail = separatedDetail(at: match.key)
        (walk.named, walk.best) = (match, nil)
        (walk.keys, walk.detailKeys) = ([canonical], 1)
        stage = .entries(source: 0)
        return step()
    }

    /// What of the address is not in this key: the detail with its separator, spelled as given.
    private func separatedDetail(at key: Int) -> [UInt8] {
        guard key >= walk.detailKeys, walk.keys.indices.contains(key) else { return [] }
        return Array(nodes[walk.node].address.localPart.octets.dropFirst(walk.keys[key].localPart.octets.count))
    }

    /// A domain served here without this separator knows no such detail: so the target is looked up as it is on record.
    private mutating func dropStrangeDetail() {
        guard let target = nodes[walk.node].target, let place = walk.place else { return }
        let separator = nodes[walk.node].address.localPart.octets.dropFirst(target.localPart.octets.count).first
        if let separator, place.ruling.detailSeparators.contains(separator) { return }
        nodes[walk.node].address = target
        nodes[walk.node].target = nil
        note("the domain \(target.domain) has no such detail, so it is dropped")
        // Of what the first node led to, those that became nodes last are in the order of the step.
        let index = stepStart.place + walk.node - stepStart.node
        if nodes[walk.node].parent == 0, resolution.step.indices.contains(index) { resolution.step[index] = target }
    }

    /// Whether no later source can change the answer: an exact hit that no mailbox of a later source goes before.
    private var isSettled: Bool {
        guard let best = walk.best, best.key == 0 else { return false }
        switch best.entry {
        case .user, .moved, .list: return true
        case .alias, .forward: return false
        }
    }

    /// An earlier key beats a later one whichever source has it; for one key the earlier source wins. But an alias never
    /// shadows a mailbox, and a forward in an earlier source may sit on a user of a later one.
    private mutating func consider(_ match: Match) {
        guard let best = walk.best, match.key >= best.key else {
            walk.best = match
            return
        }
        guard match.key == best.key, case .user(let user, _) = match.entry else { return }
        switch best.entry {
        case .alias: walk.best = match
        case .forward(let forward):
            walk.best = Match(entry: .user(user, forward: forward), key: best.key, source: best.source)
        case .user, .moved, .list: break
        }
    }

    private func described(_ entry: Entry, key: Int) -> String {
        var text = "\(entry.address) is \(entry.described)"
        if key >= walk.detailKeys {
            text +=
                ", found without the detail \"\(String(decoding: separatedDetail(at: key).dropFirst(), as: UTF8.self))\""
        } else if key > 0 {
            text += ", found in the domain that this one is an alias of"
        }
        return text
    }

    /// Steps 4 to 6: postmaster, catch-all, and the domain's kind.
    private mutating func nothingFound() -> Move {
        let address = nodes[walk.node].address
        let name = nodes[walk.node].name
        if let key = walk.keys.lastIndex(where: \.localPart.isPostmaster) {
            note("postmaster is deliverable in every domain served (RFC 5321 4.5.1)")
            let postmaster = Mailbox(localPart: walk.keys[key].localPart, domain: address.domain)
            return reached(
                Recipient(
                    mailbox: postmaster, name: name, kind: .postmaster, separatedDetail: separatedDetail(at: key),
                    isInRelayDomain: isInRelayDomain(postmaster)), canonical: postmaster)
        }
        // To say "unknown" would turn a source that was taken out of the configuration into bounces.
        if let place = walk.place, let fault = place.fault { return couldNotTell(fault, of: place) }
        if case .asked = nodes[walk.node].origin, case .name = question { return askForName() }
        if let catchAll = walk.place?.record.catchAll ?? walk.place?.aliased?.catchAll, catchAll != address {
            note("the domain's catch-all is \(catchAll)")
            if walk.node == 0 { resolution.asked = address }
            return redirect(to: [catchAll], origin: .catchAll, canonical: address)
        }
        if walk.place?.ruling.kind == .relay {
            note("a relay domain: accepted, but not known here")
            return reached(
                Recipient(
                    mailbox: address, name: name, kind: .relay,
                    separatedDetail: separatedDetail(at: walk.keys.count - 1), isInRelayDomain: true),
                canonical: address)
        }
        note("\(address) is unknown")
        return failed(.unknown, canonical: address)
    }

    /// Whether mail for a mailbox found at the address in hand is for another server.
    func isInRelayDomain(_ mailbox: Mailbox) -> Bool {
        // In its parts: a record is a dozen references to copy.
        if mailbox.domain == walk.place?.record.domain || mailbox.domain == walk.place?.aliased?.domain {
            return walk.place?.isRelay == true
        }
        // Found by another address of its user.
        if walk.place != nil, let place = known[mailbox.domain] { return place?.isRelay == true }
        return false
    }

    private mutating func couldNotTell(_ fault: AliasFault, of place: Place) -> Move {
        let other = place.aliasedDomain.map(\.description) ?? "another"
        let reason = "\(place.record.domain) is an alias of \(other), which \(fault.rawValue)"
        return couldNotTell(Trouble(source: sourceName(place.source) ?? "", reason: reason))
    }
}

extension Entry {
    /// The entry in words, for a trace.
    var described: String {
        switch self {
        case .user(let user, let forward):
            var text = user.fullName.isEmpty ? "a user" : "the user \(user.fullName)"
            if user.status != .active { text += " (\(user.status.rawValue))" }
            if let forward { text += " with \(Entry.forward(forward).described)" }
            return text
        case .alias(let alias):
            let targets = alias.targets.map(\.description).joined(separator: ", ")
            return "an alias of \(targets)\(alias.next == nil ? "" : ", and more")"
        case .forward(let forward):
            let targets = forward.targets.map(\.description).joined(separator: ", ")
            return "a forward to \(targets)" + (forward.keepsCopy ? ", keeping a copy" : "")
        case .moved(let moved): return moved.newAddress.map { "moved to \($0)" } ?? "moved, new address unknown"
        case .list(let list): return list.name.isEmpty ? "a list" : "the list \(list.name)"
        }
    }
}
