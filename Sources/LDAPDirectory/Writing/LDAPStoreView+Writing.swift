// Adding, replacing and removing records, in memory: a transaction sends nothing before its end. Each looks at what
// stands there before it changes anything.

import MailAddress
import MailboxDirectory

extension LDAPStoreView: RecordWriting {
    func insert(_ given: Record) throws {
        if case .domain(let domain) = given { return try insert(domain) }
        guard let address = given.address else { return }
        try writer.check(given.kind)
        let record: Record
        switch answer(.domain(address.domain)) {
        // A domain is shown as its own record spells it, whichever store an address is in.
        case .domain(let known): record = given.spelling(known.domain)
        case .absent: throw StoreError.noSuchDomain(address.domain)
        case let answer: throw StoreError.trouble(trouble(in: answer))
        }
        var slot = try slot(at: address)
        if slot.address != address, let kind = slot.kind { throw StoreError.addressTaken(address, by: kind) }
        switch (record, slot.entry) {
        case (_, nil), (.forward, .user(_, forward: nil)?), (.user, .forward?): break
        case (.forward, .user?): throw StoreError.addressTaken(address, by: .forward)
        case (_, let entry?): throw StoreError.addressTaken(address, by: entry.kind)
        }
        try writer.check(record, isOnUser: slot.record(.user) != nil)
        if case .user(let user) = record { try checkLogin(of: user) }
        slot.put(record)
        try keep(slot)
    }

    func replace(_ record: Record) throws {
        if case .domain(let domain) = record { return try replace(domain) }
        guard let address = record.address else { return }
        try writer.check(record.kind)
        var slot = try slot(of: record.kind, at: address)
        var given = record
        if case .list(let list, let members) = record, case .list(_, let old)? = slot.record(.list) {
            // Who is a member by an entry has a name without being given one.
            let known = Set(old)
            given = .list(list, members: members.filter { !known.contains($0) })
        }
        try writer.check(given, isOnUser: slot.record(.user) != nil)
        if case .user(let user) = record { try checkLogin(of: user) }
        slot.put(record)
        try keep(slot)
    }

    func remove(_ kind: RecordKind, at address: Mailbox) throws {
        if kind == .domain { return try removeDomain(address.domain) }
        try writer.check(kind)
        var slot = try slot(of: kind, at: address)
        slot.after.removeAll { $0.kind == kind }
        // What the server has put into the entry itself is no reason to keep it.
        if slot.after.isEmpty, !writer.isOwnSchema { slot.leaveOut(session.serverAttributes()) }
        if kind == .user, case .forward(var forward)? = slot.record(.forward) {
            forward.keepsCopy = false
            slot.put(.forward(forward))
            if writer.place(.forward)?.has(.alone) != true {
                throw StoreError.refused(
                    "\(address) has a forward, which the preset \(writer.preset.rawValue) can't keep without its user;"
                        + " remove the forward first")
            }
        }
        try keep(slot)
    }

    func addMembers(_ members: [ListMember], toListAt address: Mailbox) throws -> Int {
        try writer.check(.list)
        var slot = try slot(of: .list, at: address)
        guard case .list(let list, var all)? = slot.record(.list) else { return 0 }
        let before = all.count
        // What can't be sent is found at the end: to compare a long list for each of its members would take too long.
        var known = Set(all.map(\.mailbox))
        for member in members where known.insert(member.mailbox).inserted { all.append(member) }
        let record = Record.list(list, members: all)
        try writer.check(.list(list, members: Array(all[before...])), isOnUser: false)
        slot.put(record)
        overlay.slots[slot.address] = slot
        return all.count - before
    }

    func removeMembers(_ members: [Mailbox], fromListAt address: Mailbox) throws -> Int {
        try writer.check(.list)
        var slot = try slot(of: .list, at: address)
        guard case .list(let list, var all)? = slot.record(.list) else { return 0 }
        let before = all.count
        let gone = Set(members)
        all.removeAll { gone.contains($0.mailbox) }
        slot.put(.list(list, members: all))
        overlay.slots[slot.address] = slot
        return before - all.count
    }

    /// Takes a change into the transaction, if it can be sent at its end.
    private func keep(_ slot: RecordSlot) throws(StoreError) {
        // Whatever the schema can't say is found here, where the caller may still choose to go on.
        _ = try writer.changes(for: slot)
        overlay.slots[slot.address] = slot
    }

    /// - Throws: `.notFound` unless a record of this kind is there.
    private func slot(of kind: RecordKind, at address: Mailbox) throws(StoreError) -> RecordSlot {
        if plan.reader.isForeign(address.domain) { throw .notFound(kind, address.description) }
        let slot = try slot(at: address)
        guard slot.record(kind) != nil else { throw .notFound(kind, address.description) }
        if slot.address != address {
            throw .refused("\(address) is another address of \(slot.address); say that one")
        }
        return slot
    }

    /// The state of an address in this transaction, with the entries that it comes from.
    private func slot(at address: Mailbox) throws(StoreError) -> RecordSlot {
        if let slot = overlay.slots[address] { return slot }
        do throws(ReadFault) {
            var work = EntriesWork(plan: plan, keys: [address])
            guard case .search(var searches) = work.begin() else {
                return RecordSlot(address: address, entries: [], records: [])
            }
            searches[0].attributes = StoreSession.everything
            var outcomes = session.outcomes(searches)
            let hits = plan.reader.holders(of: address, among: try outcomes[0].entries())
            var step = work.take(outcomes)
            while case .search(let more) = step {
                outcomes = session.outcomes(more)
                step = work.take(outcomes)
            }
            guard case .answered(let answer) = step else { throw ReadFault("a lookup has not ended") }
            switch answer {
            case .absent: return RecordSlot(address: address, entries: hits, records: [])
            case .entry(let entry, _):
                // Found beside its canonical address, which this transaction has changed already.
                if let slot = overlay.slots[entry.address] { return slot }
                return RecordSlot(address: entry.address, entries: hits, records: try records(of: entry))
            default: throw ReadFault(trouble(in: answer).reason)
            }
        } catch {
            throw trouble(error.reason)
        }
    }

    private func records(of entry: Entry) throws(ReadFault) -> [Record] {
        var records: [Record] = []
        for kind in RecordKind.allCases {
            do throws(StoreError) {
                if let record = try record(kind, of: entry) { records.append(record) }
            } catch {
                if case .trouble(let trouble) = error { throw ReadFault(trouble.reason) }
                throw ReadFault("\(error)")
            }
        }
        return records
    }

    /// - Throws: `.loginTaken` when another user has it.
    private func checkLogin(of user: User) throws(StoreError) {
        guard let login = user.login else { return }
        let folded = NameFolding.fold(Array(login.utf8))
        if folded.isEmpty { return }
        for slot in overlay.slots.values where slot.address != user.address {
            guard case .user(let other)? = slot.record(.user), let taken = other.login else { continue }
            if NameFolding.fold(Array(taken.utf8)) == folded { throw .loginTaken(login) }
        }
        let filter = plan.loginFilter(folded)
        if filter.isNever { return }
        let search = plan.search(filter, plan.userRules, limit: LDAPLimits.entriesAtAnAddress)
        for entry in try entries([search]) {
            let rules = plan.reader.rules(of: entry)
            let logins = plan.reader.values(.login, of: entry, rules.filter { $0.kind == .user })
            guard logins.contains(where: { NameFolding.fold($0) == folded }) else { continue }
            let addresses = plan.reader.addresses(of: entry, rules, domain: user.address.domain).all
            // Those who are changed in this transaction have been looked at.
            if addresses.contains(where: { $0 == user.address || overlay.slots[$0] != nil }) { continue }
            throw .loginTaken(login)
        }
    }
}
