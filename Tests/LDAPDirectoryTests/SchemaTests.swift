// Our own schema: both files say the same and load, and records come back from entries as they were.

import AddresseeSchema
import DirectoryTesting
import Foundation
import MailAddress
import MailboxDirectory
import Testing

@testable import LDAPDirectory

/// A record, on a user or not, and what a preset must have a place for.
private let needed: [(String, Bool, [LDAPFeature])] = [
    ("user u@a", false, []), ("user u@a (U) login=u", false, [.fullName, .login]),
    ("user u@a status=full", false, [.status(.full)]), ("alias x@a y@a", false, []), ("moved x@a to=y@a", false, []),
    ("forward x@a y@a", false, [.alone]), ("forward x@a y@a", true, [.onUser]),
    ("forward x@a y@a z@a keep reply=251", true, [.onUser, .severalTargets, .copy, .reply(.announced)]),
    ("list l@a : x@a", false, []), ("list l@a (L) owner=o@a : x@a (X)", false, [.title, .owner, .memberName]),
    ("list l@a expn=nobody", false, [.expansion(.nobody)]), ("domain a", false, [.noCatchAll]),
    (
        "domain a relay catch-all=x@a separators=- transport=smtp:x", false,
        [.relay, .catchAll, .separators, .transport]
    ),
    ("domain a alias-of=b", false, [.aliasDomain, .noCatchAll]),
]

@Suite struct SchemaTests {
    @Test(arguments: needed)
    func whatARecordNeeds(text: String, isOnUser: Bool, features: [LDAPFeature]) throws {
        let record = try #require(try DirectoryTesting.records(text)[0].first)
        #expect(LDAPFeature.needed(by: record, isOnUser: isOnUser) == features)
    }

    /// The definitions of a file, white space made alike.
    private func definitions(_ text: String, _ words: [String]) -> [String] {
        var found: [String] = []
        var isOpen = false
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            if let word = words.first(where: { line.hasPrefix($0) }) {
                found.append(String(line.dropFirst(word.count)))
                isOpen = true
            } else if line.first == " ", isOpen {
                found[found.count - 1] += " " + line
            } else {
                isOpen = false
            }
        }
        return found.map { $0.split(separator: " ").joined(separator: " ") }
    }

    @Test func filesAgree() {
        let plain = definitions(Schema.ldapSchema, ["attributetype", "objectclass"])
        let configuration = definitions(Schema.ldapConfiguration, ["olcAttributeTypes:", "olcObjectClasses:"])
        #expect(plain == configuration)
        #expect(plain.count == 33)
    }

    /// slapd takes it both ways.
    @Test(.enabled(if: hasSlapd)) func filesLoad() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "addressee-schema-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder.appending(path: "d"), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let schema = folder.appending(path: "addressee.schema")
        try Schema.ldapSchema.write(to: schema, atomically: true, encoding: .utf8)
        try "include /etc/ldap/schema/core.schema\ninclude \(schema.path)\n"
            .write(to: folder.appending(path: "slapd.conf"), atomically: true, encoding: .utf8)
        #expect(try run("/usr/sbin/slaptest", ["-u", "-f", folder.appending(path: "slapd.conf").path]) == 0)
        let core = try String(contentsOfFile: "/etc/ldap/schema/core.ldif", encoding: .utf8)
        let ldif = """
            dn: cn=config
            objectClass: olcGlobal
            cn: config

            dn: cn=schema,cn=config
            objectClass: olcSchemaConfig
            cn: schema

            \(core)

            \(Schema.ldapConfiguration)
            """
        let file = folder.appending(path: "config.ldif")
        try ldif.write(to: file, atomically: true, encoding: .utf8)
        #expect(try run("/usr/sbin/slapadd", ["-n0", "-F", folder.appending(path: "d").path, "-l", file.path]) == 0)
    }

    private func run(_ program: String, _ arguments: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.runUnblocked()
        process.waitUntilExit()
        return process.terminationStatus
    }

    static let records: [Record] = {
        let lines = """
            user Fred@Example.org (Fred  Claude) login=Fred status=suspended
            user "a b"@example.org
            user "a\\"b\\\\c@d"@example.org (Łukasz Żółć)
            alias x@example.org B@Other.Example a@b "x y"@bücher.example c@[IPv6:2001:db8::1]
            forward f@example.org t@x keep reply=251
            forward g@example.org t@x u@x reply=250
            moved m@example.org to=New@b
            moved gone@example.org
            list l@example.org (Title) expn=nobody owner=O@a : m@a (Name of  m) n@b
            list empty@example.org expn=anyone
            domain Example.org separators= transport=smtp:[mx.example.org]:25
            domain bücher.example relay separators=+-=
            domain c alias-of=Example.org catch-all="c a"@a
            """
        return (try? DirectoryTesting.records(lines)[0]) ?? []
    }()

    /// `==` of addresses does not see spelling; the description does.
    private func spelled(_ record: Record?) -> String { record.map { "\($0)" } ?? "none" }

    private func entry(_ records: [Record]) -> LDAPEntry {
        var entry = LDAPEntry(dn: "cn=x", attributes: [:])
        for (name, values) in AddresseeSchemaEncoder.attributes(of: records) { entry.attributes[name.key] = values }
        return entry
    }

    @Test(arguments: records)
    func roundTrip(record: Record) throws {
        let read = try AddresseeSchemaEncoder.record(record.kind, in: entry([record]))
        #expect(read == record)
        #expect(spelled(read) == spelled(record))
        for kind in RecordKind.allCases where kind != record.kind {
            #expect(try AddresseeSchemaEncoder.record(kind, in: entry([record])) == nil)
        }
    }

    @Test func forwardOnUser() throws {
        let records = try DirectoryTesting.records("user fred@a (Fred)\nforward fred@a t@x keep")[0]
        let both = entry(records)
        #expect(try AddresseeSchemaEncoder.record(.user, in: both) == records[0])
        #expect(try AddresseeSchemaEncoder.record(.forward, in: both) == records[1])
        #expect(try AddresseeSchemaEncoder.record(.alias, in: both) == nil)
        #expect(both.attributes["objectclass"]?.count == 4)
    }

    @Test func twoThingsAtOnce() throws {
        let records = try DirectoryTesting.records("user fred@a\nalias fred@a t@x")[0]
        #expect(throws: Trouble.self) { try AddresseeSchemaEncoder.record(.alias, in: entry(records)) }
    }

    @Test func names() throws {
        let record = try DirectoryTesting.records("user \" Fred,C\"@Bücher.example")[0][0]
        #expect(
            AddresseeSchemaEncoder.dn(of: record, base: "o=x")
                == "addresseeKey=\\20fred\\2Cc@xn--bcher-kva.example,o=x")
    }
}
