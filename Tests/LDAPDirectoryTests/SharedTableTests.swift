// The tables that every store has to fulfil, on our own schema in a real slapd; and again with a failure at each
// lookup.

import DirectoryTesting
import Foundation
import LDAPDirectory
import MailAddress
import MailboxDirectory
import Testing

/// Puts records below a base of their own.
///
/// - Returns: the base.
func filled(_ slapd: Slapd, _ records: [Record]) throws -> String {
    let writer = try LDAPWriter(uri: slapd.uri)
    let name = UUID().uuidString
    let base = "ou=\(name),\(Slapd.suffix)"
    try writer.add(base, [("objectClass", ["organizationalUnit"]), ("ou", [name])])
    var groups: [(dn: String, records: [Record])] = []
    for record in records {
        let dn = AddresseeSchemaEncoder.dn(of: record, base: base)
        if let index = groups.firstIndex(where: { $0.dn == dn }) {
            groups[index].records.append(record)
        } else {
            groups.append((dn, [record]))
        }
    }
    for group in groups { try writer.add(group.dn, AddresseeSchemaEncoder.attributes(of: group.records)) }
    return base
}

func directory(_ slapd: Slapd, _ name: String, _ records: [Record]) throws -> LDAPDirectory {
    var settings = LDAPSettings(uris: [slapd.uri], base: try filled(slapd, records), preset: .addressee)
    settings.cache.entries = 0
    settings.bind = .simple(
        dn: Slapd.rootDN, password: .environment("ADDRESSEE_TEST_PASSWORD"), isClearTextAllowed: true)
    setenv("ADDRESSEE_TEST_PASSWORD", Slapd.password, 1)
    return LDAPDirectory(name: name, settings: settings)
}

func directories(_ slapd: Slapd, _ text: String) throws -> [LDAPDirectory] {
    try records(text).enumerated().map { try directory(slapd, "source \($0)", $1) }
}

@Suite(.enabled(if: hasSlapd)) struct SharedTableTests {
    @Test(arguments: resolveTable)
    func resolves(_ row: ResolveRow) throws {
        let sources = try directories(try .shared(), row.directory)
        defer { for source in sources { source.close() } }
        #expect(row.resolve(sources).text == row.expected)
    }

    @Test(arguments: resolveTable)
    func failures(_ row: ResolveRow) throws {
        let sources = try directories(try .shared(), row.directory)
        defer { for source in sources { source.close() } }
        var lookups = 0
        _ = row.resolve(sources) { number, _, answer in
            lookups = number + 1
            return answer
        }
        let trouble = Trouble(source: "source 0", reason: "gone")
        for failing in 0..<lookups {
            let resolution = row.resolve(sources) { number, _, answer in
                number == failing ? .couldNotTell(trouble) : answer
            }
            #expect(resolution.outcome == .couldNotTell(trouble), "at lookup \(failing)")
        }
    }
}
