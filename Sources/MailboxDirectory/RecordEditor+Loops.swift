// That no change makes a loop: what is walked, from where, and how the loop is shown.

import MailAddress

extension RecordEditor {
    /// All sources in their order, with the transaction in the place of the store.
    func sources(with writing: any RecordReading) -> [any Source] {
        var sources = otherSources
        sources.insert(writing, at: min(storeIndex, sources.count))
        return sources
    }

    /// A walk that follows everything; a domain that is not served here is where it may end.
    func walk(to target: Mailbox, sources: [any Source]) -> Resolution {
        Expansion(
            .address(target), purpose: .resolve, sources: sources.map(\.name), defaultDomain: defaultDomain,
            limits: limits
        ).run(sources)
    }

    /// - Parameter start: where the loop is to begin when it is shown, if that is on it.
    func checkOutcome(of resolution: Resolution, startingAt start: Mailbox?) throws(EditError) {
        switch resolution.outcome {
        case .couldNotTell(let trouble): throw .couldNotTell(trouble)
        case .loop(let path): throw .cycle(path.cycle(startingAt: start))
        case .limit(let kind, let path): throw .tooDeep(kind, path)
        case .ambiguous, .answered: break
        }
    }

    /// Walks from the record itself: one step more than from its targets, and all of them together. A user too, for one
    /// who is suspended holds up the forward that keeps a copy there, and one who is not any more lets it go on.
    func checkLimits(of record: Record, in writing: any RecordReading) throws(EditError) {
        guard let address = record.address else { return }
        try checkOutcome(of: walk(to: address, sources: sources(with: writing)), startingAt: address)
    }

    func checkNoLoop(from addresses: [Mailbox], in writing: any RecordReading) throws(EditError) {
        let sources = sources(with: writing)
        for address in addresses {
            switch walk(to: address, sources: sources).outcome {
            case .loop(let path): throw .cycle(path.cycle(startingAt: address))
            case .couldNotTell(let trouble): throw .couldNotTell(trouble)
            // A long way delivers nothing, but does no harm either; it is told when somebody asks.
            case .limit, .ambiguous, .answered: break
            }
        }
    }

    /// Whether there is a loop already, which a change is not to blame for. False where that can't be told: then the
    /// walk after the change has to tell, and what can't be read may be removed.
    func loops(from address: Mailbox, in writing: any RecordReading) -> Bool {
        if case .loop = walk(to: address, sources: sources(with: writing)).outcome { return true }
        return false
    }

    /// The address, and the same in each alias of its domain.
    func spellings(of address: Mailbox, in writing: any RecordReading) throws(EditError) -> [Mailbox] {
        try domains(answering: address.domain, in: writing).map { Mailbox(localPart: address.localPart, domain: $0) }
    }

    /// That a change of a domain makes no loop: any would go through what records point to in it, or in an alias of it. These are
    /// found by index and without plain users, so that such a change does not read the whole store.
    func checkNoLoop(through domain: Domain, in writing: any RecordReading) throws(EditError) {
        var targets: Set<Mailbox> = []
        for domain in try domains(answering: domain, in: writing) {
            let references = try EditError.wrapping { try writing.redirections(inDomain: domain, limit: .max) }
            for reference in references {
                let record = try record(of: reference, in: writing)
                if case .moved(let moved) = record, moved.newAddress?.domain == domain {
                    try checkNoCircle(of: moved, in: writing)
                }
                targets.formUnion(record.ways.filter { $0.domain == domain })
            }
        }
        try checkNoLoop(from: Array(targets), in: writing)
    }

    /// Who is told the new address, and asks there, must not be told the old one.
    func checkNoCircle(of moved: Moved, in writing: any RecordReading) throws(EditError) {
        let sources = sources(with: writing)
        let circle = try moved.circle(limit: limits.depth) { (address) throws(EditError) in
            let resolution = walk(to: address, sources: sources)
            if case .couldNotTell(let trouble) = resolution.outcome { throw .couldNotTell(trouble) }
            return resolution
        }
        if let circle { throw .cycle(circle) }
    }

    /// The store named the record in this transaction: one that can't be found or read leaves the change unchecked, and
    /// then it may not be made.
    private func record(of reference: Reference, in writing: any RecordReading) throws(EditError) -> Record {
        if reference.kind == .domain, let domain = try? Domain(reference.name) {
            switch writing.answer(.domain(domain)) {
            case .domain(let record): return .domain(record)
            case let answer: throw .couldNotTell(writing.trouble(in: answer))
            }
        }
        if reference.kind != .domain, let address = try? Mailbox(reference.name),
            let record = try EditError.wrapping({ try writing.record(reference.kind, at: address) })
        {
            return record
        }
        throw .couldNotTell(
            Trouble(source: writing.name, reason: "the \(reference) leads somewhere, but can't be read; repair it"))
    }

    private func domains(answering domain: Domain, in writing: any RecordReading) throws(EditError) -> [Domain] {
        var domains = [domain]
        try EditError.wrapping {
            try writing.forEach(.domain, in: nil) { record in
                if case .domain(let other) = record, other.kind == .alias(of: domain) { domains.append(other.domain) }
            }
        }
        return domains
    }
}

extension Record {
    /// Where mail may go on from the record.
    fileprivate var ways: [Mailbox] {
        references.filter { $0.role != .owner && $0.role != .newAddress }.map(\.mailbox)
    }
}

extension [Mailbox] {
    /// Of a path that leads back to an address on it, the loop alone; from `start` and back to it where that is on it.
    fileprivate func cycle(startingAt start: Mailbox?) -> [Mailbox] {
        guard let last, let first = firstIndex(of: last), first < count - 1 else { return self }
        let loop = Array(self[first..<(count - 1)])
        let turn = start.flatMap { loop.firstIndex(of: $0) } ?? 0
        return Array(loop[turn...] + loop[...turn])
    }
}

extension Source {
    /// What to say when the source gave another answer than one to the question, or one that may no longer hold.
    public func trouble(in answer: Answer) -> Trouble {
        switch answer {
        case .couldNotTell(let trouble): trouble
        case .stale: Trouble(source: name, reason: "it can't be asked now, and what it said before may no longer hold")
        default: Trouble(source: name, reason: "the answer is not one to the question")
        }
    }
}
