// Records in our own schema, domains in any, and what may be removed whole.

import MailAddress
import MailboxDirectory

extension RecordWriter {
    /// Makes an entry that is there say these records; none: nothing of ours stays in it.
    func writeOwn(_ records: [Record], into draft: inout EntryDraft) {
        let wanted = records.isEmpty ? [] : AddresseeSchemaEncoder.attributes(of: records)
        for name in AddresseeSchemaEncoder.all {
            var values = wanted.first { $0.name == name }?.values ?? []
            let old = draft.entry.values(name)
            if Self.ordered.contains(name) { values = OrderedValue.arranged(values, keeping: old) }
            if values != old { draft.set(name, values) }
        }
        let marks = schema.places.compactMap { place -> AttributeName? in
            records.contains { $0.kind == place.kind } ? nil : place.mark
        }
        draft.removeClasses(marks)
        for record in records { if let mark = place(record.kind)?.mark { draft.addClass(mark) } }
    }

    private static let ordered: Set<AttributeName> = [
        "addresseeForwardTarget", "addresseeAliasTarget", "addresseeMember",
    ]

    // MARK: Domains

    /// What has to be done so that the server has the domain as it is to be.
    func changes(for slot: DomainSlot) throws(StoreError) -> [PlannedChange] {
        guard let record = slot.after else {
            guard let entry = slot.entry else { return [] }
            if let reason = foreign(entry, nil) {
                throw .refused("the entry \(entry.dn) \(reason), so it is not removed; do that with ldapdelete")
            }
            return [PlannedChange(.delete(dn: entry.dn), before: entry, .domain(slot))]
        }
        if let entry = slot.entry {
            var draft = EntryDraft(entry)
            try write(record, into: &draft)
            let modifications = draft.modifications
            if modifications.isEmpty { return [] }
            return [PlannedChange(.modify(dn: entry.dn, modifications), before: entry, .domain(slot))]
        }
        guard let place = place(.domain) else { return [] }
        try checkBase()
        let dn = "\(DistinguishedName.component(place.naming, record.domain.key)),\(base)"
        var draft = EntryDraft(LDAPEntry(dn: dn, attributes: [:]))
        draft.set("objectClass", place.classes.map { Array($0.description.utf8) })
        try write(record, into: &draft)
        try fill(&draft, place, .domain(record))
        return [PlannedChange(.add(dn: dn, draft.modifications), before: nil, .domain(slot))]
    }

    private func write(_ record: DomainRecord, into draft: inout EntryDraft) throws(StoreError) {
        if isOwnSchema {
            let wanted = AddresseeSchemaEncoder.attributes(of: .domain(record))
            for name in AddresseeSchemaEncoder.all {
                let values = wanted.first { $0.name == name }?.values ?? []
                if values != draft.entry.values(name) { draft.set(name, values) }
            }
            return
        }
        let rules = plan.domainRules
        if let name = schema.names(.domainName, rules).first {
            let known = draft.entry.values(name).map { try? Domain(octets: EntryReader.trimmed($0)) }
            let isThere = known.contains(record.domain)
            // Without the octets of a U-label, which such attributes do not take.
            if !isThere { draft.add(name, record.domain.key) }
        }
        let catchAll = reader.single(.catchAll, of: draft.entry, rules)
        let known = try? catchAll.map { (value) throws(ReadFault) in
            try reader.target(value, of: draft.entry, domain: record.domain)
        }
        if let name = schema.names(.catchAll, rules).first, known != record.catchAll {
            draft.set(name, record.catchAll.map { [$0.spelling] } ?? [])
        }
    }

    // MARK: What is ours

    /// What an entry holds that was not made here, as the end of a sentence; nil when nothing.
    /// - Parameter address: the record's; the entry may have no other.
    func foreign(_ entry: LDAPEntry, _ address: Mailbox?) -> String? {
        var ours: Set<String> = ["top"]
        for place in schema.places { ours.formUnion(place.classes.map(\.key)) }
        if !isOwnSchema { ours.formUnion(["person", "organizationalperson"]) }
        for one in entry.texts("objectClass") where !ours.contains(one.lowercased()) {
            return "is of the class \(one) too"
        }
        if isOwnSchema { return nil }
        let others = reader.addresses(of: entry, reader.rules(of: entry), domain: address?.domain).all
        let named = others.filter { $0 != address }.min { $0.description < $1.description }
        if let named { return "is \(named) too" }
        var known: Set<String> = ["objectclass", "entrycsn", "cn", "sn"]
        for rule in schema.rules {
            for role in LDAPRole.allCases { known.formUnion(schema.names(role, rule).map(\.key)) }
        }
        for place in schema.places { known.formUnion(place.required.keys.map(\.key)) }
        known.formUnion(newEntryValues.keys.map(\.key))
        if let other = entry.attributes.keys.sorted().first(where: { !known.contains($0) }) {
            return "holds \(other) too"
        }
        return nil
    }

    // MARK: Reading back

    /// That the entry will be read as what it is written for: what can't be said is refused before anything is sent.
    func checkReading(_ entry: LDAPEntry, _ slot: RecordSlot) throws(StoreError) {
        let found: Entry
        do throws(ReadFault) {
            found = try reader.record(entry, at: slot.address)
        } catch {
            throw .refused(error.reason)
        }
        guard let wanted = slot.entry, let difference = difference(found, wanted, slot) else { return }
        throw .refused(
            "the entry \(entry.dn) would not say what it is to say: \(difference) would be read otherwise; change it with"
                + " ldapmodify")
    }

    /// What is not as wanted. Classes ask for a name where the record may have none, and then another value is shown.
    private func difference(_ found: Entry, _ wanted: Entry, _ slot: RecordSlot) -> String? {
        if found.address != wanted.address { return "its address" }
        switch (found, wanted) {
        case (.user(let user, let forward), .user(let wantedUser, let wantedForward)):
            if !isShown(wantedUser.fullName, as: user.fullName, slot) { return "the full name" }
            if user.login != wantedUser.login { return "the login" }
            if user.status != wantedUser.status { return "the status" }
            let isStopped = schema.statusStopsForwards && user.status != .active && user.status != .full
            if forward == nil, isStopped, slot.before.contains(where: { $0.kind == .forward }) { return nil }
            return difference(forward, wantedForward)
        case (.forward(let forward), .forward(let wanted)): return difference(forward, wanted)
        case (.alias(let alias), .alias(let wanted)):
            return Set(alias.targets) == Set(wanted.targets) ? nil : "where it leads"
        case (.moved(let moved), .moved(let wanted)):
            return moved.newAddress == wanted.newAddress ? nil : "where it leads"
        case (.list(let list), .list(let wanted)):
            if !isShown(wanted.name, as: list.name, slot) { return "the name" }
            if list.owner != wanted.owner { return "the owner" }
            return list.expansion == wanted.expansion ? nil : "who may see the members"
        default: return "what it is"
        }
    }

    /// Without a name the local-part stands for it where a class asks for one.
    private func isShown(_ name: String, as shown: String, _ slot: RecordSlot) -> Bool {
        shown == name || (name.isEmpty && Array(shown.utf8) == slot.address.localPart.octets)
    }

    private func difference(_ forward: Forward?, _ wanted: Forward?) -> String? {
        guard let forward, let wanted else { return forward == nil && wanted == nil ? nil : "the forward" }
        if Set(forward.targets) != Set(wanted.targets) { return "where the forward leads" }
        if forward.keepsCopy != wanted.keepsCopy { return "whether a copy stays" }
        return forward.reply == wanted.reply ? nil : "the reply of the forward"
    }
}
