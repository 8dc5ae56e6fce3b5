// From records to operations on entries. Pure: it is told what the server has, and sends nothing.

import MailAddress
import MailboxDirectory

/// Knows where and how a source's preset keeps records.
struct RecordWriter: Sendable {
    let plan: SearchPlan
    let preset: LDAPPreset
    let base: String
    let newEntryValues: [AttributeName: String]

    init(plan: SearchPlan, settings: LDAPSettings) {
        self.plan = plan
        preset = settings.preset
        base = settings.writeBase
        newEntryValues = settings.newEntryValues
    }

    var schema: LDAPSchema { plan.schema }
    var reader: EntryReader { plan.reader }
    var isOwnSchema: Bool { preset == .addressee }

    func place(_ kind: RecordKind) -> LDAPPlace? { schema.places.first { $0.kind == kind } }

    /// That there is a place for the kind at all.
    func check(_ kind: RecordKind) throws(StoreError) {
        if isOwnSchema, schema != .addressee {
            throw .refused(
                "the source \(plan.sourceName) has roles of its own in place of the preset's, so it can't be written by"
                    + " the preset addressee; write it with ldapmodify")
        }
        if place(kind) == nil { throw noPlace(kind, nil) }
    }

    /// That there is a place for all of the record.
    /// - Parameter isOnUser: for a forward, whether a user is at its address.
    func check(_ record: Record, isOnUser: Bool) throws(StoreError) {
        try check(record.kind)
        guard let place = place(record.kind) else { return }
        for feature in LDAPFeature.needed(by: record, isOnUser: isOnUser) {
            if !place.has(feature) { throw noPlace(record.kind, feature) }
            if let role = role(of: feature), names(role, record.kind).isEmpty { throw noPlace(record.kind, feature) }
        }
    }

    private func noPlace(_ kind: RecordKind, _ feature: LDAPFeature?) -> StoreError {
        .noPlace(
            feature?.phrase ?? kind.withArticle, preset: preset.rawValue, others: LDAPPreset.having(kind, feature))
    }

    /// The role whose attribute holds it; a configuration may have taken it away.
    private func role(of feature: LDAPFeature) -> LDAPRole? {
        switch feature {
        case .fullName: .fullName
        case .login: .login
        case .status: .status
        case .onUser, .alone: .forwardTarget
        case .title: .title
        case .owner: .owner
        case .catchAll: .catchAll
        default: nil
        }
    }

    private func names(_ role: LDAPRole, _ kind: RecordKind) -> [AttributeName] {
        var rules = schema.rules.filter { $0.kind == kind }
        if rules.isEmpty, kind == .forward { rules = plan.userRules }
        return schema.names(role, rules)
    }

    // MARK: Operations

    /// What has to be done so that the server has the address as it is to be.
    func changes(for slot: RecordSlot) throws(StoreError) -> [PlannedChange] {
        let subject = PlannedChange.Subject.records(slot)
        if slot.entries.isEmpty {
            if slot.after.isEmpty { return [] }
            let draft = try newEntry(slot.after, at: slot.address)
            let operation = LDAPOperation.add(dn: draft.entry.dn, draft.modifications)
            return [PlannedChange(operation, before: nil, subject)]
        }
        var before: [[Record]] = slot.entries.map { _ in [] }
        var after = before
        for record in slot.before { before[try home(of: record, in: slot)].append(record) }
        for record in slot.after { after[try home(of: record, in: slot)].append(record) }
        var changes: [PlannedChange] = []
        for (index, entry) in slot.entries.enumerated() {
            let operation = try operation(on: entry, before: before[index], after: after[index], slot)
            if let operation { changes.append(PlannedChange(operation, before: entry, subject)) }
        }
        return changes
    }

    /// Which of the entries at an address the record is in, or is to be in.
    private func home(of record: Record, in slot: RecordSlot) throws(StoreError) -> Int {
        let kinds = slot.entries.map { entry in Set(reader.rules(of: entry).map(\.kind)) }
        if let index = kinds.firstIndex(where: { $0.contains(record.kind) }) { return index }
        if isOwnSchema { return 0 }
        if record.kind == .forward {
            if let index = kinds.firstIndex(where: { $0.contains(.user) }) { return index }
            // Read from an alias of the user's address; it is none that is written as a forward.
            if slot.before.contains(record) { return 0 }
        }
        throw .refused(
            "\(slot.address) is \(slot.before.first?.kind.withArticle ?? "something else") in the entry"
                + " \(slot.entries[0].dn), to which the preset \(preset.rawValue) can't add"
                + " \(record.kind.withArticle); remove that first")
    }

    private func operation(
        on entry: LDAPEntry, before: [Record], after: [Record], _ slot: RecordSlot
    ) throws(StoreError) -> LDAPOperation? {
        if before.isEmpty, after.isEmpty { return nil }
        if after.isEmpty {
            if let reason = foreign(entry, slot.address) {
                if !isOwnSchema || before.contains(where: { $0.kind == .user }) {
                    throw .refused(
                        "the entry \(entry.dn) \(reason), so it is not removed; take what makes it"
                            + " \(before[0].kind.withArticle) out of it with ldapmodify")
                }
            } else {
                return .delete(dn: entry.dn)
            }
        }
        var draft = EntryDraft(entry)
        if isOwnSchema { writeOwn(after, into: &draft) } else { try write(before, after, into: &draft) }
        let modifications = draft.modifications
        if modifications.isEmpty { return nil }
        if slot.entries.count == 1, !after.isEmpty { try checkReading(draft.entry, slot) }
        return .modify(dn: entry.dn, modifications)
    }

    /// That there is a place for new entries, and that they would be found there.
    func checkBase() throws(StoreError) {
        if base.isEmpty {
            throw .refused("the source \(plan.sourceName) has no place for new entries; name one as write-base")
        }
        if !DistinguishedName.isWithin(base, plan.base) {
            throw .refused(
                "the write-base \(base) of the source \(plan.sourceName) is not below its base \(plan.base), so that nobody"
                    + " would find what is written there; correct it")
        }
    }

    private func newEntry(_ records: [Record], at address: Mailbox) throws(StoreError) -> EntryDraft {
        try checkBase()
        if isOwnSchema {
            var draft = EntryDraft(
                LDAPEntry(dn: AddresseeSchemaEncoder.dn(of: address, base: base), attributes: [:]))
            for (name, values) in AddresseeSchemaEncoder.attributes(of: records) { draft.set(name, values) }
            return draft
        }
        guard let record = records.first, let place = place(record.kind) else { throw noPlace(records[0].kind, nil) }
        let name = try namingValue(place, address)
        var draft = EntryDraft(
            LDAPEntry(dn: "\(DistinguishedName.component(place.naming, name)),\(base)", attributes: [:]))
        draft.set("objectClass", place.classes.map { Array($0.description.utf8) })
        try write([], records, into: &draft)
        try fill(&draft, place, record)
        let slot = RecordSlot(address: address, entries: [], records: records)
        try checkReading(draft.entry, slot)
        return draft
    }

    /// The value that names a new entry: the same for all spellings of an address, so that it can be made only once.
    private func namingValue(_ place: LDAPPlace, _ address: Mailbox) throws(StoreError) -> [UInt8] {
        guard isByLocalPart(place.kind, address) else { return address.foldedSpelling }
        var octets: [UInt8] = []
        LocalPart(stored: address.localPart.key, key: address.localPart.key).append(to: &octets)
        return octets
    }

    /// Whether a new entry of this kind is found by its local-part, which is an address in the one domain there is.
    func isByLocalPart(_ kind: RecordKind, _ address: Mailbox) -> Bool {
        !names(.localPart, kind).isEmpty && reader.domains == [address.domain]
    }
}

/// An operation, and what it is for.
struct PlannedChange {
    enum Subject {
        case records(RecordSlot)
        case domain(DomainSlot)
    }

    var operation: LDAPOperation
    /// The entry as it was read; nil for a new one.
    var before: LDAPEntry?
    var subject: Subject

    init(_ operation: LDAPOperation, before: LDAPEntry?, _ subject: Subject) {
        self.operation = operation
        self.before = before
        self.subject = subject
    }
}
