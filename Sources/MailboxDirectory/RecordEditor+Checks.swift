// What a record is checked for before and after it is written.

import MailAddress

extension RecordEditor {
    /// How many referring records an error names.
    static let namedReferences = 5

    /// What can be told from the record alone.
    /// - Parameter isNew: whether its name is still to be chosen; what is on record may be changed and removed by it.
    func checkForm(_ record: Record, isNew: Bool = true) throws(EditError) {
        if let address = record.address {
            if isNew, let fault = AddressFault(ofRecord: address) { throw .unsuitable(fault.description) }
            switch record {
            case .alias(let alias) where alias.targets.isEmpty: throw .noTargets(.alias, address)
            case .forward(let forward) where forward.targets.isEmpty: throw .noTargets(.forward, address)
            default: break
            }
            var seen: Set<Mailbox> = []
            for (role, target) in record.references where role != .owner {
                if target == address { throw .pointsToItself(address) }
                if !seen.insert(target).inserted { throw .repeated(target) }
            }
        }
        for (_, target) in record.references {
            if let fault = AddressFault(ofTarget: target) { throw .unsuitable(fault.description) }
        }
        switch record {
        case .user(let user):
            try checkText(user.fullName, "the full name")
            if let login = user.login { try checkLogin(login, isNew: isNew) }
        case .list(let list, let members):
            try checkText(list.name, "the list's name")
            for member in members { try checkText(member.name, "the name of \(member.mailbox)") }
        case .domain(let domain):
            if isNew, let fault = AddressFault(ofDomain: domain.domain) { throw .unsuitable(fault.description) }
            if domain.domain.isLiteral, case .alias = domain.kind {
                throw .unsuitable("an address literal can't be an alias of a domain")
            }
            for octet in domain.detailSeparators where !Self.isSeparator(octet) {
                throw .unsuitable(
                    "a detail separator is a punctuation character such as + or -, not a letter, digit, dot, quote or"
                        + " space")
            }
            if let transport = domain.transport { try checkTransport(transport) }
        case .alias, .forward, .moved: break
        }
    }

    private static func isSeparator(_ octet: UInt8) -> Bool {
        // Punctuation of an Atom (RFC 5321 4.1.2 by RFC 5322 3.2.3).
        "!#$%&'*+-/=?^_`{|}~".utf8.contains(octet)
    }

    private func checkTransport(_ transport: String) throws(EditError) {
        if DomainRecord.isTransport(transport), !DomainRecord.hasWholeBrackets(transport) {
            throw .unsuitable(
                "the transport \(transport) has a bracket without the other; a host stands between both: smtp:[mx.example.org]:25"
            )
        }
        guard DomainRecord.isTransport(transport) else {
            throw .unsuitable(
                "a transport is TRANSPORT:NEXTHOP without spaces, such as smtp:[mx.example.org]:25 or"
                    + " lmtp:unix:/run/lmtp, of \(DomainRecord.transportLimit) octets at most")
        }
    }

    private func checkText(_ text: String, _ what: String) throws(EditError) {
        if let fault = NameFault(text.utf8.span) { throw .unsuitable("\(what) \(fault)") }
    }

    private func checkLogin(_ login: String, isNew: Bool) throws(EditError) {
        if login.isEmpty { throw .unsuitable("the login is empty; leave it out to have none") }
        try checkText(login, "the login")
        // One that is on record may stay while something else is changed.
        if isNew { try checkWord(login) }
    }

    func checkWord(_ login: String) throws(EditError) {
        if let fault = NameFault(login: login) { throw .unsuitable("the login \(fault)") }
    }

    /// No other source may have something at the address; a forward may sit on a user of a source that is asked later.
    func checkElsewhere(_ record: Record) throws(EditError) {
        guard let address = record.address else { return }
        for (index, source) in otherSources.enumerated() {
            switch source.answer(.entries([address])) {
            case .entry(let entry, _):
                let isAskedFirst = index < storeIndex
                if case .user = record, case .forward = entry, isAskedFirst { continue }
                if case .forward = record, case .user = entry {
                    if !isAskedFirst { continue }
                    throw .unsuitable(
                        "\(address) is a user in the source \(source.name), which is asked first, so that a forward here"
                            + " would not be followed; write it there")
                }
                throw .addressTakenElsewhere(address, by: entry.kind, source: source.name)
            case .absent: break
            case let answer: throw .couldNotTell(source.trouble(in: answer))
            }
        }
    }

    /// Walks from everything the record points to, as it stands in the transaction.
    func checkTargets(of record: Record, in writing: any RecordReading, isForced: Bool) throws(EditError) {
        let sources = sources(with: writing)
        if case .forward(let forward) = record, forward.keepsCopy, !isForced {
            try checkCopy(forward, sources: sources)
        }
        if case .domain(let domain) = record { try checkAliasedDomain(domain, sources: sources) }
        if case .moved(let moved) = record { try checkNoCircle(of: moved, in: writing) }
        for (role, target) in record.references {
            let resolution = walk(to: target, sources: sources)
            switch resolution.outcome {
            case .couldNotTell(let trouble): throw .couldNotTell(trouble)
            // An owner is somebody to write to, not a step of the way.
            case .loop, .limit: if role == .owner { continue }
            case .ambiguous, .answered: break
            }
            try checkOutcome(of: resolution, startingAt: record.address)
            if isForced { continue }
            if resolution.chain.isEmpty, let failure = resolution.failures.first, failure.reason == .unknown {
                throw .dangling(target)
            }
        }
    }

    private func checkCopy(_ forward: Forward, sources: [any Source]) throws(EditError) {
        for source in sources {
            switch source.answer(.entries([forward.address])) {
            case .entry(.user, _): return
            case .entry, .absent: break
            case let answer: throw .couldNotTell(source.trouble(in: answer))
            }
        }
        throw .noMailboxToCopy(forward.address)
    }

    private func checkAliasedDomain(_ record: DomainRecord, sources: [any Source]) throws(EditError) {
        guard case .alias(let target) = record.kind else { return }
        if target == record.domain { throw .unsuitable("a domain can't be an alias of itself") }
        for source in sources {
            switch source.answer(.domain(target)) {
            case .domain(let other):
                if case .alias(let further) = other.kind { throw .aliasOfAlias(target, target: further) }
                return
            case .absent: break
            case let answer: throw .couldNotTell(source.trouble(in: answer))
            }
        }
        throw .noAliasedDomain(target)
    }

    func checkReferences(to record: Record, in writing: any RecordReading) throws(EditError) {
        guard let address = record.address else { return }
        // What stays at the address still answers for those who point to it.
        switch record {
        case .forward:
            if try EditError.wrapping({ try writing.record(.user, at: address) }) != nil { return }
        case .user:
            if case .forward(let forward)? = try EditError.wrapping({ try writing.record(.forward, at: address) }) {
                return try checkKeeper(forward)
            }
        default: break
        }
        for source in otherSources {
            switch source.answer(.entries([address])) {
            case .entry(.forward(let forward), _):
                if case .user = record { try checkKeeper(forward) }
                return
            case .entry: return
            case .absent: break
            case let answer: throw .couldNotTell(source.trouble(in: answer))
            }
        }
        // It is deliverable without a record, too (RFC 5321 4.5.1).
        if address.localPart.isPostmaster { return }
        let search = ReferenceSearch(
            sources: sources(with: writing), defaultDomain: defaultDomain, limits: limits,
            records: { [otherRecords] body in
                try body(writing)
                try otherRecords(body)
            })
        let references = try EditError.wrapping {
            // One more for what it says of itself, as a list that is its own owner.
            try search.references(to: address, limit: Self.namedReferences + 2)
        }.filter { $0.reference.kind != record.kind || $0.reference.name != address.description }.map(\.reference)
        if !references.isEmpty {
            throw .pointedTo(
                address.description, by: Array(references.prefix(Self.namedReferences)),
                more: references.count > Self.namedReferences)
        }
    }

    /// A forward without a copy needs no user below it.
    private func checkKeeper(_ forward: Forward) throws(EditError) {
        if !forward.keepsCopy { return }
        let name = forward.address.description
        throw .pointedTo(name, by: [Reference(kind: .forward, role: .target, name: name)], more: false)
    }
}
