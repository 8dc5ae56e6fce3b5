// What a file means: the defaults, every setting, paths, classes of clients, and files that can't be read.

import Foundation
import MailAddress
import MailboxDirectory
import Testing
import Verification

@testable import AddresseeConfiguration

@Suite struct ConfigurationTests {
    static let required = "default-domain: example.org\nsources: [{name: main, sqlite: /d.sqlite}]\n"

    static func parse(_ more: String, file: String = "/etc/a/addressee.yaml") throws -> Configuration {
        try Configuration.parse(required + more, file: file)
    }

    @Test func whatIsLeftOutHasItsDefault() throws {
        let configuration = try Self.parse("hostname: mail.example.org")
        let expected = Configuration(
            file: "/etc/a/addressee.yaml", hostname: "mail.example.org", defaultDomain: try Domain("example.org"),
            sources: [SourceConfiguration(name: "main", kind: .sqlite(path: "/d.sqlite"))])
        #expect(configuration == expected)
        #expect(configuration.listeners == [ListenerConfiguration(address: .ip(host: "127.0.0.1", port: 2525))])
        #expect(configuration.clients.map(\.name) == ["trusted", "everyone"])
        #expect(configuration.clients.map(\.questionsPerMinute) == [nil, 600])
        #expect(configuration.clients.map(\.disclosure) == [.full, .least])
        #expect(configuration.clients.map(\.isTrusted) == [true, false])
        #expect(configuration.limits.recipients == 1000)
        #expect(configuration.expansion == ExpansionLimits())
        #expect(configuration.timeouts.idle == .seconds(300))
        #expect(configuration.threads == nil)
        #expect(configuration.logLevel == .info)
        #expect(configuration.tls == nil)
    }

    /// The addresses of listeners, as inquiries know them; those of all interfaces where one listens at all.
    @Test(arguments: [
        (
            ["smtp: 192.0.2.1:25", "socketmap: \"[2001:db8::1]:2526\""], ["[192.0.2.1]", "[IPv6:2001:db8::1]"],
            ["[127.0.0.1]"]
        ),
        (["smtp: unix:/s"], [], ["[127.0.0.1]"]),
        (["smtp: 0.0.0.0:25"], ["[127.0.0.1]"], ["[0.0.0.0]", "[IPv6:::1]", "[IPv6:::]"]),
        (["smtp: \"[::]:25\""], ["[127.0.0.1]", "[IPv6:::1]"], ["[0.0.0.0]", "[IPv6:::]"]),
    ])
    func literals(listeners: [String], known: [String], unknown: [String]) throws {
        let yaml = "listeners:\n" + listeners.map { "  - \($0)\n" }.joined()
        let context = try Self.parse(yaml).inquiries
        for literal in known { #expect(context.literals.contains(try Domain(literal)), "\(literal)") }
        for literal in unknown { #expect(!context.literals.contains(try Domain(literal)), "\(literal)") }
        #expect(context.sources == ["main"])
        #expect(context.defaultDomain == (try Domain("example.org")))
    }

    @Test func aDomainIsWhatTheMappingMakesOfIt() throws {
        let yaml = "default-domain: exam\u{200B}ple.org\nsources: [{name: main, sqlite: /d.sqlite}]\n"
        #expect(try Configuration.parse(yaml, file: "/a.yaml").defaultDomain.description == "example.org")
    }

    @Test func theHostnameOfThisMachineCanBeSaid() throws {
        #expect(throws: Never.self) { try Domain(try Self.parse("").hostname) }
    }

    /// Port 0 is any free port, so that it may stand there twice.
    @Test func listenersOnAnyPort() throws {
        let yaml = "listeners: [{smtp: '127.0.0.1:0'}, {socketmap: '127.0.0.1:0'}]"
        #expect(try Self.parse(yaml).listeners.map(\.wire) == [.smtp, .socketmap])
    }

    /// Every key, none with its default, and no two of a kind with the same value; only `srs.socketmap` excludes what is
    /// here. Keys of LDAP have a file of their own.
    static let all = """
        hostname: mx.example.net
        default-domain: example.net
        sources:
          - {name: first, sqlite: first.sqlite}
          - {name: second, sqlite: /var/second.sqlite}
        listeners:
          - smtp: "[::]:0"
            enhanced-codes: false
            clients: [office, everyone]
            starttls: true
          - smtp: unix:run/smtp
            possibilities: false
            unix-mode: "0660"
          - {socketmap: "127.0.0.1:1"}
          - {tcp-table: "127.0.0.1:2", map: recipients}
          - {policy: "127.0.0.1:3"}
          - {milter: "127.0.0.1:4"}
          - {readsocket: "127.0.0.1:5"}
          - {qmail-deliverable: "127.0.0.1:6"}
        next-hops:
          - {name: here, maildir: "mail/{domain}/{local-part}"}
          - {name: there, maildir: "/m/{local-part}/{domain}/M", takes: [elsewhere], domains: [example.com],
             follow-links: true}
          - {name: out, smtp: "mx.example.com:25", tls: starttls, ca-file: ca.pem, recipients: [a@example.com]}
          - {name: store, lmtp: "unix:run/lmtp", connections: 3, detail: drop}
          - {name: back, smtp: "[::1]:465", tls: implicit, tls-name: mail.example.com}
        srs: {forward: "127.0.0.1:10001", reverse: "unix:r"}
        clients:
          - name: office
            networks: [192.0.2.0/24, "2001:db8::/32", unix]
            trusted: true
            vrfy: existence
            expn: full
            questions-per-minute: 7
          - {name: gate, networks: [192.0.2.1], relay: true, rcpt: full}
        tls: {certificate: c.pem, private-key: /etc/k.pem}
        limits:
          connections: 1
          recipients: 100
          pipelined-questions: 2
          errors: 3
          remembered-recipients: 9
          message-size: 0
          trace-fields: 8
          expansion-depth: 4
          expansion-addresses: 5
          expansion-lookups: 6
          possibilities: 7
        timeouts:
          idle: 61m
          write: 90s
          shutdown: 2m
          next-hop-connect: 1s
          next-hop-reply: 2s
          next-hop-data: 3s
          next-hop-block: 4s
          next-hop-end: 1h
        threads: 64
        log: {level: trace}
        """

    @Test func everySettingIsTaken() throws {
        let configuration = try Configuration.parse(Self.all, file: "conf/addressee.yaml")
        let office = ClientClass(
            name: "office",
            networks: [try Network("192.0.2.0/24"), try Network("2001:db8::/32"), try Network("unix")],
            disclosure: Disclosure(vrfy: .existence, expn: .full, rcpt: .existence), isTrusted: true,
            mayRelay: false, questionsPerMinute: 7)
        let gate = ClientClass(
            name: "gate", networks: [try Network("192.0.2.1")],
            disclosure: Disclosure(vrfy: .closed, expn: .closed, rcpt: .full), isTrusted: false, mayRelay: true,
            questionsPerMinute: 600)
        var everyone = ClientClass.everyone
        everyone.questionsPerMinute = 600
        var timeouts = Timeouts(idle: .seconds(3660), write: .seconds(90), shutdown: .seconds(120))
        (timeouts.nextHop.connect, timeouts.nextHop.reply) = (.seconds(1), .seconds(2))
        (timeouts.nextHop.data, timeouts.nextHop.block, timeouts.nextHop.end) = (
            .seconds(3), .seconds(4), .seconds(3600)
        )
        func local(_ wire: ListenerWire, _ port: Int, map: DirectoryMap? = nil) -> ListenerConfiguration {
            ListenerConfiguration(wire: wire, address: .ip(host: "127.0.0.1", port: port), map: map)
        }
        let expected = Configuration(
            file: "conf/addressee.yaml", hostname: "mx.example.net", defaultDomain: try Domain("example.net"),
            sources: [
                SourceConfiguration(name: "first", kind: .sqlite(path: "conf/first.sqlite")),
                SourceConfiguration(name: "second", kind: .sqlite(path: "/var/second.sqlite")),
            ],
            listeners: [
                ListenerConfiguration(
                    address: .ip(host: "::", port: 0), enhancedCodes: false, clients: ["office", "everyone"],
                    startTLS: true),
                ListenerConfiguration(address: .unix(path: "conf/run/smtp"), possibilities: false, unixMode: 0o660),
                local(.socketmap, 1), local(.tcpTable, 2, map: .recipients), local(.policy, 3), local(.milter, 4),
                local(.readsocket, 5), local(.qmailDeliverable, 6),
            ],
            nextHops: [
                NextHopConfiguration(
                    name: "here", kind: .maildir(try MaildirTemplate("conf/mail/{domain}/{local-part}"))),
                NextHopConfiguration(
                    name: "there", kind: .maildir(try MaildirTemplate("/m/{local-part}/{domain}/M")),
                    route: Route(places: [.elsewhere], domains: [try Domain("example.com")]), followsLinks: true),
                NextHopConfiguration(
                    name: "out",
                    kind: .server(
                        MailServer(
                            dialect: .smtp, address: .host("mx.example.com", port: 25), security: .startTLS,
                            tlsName: "mx.example.com", authorities: "conf/ca.pem")),
                    route: Route(
                        places: [.mailboxes, .relayDomains, .elsewhere], mailboxes: [try Mailbox("a@example.com")])),
                NextHopConfiguration(
                    name: "store",
                    kind: .server(MailServer(dialect: .lmtp, address: .unix(path: "conf/run/lmtp"), connections: 3)),
                    route: Route(places: [.mailboxes], dropsDetails: true)),
                NextHopConfiguration(
                    name: "back",
                    kind: .server(
                        MailServer(
                            dialect: .smtp, address: .host("::1", port: 465), security: .implicit,
                            tlsName: "mail.example.com"))),
            ],
            senderRewriting: .tcpTables(
                forward: .host("127.0.0.1", port: 10001), reverse: .unix(path: "conf/r")),
            clients: [office, gate, everyone],
            tls: TLSConfiguration(certificate: "conf/c.pem", privateKey: "/etc/k.pem"),
            limits: SessionLimits(
                connections: 1, recipients: 100, pipelinedQuestions: 2, errors: 3, rememberedRecipients: 9,
                messageSize: 0,
                traceFields: 8),
            expansion: ExpansionLimits(depth: 4, addresses: 5, lookups: 6, possibilities: 7),
            timeouts: timeouts, threads: 64,
            logLevel: .trace)
        #expect(configuration == expected)
    }

    @Test func sendersAreRewrittenBySocketmap() throws {
        let yaml = "next-hops: [{name: a, smtp: \"m:25\"}]\nsrs: {socketmap: \"unix:run/srs\"}"
        #expect(try Self.parse(yaml).senderRewriting == .socketmap(.unix(path: "/etc/a/run/srs")))
    }

    @Test(arguments: [
        ("d.sqlite", "addressee.yaml", "d.sqlite"), ("d.sqlite", "./addressee.yaml", "./d.sqlite"),
        ("d.sqlite", "/addressee.yaml", "/d.sqlite"), ("../d.sqlite", "/etc/a/b.yaml", "/etc/a/../d.sqlite"),
        ("/d.sqlite", "/etc/a/b.yaml", "/d.sqlite"),
    ])
    func pathsAreTakenFromTheFolderOfTheFile(path: String, file: String, expected: String) throws {
        let yaml = "default-domain: example.org\nsources: [{name: main, sqlite: \(path)}]"
        #expect(try Configuration.parse(yaml, file: file).sources[0].kind == .sqlite(path: expected))
    }

    /// YAML that means the same as another.
    @Test(arguments: [
        ("threads: 5", "threads: \"5\""), ("limits:", ""), ("tls: ~", ""), ("clients: null", ""), ("threads: auto", ""),
        ("limits: &l {errors: 5}", "limits: {errors: 5}"), ("timeouts: {idle: 300s}", ""),
        ("timeouts: {idle: 86400s, write: 3600s}", "timeouts: {idle: 24h, write: 1h}"),
        ("timeouts: {idle: 1440m, write: 60m}", "timeouts: {idle: 24h, write: 1h}"),
        ("listeners: [{smtp: '127.0.0.1:2525', enhanced-codes: \"true\"}]", ""),
        (
            "listeners: [{smtp: '0.0.0.0:1', clients: &c [trusted]}, {smtp: '0.0.0.0:2', clients: *c}]",
            "listeners: [{smtp: '0.0.0.0:1', clients: [trusted]}, {smtp: '0.0.0.0:2', clients: [trusted]}]"
        ),
        ("limits:\r\n  errors: 5\r\n", "limits:\n  errors: 5"),
        ("# a comment with ünïcode\n", ""),
    ])
    func meansTheSame(yaml: String, as other: String) throws {
        let hostname = "hostname: a\n"
        #expect(try Self.parse(hostname + yaml) == Self.parse(hostname + other))
    }

    @Test func anInternationalHostnameIsSaidInASCII() throws {
        #expect(try Self.parse("hostname: bücher.example").hostname == "xn--bcher-kva.example")
    }

    @Test func aByteOrderMarkIsNoPartOfTheFirstKey() throws {
        #expect(throws: Never.self) { try Configuration.parse("\u{FEFF}" + Self.required, file: "a") }
    }

    /// Shorter than what Swift keeps inside a String: Yams once read such a text after it was gone.
    @Test func aShortTextIsReadWhole() throws {
        #expect(Case.problems(in: "x: 1").first?.hasPrefix("1: unknown key \"x\"") == true)
    }

    @Test(arguments: [
        ("/a", ["ADDRESSEE_CONFIG": "/b"], "/a"), (nil, ["ADDRESSEE_CONFIG": "/b"], "/b"),
        (nil, ["ADDRESSEE_CONFIG": ""], "/etc/addressee/addressee.yaml"), (nil, [:], "/etc/addressee/addressee.yaml"),
    ])
    func isLocated(option: String?, environment: [String: String], expected: String) {
        #expect(Configuration.locate(option: option, environment: environment) == expected)
    }
}

@Suite struct ClientClassReadingTests {
    @Test func whatAClassLeavesOutIsTheLeast() throws {
        let classes = try ConfigurationTests.parse("clients: [{name: trusted, networks: [unix]}]").clients
        #expect(classes.map(\.name) == ["trusted", "everyone"])
        #expect(classes.map(\.disclosure) == [.least, .least])
        #expect(classes.map(\.questionsPerMinute) == [600, 600])
        #expect(classes.map(\.isTrusted) == [false, false])
    }

    @Test func aClassWithoutNetworksEndsTheList() throws {
        let classes = try ConfigurationTests.parse("clients: [{name: all, questions-per-minute: unlimited}]").clients
        #expect(classes.map(\.name) == ["all"])
        #expect(classes[0].questionsPerMinute == nil)
    }

    @Test(arguments: [
        ("192.0.2.1", "one"), ("192.0.2.2", "net"), ("192.0.3.1", "everyone"), ("unix", "sockets"), ("::1", "everyone"),
        ("::ffff:192.0.2.1", "one"),
    ])
    func theFirstThatHoldsAClientIsItsClass(client: String, expected: String) throws {
        let configuration = try ConfigurationTests.parse(
            """
            clients:
              - {name: one, networks: [192.0.2.1]}
              - {name: net, networks: [192.0.2.0/24]}
              - {name: sockets, networks: [unix]}
            """)
        let client = try #require(ClientAddress(client))
        #expect(configuration.clientClass(of: client).name == expected)
    }
}

@Suite struct ConfigurationFileTests {
    /// Runs `body` with the name of a file that holds `contents`.
    private func withFile(_ contents: [UInt8], _ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("addressee-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("addressee.yaml")
        try Data(contents).write(to: file)
        try body(file.path)
    }

    private func problem(_ file: String) -> String {
        do {
            _ = try Configuration.load(file: file)
            return "none"
        } catch {
            return error.description
        }
    }

    @Test func isLoaded() throws {
        try withFile(Array(ConfigurationTests.required.utf8)) { file in
            let configuration = try Configuration.load(file: file)
            #expect(configuration.file == file)
            #expect(configuration.defaultDomain == (try Domain("example.org")))
        }
    }

    @Test func anAbsentFileIsNamedWithTheWayOut() {
        let file = "/nonexistent/addressee.yaml"
        #expect(
            problem(file) == "\(file): there is no such file; \"addressee init\" writes one, --config names another")
    }

    @Test func aFolderIsNoFile() {
        #expect(problem("/tmp") == "/tmp: the file can't be read; is it a folder?")
    }

    @Test(arguments: [
        ([0x61, 0x3A, 0x20, 0xFF, 0x0A], 1), (Array("a: b\nc: ".utf8) + [0xC3], 2),
        (Array("a: ü\n\n".utf8) + [0xED, 0xA0, 0x80], 3), ([0xFF, 0xFE, 0x61, 0x00], 1),
    ])
    func whatIsNotUTF8IsRefusedWithItsLine(contents: [UInt8], line: Int) throws {
        try withFile(contents) { file in
            #expect(problem(file) == "\(file):\(line): the line is not UTF-8; save the file as UTF-8")
        }
    }
}
