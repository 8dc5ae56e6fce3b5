// A directory that is asked.

/// A directory that is asked; sources are asked in their order.
public struct SourceConfiguration: Hashable, Sendable {
    /// Where the directory is kept.
    public enum Kind: Hashable, Sendable {
        /// A SQLite file; an absolute path, or one from the working directory.
        case sqlite(path: String)
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
            let path = section.setting("sqlite")
            if path == nil { section.require("sqlite", for: "sqlite: directory.sqlite") }
            section.close()
            guard let name, let path = path?.path() else { return nil }
            return SourceConfiguration(name: name, kind: .sqlite(path: path))
        }
    }
}
