// Sources in LDAP: config/ldap.yaml says the truth, and what is wrong is told with its line.

import Foundation
import LDAPDirectory
import MailAddress
import MailboxDirectory
import Testing

@testable import AddresseeConfiguration

@Suite struct LDAPSourceTests {
    private static let file = URL(fileURLWithPath: SampleTests.file).deletingLastPathComponent()
        .appendingPathComponent("ldap.yaml").path

    private static func ldap(_ text: String) throws -> LDAPSourceConfiguration {
        let yaml = """
            default-domain: example.org
            sources:
              - name: people
                ldap:
                  uris: ldap://127.0.0.1
                  base: dc=example,dc=org
                  preset: inetorgperson

            """ + text.split(separator: "\n").map { "      \($0)\n" }.joined()
        guard case .ldap(let ldap) = try Configuration.parse(yaml, file: "/etc/a.yaml").sources[0].kind else {
            throw CocoaError(.featureUnsupported)
        }
        return ldap
    }

    /// Every key, none with its default, and no two of a kind with the same value; `password-env` and `sasl` exclude what is
    /// here.
    static let all = """
        default-domain: example.org
        sources:
          - name: people
            ldap:
              uris: [ldap://one.example.org, "ldaps://[2001:db8::1]:637"]
              base: dc=example,dc=org
              preset: qmail
              roles: {login: [uid, sn], full-name: displayName, status: [accountStatus]}
              status-words: {active: one, disabled: [two, three], suspended: four, full: five}
              must-find: fred@example.org
              domains:
                - example.org
                - domain: example.net
                  kind: relay
                  catch-all: info@example.net
                  detail-separators: "-"
                  transport: "smtp:[mx.example.net]:25"
              bind-dn: cn=reader
              password-file: secret
              allow-clear-text: true
              starttls: true
              verify: false
              ca-file: ca.pem
              client-certificate: client.pem
              client-key: client-key.pem
              timeout: 11s
              connect-timeout: 12s
              write-base: ou=people
              new-entries: {homeDirectory: /home/%u}
              cache: {entries: 13, positive: 14s, negative: 15s, stale: 16s, journal: changes}
        """

    @Test func everySettingIsTaken() throws {
        var expected = LDAPSourceConfiguration(
            uris: ["ldap://one.example.org", "ldaps://[2001:db8::1]:637"], base: "dc=example,dc=org", preset: "qmail",
            cache: .init(journal: "/etc/changes"))
        expected.roles = ["login": ["uid", "sn"], "full-name": ["displayName"], "status": ["accountStatus"]]
        expected.statusWords = [
            .active: ["one"], .disabled: ["two", "three"], .suspended: ["four"], .full: ["five"],
        ]
        expected.mustFind = [try Mailbox("fred@example.org")]
        expected.domains = [
            DomainRecord(domain: try Domain("example.org")),
            DomainRecord(
                domain: try Domain("example.net"), kind: .relay, catchAll: try Mailbox("info@example.net"),
                detailSeparators: [UInt8(ascii: "-")], transport: "smtp:[mx.example.net]:25"),
        ]
        expected.bind = .simple(dn: "cn=reader", password: .file("/etc/secret"), isClearTextAllowed: true)
        (expected.startTLS, expected.verifies) = (true, false)
        expected.caFile = "/etc/ca.pem"
        (expected.certificateFile, expected.keyFile) = ("/etc/client.pem", "/etc/client-key.pem")
        (expected.timeout, expected.connectTimeout) = (.seconds(11), .seconds(12))
        expected.writeBase = "ou=people"
        expected.newEntryValues = ["homeDirectory": "/home/%u"]
        expected.cache.entries = 13
        (expected.cache.positive, expected.cache.negative) = (.seconds(14), .seconds(15))
        expected.cache.stale = .seconds(16)
        #expect(try Configuration.parse(Self.all, file: "/etc/a.yaml").sources[0].kind == .ldap(expected))
    }

    /// Every key is in the sample, by its name.
    @Test func theSampleHasEveryKey() throws {
        let yaml = try String(contentsOfFile: Self.file, encoding: .utf8)
        let findings = Findings(file: Self.file)
        let configuration = try #require(Configuration.read(yaml, findings))
        #expect(findings.error == nil)
        guard case .ldap(let ldap) = configuration.sources[1].kind else {
            Issue.record("the second source is not in LDAP")
            return
        }
        #expect(ldap.uris.count == 2)
        #expect(ldap.domains.count == 2)
        #expect(ldap.newEntryValues == ["homeDirectory": "/var/mail/%d/%u"])
        #expect(ldap.roles == ["login": ["uid"], "full-name": ["displayName", "cn"], "status": ["nsAccountLock"]])
        #expect(
            ldap.statusWords == [
                .active: ["FALSE"], .disabled: ["TRUE", "lock"], .suspended: ["vacation"], .full: ["overquota"],
            ])
        #expect(ldap.mustFind == [try Mailbox("postmaster@example.org")])
        for key in findings.keys where key.hasPrefix("sources.ldap.") {
            let last = key.split(separator: ".").last ?? ""
            #expect(yaml.contains("\(last):") || yaml.contains("\(last) ") || yaml.contains("\"\(last): "), "\(key)")
        }
        for word in LDAPSourceConfiguration.presets + LDAPSourceConfiguration.roles { #expect(yaml.contains(word)) }
    }

    /// The words are those of the room that knows LDAP.
    @Test func theWordsAreThoseOfTheDirectory() {
        #expect(LDAPSourceConfiguration.presets == LDAPPreset.allCases.map(\.rawValue))
        #expect(LDAPSourceConfiguration.roles == LDAPRole.allCases.map(\.rawValue))
    }

    @Test func theDefaultsAreThoseOfTheDirectory() throws {
        let ldap = try Self.ldap("")
        let settings = LDAPSettings(uris: ["ldap://127.0.0.1"], base: "dc=example,dc=org", preset: .inetorgperson)
        #expect(ldap.uris == settings.uris)
        #expect(ldap.bind == .anonymous)
        #expect(ldap.timeout == settings.timeout)
        #expect(ldap.connectTimeout == settings.connectTimeout)
        #expect(ldap.startTLS == settings.tls.startTLS)
        #expect(ldap.verifies == settings.tls.verifies)
        #expect(ldap.cache.entries == settings.cache.entries)
        #expect(ldap.cache.positive == settings.cache.positive)
        #expect(ldap.cache.negative == settings.cache.negative)
        #expect(ldap.cache.stale == settings.cache.stale)
        #expect(ldap.cache.journal == "/etc/people.changes")
    }

    @Test func readsBinds() throws {
        #expect(
            try Self.ldap("bind-dn: cn=r\npassword-file: secret").bind
                == .simple(dn: "cn=r", password: .file("/etc/secret"), isClearTextAllowed: false))
        #expect(
            try Self.ldap("bind-dn: cn=r\npassword-env: LDAP_PW\nallow-clear-text: true").bind
                == .simple(dn: "cn=r", password: .environment("LDAP_PW"), isClearTextAllowed: true))
        #expect(try Self.ldap("sasl: external").bind == .external)
    }

    @Test func readsWhatMustBeFound() throws {
        #expect(try Self.ldap("").mustFind == [])
        #expect(try Self.ldap("must-find: fred@example.org").mustFind == [try Mailbox("fred@example.org")])
        #expect(
            try Self.ldap("must-find: [fred@example.org, b@example.net]").mustFind
                == [try Mailbox("fred@example.org"), try Mailbox("b@example.net")])
    }

    /// An empty base is one, where it is written as such.
    @Test func readsAnEmptyBase() throws {
        for (text, base) in [("''", ""), ("\"\"", ""), ("dc=a", "dc=a"), ("'o=a\\;b'", "o=a\\;b")] {
            let yaml =
                "default-domain: a.example\nsources:\n  - {name: p, ldap: {uris: ldap://a, base: \(text), preset: ad}}\n"
            guard case .ldap(let ldap) = try Configuration.parse(yaml, file: "a").sources[0].kind else {
                Issue.record("no source in LDAP")
                return
            }
            #expect(ldap.base == base)
        }
    }

    /// A role of which nothing comes is told with all else that is wrong, each with its line.
    @Test func rolesWithoutEffectHaveTheirLine() throws {
        let text = """
            roles:
              status: [nsAccountLock]
              catch-all: mailCatchAll
              member-of: [memberOf]
              owner: [owner]
              keep-copy: x
              login: "no name"
            timeout: 2m
            """
        #expect {
            _ = try Self.ldap(text)
        } throws: {
            ($0 as? ConfigurationError)?.problems.map(\.line) == [9, 10, 11, 13, 14, 15]
        }
        let words = "status-words: {disabled: \" TRUE \"}"
        #expect(try Self.ldap("roles: {status: nsAccountLock}\n\(words)").statusWords == [.disabled: ["TRUE"]])
        #expect(throws: ConfigurationError.self) { try Self.ldap(words) }
        #expect(throws: ConfigurationError.self) { try Self.ldap("roles: {status: []}\n\(words)") }
        #expect(try Self.ldap("roles: {forward-target: a, keep-copy: b}").roles.count == 2)
        #expect(throws: ConfigurationError.self) { try Self.ldap("roles: {address: []}") }
        #expect(try Self.ldap("roles: {address: [], local-part: uid}").roles["address"] == [])
    }

    /// What is refused here is what the directory would read nothing by.
    @Test(arguments: LDAPPreset.allCases) func usesAreThoseOfTheDirectory(preset: LDAPPreset) {
        let beside: [[LDAPRole: [String]]] = [
            [:], [.forwardTarget: ["x"]], [.forwardTarget: []], [.forwardTarget: [], .forwardTargetDN: []],
            [.domainName: ["x"]], [.domainName: []], [.domainKind: []], [.domainName: ["x"], .domainKind: ["y"]],
            [.status: []], [.status: ["x"]], [.address: []], [.address: [], .aliasAddress: []],
            [.address: [], .aliasAddress: [], .localPart: []],
        ]
        for (others, words) in beside.flatMap({ [($0, [:]), ($0, [AccountStatus.disabled: ["TRUE"]])] }) {
            for role in LDAPRole.allCases {
                var roles = others
                if others[role] == nil { roles[role] = ["z"] }
                var source = LDAPSourceConfiguration(
                    uris: [], base: "", preset: preset.rawValue, cache: .init(journal: ""))
                source.roles = Dictionary(uniqueKeysWithValues: roles.map { ($0.key.rawValue, $0.value) })
                source.statusWords = words
                let schema = preset.schema.replacing(roles.mapValues { $0.compactMap { AttributeName($0) } }).telling(
                    words)
                #expect(source.hasAddresses == schema.hasAddresses, "\(preset) \(roles)")
                if !words.isEmpty {
                    #expect(source.hasAttribute(of: "status") == schema.hasAttribute(of: .status), "\(preset) \(roles)")
                }
                if others[role]?.isEmpty == true { continue }
                #expect(
                    source.hasUse(for: role.rawValue) == schema.hasUse(for: role), "\(preset) \(role) \(roles) \(words)"
                )
                if !source.hasUse(for: role.rawValue) { #expect(!source.remedy(for: role.rawValue).isEmpty) }
            }
        }
    }

    @Test func remedies() {
        let source = LDAPSourceConfiguration(uris: [], base: "", preset: "inetorgperson", cache: .init(journal: ""))
        for (role, word) in [
            ("status", "status-words"), ("catch-all", "domains"), ("member-of", "member-dn"),
            ("new-address", "addressee"),
        ] {
            #expect(!source.hasUse(for: role) && source.remedy(for: role).contains(word))
        }
    }

    @Test(arguments: [
        "uid", "x-y1", "2.5.4.3", "", "a b", "1", "01.2", "-a", "naïf", "a_b", String(repeating: "a", count: 101),
    ])
    func namesOfAttributes(text: String) {
        #expect(LDAPSourceConfiguration.isAttributeName(text) == (AttributeName(text) != nil))
    }

    @Test func readsDomains() throws {
        let domains = try Self.ldap(
            """
            domains:
              - example.org
              - {domain: example.net, kind: relay, detail-separators: "", catch-all: info@example.org, transport: "smtp:[mx]"}
            """
        ).domains
        #expect(
            domains == [
                DomainRecord(domain: try Domain("example.org")),
                DomainRecord(
                    domain: try Domain("example.net"), kind: .relay, catchAll: try Mailbox("info@example.org"),
                    detailSeparators: [], transport: "smtp:[mx]"),
            ])
    }

    @Test(arguments: [
        ("uri: a", #"unknown key "uri" in sources.ldap; did you mean "uris"?"#),
        (
            "password: x", #"unknown key "password" in sources.ldap; did you mean "password-file" or "password-env"?"#
        ),
        ("roles: {adress: mail}", #"unknown key "adress" in sources.ldap.roles; did you mean "address"?"#),
        ("roles: {address: {}}", "sources.ldap.roles.address must be the name of an attribute, not keys and values"),
        ("roles: {address: [a b]}", "has \"a b\", which is no name of an attribute"),
        ("new-entries: {a b: x}", "has \"a b\", which is no name of an attribute"),
        ("bind-dn: cn=r", "needs its password: either password-file or password-env"),
        ("bind-dn: cn=r\npassword-file: a\npassword-env: B", "needs its password: either"),
        ("password-file: a", "needs bind-dn beside it"),
        ("sasl: externl", #"must be external, not "externl"; did you mean "external"?"#),
        ("sasl: external\nbind-dn: cn=r", "exclude each other"),
        ("client-key: a", "needs client-certificate beside it"),
        ("must-find: fred", "sources.ldap.must-find \"fred\" is no address"), ("must-find: []", "must-find is empty"),
        ("status-words: {disbled: a}", #"did you mean "disabled"?"#),
        ("status-words: {disabled: [a], full: [A]}", "has \"A\" for disabled and for full"),
        ("status-words: {disabled: []}", "disabled is empty"),
        ("status-words: {disabled: [\" \"]}", "status-words.disabled has an empty word"),
        ("status-words: {disabled: [a], full: [\" A\\t\"]}", "has \"A\" for disabled and for full"),
        ("timeout: 5", "did you mean 5s?"), ("timeout: 2m", "a time from 1s to 1m"),
        ("cache: {entries: -1}", "a whole number from 0 to 10000000"), ("domains: [a b]", "is no domain"),
        ("domains: [{domain: a.example, kind: alias}]", #"must be local or relay, not "alias""#),
        ("domains: [{domain: a.example, catch-all: x}]", "is no address"),
        ("domains: [{domain: a.example, detail-separators: \"@\"}]", "separators such as"),
        ("domains: [{domain: a.example, transport: smtp}]", "TRANSPORT:NEXTHOP such as"),
        ("domains: [{domain: a.example, transport: \"smtp:[mx\"}]", "TRANSPORT:NEXTHOP such as"),
    ])
    func tellsWhatIsWrong(text: String, expected: String) throws {
        #expect {
            _ = try Self.ldap(text)
        } throws: { "\($0)".contains(expected) ? true : ("\($0)" == expected) }
    }

    @Test(arguments: [
        ("ldap: {}", "sources.ldap.uris is missing"), ("ldap: {base: a}", "sources.ldap.preset is missing"),
        ("ldap: x", "must hold"), ("ldap: {uris: ldap://a, base: , preset: ad}", "sources.ldap.base has no value"),
        ("ldap: {uris: ldap://a, base: dc=a;dc=b, preset: ad}", "sources.ldap.base must be a DN"),
        ("ldap: {uris: ldap://a, base: dc=a;dc=b, preset: ad}", "; write dc=a,dc=b"),
        ("ldap: {uris: ldap://a, base: a, write-base: ou=x;dc=b, preset: ad}", "; write ou=x,dc=b"),
        ("ldap: {uris: [http://a], base: a, preset: ad}", "must be a server such as"),
        ("ldap: {uris: ldap://, base: a, preset: ad}", "must be a server such as"),
        ("ldap: {uris: ldap://a, base: a, preset: exchange}", "must be addressee, laser"),
        ("ldap: {uris: ldap://a, base: a, preset: ad}\n    sqlite: a", "in sqlite or in ldap, not in both"),
    ])
    func tellsWhatIsMissing(text: String, expected: String) {
        #expect {
            _ = try Configuration.parse("default-domain: a.example\nsources:\n  - name: p\n    \(text)\n", file: "a")
        } throws: { "\($0)".contains(expected) }
    }
}
