// One change of one entry, as a value: what is sent, and what would take it back.

/// What is added to an attribute, or taken from it, by value.
struct LDAPModification: Hashable, Sendable {
    var isAdded: Bool
    var name: AttributeName
    /// Never empty.
    var values: [[UInt8]]
}

/// An operation that writes (RFC 4511 4.6 to 4.8).
enum LDAPOperation: Sendable {
    case add(dn: String, [LDAPModification])
    case modify(dn: String, [LDAPModification])
    case delete(dn: String)

    var dn: String {
        switch self {
        case .add(let dn, _), .modify(let dn, _), .delete(let dn): dn
        }
    }

    /// What it adds and takes away; none for `.delete`.
    var modifications: [LDAPModification] {
        switch self {
        case .add(_, let modifications), .modify(_, let modifications): modifications
        case .delete: []
        }
    }

    var isAdd: Bool {
        if case .add = self { return true }
        return false
    }

    /// The same in operations that a server takes: one that is too large is followed by others that add the rest.
    var pieces: [LDAPOperation] {
        var rest: [LDAPModification] = []
        var first: [LDAPModification] = []
        var room = LDAPLimits.operationOctets
        for modification in modifications {
            var kept = modification
            kept.values = []
            for (index, value) in modification.values.enumerated() {
                room -= value.count + 8
                // What is taken away goes first, and whole, so that nothing is there twice.
                if room < 0, modification.isAdded, index > 0 || !first.isEmpty {
                    var more = modification
                    more.values = Array(modification.values[index...])
                    rest.append(more)
                    break
                }
                kept.values.append(value)
            }
            if !kept.values.isEmpty { first.append(kept) }
        }
        switch self {
        case .delete: return [self]
        case .add(let dn, _):
            return [.add(dn: dn, first)] + (rest.isEmpty ? [] : LDAPOperation.modify(dn: dn, rest).pieces)
        case .modify(let dn, _):
            return [.modify(dn: dn, first)] + (rest.isEmpty ? [] : LDAPOperation.modify(dn: dn, rest).pieces)
        }
    }

    /// What takes it back.
    /// - Parameter before: the entry as it was, with all its attributes; nil for a new one.
    func inverse(before: LDAPEntry?) -> LDAPOperation? {
        switch self {
        case .add(let dn, _): return .delete(dn: dn)
        case .modify(let dn, let modifications):
            let inverted = modifications.reversed().map { one in
                LDAPModification(isAdded: !one.isAdded, name: one.name, values: one.values)
            }
            // By attribute, removals go before additions.
            return .modify(dn: dn, inverted.filter { !$0.isAdded } + inverted.filter { $0.isAdded })
        case .delete(let dn):
            guard let before else { return nil }
            return .add(dn: dn, before.writableModifications)
        }
    }

    /// The entry when this has been done to it; nil when it is gone. Values are compared octet by octet.
    func applied(to entry: LDAPEntry?) -> LDAPEntry? {
        if case .delete = self { return nil }
        var entry = entry ?? LDAPEntry(dn: dn, attributes: [:])
        for modification in modifications {
            var values = entry.values(modification.name)
            if modification.isAdded {
                values += modification.values
            } else {
                let gone = Set(modification.values)
                values.removeAll { gone.contains($0) }
            }
            entry.attributes[modification.name.key] = values.isEmpty ? nil : values
        }
        return entry
    }
}

extension LDAPEntry {
    /// Operational attributes that reading for a change asks for; the server makes them itself.
    static let operational: Set<String> = ["entrycsn"]

    /// What an entry like this is added with.
    var writableModifications: [LDAPModification] {
        attributes.sorted { $0.key < $1.key }.compactMap { key, values in
            guard !values.isEmpty, !Self.operational.contains(key), let name = AttributeName(key) else { return nil }
            return LDAPModification(isAdded: true, name: name, values: values)
        }
    }

    /// The operations that turn the values of these attributes into others; each by value, so that what somebody else
    /// has changed meanwhile is refused.
    func modifications(to wanted: [(name: AttributeName, values: [[UInt8]])]) -> [LDAPModification] {
        var changes: [LDAPModification] = []
        for (name, new) in wanted {
            let old = values(name)
            let (oldSet, newSet) = (Set(old), Set(new))
            let gone = old.filter { !newSet.contains($0) }
            let added = new.filter { !oldSet.contains($0) }
            if !gone.isEmpty { changes.append(LDAPModification(isAdded: false, name: name, values: gone)) }
            if !added.isEmpty { changes.append(LDAPModification(isAdded: true, name: name, values: added)) }
        }
        return changes
    }
}
