// The rules for writing records, the same for every store: nothing dangles, nothing loops, an address is one thing. A
// change is checked in the transaction that writes it, so that it is kept whole or not at all.

public import MailAddress

/// Writes records into one store after checking them against all sources.
public struct RecordEditor {
    let store: any RecordStore
    let storeIndex: Int
    let otherSources: [any Source]
    let otherRecords: (_ body: (any RecordReading) throws -> Void) throws -> Void
    let defaultDomain: Domain
    let limits: ExpansionLimits

    /// - Parameters:
    ///   - store: the store that is written to.
    ///   - storeIndex: its place among all sources, counted from 0.
    ///   - otherSources: the remaining sources in their order; they are asked, never written.
    ///   - otherRecords: hands out their records, one source after the other; they tell who points to what is removed here.
    ///   - defaultDomain: the domain of bare names.
    ///   - limits: those of questions; a record by which one would pass them is refused.
    public init(
        store: any RecordStore, at storeIndex: Int = 0, otherSources: [any Source] = [],
        otherRecords: @escaping (_ body: (any RecordReading) throws -> Void) throws -> Void = { _ in },
        defaultDomain: Domain, limits: ExpansionLimits = ExpansionLimits()
    ) {
        self.store = store
        self.storeIndex = storeIndex
        self.otherSources = otherSources
        self.otherRecords = otherRecords
        self.defaultDomain = defaultDomain
        self.limits = limits
    }

    /// Adds a record.
    /// - Parameters:
    ///   - record: at an address that is nothing else yet.
    ///   - isForced: writes it even if a target dangles. Loops are refused all the same.
    public func add(_ record: Record, isForced: Bool = false) throws(EditError) {
        try transaction { writing throws(EditError) in
            try checkForm(record)
            try checkElsewhere(record)
            try EditError.wrapping { try writing.insert(record) }
            try checkTargets(of: record, in: writing, isForced: isForced)
            if case .domain(let domain) = record {
                try checkNoLoop(through: domain.domain, in: writing)
            } else {
                try checkLimits(of: record, in: writing)
            }
        }
    }

    /// Changes the record of this kind at the address.
    /// - Parameters:
    ///   - kind: of the several records that may be at an address.
    ///   - address: stays as it is.
    ///   - isForced: writes it even if a target dangles. Loops are refused all the same.
    ///   - change: gets the record as it is, and returns it as it should be; what it throws is passed on.
    public func set(
        _ kind: RecordKind, at address: Mailbox, isForced: Bool = false,
        change: (Record) throws(EditError) -> Record
    ) throws(EditError) {
        try transaction { writing throws(EditError) in
            guard let old = try EditError.wrapping({ try writing.record(kind, at: address) }) else {
                throw .notFound(kind, address.description)
            }
            let record = try change(old)
            guard record.kind == kind, record.address == old.address else {
                throw .unsuitable("a record's address can't be changed; add another record and remove this one")
            }
            try checkForm(record, isNew: false)
            if case .user(let new) = record, case .user(let user) = old, let login = new.login, login != user.login {
                try checkWord(login)
            }
            try EditError.wrapping { try writing.replace(record) }
            try checkTargets(of: record, in: writing, isForced: isForced)
            try checkLimits(of: record, in: writing)
        }
    }

    /// Removes the record of this kind at the address.
    /// - Parameters:
    ///   - kind: of the several records that may be at an address.
    ///   - address: the record's own, as it is on record or spelled otherwise.
    ///   - isForced: removes it even if others point to it. What is removed must not lay bare a loop all the same.
    public func remove(_ kind: RecordKind, at address: Mailbox, isForced: Bool = false) throws(EditError) {
        try transaction { writing throws(EditError) in
            let record = try EditError.wrapping { try writing.record(kind, at: address) }
            guard let record else { throw .notFound(kind, address.description) }
            if !isForced { try checkReferences(to: record, in: writing) }
            let ways = try spellings(of: address, in: writing).filter { !loops(from: $0, in: writing) }
            try EditError.wrapping { try writing.remove(kind, at: address) }
            // What the record hid answers now: the address without its detail, or the catch-all.
            try checkNoLoop(from: ways, in: writing)
        }
    }

    /// Adds members to a list; those that it has already stay as they are.
    /// - Returns: how many were added.
    public func join(_ members: [ListMember], list address: Mailbox, isForced: Bool = false) throws(EditError) -> Int {
        try transaction { writing throws(EditError) in
            try checkForm(.list(MailingList(address: address), members: members), isNew: false)
            let added = try EditError.wrapping { try writing.addMembers(members, toListAt: address) }
            let new = Record.list(MailingList(address: address), members: members)
            try checkTargets(of: new, in: writing, isForced: isForced)
            return added
        }
    }

    /// Removes members from a list.
    /// - Throws: `.unsuitable` when one of them is not a member; then none is removed.
    public func leave(_ members: [Mailbox], list address: Mailbox) throws(EditError) {
        try transaction { writing throws(EditError) in
            let record = try EditError.wrapping { try writing.record(.list, at: address) }
            guard case .list(_, let present)? = record else { throw .notFound(.list, address.description) }
            let there = Set(present.map(\.mailbox))
            var given: Set<Mailbox> = []
            for member in members {
                if !given.insert(member).inserted {
                    throw .unsuitable("\(member) is given twice; once is enough")
                }
                if !there.contains(member) { throw .unsuitable("\(member) is not a member of \(address)") }
            }
            // All at once: some stores look through the list for each call.
            _ = try EditError.wrapping { try writing.removeMembers(members, fromListAt: address) }
        }
    }

    func transaction<Result>(
        _ body: (any RecordWriting) throws(EditError) -> Result
    ) throws(EditError) -> Result {
        try EditError.wrapping { try store.write { writing in try body(writing) } }
    }
}

extension EditError {
    /// Turns what a store throws into the reason that a person is given.
    static func wrapping<Result>(_ body: () throws -> Result) throws(EditError) -> Result {
        do {
            return try body()
        } catch let error as EditError {
            throw error
        } catch let error as StoreError {
            throw EditError(error)
        } catch let trouble as Trouble {
            throw .couldNotTell(trouble)
        } catch {
            throw .couldNotTell(Trouble(source: "store", reason: "\(error)"))
        }
    }
}
