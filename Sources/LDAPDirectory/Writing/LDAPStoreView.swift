// What an administrator sees inside one transaction: what the server has, under what the transaction has written. It must
// not be kept after that.

import MailAddress
import MailboxDirectory

final class LDAPStoreView: RecordReading {
    let name: String
    let session: StoreSession
    let plan: SearchPlan
    let writer: RecordWriter
    var overlay = Overlay()
    /// What the server has said, which counts until the end of the transaction.
    private var remembered: [Lookup: Answer] = [:]

    init(name: String, session: StoreSession, plan: SearchPlan, writer: RecordWriter) {
        self.name = name
        self.session = session
        self.plan = plan
        self.writer = writer
    }

    var answersAtOnce: Bool { false }

    func answer(_ lookup: Lookup) -> Answer {
        if overlay.isEmpty { return base(lookup) }
        switch lookup {
        case .domain(let domain):
            guard let slot = overlay.domains[domain] else { return base(lookup) }
            return slot.after.map(Answer.domain) ?? .absent
        case .entries(let keys): return entries(keys)
        case .members(let list):
            guard let slot = overlay.slots[list] else { return base(lookup) }
            guard case .list(_, let members)? = slot.record(.list) else { return .absent }
            return .members(members)
        case .moreMembers, .moreTargets: return .absent
        case .name(let query): return matches(query)
        }
    }

    /// What the server has.
    func base(_ lookup: Lookup) -> Answer {
        if let known = remembered[lookup] { return known }
        let answer = session.answers([plan.work(for: lookup)], source: name)[0]
        if case .couldNotTell = answer { return answer }
        if remembered.count < LDAPLimits.remembered { remembered[lookup] = answer }
        return answer
    }

    /// The first of these that anything stands at. An address beside the canonical one leads to the entry too, whatever
    /// has become of it in this transaction.
    private func entries(_ keys: [Mailbox]) -> Answer {
        var start = 0
        while start < keys.count {
            if let slot = overlay.slots[keys[start]] {
                if let entry = slot.entry { return .entry(entry, key: start) }
                start += 1
                continue
            }
            var end = start + 1
            while end < keys.count, overlay.slots[keys[end]] == nil { end += 1 }
            switch base(.entries(Array(keys[start..<end]))) {
            case .absent: start = end
            case .entry(let entry, let key):
                guard let slot = overlay.slots[entry.address] else { return .entry(entry, key: start + key) }
                if let entry = slot.entry { return .entry(entry, key: start + key) }
                start += key + 1
            case let answer: return answer
            }
        }
        return .absent
    }

    // MARK: Bare names

    private func matches(_ query: NameQuery) -> Answer {
        for slot in overlay.domains.values {
            guard let before = slot.before, (before.kind == .local) != (slot.after?.kind == .local) else { continue }
            return .trouble(name, "names can't be looked up in the transaction that changes the domain \(slot.domain)")
        }
        var wider = query
        wider.limit += overlay.slots.count
        for rank in [NameRank.localPart, .login, .fullName] {
            var found: [Entry] = []
            switch session.answers([NameWork(plan: plan, query: wider, only: rank)], source: name)[0] {
            case .matches(let entries, _): found = entries.filter { overlay.slots[$0.address] == nil }
            case .absent: break
            case let answer: return answer
            }
            found += overlay.slots.values.compactMap(\.entry).filter { bears($0, query, rank) && isLocal($0) }
            if found.isEmpty { continue }
            found.sort { $0.address.description < $1.address.description }
            return .matches(Array(found.prefix(query.limit)), rank)
        }
        return .absent
    }

    private func isLocal(_ entry: Entry) -> Bool {
        if case .domain(let domain) = answer(.domain(entry.address.domain)) { return domain.kind == .local }
        return false
    }

    private func bears(_ entry: Entry, _ query: NameQuery, _ rank: NameRank) -> Bool {
        if query.folded.isEmpty, rank != .localPart { return false }
        switch rank {
        case .localPart: return entry.address.localPart == query.localPart
        case .login: return entry.user?.login.map { NameFolding.fold(Array($0.utf8)) } == query.folded
        case .fullName:
            return entry.user.map { NameFolding.keys(ofFullName: $0.fullName).contains(query.folded) } ?? false
        }
    }

    // MARK: Records

    func record(_ kind: RecordKind, at address: Mailbox) throws -> Record? {
        if kind == .domain {
            switch answer(.domain(address.domain)) {
            case .domain(let domain): return .domain(domain)
            case .absent: return nil
            case let answer: throw StoreError.trouble(trouble(in: answer))
            }
        }
        // An entry's address in a domain of others is no record here.
        if plan.reader.isForeign(address.domain) { return nil }
        switch answer(.entries([address])) {
        case .entry(let entry, _): return try record(kind, of: entry)
        case .absent: return nil
        case let answer: throw StoreError.trouble(trouble(in: answer))
        }
    }

    /// The record of this kind that is in the entry, whole; nil when there is none.
    func record(_ kind: RecordKind, of entry: Entry) throws(StoreError) -> Record? {
        switch (kind, entry) {
        case (.user, .user(let user, _)): return .user(user)
        case (.forward, .user(_, let forward?)), (.forward, .forward(let forward)): return .forward(forward)
        case (.alias, .alias(let alias)): return .alias(alias)
        case (.moved, .moved(let moved)): return .moved(moved)
        case (.list, .list(let list)):
            switch answer(.members(of: list.address)) {
            case .members(let members): return .list(list, members: members)
            case .absent: return nil
            case let answer: throw StoreError.trouble(trouble(in: answer))
            }
        default: return nil
        }
    }

    /// Searches whose failure is trouble.
    func entries(_ searches: [LDAPSearch]) throws(StoreError) -> [LDAPEntry] {
        do throws(ReadFault) {
            return try session.outcomes(searches).entries()
        } catch {
            throw trouble(error.reason)
        }
    }

    func trouble(_ reason: String) -> StoreError { .trouble(Trouble(source: name, reason: reason)) }
}
