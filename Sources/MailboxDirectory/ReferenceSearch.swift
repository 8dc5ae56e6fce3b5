// Which records lead to an address, by any name of it: its own, the same in an alias of its domain, another of its entry,
// or any of these with a detail. A name may lead to somebody else who is found before (Expansion+Address.swift); so what
// is found is asked for.

public import MailAddress

/// A name of an address, by which a record may point to it.
public struct AddressName: Hashable, Sendable {
    public var mailbox: Mailbox
    /// The octets any of which begins a detail in its domain; empty: no details there.
    public var detailSeparators: [UInt8]

    public init(_ mailbox: Mailbox, detailSeparators: [UInt8]) {
        self.mailbox = mailbox
        self.detailSeparators = detailSeparators
    }

    /// Whether the address may be this name with a detail.
    public func isBase(of address: Mailbox) -> Bool {
        address.domain == mailbox.domain
            && address.localPart.bases(separators: detailSeparators).contains(mailbox.localPart)
    }
}

/// A record that points to an address, and how it names it.
public struct AddressReference: Hashable, Sendable {
    public var reference: Reference
    /// As it is on record, which may be another name of the address.
    public var target: Mailbox
    /// The source that has the record.
    public var source: String

    public init(_ reference: Reference, to target: Mailbox, in source: String) {
        self.reference = reference
        self.target = target
        self.source = source
    }
}

/// Looks in every source for what leads to an address.
public struct ReferenceSearch {
    private let sources: [any Source]
    private let defaultDomain: Domain
    private let limits: ExpansionLimits
    private let records: (_ body: (any RecordReading) throws -> Void) throws -> Void

    /// - Parameters:
    ///   - sources: all of them in their order; they tell whom a name leads to.
    ///   - defaultDomain: the domain of bare names.
    ///   - limits: those of questions; a name whose walk passes one is taken to lead there.
    ///   - records: hands out the records of each of them, one after the other.
    public init(
        sources: [any Source], defaultDomain: Domain, limits: ExpansionLimits = ExpansionLimits(),
        records: @escaping (_ body: (any RecordReading) throws -> Void) throws -> Void
    ) {
        self.sources = sources
        self.defaultDomain = defaultDomain
        self.limits = limits
        self.records = records
    }

    /// In the order of the sources.
    /// - Parameters:
    ///   - address: as its record has it.
    ///   - source: the one that is looked in; nil for all. The names of the address are known to all of them.
    ///   - limit: at most so many.
    ///   - readsAll: whether those too are wanted that are found only by reading every list or forward.
    ///   - faulty: told of each record that can't be read, once; without it, the first ends the search.
    public func references(
        to address: Mailbox, in source: String? = nil, limit: Int = .max, readsAll: Bool = false,
        faulty tell: ((Trouble) throws -> Void)? = nil
    ) throws -> [AddressReference] {
        var told: Set<Trouble> = []
        let faulty = { (trouble: Trouble) throws in
            guard let tell else { throw StoreError.trouble(trouble) }
            if told.insert(trouble).inserted { try tell(trouble) }
        }
        let names = try names(of: address, faulty: faulty)
        var leads: [Mailbox: Bool] = [:]
        func leadsThere(_ target: Mailbox) throws -> Bool {
            if let known = leads[target] { return known }
            let answer = try self.leads(target, to: address)
            leads[target] = answer
            return answer
        }
        var found: [AddressReference] = []
        try records { reading in
            if let source, source != reading.name { return }
            for (index, name) in names.enumerated() where found.count < limit {
                guard try index == 0 || leadsThere(name.mailbox) else { continue }
                let references =
                    try index == 0 && readsAll
                    ? reading.allReferences(to: name.mailbox, faulty: faulty)
                    : reading.references(to: name.mailbox, limit: limit == .max ? .max : limit - found.count)
                found += references.map { AddressReference($0, to: name.mailbox, in: reading.name) }
            }
            let separated = names.filter { !$0.detailSeparators.isEmpty }
            if separated.isEmpty || found.count >= limit { return }
            for reference in try reading.references(withDetailOf: separated, faulty: faulty)
            where found.count < limit {
                if try leadsThere(reference.target) { found.append(reference) }
            }
        }
        return Array(found.prefix(limit))
    }

    /// The address itself comes first.
    private func names(of address: Mailbox, faulty: (Trouble) throws -> Void) throws -> [AddressName] {
        var mailboxes = [address]
        var aliases: [Domain: [Domain]] = [:]
        try records { reading in
            for other in try reading.otherAddresses(of: address) where !mailboxes.contains(other) {
                mailboxes.append(other)
            }
            try reading.forEach(.domain, in: nil, faulty: faulty) { record in
                guard case .domain(let domain) = record, case .alias(let target) = domain.kind else { return }
                if aliases[target]?.contains(domain.domain) != true {
                    aliases[target, default: []].append(domain.domain)
                }
            }
        }
        var names: [AddressName] = []
        for mailbox in mailboxes {
            let separators = try ruling(mailbox.domain)?.detailSeparators ?? []
            for domain in [mailbox.domain] + (aliases[mailbox.domain] ?? []) {
                let name = AddressName(
                    Mailbox(localPart: mailbox.localPart, domain: domain), detailSeparators: separators)
                if !names.contains(name) { names.append(name) }
            }
        }
        return names
    }

    /// The record whose rules hold in a domain: its own, or that of the domain that it is an alias of.
    private func ruling(_ domain: Domain) throws -> DomainRecord? {
        guard let record = try record(of: domain) else { return nil }
        if case .alias(let target) = record.kind { return try self.record(of: target) }
        return record
    }

    private func record(of domain: Domain) throws -> DomainRecord? {
        for source in sources {
            switch source.answer(.domain(domain)) {
            case .domain(let record): return record
            case .absent: continue
            case let answer: throw source.trouble(in: answer)
            }
        }
        return nil
    }

    /// Whether what is found for the target is what stands at the address. Where nothing is found, it would be found there.
    private func leads(_ target: Mailbox, to address: Mailbox) throws -> Bool {
        let walk = Expansion(
            .address(target), purpose: .verify, sources: sources.map(\.name), defaultDomain: defaultDomain,
            limits: limits)
        let resolution = walk.run(sources)
        if resolution.isOnRecord { return resolution.asked == address }
        if case .couldNotTell(let trouble) = resolution.outcome { throw trouble }
        return true
    }
}
