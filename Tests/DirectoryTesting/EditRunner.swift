// Runs rows of the edit table against any store. A row is a directory, one change, and what comes of it.

import MailAddress
public import MailboxDirectory

/// One line of the edit table.
public struct EditRow: Sendable, CustomStringConvertible {
    public var directory: String
    /// `add user u@a`, `force add …`, `set alias x@a y@a`, `rm user u@a`, `join l@a u@a (Name)`, `leave l@a u@a`. What
    /// follows `add` and `set` is a record as `DirectoryText.swift` reads it, whole.
    public var change: String
    /// The error, or `done`.
    public var expected: String
    /// Which of the directory's sources is written to.
    public var source: Int
    public var limits: ExpansionLimits

    public init(
        _ directory: String, _ change: String, source: Int = 0, limits: ExpansionLimits = ExpansionLimits(),
        _ expected: String
    ) {
        self.directory = directory
        self.change = change
        self.expected = expected
        self.source = source
        self.limits = limits
    }

    public var description: String { change }

    /// What comes of the change, and the store before and after.
    /// - Parameter makeStore: a new and empty store; called once for each source of the row.
    public func outcome(
        from makeStore: () throws -> any RecordStore
    ) throws -> (text: String, before: [String], after: [String]) {
        let stores = try records(directory).map { records in
            let store = try makeStore()
            try store.write { writing in for record in records { try writing.insert(record) } }
            return store
        }
        let store = stores[source]
        let others = stores.indices.filter { $0 != source }.map { stores[$0] }
        let before = try contents(of: store)
        let text = try reading(others[...], []) { sources in
            let editor = RecordEditor(
                store: store, at: source, otherSources: sources,
                otherRecords: { body in
                    for view in sources.compactMap({ $0 as? any RecordReading }) { try body(view) }
                },
                defaultDomain: ResolveRow.defaultDomain, limits: limits)
            do throws(EditError) {
                return try editor.apply(change)
            } catch {
                return error.description
            }
        }
        return (text, before, try contents(of: store))
    }
}

/// Every record of a store, in order, each as text.
public func contents(of store: any RecordStore) throws -> [String] {
    try store.read { reading in
        var all: [String] = []
        for kind in RecordKind.allCases { try reading.forEach(kind, in: nil) { all.append($0.text) } }
        return all
    }
}

extension RecordEditor {
    /// Carries out a change that is written as text.
    /// - Returns: `done`, for join with how many were added.
    public func apply(_ change: String) throws(EditError) -> String {
        var words = words(change[...])
        let isForced = words.first == "force"
        if isForced { words.removeFirst() }
        let verb = words.removeFirst()
        let rest = words.joined(separator: " ")
        switch verb {
        case "add": try add(parsed(rest), isForced: isForced)
        case "set":
            let record = try parsed(rest)
            if case .domain(let domain) = record {
                try setDomain(domain.domain, isForced: isForced) { _ in domain }
            } else if let address = record.address {
                try set(record.kind, at: address, isForced: isForced) { _ in record }
            }
        case "rm":
            let record = try parsed(rest)
            if case .domain(let domain) = record {
                try removeDomain(domain.domain)
            } else if let address = record.address {
                try remove(record.kind, at: address, isForced: isForced)
            }
        case "join", "leave":
            guard
                case .list(let list, let members) = try parsed(
                    "list \(words[0]) : " + words[1...].joined(separator: " "))
            else { break }
            if verb == "join" { return "added \(try join(members, list: list.address, isForced: isForced))" }
            try leave(members.map(\.mailbox), list: list.address)
        default: throw .unsuitable("unknown change: \(change)")
        }
        return "done"
    }
}

private func parsed(_ text: String) throws(EditError) -> Record {
    do {
        if let record = try records(text).first?.first { return record }
    } catch {
        throw .unsuitable("\(error)")
    }
    throw .unsuitable("no record: \(text)")
}

extension Record {
    /// The record whole, on a line.
    public var text: String {
        switch self {
        case .domain(let record):
            let kind =
                switch record.kind {
                case .local: "local"
                case .relay: "relay"
                case .alias(let other): "alias-of=\(other)"
                }
            let separators = String(decoding: record.detailSeparators, as: UTF8.self)
            return "domain \(record.domain) \(kind) \(record.catchAll?.description ?? "-") \(separators)"
                + (record.transport.map { " " + $0 } ?? "")
        case .user(let user):
            return "user \(user.address) (\(user.fullName)) \(user.login ?? "-") \(user.status)"
        case .alias(let alias): return "alias \(alias.address) \(alias.targets.arrows)"
        case .forward(let forward):
            return "forward \(forward.address) \(forward.targets.arrows) \(forward.keepsCopy) \(forward.reply)"
        case .moved(let moved): return "moved \(moved.address) \(moved.newAddress?.description ?? "-")"
        case .list(let list, let members):
            let names = members.map { "\($0.mailbox)(\($0.name))" }.joined(separator: " ")
            return "list \(list.address) (\(list.name)) \(list.owner?.description ?? "-") \(list.expansion) : \(names)"
        }
    }
}
