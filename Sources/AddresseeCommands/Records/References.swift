// `addressee refs`: who points to an address.

import AddresseeConfiguration
import ArgumentParser
import MailAddress
import MailboxDirectory
import Verification

/// Lists what points to an address, or to a domain.
struct References: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refs", abstract: "List all that points to an address, or to a domain.",
        discussion: """
            To an address: the targets of aliases and forwards, the members and owners of lists, the new addresses of those \
            who have moved, and catch-alls, in every source; by its names in alias domains, with a detail, and by its other \
            addresses in LDAP, too. To a domain: its alias domains, and what points into it from other domains.

            A pipe gets a line each, with tabs between kind, name, how it points, to what, and source.

            Exit status: 0 when there is any; 67 when nothing points there; 75 when a source could not tell.

            Example: addressee refs fred@example.org
            """)

    @Argument(help: "An address, any name that \"addressee verify\" takes, or a domain with a dot in it.")
    var name: String

    @Flag(help: "Print a header and aligned columns, also where no terminal shows them.")
    var table = false

    @OptionGroup var options: ReadOptions

    func run() throws {
        let directory = try options.configuration.directory()
        let found: [FoundReference]
        let shown: String
        var isWhole = true
        if !name.contains("@"), let domain = try? Domain(name), domain.octets.contains(UInt8(ascii: ".")),
            try directory.isOnRecord(domain) || !isNamed(directory)
        {
            shown = "\(domain)"
            found = try directory.references(toDomain: domain, in: options.source)
        } else {
            let address = try directory.mailbox(named: name)
            shown = "\(address)"
            found = try directory.references(to: address, in: options.source) { trouble in
                isWhole = false
                Output.current.error("\(trouble)")
            }
        }
        try Output.current.untilClosed { try tell(found) }
        if !isWhole { throw ExitCode(ExitStatus.temporary.rawValue) }
        if found.isEmpty { throw CommandFailure(.noUser, "nothing points to \(shown)") }
    }

    /// Whether somebody is called so. `fred.claude` may be a local-part as well as a domain.
    private func isNamed(_ directory: ConfiguredDirectory) throws -> Bool {
        try directory.resolution(.name(Array(name.utf8)), purpose: .verify).isOnRecord
    }

    private func tell(_ found: [FoundReference]) throws {
        if options.json.isWanted {
            var array = JSONArray(to: .current)
            for reference in found { try array.add(reference.json) }
            return try array.finish()
        }
        var rows = Table(["RECORD", "NAME", "AS", "TO", "SOURCE"], to: .current, isAligned: table)
        for reference in found { try rows.add(reference.row) }
        try rows.finish()
    }
}

/// One way in which a record points to what was asked.
struct FoundReference: Hashable {
    var reference: Reference
    /// What it points to, which may be another name of the address.
    var target: String
    var source: String
    /// Whether it is a domain that is an alias.
    var isAliasDomain = false

    private var role: String { isAliasDomain ? "alias-of" : reference.role.rawValue }

    fileprivate var row: [String] {
        [reference.kind.rawValue, reference.name, role, target, source]
    }

    fileprivate var json: JSON {
        .object([
            "record": .string(reference.kind.rawValue), "name": .string(reference.name), "role": .string(role),
            "to": .string(target), "source": .string(source),
        ])
    }
}

extension ConfiguredDirectory {
    /// In the order of the sources; where one is named, of that alone.
    /// A record that can't be read is told to `faulty`.
    fileprivate func references(
        to address: Mailbox, in source: String?, faulty: @escaping (Trouble) -> Void
    ) throws -> [FoundReference] {
        let source = try source.map { configuration.sources[try index(ofSource: $0)].name }
        let stores = try stores(nil)
        let search = ReferenceSearch(
            sources: try sources(), defaultDomain: defaultDomain, limits: configuration.expansion,
            records: { body in for store in stores { try store.read(body) } })
        return try search.references(to: address, in: source, readsAll: true, faulty: faulty).map {
            FoundReference(reference: $0.reference, target: "\($0.target)", source: $0.source)
        }
    }

    fileprivate func references(toDomain domain: Domain, in source: String?) throws -> [FoundReference] {
        try stores(source).flatMap { store in
            try store.read { reading in
                try reading.redirections(inDomain: domain, limit: .max).compactMap { found -> FoundReference? in
                    if found.kind == .domain, found.role == .target {
                        return FoundReference(
                            reference: found, target: "\(domain)", source: store.name, isAliasDomain: true)
                    }
                    // What stands in the domain does not point into it from elsewhere.
                    if let address = try? Mailbox(found.name), address.domain == domain { return nil }
                    return FoundReference(reference: found, target: "\(domain)", source: store.name)
                }
            }
        }
    }
}
