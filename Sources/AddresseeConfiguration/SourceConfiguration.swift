// A directory that is asked.

/// A directory that is asked; sources are asked in their order.
public struct SourceConfiguration: Hashable, Sendable {
    /// Where the directory is kept.
    public enum Kind: Hashable, Sendable {
        /// A SQLite file; an absolute path, or one from the working directory.
        case sqlite(path: String)
        case ldap(LDAPSourceConfiguration)
    }

    /// Unique; for logs and explanations.
    public var name: String
    public var kind: Kind

    public init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
    }
}

extension SourceConfiguration {
    /// Reads `sources`, which must hold one at least.
    static func read(from root: inout Section) -> [SourceConfiguration] {
        guard let items = root.list("sources", empty: "name one source at least") else {
            root.require("sources", for: "sources: [{name: main, sqlite: directory.sqlite}]")
            return []
        }
        var names = UniqueNames(of: "source", such: "main")
        return items.compactMap { item in
            guard var section = item.section() else { return nil }
            let name = names.read(from: &section)
            let kind = kind(of: name ?? "", from: &section)
            section.close()
            guard let name, let kind else { return nil }
            return SourceConfiguration(name: name, kind: kind)
        }
    }

    /// Where the directory is kept: exactly one of the ways there are.
    private static func kind(of name: String, from section: inout Section) -> Kind? {
        switch (section.setting("sqlite"), section.setting("ldap")) {
        case (nil, nil):
            section.require("sqlite", for: "sqlite: directory.sqlite")
            return nil
        case (let path?, nil): return path.path().map { .sqlite(path: $0) }
        case (nil, let ldap?): return LDAPSourceConfiguration.read(ldap, source: name).map { .ldap($0) }
        case (_?, let ldap?):
            ldap.report("a source is kept in sqlite or in ldap, not in both; make two sources of it")
            return nil
        }
    }
}
