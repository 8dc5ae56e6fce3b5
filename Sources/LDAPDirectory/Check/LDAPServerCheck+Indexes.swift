// Whether what questions search by is indexed. OpenLDAP tells in cn=config (slapd-config(5), olcDbIndex), and 389 Directory
// Server in the entries of its indexes (nsIndex), to those who may read them; of other servers it is not known.

import MailboxDirectory

extension LDAPServerCheck {
    /// The databases of OpenLDAP that have indexes.
    private static let databases: [AttributeName] = ["olcMdbConfig", "olcHdbConfig", "olcBdbConfig", "olcWtConfig"]

    mutating func examineIndexes(_ handle: LDAPHandle) throws(LDAPFailure) {
        let searched = SearchedAttributes(plan)
        let (equality, substring) = (searched.equality.filter(isKnown), searched.substring.filter(isKnown))
        guard let (database, indexes) = try kind == .netscape ? backend(handle) : database(handle) else {
            let lists = [("eq", equality), ("sub", substring)].filter { !$0.1.isEmpty }
            list.add(
                Finding(
                    .note, .directory, "this account may not see which indexes the server has",
                    advice: "have these at least: "
                        + lists.map { "\(SearchPlan.once($0.1).listed) (\($0.0))" }.joined(separator: ", ")))
            return
        }
        for name in SearchPlan.once(equality + substring) {
            var missing: [IndexLines.Kind] = []
            if equality.contains(name), !has(.equality, name, indexes) { missing.append(.equality) }
            if substring.contains(name), !has(.substring, name, indexes) { missing.append(.substring) }
            if missing.isEmpty { continue }
            let words = missing.map(\.word).joined(separator: " and ")
            list.add(
                Finding(
                    .warning, .directory,
                    "the attribute \(name) has no \(words) index, so that questions search it entry"
                        + " by entry", advice: indexAdvice(name, missing, indexes, database)))
        }
    }

    private func indexAdvice(
        _ name: AttributeName, _ missing: [IndexLines.Kind], _ indexes: IndexLines, _ database: String
    ) -> String {
        let kinds = indexes.kinds(of: name, adding: missing)
        if kind == .netscape {
            let types = kinds.split(separator: ",").map { "nsIndexType: \($0)" }.joined(separator: ", ")
            return "give cn=\(name),cn=index,\(database) \(types), and have it built (dsconf … backend index reindex)"
        }
        let instead = indexes.has(name) ? ", in place of the line that it has" : ""
        return "add to \(database): olcDbIndex: \(name) \(kinds)\(instead)"
    }

    private func isKnown(_ name: AttributeName) -> Bool { known?.has(attribute: name) ?? true }

    /// An index on what an attribute is a kind of holds its values too.
    private func has(_ kind: IndexLines.Kind, _ name: AttributeName, _ indexes: IndexLines) -> Bool {
        if indexes.has(kind, [name.key]) { return true }
        guard let line = known?.line(of: name) else { return false }
        for (distance, attribute) in line.enumerated()
        where indexes.has(kind, attribute.names, forSubtypes: distance > 0) { return true }
        return false
    }

    /// The database of OpenLDAP that holds the base, by name, and its indexes; nil where its configuration can't be read.
    private func database(_ handle: LDAPHandle) throws(LDAPFailure) -> (String, IndexLines)? {
        let place = root.texts("configContext").first ?? "cn=config"
        let search = LDAPSearch(
            base: place, scope: .subtree, filter: Self.filter(Self.databases).text,
            attributes: ["olcSuffix", "olcDbIndex"])
        return holder(of: try ask(handle, search).some, by: "olcSuffix").map {
            ($0.dn, IndexLines($0.texts("olcDbIndex")))
        }
    }

    /// The same of 389 Directory Server, where each index is an entry below its backend.
    private func backend(_ handle: LDAPHandle) throws(LDAPFailure) -> (String, IndexLines)? {
        let search = LDAPSearch(
            base: "cn=ldbm database,cn=plugins,cn=config", scope: .one,
            filter: Self.filter(["nsBackendInstance"]).text, attributes: ["nsslapd-suffix"])
        guard let backend = holder(of: try ask(handle, search).some, by: "nsslapd-suffix") else { return nil }
        let below = LDAPSearch(
            base: "cn=index,\(backend.dn)", scope: .one, filter: Self.filter(["nsIndex"]).text,
            attributes: ["cn", "nsIndexType"])
        let lines = try ask(handle, below).some.map {
            "\($0.texts("cn").first ?? "") \($0.texts("nsIndexType").joined(separator: ","))"
        }
        return lines.isEmpty ? nil : (backend.dn, IndexLines(lines))
    }

    /// Of databases, the one with the longest suffix that the base is within.
    private func holder(of databases: [LDAPEntry], by suffix: AttributeName) -> LDAPEntry? {
        var best: (entry: LDAPEntry, length: Int)?
        for entry in databases {
            for suffix in entry.texts(suffix) where DistinguishedName.isWithin(settings.base, suffix) {
                if suffix.utf8.count >= best?.length ?? 0 { best = (entry, suffix.utf8.count) }
            }
        }
        return best?.entry
    }
}

/// The indexes of one database: `mail,uid eq,sub`, `cn`, `default pres,eq`.
struct IndexLines {
    enum Kind: String {
        case equality = "eq"
        case substring = "sub"

        var word: String { self == .equality ? "equality" : "substring" }
    }

    private var kinds: [String: [String]] = [:]

    init(_ lines: [String]) {
        var usual: [String] = []
        for line in lines {
            // Values may bear their number: {0}mail eq
            let text = line.hasPrefix("{") ? String(line.drop { $0 != "}" }.dropFirst()) : line
            let parts = text.lowercased().split { $0 == " " || $0 == "\t" }
            guard let first = parts.first else { continue }
            let own = parts.count > 1 ? parts[1].split(separator: ",").map(String.init) : usual
            if first == "default" {
                usual = own
                continue
            }
            for name in first.split(separator: ",") { kinds[String(name), default: []] += own }
        }
    }

    func has(_ name: AttributeName) -> Bool { kinds[name.key] != nil }

    /// Whether there is such an index by any of these names of one attribute.
    func has(_ kind: Kind, _ names: [String], forSubtypes: Bool = false) -> Bool {
        names.contains { name in
            guard let own = kinds[name], !(forSubtypes && own.contains("nosubtypes")) else { return false }
            // Words of names are looked for anywhere in a value.
            return own.contains { $0 == kind.rawValue || (kind == .substring && $0 == "subany") }
        }
    }

    /// What a line for the attribute must say.
    func kinds(of name: AttributeName, adding missing: [Kind]) -> String {
        ((kinds[name.key] ?? []) + missing.map(\.rawValue)).joined(separator: ",")
    }
}
