// The fields of records in the attributes of the schemas that sites have. Only what a field maps to is changed, and a
// value that says the right thing already is left as it is spelled.

import MailAddress
import MailboxDirectory

extension RecordWriter {
    /// Writes what an entry is to say of these records.
    func write(_ before: [Record], _ after: [Record], into draft: inout EntryDraft) throws(StoreError) {
        for record in before where !after.contains(where: { $0.kind == record.kind }) {
            if record.kind == .forward { clearForward(&draft) }
        }
        for record in after {
            let old = before.first { $0.kind == record.kind }
            let kind = record.kind
            if old == nil, let place = place(kind), let mark = place.mark, !draft.entry.isOf([mark]) {
                draft.addClass(mark)
                try fill(&draft, place, record)
            }
            var rules = reader.rules(of: draft.original).filter { $0.kind == kind }
            if rules.isEmpty { rules = Array(schema.rules.filter { $0.kind == kind }.prefix(1)) }
            if rules.isEmpty { rules = reader.rules(of: draft.entry).filter { $0.kind == .user } }
            if let address = record.address { try writeAddress(address, kind, rules, into: &draft) }
            switch record {
            case .user(let user): try write(user, rules, into: &draft)
            case .forward(let forward):
                try writeTargets(forward.targets, .forwardTarget, forward.address, rules, into: &draft)
                writeDelivery(forward, rules, into: &draft)
            case .alias(let alias):
                try writeTargets(alias.targets, .aliasTarget, alias.address, rules, into: &draft)
            case .list(let list, let members):
                var known: [ListMember] = []
                if case .list(_, let members)? = old { known = members }
                try write(list, members, known: known, rules, into: &draft)
            case .moved, .domain: break
            }
        }
    }

    private func writeAddress(
        _ address: Mailbox, _ kind: RecordKind, _ rules: [LDAPRule], into draft: inout EntryDraft
    ) throws(StoreError) {
        let isThere = reader.addresses(of: draft.entry, rules, domain: address.domain).all.contains(address)
        if isThere {
            let locals = reader.values(.localPart, of: draft.original, rules)
            if !locals.isEmpty, reader.domains.count > 1, kind == .alias {
                let isWhole = reader.values(.address, of: draft.original, rules)
                    .contains { (try? Mailbox(octets: $0.span)) == address }
                if isWhole { return }
                throw .refused(
                    "the entry \(draft.entry.dn) is \(address.localPart)@ in each of the configured domains; change it with"
                        + " ldapmodify, or give each domain an entry of its own")
            }
            return
        }
        if isByLocalPart(kind, address), let name = schema.names(.localPart, rules).first {
            var octets: [UInt8] = []
            address.localPart.append(to: &octets)
            draft.add(name, octets)
        } else if let name = schema.names(.address, rules).first {
            draft.add(name, address.spelling)
        }
    }

    private func write(_ user: User, _ rules: [LDAPRule], into draft: inout EntryDraft) throws(StoreError) {
        if reader.fullName(of: draft.entry, rules) != user.fullName, let name = schema.names(.fullName, rules).first {
            setName(user.fullName, name, .user, into: &draft)
        }
        if reader.login(of: draft.entry, rules) != user.login, let name = schema.names(.login, rules).first {
            let shown = reader.preferred(.login, of: draft.entry, rules)
            let others = draft.entry.values(name).filter { shown?.name != name || $0 != shown?.value }
            draft.set(name, user.login.map { [Array($0.utf8)] + others } ?? [])
        }
        writeStatus(user.status, rules, into: &draft)
    }

    /// Into the attribute that is closest to mail. The gravest of all counts, so others that the entry has follow only where they
    /// say something graver: they may be about more than mail.
    private func writeStatus(_ status: AccountStatus, _ rules: [LDAPRule], into draft: inout EntryDraft) {
        func isThere(_ name: AttributeName) -> Bool { !draft.entry.values(name).isEmpty }
        func isSaid() -> Bool { (try? reader.status(of: draft.entry, rules)) == status }
        if isSaid() { return }
        let word = schema.statusWords[status].map { Array($0.utf8) }
        // No value is active too.
        if word == nil, status != .active { return }
        let values = word.map { [$0] } ?? []
        let names = schema.names(.status, rules)
        let best = names.first { isThere($0) || schema.statusClasses[$0].map { draft.entry.isOf([$0]) } ?? true }
        guard let name = best ?? names.last else { return }
        if isThere(name) || status != .active {
            draft.set(name, values)
            // The attribute may be one of an auxiliary class that the entry does not have yet.
            for one in schema.statusClasses[name].map({ [$0] }) ?? Array(place(.user)?.classes.dropFirst() ?? []) {
                draft.addClass(one)
            }
        }
        if isSaid() { return }
        for other in names where isThere(other) { draft.set(other, values) }
    }

    /// A name for people; one that a class asks for stays when the record has none any more.
    private func setName(_ text: String, _ name: AttributeName, _ kind: RecordKind, into draft: inout EntryDraft) {
        if !text.isEmpty { return draft.set(name, [Array(text.utf8)]) }
        if place(kind)?.required[name] == nil { draft.set(name, []) }
    }

    /// Targets in no order; one that the entry has already keeps its spelling.
    private func writeTargets(
        _ targets: [Mailbox], _ role: LDAPRole, _ address: Mailbox, _ rules: [LDAPRule], into draft: inout EntryDraft
    ) throws(StoreError) {
        let names = schema.names(role, rules)
        guard let first = names.first else { return }
        var missing = targets
        for name in names {
            var kept: [[UInt8]] = []
            for value in draft.entry.values(name) {
                let stripped = schema.prefixes[name].map { $0.strip(value) ?? value } ?? value
                let mailbox = try? reader.target(stripped, of: draft.entry, domain: address.domain)
                if let mailbox, let index = missing.firstIndex(of: mailbox) {
                    missing.remove(at: index)
                    kept.append(value)
                }
            }
            draft.set(name, kept)
        }
        let prefix = schema.prefixes[first].map { Array($0.text.uppercased().utf8) } ?? []
        for target in missing { draft.add(first, prefix + target.spelling) }
    }

    private func writeDelivery(_ forward: Forward?, _ rules: [LDAPRule], into draft: inout EntryDraft) {
        guard let words = schema.delivery.writes, let name = schema.names(.keepCopy, rules).first else { return }
        let all = draft.entry.values(name)
        let known = Set(all.map { String(decoding: Folding.fold($0), as: UTF8.self) })
        let wanted: [String]
        if let forward {
            if schema.delivery.keepsCopy(known) == forward.keepsCopy { return }
            wanted = forward.keepsCopy ? words.copy : words.noCopy
        } else {
            wanted = words.none
        }
        let delivery = schema.delivery
        let meaningful = delivery.copy.union(delivery.noCopy).union(delivery.noForward).union(delivery.needed)
        let kept = all.filter { !meaningful.contains(String(decoding: Folding.fold($0), as: UTF8.self)) }
        // What is there already is left as it is spelled.
        let new = wanted.map { word in
            all.first { String(decoding: Folding.fold($0), as: UTF8.self) == word } ?? Array(word.utf8)
        }
        draft.set(name, kept + new)
    }

    private func clearForward(_ draft: inout EntryDraft) {
        let rules = reader.rules(of: draft.original)
        let users = rules.filter { $0.kind == .user }
        for name in schema.names(.forwardTarget, users) + schema.names(.forwardTargetDN, users) { draft.set(name, []) }
        // Whether a copy is kept was said of the forward that goes.
        if schema.delivery.writes == nil { for name in schema.names(.keepCopy, users) { draft.set(name, []) } }
        writeDelivery(nil, rules, into: &draft)
        if let mark = place(.forward)?.mark { draft.removeClasses([mark]) }
    }

    private func write(
        _ list: MailingList, _ members: [ListMember], known: [ListMember], _ rules: [LDAPRule],
        into draft: inout EntryDraft
    ) throws(StoreError) {
        let shown = reader.shown(.title, of: draft.entry, rules) ?? ""
        if shown != list.name, let name = schema.names(.title, rules).first {
            setName(list.name, name, .list, into: &draft)
        }
        if reader.owner(of: draft.entry, rules) != list.owner, let name = schema.names(.owner, rules).first {
            draft.set(name, list.owner.map { [$0.spelling] } ?? [])
        }
        guard let name = schema.names(.memberAddress, rules).first else { return }
        let old = Set(known.map(\.mailbox))
        let leaving = old.subtracting(members.map(\.mailbox))
        var gone = leaving
        var kept: [[UInt8]] = []
        for value in draft.entry.values(name) {
            let mailbox = try? reader.target(value, of: draft.entry, domain: list.address.domain)
            if let mailbox, leaving.contains(mailbox) { gone.remove(mailbox) } else { kept.append(value) }
        }
        if let other = gone.first {
            throw .refused(
                "\(other) is in \(list.address) by the name of an entry, in a group or by a search; take it out there")
        }
        draft.set(name, kept + members.filter { !old.contains($0.mailbox) }.map { $0.mailbox.spelling })
    }
}
