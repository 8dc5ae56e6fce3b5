// What a transaction has to do with one address or one domain: how the server has it, and how it is to be.

import MailAddress
import MailboxDirectory

/// One address in a transaction.
struct RecordSlot {
    /// The canonical address.
    let address: Mailbox
    /// The entries that say what stands there.
    private(set) var entries: [LDAPEntry]
    /// What stands there: a user, a forward, or both, or one record of another kind; whole.
    let before: [Record]
    var after: [Record]

    init(address: Mailbox, entries: [LDAPEntry], records: [Record]) {
        self.address = address
        self.entries = entries
        before = records
        after = records
    }

    /// What would be found there.
    var entry: Entry? {
        guard let first = after.first else { return nil }
        var forward: Forward?
        for case .forward(let one) in after { forward = one }
        switch first {
        case .alias(let alias): return .alias(alias)
        case .moved(let moved): return .moved(moved)
        case .list(let list, _): return .list(list)
        case .domain: return nil
        case .user, .forward: break
        }
        for case .user(let user) in after { return .user(user, forward: forward) }
        return forward.map(Entry.forward)
    }

    /// Takes these attributes out of what is known of the entries; the server keeps them.
    mutating func leaveOut(_ names: Set<String>) {
        for index in entries.indices {
            entries[index].attributes = entries[index].attributes.filter { !names.contains($0.key) }
        }
    }

    func record(_ kind: RecordKind) -> Record? { after.first { $0.kind == kind } }

    /// The kind that an administrator would name first.
    var kind: RecordKind? { entry?.kind }

    mutating func put(_ record: Record) {
        if let index = after.firstIndex(where: { $0.kind == record.kind }) {
            after[index] = record
        } else {
            after.append(record)
        }
    }
}

/// One domain in a transaction.
struct DomainSlot {
    let domain: Domain
    /// Its entry; nil where there is none.
    let entry: LDAPEntry?
    let before: DomainRecord?
    var after: DomainRecord?
}

/// All that a transaction has touched.
struct Overlay {
    var slots: [Mailbox: RecordSlot] = [:]
    var domains: [Domain: DomainSlot] = [:]

    var isEmpty: Bool { slots.isEmpty && domains.isEmpty }

    /// Every record as it is to be, in no order.
    var records: [Record] {
        slots.values.flatMap(\.after) + domains.values.compactMap { $0.after.map(Record.domain) }
    }
}
