// A directory in memory: for tests, for programs that embed the resolver, and as the plainest statement of what a store
// has to do. It scans; the stores for real sites must not.

import MailAddress

/// A writable directory that lives and dies with the process. Confined to its owner.
public final class MemoryStore: RecordStore {
    public let name: String
    private var view: View

    /// - Parameters:
    ///   - name: the source's name in traces.
    ///   - records: what it holds at first, each checked as an added one is.
    public init(name: String = "memory", _ records: [Record] = []) throws {
        self.name = name
        view = View(name: name)
        for record in records { try view.insert(record) }
    }

    public func read<Result>(_ body: (any RecordReading) throws -> Result) throws -> Result { try body(view) }

    public func write<Result>(_ body: (any RecordWriting) throws -> Result) throws -> Result {
        let before = view.contents
        do {
            return try body(view)
        } catch {
            view.contents = before
            throw error
        }
    }

    /// The store as a source.
    public var source: any Source { view }
}

extension MemoryStore {
    struct Contents {
        var domains: [Domain: DomainRecord] = [:]
        var entries: [Mailbox: Entry] = [:]
        var members: [Mailbox: [ListMember]] = [:]
    }

    final class View: Source {
        let name: String
        var contents = Contents()

        init(name: String) { self.name = name }

        func answer(_ lookup: Lookup) -> Answer {
            switch lookup {
            case .domain(let domain): return contents.domains[domain].map(Answer.domain) ?? .absent
            case .entries(let keys):
                for (index, key) in keys.enumerated() {
                    if let entry = contents.entries[key] { return .entry(entry, key: index) }
                }
                return .absent
            case .name(let query): return matches(query)
            case .members(let list):
                guard case .list? = contents.entries[list] else { return .absent }
                return .members(contents.members[list] ?? [])
            // No page is ever told.
            case .moreMembers, .moreTargets: return .absent
            }
        }

        private func matches(_ query: NameQuery) -> Answer {
            let local = contents.entries.values.filter { isLocal($0.address.domain) }
                .sorted { $0.address.description < $1.address.description }
            let ranks: [(NameRank, (Entry) -> Bool)] = [
                (.localPart, { $0.address.localPart == query.localPart }),
                (.login, { $0.user?.login.map { NameFolding.fold(Array($0.utf8)) } == query.folded }),
                (
                    .fullName,
                    { $0.user.map { NameFolding.keys(ofFullName: $0.fullName).contains(query.folded) } ?? false }
                ),
            ]
            for (rank, isMatch) in ranks {
                let found = local.filter(isMatch).prefix(query.limit)
                if !found.isEmpty { return .matches(Array(found), rank) }
            }
            return .absent
        }

        private func isLocal(_ domain: Domain) -> Bool {
            contents.domains[domain]?.kind == .local
        }
    }
}

extension Entry {
    /// The user at the address, if that is what stands there.
    public var user: User? {
        if case .user(let user, _) = self { return user }
        return nil
    }

    /// The forward at the address, whether or not a user is there.
    public var forward: Forward? {
        switch self {
        case .user(_, let forward): forward
        case .forward(let forward): forward
        case .alias, .moved, .list: nil
        }
    }
}
