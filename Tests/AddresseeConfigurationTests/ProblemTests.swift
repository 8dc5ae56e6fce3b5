// Every wrong thing and the exact words that an administrator reads. A case is one line: the YAML, and the problems.

import Testing

@testable import AddresseeConfiguration

/// YAML, and each problem as "LINE: TEXT".
struct Case: Sendable, CustomTestStringConvertible {
    let yaml: String
    let problems: [String]

    init(_ yaml: String, _ problems: String...) {
        self.yaml = yaml
        self.problems = problems
    }

    var testDescription: String { yaml.debugDescription }

    static func problems(in yaml: String) -> [String] {
        do {
            _ = try Configuration.parse(yaml, file: "addressee.yaml")
            return []
        } catch {
            return error.problems.map { "\($0.line ?? 0): \($0.text)" }
        }
    }
}

// What recurs in the cases.
private let keys =
    "hostname, default-domain, sources, clients, tls, listeners, next-hops, srs, limits, timeouts, threads, log"
private let forms = "expected ADDRESS:PORT, [IPV6-ADDRESS]:PORT or unix:/path/to/socket"
private let networks = "expected a network such as 192.0.2.0/24 or 2001:db8::/32, one address, or unix"
private let idleTime = "a time from 1s to 24h, such as 300s, 5m or 1h"

@Suite struct ProblemTests {
    /// The whole file.
    static let files: [Case] = [
        Case("", #"1: the file is empty; "addressee init" writes a commented one"#),
        Case("# only a comment\n", #"1: the file is empty; "addressee init" writes a commented one"#),
        Case("---\n", #"1: the file is empty; "addressee init" writes a commented one"#),
        Case("just words\n", #"1: the file must hold "key: value" lines, not "just words""#),
        Case("- a\n- b\n", #"1: the file must hold "key: value" lines, not a list"#),
        Case("null", #"1: the file is empty; "addressee init" writes a commented one"#),
        Case(
            "default-domain: example.org",
            #"1: sources is missing; add "sources: [{name: main, sqlite: directory.sqlite}]""#),
        Case("sources: [{name: main, sqlite: d}]", #"1: default-domain is missing; add "default-domain: example.org""#),
        Case(
            "default-domain: example.org\nsources:",
            #"1: sources is missing; add "sources: [{name: main, sqlite: directory.sqlite}]""#),
        Case("default-domain: example.org\nsources: []", "2: sources is empty; name one source at least"),
        Case("default-domain: example.org\nsources: main", #"2: sources must be a list, not "main""#),
        Case("default-domain: example.org\nsources: [main]", #"2: sources must hold "key: value" lines, not "main""#),
        Case(
            "default-domain: example.org\nsources: [{name: main}]",
            #"2: sources.sqlite is missing; add "sqlite: directory.sqlite""#),
        Case("default-domain: example.org\nsources: [{sqlite: d}]", #"2: sources.name is missing; add "name: main""#),
        Case(
            "default-domain: example.org\nsources: [{name: a b, sqlite: d}]",
            #"2: sources.name must be a name for the source: up to 64 letters, digits, "-", "_" or ".", not "a b""#),
        Case(
            "default-domain: example.org\nsources: [{name: main, sqlit: d}]",
            #"2: unknown key "sqlit" in sources; did you mean "sqlite"?"#),
        Case(
            "default-domain: example.org\nsources:\n  - name: main\n    sqlite: d\n  - name: main\n    sqlite: e",
            #"5: the source at line 3 is called "main" already; names are unique"#),
        Case(
            "default-domain: -x\nsources: [{name: main, sqlite: d}]",
            #"1: default-domain "-x" is no domain. The hyphen at position 1 is at the end of a part of the domain."#),
        Case(
            "default-domain: [x]\nsources: [{name: main, sqlite: d}]",
            "1: default-domain must be a domain such as example.org, not a list"),
        Case(
            "default-domain:\nsources: [{name: main, sqlite: ''}]",
            "1: default-domain has no value; it must be a domain such as example.org",
            #"2: sources.sqlite must be the name of a file, not """#),
        Case(
            "a: [b\nc: d\n",
            "2: not YAML: did not find expected ',' or ']', column 2 "
                + "(while parsing a flow sequence that began at line 1)"),
        Case("a: b: c\n", "1: not YAML: mapping values are not allowed in this context, column 5"),
        Case("a: 'x\n", "1: not YAML: the quotes that open at column 4 never close"),
        Case("limits:\n\tconnections: 5\n", "2: the line is indented with a tab; YAML wants spaces"),
        Case("limits:\n  connections: 5\n\terrors: 6\n", "3: the line is indented with a tab; YAML wants spaces"),
        Case(
            "default-domain: a\ndefault-domain: b\n",
            #"2: the key "default-domain" stands at line 1 already; give it once"#),
        Case("limits: {errors: 5, errors: 6}", #"1: the key "errors" is given twice; give it once"#),
        Case(
            "limits:\n  errors: 5\n  connections: 5\n  errors: 6\n",
            #"4: the key "errors" stands at line 2 already; give it once"#),
        Case("a: b\n---\nc: d\n", "2: a second document begins here; the configuration is one document"),
        Case("a: *b\n", "1: not YAML: found undefined alias, column 4"),
        Case("a: \u{01}\n", "1: not YAML: a control character (1); is this a text file?"),
        Case("a: \u{82}\n", "1: not YAML: control characters are not allowed"),
        Case(
            "? [a]\n: b\n",
            "1: a key must be one word, not a list",
            #"1: default-domain is missing; add "default-domain: example.org""#,
            #"1: sources is missing; add "sources: [{name: main, sqlite: directory.sqlite}]""#),
        Case(
            "listeners:\n  - smtp: [::1]:2525\n",
            #"2: not YAML: a value that begins with "[" must stand in quotes: "[::1]:2525""#),
        Case(
            "listeners:\n  - smtp: 'x'\n   enhanced-codes: true\n",
            "3: not YAML: did not find expected '-' indicator, column 4 "
                + "(while parsing a block collection that began at line 2)"),
        Case(
            "limits:\n  errors: 5\n errors: 6",
            "3: not YAML: did not find expected key, column 2 (while parsing a block mapping that began at line 1)"),
        Case("%FOO\n", "1: not YAML: found unknown directive name, column 5"),
        Case(
            "a: !!binary x\n",
            #"1: unknown key "a"; the keys here are \#(keys)"#,
            #"1: default-domain is missing; add "default-domain: example.org""#,
            #"1: sources is missing; add "sources: [{name: main, sqlite: directory.sqlite}]""#),
        Case(
            "hostname: \"a\\nb\"\n",
            #"1: hostname "a\nb" is no domain. There is a control character at position 2."#,
            #"1: default-domain is missing; add "default-domain: example.org""#,
            #"1: sources is missing; add "sources: [{name: main, sqlite: directory.sqlite}]""#),
        Case("@x: y\n", "1: not YAML: found character that cannot start any token, column 1"),
        Case("default-domain: `x`\n", "1: not YAML: found character that cannot start any token, column 17"),
        Case("default-domain: %x\n", "1: not YAML: found character that cannot start any token, column 17"),
    ]

    @Test(arguments: files)
    func isReported(_ wrong: Case) {
        #expect(Case.problems(in: wrong.yaml) == wrong.problems)
    }

    /// What stands from line 3 on, below what is required.
    static let settings: [Case] = [
        Case("hostnme: x", #"3: unknown key "hostnme"; did you mean "hostname"?"#),
        Case("hostname: a_b", #"3: hostname "a_b" is no domain. The character at position 2 may not stand there."#),
        Case("host_name: x", #"3: unknown key "host_name"; did you mean "hostname"?"#),
        Case("frobnicate: 5", #"3: unknown key "frobnicate"; the keys here are \#(keys)"#),
        Case("limits: 5", #"3: limits must hold "key: value" lines, not "5""#),
        Case("limits: [5]", #"3: limits must hold "key: value" lines, not a list"#),
        Case("limits:\n  conections: 5", #"4: unknown key "conections" in limits; did you mean "connections"?"#),
        Case(
            "limits:\n  recipients: 50",
            #"4: limits.recipients must be a whole number from 100 to 1000000 (RFC 5321 4.5.3.1.8), not "50""#),
        Case(
            "limits:\n  errors: 10_000",
            #"4: limits.errors must be a whole number from 1 to 1000000, not "10_000"; write 10000"#),
        Case("limits:\n  errors: -1", #"4: limits.errors must be a whole number from 1 to 1000000, not "-1""#),
        Case("limits:\n  errors: many", #"4: limits.errors must be a whole number from 1 to 1000000, not "many""#),
        Case("limits:\n  errors: [1]", "4: limits.errors must be a whole number from 1 to 1000000, not a list"),
        Case("limits:\n  errors:", "4: limits.errors has no value; it must be a whole number from 1 to 1000000"),
        Case(
            "limits:\n  errors: 010",
            #"4: limits.errors must be a whole number from 1 to 1000000, not "010"; write 10"#),
        Case(
            "limits:\n  message-size: 25MB",
            #"4: limits.message-size must be a whole number from 0 to 1000000000000, not "25MB"; write 26214400"#),
        Case(
            "limits:\n  message-size: 2 gib",
            #"4: limits.message-size must be a whole number from 0 to 1000000000000, not "2 gib"; write 2147483648"#),
        Case(
            "limits:\n  message-size: 25X",
            #"4: limits.message-size must be a whole number from 0 to 1000000000000, not "25X""#),
        Case(
            "limits:\n  errors: 99999999999999999999",
            #"4: limits.errors must be a whole number from 1 to 1000000, not "99999999999999999999""#),
        Case("limits:\n  errors: 1.5", #"4: limits.errors must be a whole number from 1 to 1000000, not "1.5""#),
        Case(
            "limits:\n  pipelined-questions: 1001",
            #"4: limits.pipelined-questions must be a whole number from 1 to 1000, not "1001""#),
        Case("timeouts:\n  idle: 300", #"4: timeouts.idle must be \#(idleTime), not "300"; did you mean 300s?"#),
        Case("timeouts:\n  idle: 0s", #"4: timeouts.idle must be \#(idleTime), not "0s""#),
        Case("timeouts:\n  idle: 5 minutes", #"4: timeouts.idle must be \#(idleTime), not "5 minutes""#),
        Case(
            "timeouts:\n  write: 2h",
            #"4: timeouts.write must be a time from 1s to 1h, such as 300s, 5m or 1h, not "2h""#),
        Case("timeouts:\n  idle: 5min", #"4: timeouts.idle must be \#(idleTime), not "5min""#),
        Case("timeouts:\n  idle: s", #"4: timeouts.idle must be \#(idleTime), not "s""#),
        Case("threads: 0", #"3: threads must be auto or a whole number from 1 to 64, not "0""#),
        Case("threads: 65", #"3: threads must be auto or a whole number from 1 to 64, not "65""#),
        Case(
            "threads: atuo",
            #"3: threads must be auto or a whole number from 1 to 64, not "atuo"; did you mean "auto"?"#),
        Case(
            "threads: Auto",
            #"3: threads must be auto or a whole number from 1 to 64, not "Auto"; did you mean "auto"?"#),
        Case(
            "log:\n  level: verbose",
            #"4: log.level must be trace, debug, info, notice, warning or error, not "verbose""#),
        Case(
            "log:\n  level: warn",
            #"4: log.level must be trace, debug, info, notice, warning or error, not "warn"; did you mean "warning"?"#),
        Case(
            "log:\n  level: INFO",
            #"4: log.level must be trace, debug, info, notice, warning or error, not "INFO"; did you mean "info"?"#),
        Case("log: debug", #"3: log must hold "key: value" lines, not "debug""#),
        Case("tls:\n  certificate: x", #"3: tls.private-key is missing; add "private-key: FILE""#),
        Case(
            "tls:\n  key: x\n  certificate: y",
            #"3: tls.private-key is missing; add "private-key: FILE""#,
            #"4: unknown key "key" in tls; the keys here are certificate, private-key"#),
        Case(
            "tls: {}",
            #"3: tls.certificate is missing; add "certificate: FILE""#,
            #"3: tls.private-key is missing; add "private-key: FILE""#),
        Case("listeners: []", "3: listeners is empty; name one listener at least, or leave the key out"),
        Case("listeners: 127.0.0.1:25", #"3: listeners must be a list, not "127.0.0.1:25""#),
        Case("listeners:\n  - 127.0.0.1:25", #"4: listeners must hold "key: value" lines, not "127.0.0.1:25""#),
        Case("listeners:\n  - stmp: 127.0.0.1:25", #"4: unknown key "stmp" in listeners; did you mean "smtp"?"#),
        Case(
            "listeners:\n  - smtp: ::1:25",
            #"4: listeners.smtp can't listen on "::1:25"; an IPv6 address stands in brackets: [::1]:25"#),
        Case(
            "listeners:\n  - smtp: '::1'",
            #"4: listeners.smtp can't listen on "::1"; the port is missing: [::1]:2525"#),
        Case(
            "listeners:\n  - smtp: 127.0.0.1",
            #"4: listeners.smtp can't listen on "127.0.0.1"; the port is missing: 127.0.0.1:2525"#),
        Case(
            "listeners:\n  - smtp: '*:25'",
            #"4: listeners.smtp can't listen on "*:25"; for all addresses write 0.0.0.0:25 or [::]:25"#),
        Case(
            "listeners:\n  - smtp: :25",
            #"4: listeners.smtp can't listen on ":25"; for all addresses write 0.0.0.0:25 or [::]:25"#),
        Case(
            "listeners:\n  - smtp: localhost:25",
            #"4: listeners.smtp can't listen on "localhost:25"; "#
                + "names are not looked up; write 127.0.0.1:25 or [::1]:25"),
        Case(
            "listeners:\n  - smtp: mail.example.org:25",
            #"4: listeners.smtp can't listen on "mail.example.org:25"; \#(forms)"#),
        Case(
            "listeners:\n  - smtp: 127.0.0.1:smtp",
            #"4: listeners.smtp can't listen on "127.0.0.1:smtp"; the port must be a number from 0 to 65535"#),
        Case(
            "listeners:\n  - smtp: 127.0.0.1:65536",
            #"4: listeners.smtp can't listen on "127.0.0.1:65536"; the port must be a number from 0 to 65535"#),
        Case("listeners:\n  - smtp: 127.0.0.256:1", #"4: listeners.smtp can't listen on "127.0.0.256:1"; \#(forms)"#),
        Case("listeners:\n  - smtp: '[127.0.0.1]:1'", #"4: listeners.smtp can't listen on "[127.0.0.1]:1"; \#(forms)"#),
        Case("listeners:\n  - smtp: 'unix:'", #"4: listeners.smtp can't listen on "unix:"; \#(forms)"#),
        Case(
            "listeners:\n  - smtp: unix:/\(String(repeating: "x", count: 107))",
            #"4: listeners.smtp can't listen on "unix:/\#(String(repeating: "x", count: 53))…"; "#
                + "the path of a Unix socket has at most 107 octets"),
        Case(
            "listeners:\n  - smtp: 127.0.0.1:25\n    enhanced-codes: yes",
            #"5: listeners.enhanced-codes must be true or false, not "yes"; did you mean true?"#),
        Case(
            "listeners:\n  - smtp: 127.0.0.1:25\n    starttls: true",
            "5: listeners.starttls needs a tls section with certificate and private-key"),
        Case("listeners:\n  - socketmap: 127.0.0.1:26\n    starttls: true", "5: listeners.starttls is only for smtp"),
        Case(
            "listeners:\n  - socketmap: 127.0.0.1:26\n    possibilities: false",
            "5: listeners.possibilities is only for smtp"),
        Case(
            "listeners:\n  - socketmap: 127.0.0.1:26\n    enhanced-codes: true",
            "5: listeners.enhanced-codes is only for smtp"),
        Case(
            "listeners:\n  - smtp: 127.0.0.1:25\n    socketmap: 127.0.0.1:26",
            "5: one listener is smtp or socketmap; give each an item of its own"),
        Case("listeners:\n  - tcp-table: 127.0.0.1:26", #"4: listeners.map is missing; add "map: recipients""#),
        Case(
            "listeners:\n  - tcp-table: 127.0.0.1:26\n    map: recipient",
            #"5: there is no map "recipient"; did you mean "recipients"?"#),
        Case(
            "listeners:\n  - tcp-table: 127.0.0.1:26\n    map: zzz",
            #"5: there is no map "zzz"; the maps are domains, relay-domains, mailboxes, recipients, aliases, "#
                + "aliases-step, forwards, relocated, senders, transport"),
        Case("listeners:\n  - socketmap: 127.0.0.1:26\n    map: senders", "5: listeners.map is only for tcp-table"),
        Case(
            "listeners:\n  - tcp-table: unix:/a\n    map: senders",
            "4: listeners.tcp-table needs ADDRESS:PORT, for Postfix's tcp: takes no Unix socket; socketmap does"),
        Case("listeners:\n  - policy: 127.0.0.1:26\n    starttls: true", "5: listeners.starttls is only for smtp"),
        Case(
            "listeners:\n  - qmail-deliverable: 127.0.0.1:26\n    starttls: true",
            "5: listeners.starttls is only for smtp"),
        Case("listeners:\n  - milter: 127.0.0.1:26\n    starttls: true", "5: listeners.starttls is only for smtp"),
        Case(
            "listeners:\n  - sockmap: 127.0.0.1:26",
            #"4: unknown key "sockmap" in listeners; did you mean "socketmap"?"#),
        Case(
            "listeners:\n  - smtp: 127.0.0.1:25\n    unix-mode: '0660'",
            "5: listeners.unix-mode is only for listeners on unix:/path/to/socket"),
        Case(
            "listeners:\n  - smtp: unix:/a\n    unix-mode: 0888",
            #"5: listeners.unix-mode must be an octal mode from 0000 to 0777, such as "0660", not "0888""#),
        Case(
            "listeners:\n  - smtp: 127.0.0.1:25\n    clients: [trused]",
            #"5: no class of clients is called "trused"; did you mean "trusted"?"#),
        Case(
            "listeners:\n  - smtp: 127.0.0.1:25\n    clients: [partners]",
            #"5: no class of clients is called "partners"; the classes are trusted, everyone"#),
        Case(
            "listeners:\n  - smtp: 127.0.0.1:25\n    clients: []",
            "5: listeners.clients is empty; leave the key out for all classes"),
        Case(
            "listeners:\n  - smtp: 127.0.0.1:25\n    clients: trusted",
            #"5: listeners.clients must be a list, not "trusted""#),
        Case(
            "listeners:\n  - smtp: 127.0.0.1:25\n    clients: [trusted, trusted]",
            #"5: "trusted" stands in listeners.clients already; name it once"#),
        Case(
            "listeners:\n  - smtp: 127.0.0.1:25\n  - smtp: 127.0.0.1:25",
            "5: the listener at line 4 has 127.0.0.1:25 already"),
        Case("clients: []", "3: clients is empty; name one class at least, or leave the key out"),
        Case("clients: [{name: a, networks: []}]", "3: clients.networks is empty; leave the key out for any client"),
        Case(
            "clients: [{name: a, networks: [10.0.0.1/8]}]",
            #"3: "10.0.0.1/8" is no network; bits are set beyond the prefix; write 10.0.0.0/8"#),
        Case("clients: [{name: a, networks: 10.0.0.0/8}]", #"3: clients.networks must be a list, not "10.0.0.0/8""#),
        Case(
            "clients: [{name: a, networks: [10.0.0.0/33, x, example.org, 10.0.0/8, '::1/129']}]",
            #"3: "10.0.0.0/33" is no network; expected a number from 0 to 32 after the slash"#,
            #"3: "x" is no network; \#(networks)"#,
            #"3: "example.org" is no network; \#(networks)"#,
            #"3: "10.0.0/8" is no network; \#(networks)"#,
            #"3: "::1/129" is no network; expected a number from 0 to 128 after the slash"#),
        Case(
            "clients: [{name: a, vrfy: ful}]",
            #"3: clients.vrfy must be full, existence or closed, not "ful"; did you mean "full"?"#),
        Case("clients: [{name: a, expn: existence}]", #"3: clients.expn must be full or closed, not "existence""#),
        Case("clients: [{name: a, rcpt: closed}]", #"3: clients.rcpt must be full or existence, not "closed""#),
        Case("clients: [{name: a, trusted: 1}]", #"3: clients.trusted must be true or false, not "1""#),
        Case(
            "clients: [{name: a, questions-per-minute: 0}]",
            #"3: clients.questions-per-minute must be unlimited or a whole number from 1 to 1000000000, not "0""#),
        Case(
            "clients: [{name: a, questions-per-minute: unlimted}]",
            #"3: clients.questions-per-minute must be unlimited or a whole number "#
                + #"from 1 to 1000000000, not "unlimted"; did you mean "unlimited"?"#),
        Case(
            "clients: [{name: a}, {name: b, networks: [unix]}]",
            #"3: no client gets here: "a" has no networks, so it must be the last class"#),
        Case(
            "clients: [{name: everyone, networks: [unix]}]",
            #"3: the class "everyone" has no networks; choose another name for this one"#),
        Case("clients: [{networks: [unix]}]", #"3: clients.name is missing; add "name: partners""#),
        Case(
            "clients: [{name: a, networks: [unix]}, {name: a}]",
            #"3: the class at line 3 is called "a" already; names are unique"#),
        Case(
            "clients: [{name: a, network: [unix]}]",
            #"3: unknown key "network" in clients; did you mean "networks"?"#),
        Case("clients: [a]", #"3: clients must hold "key: value" lines, not "a""#),
        Case(
            "clients:\n  - name: a\n    networks:\n      - 10.0.0.0/8\n      - 10.0.0.1/8\n      - ''",
            #"7: "10.0.0.1/8" is no network; bits are set beyond the prefix; write 10.0.0.0/8"#,
            #"8: clients.networks must be a network such as 192.0.2.0/24, or unix, not """#),
        Case(
            "clients: [{name: a, networks: [x]}]\nlisteners: [{smtp: '127.0.0.1:1', clients: [a, b]}]",
            #"3: "x" is no network; \#(networks)"#,
            #"4: no class of clients is called "b"; the classes are a, everyone"#),
        Case("listeners:\n  - smtp: '[::1]'", #"4: listeners.smtp can't listen on "[::1]"; \#(forms)"#),
        Case("listeners:\n  - smtp: 2525", #"4: listeners.smtp can't listen on "2525"; \#(forms)"#),
        Case("listeners:\n  - smtp: unix", #"4: listeners.smtp can't listen on "unix"; \#(forms)"#),
        Case(
            "listeners:\n  - smtp:",
            "4: listeners.smtp has no value; it must be ADDRESS:PORT or unix:/path/to/socket"),
        Case(
            "listeners:\n  - smtp: 127.0.0.1:025",
            #"4: listeners.smtp can't listen on "127.0.0.1:025"; the port must be a number from 0 to 65535"#),
        Case(
            "listeners:\n  - smtp: '[fe80::1%eth0]:25'",
            #"4: listeners.smtp can't listen on "[fe80::1%eth0]:25"; \#(forms)"#),
        Case("listeners: [{}]", #"3: listeners.smtp is missing; add "smtp: 127.0.0.1:2525""#),
        Case(
            "limits:\n  errors: 0\n  recipients: 5\ntimeouts: {idle: 1}\nthreads: x",
            #"4: limits.errors must be a whole number from 1 to 1000000, not "0""#,
            #"5: limits.recipients must be a whole number from 100 to 1000000 (RFC 5321 4.5.3.1.8), not "5""#,
            #"6: timeouts.idle must be \#(idleTime), not "1"; did you mean 1s?"#,
            #"7: threads must be auto or a whole number from 1 to 64, not "x""#),
        Case("limits:\n  errors: \"\"", #"4: limits.errors must be a whole number from 1 to 1000000, not """#),
        Case(
            "limits:\n  errors: {a: 1}",
            "4: limits.errors must be a whole number from 1 to 1000000, not keys and values"),
        Case("limits:\n  errors: 0x10", #"4: limits.errors must be a whole number from 1 to 1000000, not "0x10""#),
        Case(
            "limits:\n  message-size: -1",
            #"4: limits.message-size must be a whole number from 0 to 1000000000000, not "-1""#),
        Case(
            "limits:\n  message-size: 26 214 400",
            #"4: limits.message-size must be a whole number "#
                + #"from 0 to 1000000000000, not "26 214 400"; write 26214400"#),
        Case(
            "listeners:\n  - smtp: 127.0.0.1:25\n    possibilities: TRUE",
            #"5: listeners.possibilities must be true or false, not "TRUE"; did you mean true?"#),
        Case(
            #"hostname: "a\u2028\u202E\\\"b""#,
            ##"3: hostname "a\u{2028}\u{202e}\\\"b" is no domain. The character at position 8 may not stand there."##),
        Case("<<: {a: b}", #"3: unknown key "<<"; the keys here are \#(keys)"#),
        Case("hostname: ''", #"3: hostname must be a domain such as mail.example.org, not """#),
        Case(
            "hostname: a..b",
            #"3: hostname "a..b" is no domain. The dot at position 2 has no name on both of its sides."#),
        Case("hostname: ~", "3: hostname has no value; it must be a domain such as mail.example.org"),
        Case("tls: x", #"3: tls must hold "key: value" lines, not "x""#),
        Case("timeouts:\n  idle: 25h", #"4: timeouts.idle must be \#(idleTime), not "25h""#),
        Case(
            "timeouts:\n  shutdown: 1d",
            #"4: timeouts.shutdown must be a time from 1s to 1h, such as 300s, 5m or 1h, not "1d""#),
        Case("log: {level: [info]}", "3: log.level must be trace, debug, info, notice, warning or error, not a list"),
        Case(
            "hostname: |\n  a\n  b",
            #"3: hostname "a\nb\n" is no domain. There is a control character at position 2."#),
        Case("cert: x", #"3: unknown key "cert"; the keys here are \#(keys)"#),
        Case("next-hops: []", "3: next-hops is empty; name one next hop at least, or leave the key out"),
        Case("next-hops: mail", #"3: next-hops must be a list, not "mail""#),
        Case(
            "next-hops: [{maildir: 'm/{domain}/{local-part}'}]",
            #"3: next-hops.name is missing; add "name: mailboxes""#),
        Case(
            "next-hops: [{name: a}]",
            #"3: next-hops.maildir is missing; add "maildir: mail/{domain}/{local-part}""#),
        Case(
            "next-hops:\n  - {name: a, maildir: 'm/{domain}/{local-part}'}\n  - {name: a, maildir: 'n/{domain}/{local-part}'}",
            #"5: the next hop at line 4 is called "a" already; names are unique"#),
        Case(
            "next-hops: [{name: a, maildir: 'm/{local-part}'}]",
            #"3: next-hops.maildir "m/{local-part}" must have both {domain} and {local-part}, so that no two "#
                + "mailboxes share a folder"),
        Case(
            "next-hops: [{name: a, maildir: 'm/{domain}-{local-part}'}]",
            #"3: next-hops.maildir "m/{domain}-{local-part}" has {domain}-{local-part}; only {domain} and "#
                + "{local-part} can stand there, each alone between two slashes"),
        Case(
            "next-hops: [{name: a, maildir: 'm/{domain}/{local-part}', takes: [mailbox]}]",
            #"3: next-hops.takes must be mailboxes, relay-domains or elsewhere, not "mailbox"; did you mean "#
                + #""mailboxes"?"#),
        Case(
            "next-hops: [{name: a, maildir: 'm/{domain}/{local-part}', domains: [a b]}]",
            #"3: next-hops.domains "a b" is no domain. "#
                + "The character at position 2 may not stand there."),
        Case(
            "next-hops: [{name: a, maildir: 'm/{domain}/{local-part}', tls: starttls}]",
            #"3: unknown key "tls" in next-hops; the keys here are name, maildir, smtp, lmtp, takes, domains, recipients, "#
                + "follow-links"),
        Case(
            "next-hops: [{name: a, maildir: 'm/{domain}/{local-part}', follow-links: yes}]",
            #"3: next-hops.follow-links must be true or false, not "yes"; did you mean true?"#),
        Case(
            "next-hops: [{name: a, maildir: 'm/{domain}/{local-part}', detail: drop}]",
            #"3: unknown key "detail" in next-hops; the keys here are name, maildir, smtp, lmtp, takes, domains, "#
                + "recipients, follow-links"),
        Case(
            "next-hops: [{name: a, smtp: 'h:25', detail: dropp}]",
            #"3: next-hops.detail must be keep or drop, not "dropp"; did you mean "drop"?"#),
        Case(
            "next-hops: [{name: a, smtp: 'h:25', follow-links: true}]",
            #"3: unknown key "follow-links" in next-hops; the keys here are name, maildir, smtp, lmtp, tls, tls-name, "#
                + "ca-file, connections, takes, domains, recipients, detail"),
        Case(
            "next-hops: [{name: a, smtp: mail.example.org}]",
            #"3: next-hops.smtp "mail.example.org": the port is missing: mail.example.org:25"#),
        Case(
            "next-hops: [{name: a, smtp: '::1:25'}]",
            #"3: next-hops.smtp "::1:25": the port is missing: [::1:25]:25"#),
        Case(
            "next-hops: [{name: a, smtp: 'a b:25'}]",
            #"3: next-hops.smtp "a b:25": expected NAME:PORT, ADDRESS:PORT, [IPV6-ADDRESS]:PORT or unix:/path/to/socket"#
        ),
        Case(
            "next-hops: [{name: a, lmtp: '127.0.0.1:0'}]",
            #"3: next-hops.lmtp "127.0.0.1:0": the port must be a number from 1 to 65535"#),
        Case(
            "next-hops: [{name: a, lmtp: 'unix:'}]",
            #"3: next-hops.lmtp "unix:": expected NAME:PORT, ADDRESS:PORT, [IPV6-ADDRESS]:PORT or unix:/path/to/socket"#
        ),
        Case(
            "next-hops: [{name: a, smtp: 'h:25', lmtp: 'h:24'}]",
            "3: a next hop is one of maildir, smtp, lmtp; give each a name of its own"),
        Case(
            "next-hops: [{name: a, smtp: 'h:25', tls: tls}]",
            #"3: next-hops.tls must be none, starttls or implicit, not "tls""#),
        Case(
            "next-hops: [{name: a, smtp: 'h:25', ca-file: ca.pem}]",
            #"3: next-hops.ca-file has no use without "tls: starttls" or "tls: implicit""#),
        Case(
            "next-hops: [{name: a, smtp: 'unix:s', tls: starttls}]",
            #"3: next-hops.tls-name is missing; add "tls-name: mail.example.org""#),
        Case(
            "next-hops: [{name: a, smtp: 'h:25', connections: 0}]",
            #"3: next-hops.connections must be a whole number from 1 to 100000, not "0""#),
        Case(
            "next-hops: [{name: a, smtp: 'h:25', recipients: [fred]}]",
            #"3: next-hops.recipients "fred" is no address. The address has no "@" and domain."#),
        Case("srs: {socketmap: 'h:1'}", "3: srs has no use without next-hops: nothing is forwarded"),
        Case(
            "next-hops: [{name: a, smtp: 'h:25'}]\nsrs: {forward: 'h:1'}",
            #"4: srs.reverse is missing; add "reverse: 127.0.0.1:10002""#),
        Case(
            "next-hops: [{name: a, smtp: 'h:25'}]\nsrs: {socketmap: 'h:2', forward: 'h:1'}",
            "4: srs.forward has no use beside srs.socketmap, which has both maps"),
        Case(
            "next-hops: [{name: a, smtp: 'h:25'}]\nsrs: {}",
            #"4: srs.socketmap is missing; add "socketmap: unix:/run/postsrsd/socketmap""#),
        Case("lim: x", #"3: unknown key "lim"; did you mean "limits"?"#),
        Case("limits: {conn: 5}", #"3: unknown key "conn" in limits; did you mean "connections"?"#),
        Case("Limits: {}", #"3: unknown key "Limits"; did you mean "limits"?"#),
        Case("1: 2", #"3: unknown key "1"; the keys here are \#(keys)"#),
        Case(
            "x: &a [1]\ny: *a",
            #"3: unknown key "x"; the keys here are \#(keys)"#,
            #"4: unknown key "y"; the keys here are \#(keys)"#),
        Case("ключ: 1", #"3: unknown key "ключ"; the keys here are \#(keys)"#),
        Case("limits: &l {errors: 5}\nlimits2: *l", #"4: unknown key "limits2"; did you mean "limits"?"#),
        Case("x\ny: 1", #"3: not YAML: a key without ":" after it"#),
    ]

    @Test(arguments: settings)
    func isReportedFromLineThree(_ wrong: Case) {
        let required = "default-domain: example.org\nsources: [{name: main, sqlite: d}]\n"
        #expect(Case.problems(in: required + wrong.yaml) == wrong.problems)
    }

    @Test(arguments: files + settings)
    func isOneLine(_ wrong: Case) {
        let lines = Case.problems(in: wrong.yaml)
        #expect(!lines.contains { $0.contains(where: \.isNewline) })
    }

    /// Damage anywhere gives a value or problems, and never ends the program.
    @Test func damageIsSurvived() {
        let text = SampleTests.uncommented(withExamples: true)
        let lines = text.split(separator: "\n")
        for index in lines.indices {
            var damaged = lines
            damaged.remove(at: index)
            _ = Case.problems(in: damaged.joined(separator: "\n"))
            damaged.insert(lines[index].dropLast(3) + "[", at: index)
            #expect(!Case.problems(in: damaged.joined(separator: "\n")).contains { $0.hasPrefix("0:") })
        }
    }

    @Test func namesFileAndLine() {
        #expect(throws: ConfigurationError.self) { try Configuration.parse("x: 1", file: "/etc/a.yaml") }
        do {
            _ = try Configuration.parse("\n\nhostname: x", file: "/etc/a.yaml")
        } catch {
            #expect(
                error.description == """
                    /etc/a.yaml:3: default-domain is missing; add "default-domain: example.org"
                    /etc/a.yaml:3: sources is missing; add "sources: [{name: main, sqlite: directory.sqlite}]"
                    """)
        }
    }
}
