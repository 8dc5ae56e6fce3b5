// The order in which an address is looked up: as given; the same in the domain that its domain is an alias of; without
// the detail, likewise; postmaster; the catch-all; and last what the domain's kind says. An alias or a catch-all never
// shadows a real mailbox, and a detail never falls to the catch-all while its base exists.

import MailAddress

extension Expansion {
    mutating func domainAnswered(_ answer: Answer, source: Int) -> Step {
        guard case .domain(let record) = answer else {
            if source + 1 < sourceNames.count {
                stage = .domain(source: source + 1)
                return step()
            }
            return domainIsNotServed()
        }
        walk.record = record
        guard case .alias(let other) = record.kind else {
            note("domain \(record.domain) is \(record.kind == .relay ? "relay" : "local")", source: source)
            return lookUpEntries()
        }
        note("domain \(record.domain) is an alias of \(other)", source: source)
        walk.aliasedDomain = other
        stage = .aliasedDomain(source: 0)
        return step()
    }

    mutating func aliasedDomainAnswered(_ answer: Answer, source: Int) -> Step {
        if case .domain(let record) = answer {
            walk.aliasedRecord = record
        } else if source + 1 < sourceNames.count {
            stage = .aliasedDomain(source: source + 1)
            return step()
        } else {
            note("no source has the domain that this one is an alias of")
        }
        return lookUpEntries()
    }

    private mutating func domainIsNotServed() -> Step {
        let node = nodes[walk.node]
        guard case .asked = node.origin else {
            note("domain \(node.address.domain) is elsewhere")
            return reached(
                Recipient(mailbox: node.address, name: node.name, kind: .elsewhere), canonical: node.address)
        }
        switch question {
        case .postmaster:
            note("postmaster is always deliverable (RFC 5321 4.5.1)")
            return reached(Recipient(mailbox: node.address, kind: .postmaster), canonical: node.address)
        case .name:
            note("the default domain \(node.address.domain) is not on record")
            return askForName()
        case .address:
            note("domain \(node.address.domain) is not served here")
            return failed(.notServed, canonical: node.address)
        }
    }

    /// Makes the keys in their order and asks the first source.
    private mutating func lookUpEntries() -> Step {
        let address = nodes[walk.node].address
        walk.keys = [address]
        if let other = walk.aliasedDomain { walk.keys.append(Mailbox(localPart: address.localPart, domain: other)) }
        walk.detailKeys = walk.keys.count
        if let separators = (walk.aliasedRecord ?? walk.record)?.detailSeparators, !separators.isEmpty,
            let (base, detail) = address.localPart.splitDetail(separators: separators)
        {
            walk.detail = detail
            walk.keys.append(Mailbox(localPart: base, domain: address.domain))
            if let other = walk.aliasedDomain { walk.keys.append(Mailbox(localPart: base, domain: other)) }
        }
        stage = .entries(source: 0)
        return step()
    }

    mutating func entriesAnswered(_ answer: Answer, source: Int) -> Step {
        if case .entry(let entry, let key) = answer, key < walk.keys.count {
            let text = isTracing ? found(entry, key: key) : ""
            note(text, source: source)
            consider(entry, key: key, source: source)
        } else if isTracing {
            let keys = walk.keys.map(\.description).joined(separator: ", ")
            note("\(keys): not here", source: source)
        }
        if source + 1 < sourceNames.count, !isSettled {
            stage = .entries(source: source + 1)
            return step()
        }
        if let best = walk.best {
            let detail = best.key >= walk.detailKeys ? walk.detail : []
            return apply(best.entry, detail: detail, source: best.source)
        }
        return nothingFound()
    }

    /// Whether no later source can change the answer: an exact hit that is more than a forward without its mailbox.
    private var isSettled: Bool {
        guard let best = walk.best, best.key == 0 else { return false }
        if case .forward = best.entry { return false }
        return true
    }

    /// An earlier key beats a later one whichever source has it; for one key the earlier source wins. A forward in an
    /// earlier source may sit on a user of a later one.
    private mutating func consider(_ entry: Entry, key: Int, source: Int) {
        guard let best = walk.best else {
            walk.best = (entry, key, source)
            return
        }
        if key < best.key {
            walk.best = (entry, key, source)
        } else if key == best.key, case .forward(let forward) = best.entry, case .user(let user, _) = entry {
            walk.best = (.user(user, forward: forward), key, best.source)
        }
    }

    private func found(_ entry: Entry, key: Int) -> String {
        var text = "\(entry.address) is \(entry.described)"
        if key >= walk.detailKeys {
            text += ", found without the detail \"\(String(decoding: walk.detail, as: UTF8.self))\""
        } else if key > 0 {
            text += ", found in the domain that this one is an alias of"
        }
        return text
    }

    /// Steps 4 to 6: postmaster, catch-all, and the domain's kind.
    private mutating func nothingFound() -> Step {
        let node = nodes[walk.node]
        let base = walk.keys.last?.localPart ?? node.address.localPart
        if base.isPostmaster {
            note("postmaster is deliverable in every domain served (RFC 5321 4.5.1)")
            return reached(
                Recipient(mailbox: node.address, name: node.name, kind: .postmaster, detail: walk.detail),
                canonical: node.address)
        }
        if case .asked = node.origin, case .name = question { return askForName() }
        if let catchAll = walk.record?.catchAll ?? walk.aliasedRecord?.catchAll, catchAll != node.address {
            note("the domain's catch-all is \(catchAll)")
            if walk.node == 0 { resolution.asked = node.address }
            return redirect(to: [catchAll], origin: .catchAll, canonical: node.address)
        }
        if (walk.aliasedRecord ?? walk.record)?.kind == .relay {
            note("a relay domain: accepted, but not known here")
            return reached(Recipient(mailbox: node.address, name: node.name, kind: .relay), canonical: node.address)
        }
        note("\(node.address) is unknown")
        return failed(.unknown, canonical: node.address)
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
        case .alias(let alias): return "an alias of \(alias.targets.map(\.description).joined(separator: ", "))"
        case .forward(let forward):
            let targets = forward.targets.map(\.description).joined(separator: ", ")
            return "a forward to \(targets)" + (forward.keepsCopy ? ", keeping a copy" : "")
        case .moved(let moved): return moved.newAddress.map { "moved to \($0)" } ?? "moved, new address unknown"
        case .list(let list): return list.name.isEmpty ? "a list" : "the list \(list.name)"
        }
    }
}
