// What an examination finds, against a real slapd with a fault of each kind; and that a sound one is in order.

import DirectoryTesting
import Foundation
import MailAddress
import MailboxDirectory
import Testing

@testable import LDAPDirectory

@Suite(.enabled(if: hasSlapd), .serialized) struct CheckTests {
    private static let reader = LDAPBind.simple(
        dn: "cn=reader,dc=example,dc=org", password: .environment("ADDRESSEE_READER_PASSWORD"),
        isClearTextAllowed: true)

    private func site(_ more: [String] = []) throws -> (ToolChild, LDAPSettings) {
        setenv("ADDRESSEE_READER_PASSWORD", "reader", 1)
        let child = try ToolChild("slapd.py", ["--site", "inetorgperson"] + more)
        var settings = LDAPSettings(
            uris: [child.uri], base: "dc=example,dc=org", preset: .inetorgperson,
            domains: [DomainRecord(domain: try Domain("example.org"))])
        settings.bind = Self.reader
        settings.timeout = .seconds(20)
        settings.connectTimeout = .seconds(20)
        return (child, settings)
    }

    private func findings(_ settings: LDAPSettings) -> [Finding] {
        LDAPCheck(name: "people", settings: settings).findings()
    }

    /// `error configuration`, and the line.
    private func lines(_ settings: LDAPSettings) -> [String] {
        findings(settings).map { "\($0.severity.rawValue) \($0.cause.rawValue): \($0.line)" }
    }

    private func has(_ lines: [String], _ parts: String...) -> Bool {
        lines.contains { line in parts.allSatisfy { line.contains($0) } }
    }

    /// A sound site shows nothing but what the account may not see, and addresses elsewhere.
    @Test func sound() throws {
        let (child, settings) = try site(["--no-anonymous"])
        let found = findings(settings)
        #expect(!found.contains { $0.severity == .error }, "\(found)")
        let elsewhere = found.filter { $0.text.contains("in a domain that this source does not serve") }
        #expect(elsewhere.count == 2 && elsewhere.allSatisfy { $0.text.contains("@freemail.example") })
        #expect(found.count { $0.severity == .warning } == elsewhere.count, "\(found)")
        #expect(has(lines(settings), "note directory", "may not see which indexes", "mail, uid (eq)", "(sub)"))
        _ = child
    }

    @Test func everybodyReads() throws {
        let (child, settings) = try site()
        #expect(has(lines(settings), "warning directory", "everybody", "may read addresses", "mail"))
        #expect(!has(lines(settings), "passwords"))
        _ = child
    }

    @Test func anonymousItself() throws {
        let (child, plain) = try site()
        var settings = plain
        settings.bind = .anonymous
        #expect(has(lines(settings), "warning directory", "everybody", "may read addresses"))
        #expect(!has(lines(settings), "in the clear"))
        _ = child
    }

    /// Nothing goes over a network to this machine itself.
    @Test(arguments: [
        ("ldap://ldap.example.org", true), ("ldap://192.0.2.1:389", true), ("LDAP://10.0.0.1", true),
        ("ldap://127.example.org", true), ("ldap://localhost.example.org", true), ("ldap://[2001:db8::1]", true),
        ("ldap://localhost", false), ("ldap://LOCALHOST:3890", false), ("ldap://127.0.0.1", false),
        ("ldap://127.1.2.3:389", false), ("ldap://[::1]:389", false), ("ldaps://ldap.example.org", false),
        ("ldapi:///", false),
    ])
    func clearText(uri: String, isTold: Bool) throws {
        var settings = LDAPSettings(
            uris: [uri], base: "dc=example,dc=org", preset: .inetorgperson,
            domains: [DomainRecord(domain: try Domain("example.org"))])
        settings.bind = .simple(dn: "cn=reader", password: .environment("X"), isClearTextAllowed: true)
        let told = LDAPCheck(name: "main", settings: settings).settingFindings
        #expect(told.map(\.text) == (isTold ? ["\(uri): the password goes over the network in the clear"] : []))
    }

    /// Faults of the configuration, each told as such, and as an error.
    @Test(arguments: [
        ("wrong base", "does not hold the base dc=other; it holds dc=example,dc=org"),
        ("missing base", "No such object"), ("malformed base", "base"),
        ("wrong password", "the bind failed"), ("no password", "is not set"),
        ("clear text refused", "would go in the clear"), ("no TLS", "TLS failed"),
        ("unknown preset", "there are users by inetorgperson"), ("other preset", "there are users by inetorgperson"),
        ("unknown address", "knows no attribute for addresses (emial)"), ("no domain", "name them under domains"),
        ("no such file", "can't be read"), ("no URI", "no LDAP URI"),
    ])
    func configuration(fault: String, text: String) throws {
        let (child, good) = try site()
        var settings = good
        switch fault {
        case "wrong base": settings.base = "dc=other"
        case "missing base": settings.base = "ou=none,dc=example,dc=org"
        case "malformed base": settings.base = "example.org"
        case "wrong password":
            setenv("ADDRESSEE_WRONG_PASSWORD", "wrong", 1)
            settings.bind = .simple(
                dn: "cn=reader,dc=example,dc=org", password: .environment("ADDRESSEE_WRONG_PASSWORD"),
                isClearTextAllowed: true)
        case "no password":
            settings.bind = .simple(
                dn: "cn=reader,dc=example,dc=org", password: .environment("ADDRESSEE_NO_PASSWORD"),
                isClearTextAllowed: true)
        case "clear text refused":
            settings.bind = .simple(
                dn: "cn=reader,dc=example,dc=org", password: .environment("ADDRESSEE_READER_PASSWORD"))
        case "no TLS": settings.tls.startTLS = true
        case "unknown preset": settings.schema = LDAPPreset.qmail.schema
        case "other preset": settings.schema = LDAPPreset.nis.schema
        case "unknown address": settings.schema = settings.schema.replacing([.address: ["emial"]])
        case "no domain": settings.domains = []
        case "no such file": settings.tls = LDAPTLS(startTLS: true, caFile: "/no/such/file")
        default: settings.uris = ["http://127.0.0.1"]
        }
        let found = lines(settings)
        #expect(has(found, "error configuration", text), "\(found)")
        _ = child
    }

    @Test(arguments: [
        ("objectClass", "OpenLDAProotDSE", ServerKind.openLDAP), ("vendorName", "389 Project", .netscape),
        ("vendorVersion", "389-Directory/2.3.1 B2025.016.1616", .netscape),
        ("vendorVersion", "Sun-Directory-Server/11.1.1.5.0", .netscape), ("vendorName", "OpenDJ", .other),
        ("objectClass", "top", .other),
    ])
    func serverKinds(attribute: String, value: String, kind: ServerKind) {
        let root = LDAPEntry(dn: "", attributes: [attribute.lowercased(): [Array(value.utf8)]])
        #expect(ServerKind(root: root) == kind)
    }

    @Test func unreachable() throws {
        let dead = "ldap://127.0.0.1:\(try freePort())"
        let (child, plain) = try site(["--no-anonymous"])
        var settings = plain
        settings.uris = [dead]
        #expect(has(lines(settings), "error unreachable", "connecting failed", dead))
        // Another server answers in its place, so questions are answered.
        settings.uris = [dead, child.uri]
        #expect(has(lines(settings), "warning unreachable", "connecting failed", dead))
        #expect(!has(lines(settings), "error"))
        try child.tell("freeze")
        (settings.timeout, settings.connectTimeout) = (.seconds(2), .seconds(2))
        settings.uris = [child.uri]
        #expect(has(lines(settings), "error unreachable"))
        try child.tell("thaw")
    }

    /// A server that has no time is no fault of the configuration, and where another answers no error.
    @Test func busy() throws {
        let refuser = try ToolChild("refuser.py", ["--code", "51"])
        let (child, plain) = try site(["--no-anonymous"])
        var settings = plain
        settings.uris = [refuser.uri]
        #expect(has(lines(settings), "error unreachable", "Server is busy"))
        #expect(!has(lines(settings), "error configuration"))
        settings.uris = [refuser.uri, child.uri]
        #expect(has(lines(settings), "warning unreachable", refuser.uri, "Server is busy"))
        #expect(!has(lines(settings), "error"))
    }

    @Test func certificates() throws {
        let folder = try LDAPDirectoryTests.certificates.get()
        let (child, plain) = try site(["--tls", folder.path, "--no-anonymous"])
        var settings = plain
        settings.tls = LDAPTLS(startTLS: true, caFile: folder.appending(path: "ca.pem").path)
        #expect(!has(lines(settings), "in the clear"))
        #expect(!has(lines(settings), "error"))
        settings.tls.caFile = folder.appending(path: "foreign-ca.pem").path
        #expect(has(lines(settings), "error configuration", "TLS failed", "signed by an authority that is unknown"))
        settings.tls.verifies = false
        #expect(has(lines(settings), "warning configuration", "not verified"))
        settings.tls = LDAPTLS(caFile: folder.appending(path: "foreign-ca.pem").path)
        settings.uris = [try #require(child.said["ldaps"] as? String)]
        #expect(has(lines(settings), "error configuration", "connecting, with TLS, failed", "signed by an authority"))
    }

    /// The root DN may read cn=config, and so sees which indexes there are.
    @Test func indexes() throws {
        let (child, plain) = try site(["--config", "--no-anonymous"])
        var settings = plain
        settings.uris = [try #require(child.said["ldapi"] as? String)]
        settings.bind = .external
        #expect(!has(lines(settings), "index"))
        settings.schema = settings.schema.replacing([.login: ["employeeNumber"], .fullName: ["cn", "mail", "title"]])
        let found = lines(settings)
        #expect(
            has(found, "warning directory", "employeeNumber has no equality index", "olcDbIndex: employeeNumber eq"))
        #expect(has(found, "warning directory", "title has no substring index", "olcDbIndex: title sub"))
        #expect(!has(found, "attribute cn has no"))
        // It may read the passwords too, which it does not need.
        #expect(has(found, "warning directory", "this account may read passwords", "userPassword"))
    }

    @Test func sizeLimit() throws {
        let (child, settings) = try site(["--limit", "sizelimit 3", "--no-anonymous"])
        let found = lines(settings)
        #expect(has(found, "warning directory", "3 entries of a search at most", "size=unlimited"), "\(found)")
        #expect(!has(found, "error"))
        _ = child
    }
}

/// Entries that contradict each other, and a server that shows all to everybody.
@Suite(.enabled(if: hasSlapd)) struct CheckEntriesTests {
    private static let schema = """
        attributetype ( 1.3.6.1.4.1.4203.666.2521.9.1 NAME 'exactMail' EQUALITY caseExactMatch
          SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
        attributetype ( 1.3.6.1.4.1.4203.666.2521.9.2 NAME 'mutelyMail' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
        objectclass ( 1.3.6.1.4.1.4203.666.2521.9.3 NAME 'exactPerson' SUP top AUXILIARY
          MAY ( exactMail $ mutelyMail ) )
        """

    private static let started = Result { try Slapd(more: schema) }

    /// Entries of people, below a base of their own.
    private func filled(_ people: [(String, [(String, [String])])]) throws -> LDAPSettings {
        let slapd = try Self.started.get()
        let writer = try LDAPWriter(uri: slapd.uri)
        let name = UUID().uuidString
        let base = "ou=\(name),\(Slapd.suffix)"
        try writer.add(base, [("objectClass", ["organizationalUnit"]), ("ou", [name])])
        for (uid, attributes) in people {
            try writer.add(
                "uid=\(uid),\(base)",
                [
                    ("objectClass", ["inetOrgPerson", "exactPerson"]), ("uid", [uid]), ("cn", [uid]), ("sn", [uid]),
                ] + attributes)
        }
        return LDAPSettings(
            uris: [slapd.uri], base: base, preset: .inetorgperson, domains: [DomainRecord(domain: try Domain("a"))])
    }

    private func errors(_ settings: LDAPSettings) -> [String] { lines(settings, .error) }

    private func lines(_ settings: LDAPSettings, _ severity: Finding.Severity) -> [String] {
        LDAPCheck(name: "people", settings: settings).findings().filter { $0.severity == severity }.map(\.line)
    }

    /// A domain that can't be told, and what is no domain, whoever has addresses there or not.
    @Test func domains() throws {
        let settings = try writerSettings(try Self.started.get())
        let writer = try LDAPWriter(uri: try Self.started.get().uri)
        for (name, kind) in [("odd", "strange"), ("other", "alias"), ("b_c", "local"), ("good", "local")] {
            try writer.add(
                "addresseeDomainKey=\(name),\(settings.base)",
                [
                    ("objectClass", ["addresseeDomain"]), ("addresseeDomainKey", [name]),
                    ("addresseeDomainName", [name]), ("addresseeDomainKind", [kind]),
                ])
        }
        for extent in [LDAPCheck.Extent.start, .sample, .everything] {
            let found = LDAPCheck(name: "people", settings: settings, extent: extent).findings()
            let errors = found.filter { $0.severity == .error && $0.cause == .directory }.map(\.text)
            #expect(errors.count { $0.contains("has the unknown kind \"strange\"") } == 1, "\(errors)")
            #expect(errors.count { $0.contains("is an alias of no domain") } == 1, "\(errors)")
            #expect(errors.count == 2, "\(errors)")
            let none = "has the domain \"b_c\", which is none"
            #expect(found.contains { $0.severity == .warning && $0.text.contains(none) })
        }
    }

    @Test func twoAtOneAddress() throws {
        let settings = try filled([
            ("fred", [("mail", ["fred@a"])]), ("jane", [("mail", ["jane@a", "FRED@a"])]),
            ("sue", [("mail", ["sue@a"])]),
        ])
        let found = errors(settings)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.contains("uid=fred,\(settings.base)") == true)
        #expect(found.first?.contains("uid=jane,\(settings.base)") == true)
    }

    /// Faults behind the sample are found when all is read, and what was read is told.
    @Test func everythingIsRead() throws {
        var people: [(String, [(String, [String])])] = (0..<120).map { ("u\($0)", [("mail", ["u\($0)@a"])]) }
        people += [("person-one", [("mail", ["same@a"])]), ("person-two", [("mail", ["same@a"])])]
        let settings = try filled(people)
        let sample = LDAPCheck(name: "people", settings: settings, extent: .sample).findings()
        let told = "100 of 122 entries were read; to read all"
        #expect(sample.contains { $0.severity == .note && $0.line.contains(told) })
        #expect(sample.filter { $0.severity == .error } == [])
        let all = LDAPCheck(name: "people", settings: settings, extent: .everything).findings()
        #expect(all.filter { $0.severity == .error }.count == 1, "\(all)")
        #expect(all.contains { $0.text.contains("uid=person-one,") && $0.text.contains("uid=person-two,") })
        #expect(!all.contains { $0.text.contains("were read") })
    }

    /// Where a mail server takes an address for one entry, others have it for people to read; two alike are a fault.
    @Test func claims() throws {
        let site = try WritableSite(.ad, domains: ["example.org"])
        let errors = lines(site.settings, .error)
        #expect(errors.contains { $0.contains("Twin One") && $0.contains("Twin Two") && $0.contains("twin@") })
        #expect(errors.count == 1, "\(errors)")
        let warnings = lines(site.settings, .warning)
        #expect(warnings.contains { $0.contains("Dora Falk") && $0.contains("take for front@example.org") })
        #expect(!warnings.contains { $0.contains("Wilma (work)") || $0.contains("peer@example.net") })
    }

    @Test func malformed() throws {
        let settings = try filled([("fred", [("mail", ["fred@a", "fred at a"])]), ("jane", [("mail", ["jane@b"])])])
        #expect(errors(settings) == [])
        #expect(lines(settings, .warning).contains { $0.contains("\"fred at a\"") && $0.contains("uid=fred") })
        let found = lines(settings, .warning)
        #expect(found.contains { $0.contains("uid=jane,") && $0.contains("address jane@b, in a domain") })
    }

    /// What is elsewhere is named with its entry, and not for a redirection that leads there.
    @Test func addressesElsewhere() throws {
        let settings = try filled([
            ("anna", [("mail", ["anna.private@freemail.example", "anna@a", " x@a "])]),
            ("jane", [("mail", ["jane@a"])]),
        ])
        #expect(errors(settings) == [])
        let found = lines(settings, .warning).filter { $0.contains("in a domain that this source does not serve") }
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.contains("uid=anna,") == true)
        #expect(found.first?.contains("anna.private@freemail.example") == true)
        #expect(found.first?.contains("take it out, or name freemail.example under domains") == true)
    }

    @Test func passwordsForEverybody() throws {
        let settings = try filled([("fred", [("mail", ["fred@a"]), ("userPassword", ["secret"])])])
        let found = errors(settings)
        #expect(found.count == 1 && found.first?.contains("may read passwords (userPassword of uid=fred") == true)
        #expect(found.first?.contains("{") == false && found.first?.contains("secret") == false)
    }

    /// Whoever may change a password may read it in many directories; that of others is another matter.
    @Test func theAccountsOwnPassword() throws {
        setenv("ADDRESSEE_OWN_PASSWORD", "secret", 1)
        let fred = ("fred", [("mail", ["fred@a"]), ("userPassword", ["secret"])])
        for (others, isTold) in [([], false), ([("jane", [("userPassword", ["hidden"])])], true)] {
            var settings = try filled([fred] + others)
            settings.bind = .simple(
                dn: "UID=fred, \(settings.base)", password: .environment("ADDRESSEE_OWN_PASSWORD"),
                isClearTextAllowed: true)
            let told = lines(settings, .warning).filter { $0.contains("this account may read passwords") }
            #expect(told.count == (isTold ? 1 : 0) && told.allSatisfy { $0.contains("uid=jane") })
            // What everybody may read is told, whoever's it is.
            #expect(errors(settings).contains { $0.contains("everybody who reaches the server may read passwords") })
        }
    }

    @Test func comparedWithCase() throws {
        var settings = try filled([("fred", [("exactMail", ["Fred@a"])])])
        settings.schema = settings.schema.replacing([.address: ["exactMail"]])
        #expect(lines(settings, .warning).contains { $0.contains("exactMail is compared with case") })
        settings.schema = settings.schema.replacing([.address: ["mutelyMail"]])
        #expect(errors(settings).contains { $0.contains("mutelyMail has no equality rule") })
    }

    @Test func nobodyThere() throws {
        var settings = try filled([])
        #expect(errors(settings).first?.contains("no entry below") == true)
        // A site with our own schema may have been made a moment ago.
        settings.schema = LDAPPreset.addressee.schema
        settings.domains = []
        #expect(errors(settings) == [])
        #expect(lines(settings, .warning).contains { $0.contains("addressee user add") })
    }

    @Test func noAddresses() throws {
        let settings = try filled([("fred", []), ("jane", [])])
        #expect(errors(settings).first?.contains("2 of 2 users") == true)
    }

    /// Records of our own schema are in order.
    @Test func ownSchema() throws {
        let slapd = try Self.started.get()
        let base = try LDAPDirectoryTests.filled(
            slapd, try records("domain a\nuser fred@a (Fred) login=f\nalias x@a fred@a")[0])
        let settings = LDAPSettings(uris: [slapd.uri], base: base, preset: .addressee)
        #expect(errors(settings) == [])
    }

    @Test func anEntryThatLeadsNowhere() throws {
        let slapd = try Self.started.get()
        let base = try LDAPDirectoryTests.filled(slapd, try records("domain a\nuser fred@a (Fred)")[0])
        let writer = try LDAPWriter(uri: slapd.uri)
        try writer.add(
            "addresseeKey=x@a,\(base)",
            [
                ("objectClass", ["addresseeEntry", "addresseeAlias"]), ("addresseeKey", ["x@a"]),
                ("addresseeAddress", ["x@a"]), ("addresseeLocalPartKey", ["x"]), ("addresseeDomainKey", ["a"]),
                ("addresseeAliasTarget", ["nonsense"]),
            ])
        let settings = LDAPSettings(uris: [slapd.uri], base: base, preset: .addressee)
        #expect(errors(settings).contains { $0.contains("addresseeKey=x@a") && $0.contains("nonsense") })
    }
}

@Suite struct CheckPartsTests {
    @Test(arguments: [
        ("mail eq", "mail", true, false), ("mail,uid eq,sub", "uid", true, true), ("{3}mail sub", "mail", false, true),
        ("MAIL EQ", "mail", true, false), ("mail subany", "mail", false, true),
        ("mail subinitial", "mail", false, false),
        ("uid eq", "mail", false, false), ("mail pres", "mail", false, false), ("default eq;mail", "mail", true, false),
    ])
    func indexLines(lines: String, name: String, equality: Bool, substring: Bool) {
        let indexes = IndexLines(lines.split(separator: ";").map(String.init))
        #expect(indexes.has(.equality, [name]) == equality)
        #expect(indexes.has(.substring, [name]) == substring)
    }

    @Test func nosubtypes() {
        let indexes = IndexLines(["name eq,nosubtypes", "uid eq"])
        #expect(indexes.has(.equality, ["name"]))
        #expect(!indexes.has(.equality, ["name"], forSubtypes: true))
        #expect(indexes.kinds(of: "uid", adding: [.substring]) == "eq,sub")
        #expect(indexes.kinds(of: "mail", adding: [.equality]) == "eq")
    }

    @Test func definitions() throws {
        let schema = ServerSchema(
            attributeTypes: [
                "( 2.5.4.41 NAME 'name' DESC 'a SUP of (many) EQUALITY' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch )",
                "( 2.5.4.3 NAME ( 'cn' 'commonName' ) SUP name )", "(1.2.3 NAME 'x' SUP x)",
            ].map { Array($0.utf8) },
            objectClasses: ["( 2.5.6.6 NAME 'person' SUP top STRUCTURAL MUST ( sn $ cn ) )"].map { Array($0.utf8) })
        #expect(schema.has(attribute: "CommonName") && schema.has(attribute: "2.5.4.3"))
        #expect(!schema.has(attribute: "sn"))
        #expect(schema.equality(of: "cn") == "caseignorematch")
        #expect(schema.substring(of: "commonname") == "caseignoresubstringsmatch")
        #expect(schema.equality(of: "x") == nil)
        #expect(schema.has(class: "Person") && !schema.has(class: "top"))
        let own = ServerSchema(
            attributeTypes: [
                "( 1.2 NAME ( 'whenCreated' 'created' ) SINGLE-VALUE NO-USER-MODIFICATION )",
                "( 1.3 NAME 'entryCSN' USAGE directoryOperation )", "( 1.4 NAME 'mail' USAGE userApplications )",
                "( 1.5 NAME 'note' DESC 'NO-USER-MODIFICATION' )",
            ].map { Array($0.utf8) }, objectClasses: [])
        #expect(own.serverAttributes == ["1.2", "whencreated", "created", "1.3", "entrycsn"])
    }

    @Test(arguments: [
        ("ou=x,dc=a", "dc=a", true), ("dc=a", "DC = a", true), ("ou=x, dc=a", "dc=a", true), ("dc=ba", "dc=a", false),
        ("dc=a", "ou=x,dc=a", false), ("dc=a", "", true),
    ])
    func within(name: String, above: String, isWithin: Bool) {
        #expect(DistinguishedName.isWithin(name, above) == isWithin)
    }
}
