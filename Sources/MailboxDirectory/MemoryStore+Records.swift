// Reading and writing records in memory.

import MailAddress

extension MemoryStore.View: RecordWriting {
    func record(_ kind: RecordKind, at address: Mailbox) throws -> Record? {
        guard let entry = contents.entries[address] else { return nil }
        return record(kind, of: entry)
    }

    private func record(_ kind: RecordKind, of entry: Entry) -> Record? {
        switch (kind, entry) {
        case (.user, .user(let user, _)): .user(user)
        case (.forward, _): entry.forward.map(Record.forward)
        case (.alias, .alias(let alias)): .alias(alias)
        case (.moved, .moved(let moved)): .moved(moved)
        case (.list, .list(let list)): .list(list, members: contents.members[list.address] ?? [])
        default: nil
        }
    }

    func forEach(
        _ kind: RecordKind, in domain: Domain?, faulty: (Trouble) throws -> Void, _ body: (Record) throws -> Void
    ) throws {
        if kind == .domain {
            for record in contents.domains.values.sorted(by: { $0.domain.key.lexicographicallyPrecedes($1.domain.key) })
            where domain == nil || record.domain == domain {
                try body(.domain(record))
            }
            return
        }
        let entries = contents.entries.values.filter { domain == nil || $0.address.domain == domain }
            .sorted { $0.address.precedes($1.address) }
        for entry in entries {
            if let record = record(kind, of: entry) { try body(record) }
        }
    }

    private var all: [Record] {
        contents.domains.values.map(Record.domain)
            + contents.entries.values.flatMap { entry in RecordKind.allCases.compactMap { record($0, of: entry) } }
    }

    private func references(limit: Int, where isMatch: (Mailbox) -> Bool) -> [Reference] {
        let found = all.flatMap { record in
            record.references.filter { isMatch($0.mailbox) }.map { Reference(record, role: $0.role) }
        }
        return Array(found.sorted { $0.name < $1.name }.prefix(limit))
    }

    func references(to address: Mailbox, limit: Int) throws -> [Reference] {
        references(limit: limit) { $0 == address }
    }

    func references(toDomain domain: Domain, limit: Int) throws -> [Reference] {
        references(to: domain, by: all, limit: limit)
    }

    func redirections(inDomain domain: Domain, limit: Int) throws -> [Reference] {
        references(to: domain, by: all.filter { $0.kind != .user }, limit: limit)
    }

    private func references(to domain: Domain, by records: [Record], limit: Int) -> [Reference] {
        let standing = records.filter { $0.address?.domain == domain }.map { Reference($0, role: .target) }
            .sorted { $0.name < $1.name }
        let aliases = contents.domains.values.filter { $0.kind == .alias(of: domain) }
            .map { Reference(.domain($0), role: .target) }.sorted { $0.name < $1.name }
        let pointing = records.filter { $0.domain != domain }.flatMap { record in
            record.references.filter { $0.mailbox.domain == domain }.map { Reference(record, role: $0.role) }
        }.sorted { $0.name < $1.name }
        return Array((aliases + standing + pointing).prefix(limit))
    }

    func insert(_ record: Record) throws {
        if case .domain(let domain) = record {
            if contents.domains[domain.domain] != nil { throw StoreError.domainTaken(domain.domain) }
            contents.domains[domain.domain] = domain
            return
        }
        guard let address = record.address else { return }
        if contents.domains[address.domain] == nil { throw StoreError.noSuchDomain(address.domain) }
        switch (record, contents.entries[address]) {
        case (_, nil): try put(record, beside: nil)
        case (.forward, .user(let user, forward: nil)?): try put(record, beside: .user(user, forward: nil))
        case (.user, .forward(let forward)?): try put(record, beside: .forward(forward))
        case (.forward, .user?): throw StoreError.addressTaken(address, by: .forward)
        case (_, let entry?):
            throw StoreError.addressTaken(address, by: entry.kind)
        }
    }

    private func put(_ record: Record, beside entry: Entry?) throws {
        switch record {
        case .domain: break
        case .user(let user):
            try checkLogin(of: user)
            contents.entries[user.address] = .user(user, forward: entry?.forward)
        case .forward(let forward):
            contents.entries[forward.address] = entry?.user.map { .user($0, forward: forward) } ?? .forward(forward)
        case .alias(let alias): contents.entries[alias.address] = .alias(alias)
        case .moved(let moved): contents.entries[moved.address] = .moved(moved)
        case .list(let list, let members):
            contents.entries[list.address] = .list(list)
            contents.members[list.address] = members
        }
    }

    private func checkLogin(of user: User) throws {
        guard let login = user.login else { return }
        let folded = NameFolding.fold(Array(login.utf8))
        for case .user(let other, _) in contents.entries.values where other.address != user.address {
            if other.login.map({ NameFolding.fold(Array($0.utf8)) }) == folded { throw StoreError.loginTaken(login) }
        }
    }

    func replace(_ record: Record) throws {
        if case .domain(let domain) = record {
            if contents.domains[domain.domain] == nil {
                throw StoreError.notFound(.domain, domain.domain.description)
            }
            contents.domains[domain.domain] = domain
            return
        }
        guard let address = record.address, let entry = contents.entries[address],
            self.record(record.kind, of: entry) != nil
        else { throw StoreError.notFound(record.kind, record.address?.description ?? "") }
        try put(record, beside: entry)
    }

    func remove(_ kind: RecordKind, at address: Mailbox) throws {
        guard let entry = contents.entries[address], record(kind, of: entry) != nil else {
            throw StoreError.notFound(kind, address.description)
        }
        switch (kind, entry) {
        case (.user, .user(_, .some(var forward))):
            forward.keepsCopy = false
            contents.entries[address] = .forward(forward)
        case (.forward, .user(let user, _)): contents.entries[address] = .user(user, forward: nil)
        default:
            contents.entries[address] = nil
            contents.members[address] = nil
        }
    }

    func removeDomain(_ domain: Domain) throws {
        if contents.domains[domain] == nil { throw StoreError.notFound(.domain, domain.description) }
        let isUsed =
            contents.entries.keys.contains { $0.domain == domain }
            || contents.domains.values.contains { $0.kind == .alias(of: domain) }
        if isUsed { throw StoreError.notEmpty(domain) }
        contents.domains[domain] = nil
    }

    func addMembers(_ members: [ListMember], toListAt address: Mailbox) throws -> Int {
        guard case .list? = contents.entries[address] else {
            throw StoreError.notFound(.list, address.description)
        }
        var all = contents.members[address] ?? []
        let before = all.count
        var known = Set(all.map(\.mailbox))
        for member in members where known.insert(member.mailbox).inserted { all.append(member) }
        contents.members[address] = all
        return all.count - before
    }

    func removeMembers(_ members: [Mailbox], fromListAt address: Mailbox) throws -> Int {
        guard case .list? = contents.entries[address] else {
            throw StoreError.notFound(.list, address.description)
        }
        let before = contents.members[address] ?? []
        let gone = Set(members)
        let after = before.filter { !gone.contains($0.mailbox) }
        contents.members[address] = after
        return before.count - after.count
    }
}

extension Mailbox {
    /// By domain, then by local-part, in byte order, as a database index has it.
    fileprivate func precedes(_ other: Mailbox) -> Bool {
        if domain != other.domain { return domain.key.lexicographicallyPrecedes(other.domain.key) }
        return localPart.key.lexicographicallyPrecedes(other.localPart.key)
    }
}
