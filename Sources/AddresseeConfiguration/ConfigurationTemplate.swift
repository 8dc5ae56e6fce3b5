// The commented configuration: what `addressee init` writes and, with the values of `sample`, config/addressee.yaml
// (a test compares them). A setting that is commented out shows its default and begins "#key:", or "#" and two spaces
// or more below a key; prose begins "# ". A test takes the "#" away and finds that nothing changes.

/// The commented YAML that `addressee init` writes.
public struct ConfigurationTemplate {
    /// The file with these values, which are quoted where YAML needs it. Nothing is checked.
    public static func text(hostname: String, defaultDomain: String, listen: String, database: String) -> String {
        """
        # The configuration of Addressee. A setting that is commented out shows its default, except where it says
        # "example". A wrong key or value is refused at start, with its line. SIGHUP reads the file again.
        # Paths are taken from the folder of this file; where a symbolic link leads to it, from the folder of the link.
        # Times are a number and a unit: 300s, 5m, 1h.

        # The name in the greeting and the replies. Default: the name of this machine.
        hostname: \(quoted(hostname))

        # The domain of bare names (VRFY fred), of <postmaster>, and of postmaster at an address that a listener has
        # (postmaster@[192.0.2.1]). No domain of ours has a "_". Required.
        default-domain: \(quoted(defaultDomain))

        # The directories, asked in this order. Required: one at least, each with its own name. One kept in LDAP has "ldap"
        # in place of "sqlite": its keys are in ldap.yaml, beside the sample of this file (config/ in Addressee's sources).
        sources:
          - name: main
            # A SQLite file; "addressee init" creates it.
            sqlite: \(quoted(database))

        # Where to listen. Default: smtp on 127.0.0.1:2525.
        listeners:
            # ADDRESS:PORT, "[::1]:2525" in quotes, or unix:/path/to/socket; all addresses are 0.0.0.0 or [::].
            # Port 0 takes any free one.
          - smtp: \(quoted(listen))
            # true: enhanced codes in replies (RFC 2034); false: the plain replies of RFC 821.
        #    enhanced-codes: true
            # true: an ambiguous name is answered with the possibilities, to clients with "vrfy: full".
        #    possibilities: true
            # The classes of clients (below) that may connect; others are refused with 554. Default: all. An example:
        #    clients: [trusted, everyone]
            # true: STARTTLS is offered; needs "tls" below.
        #    starttls: false
            # Of a unix:/path/to/socket only: its mode, in octal. Default: as the umask has it. An example:
        #    unix-mode: "0660"
            # The maps of Postfix's socketmap_table(5): see config/postfix/README.md. "clients" and "unix-mode" are as for
            # smtp. Only a class with "trusted: true" and "rcpt: full" learns where addresses lead. An example:
        #  - socketmap: 127.0.0.1:2526
            # One map of Postfix's tcp_table(5), likewise; each map has a listener of its own, and none a Unix socket. An example:
        #  - tcp-table: 127.0.0.1:2541
            # Required there: its map, by the name that it has over socketmap. An example:
        #    map: recipients
            # The policy delegation of Postfix (SMTPD_POLICY_README), likewise. What is told goes by the class of the SMTP client
            # that Postfix names. An example:
        #  - policy: 127.0.0.1:2527
            # The filters of sendmail and Postfix (milter), likewise. What is told goes by the class of the SMTP client that the mail
            # server names, and by that of the mail server. A connection in use may be idle for 7210s at least. An example:
        #  - milter: 127.0.0.1:2530
            # The questions of Exim's ${readsocket}, likewise: see config/exim/README.md. An example:
        #  - readsocket: unix:/run/addressee/ask
            # What Haraka and qmail sites ask qmail-deliverabled, over HTTP, likewise. An example:
        #  - qmail-deliverable: 127.0.0.1:8998

        # Where messages go. Without a next hop, as by default, questions are answered and no mail is taken (DATA gets 554).
        # The first that takes a recipient has it. An example:
        #next-hops:
            # Unique, for logs. An example:
        #  - name: mailboxes
            # A Maildir for each mailbox, made when its first message comes. {domain} and {local-part} are in lower case; a detail
            # (fred+lists) is left out. Files that lie in a "tmp" for 36 hours are removed. An example:
        #    maildir: mail/{domain}/{local-part}
            # Of a Maildir only. true: symbolic links below "mail" here are followed, to wherever they lead; false: who has one in
            # the way of the mailbox gets 451, with a line in the log. Default: false. An example:
        #    follow-links: true
            # Whose mail it takes: mailboxes, which are those of local domains; relay-domains, all of their mail, on record or not;
            # elsewhere, which is where forwards, aliases and lists lead. Default: mailboxes; of smtp all three. An example:
        #    takes: [mailboxes]
            # Only for recipients in these domains, and only for these recipients, as they are when all redirections have
            # been followed: one without a detail (fred) is meant with any, one with a detail (fred+lists) with that alone.
            # Default: all. An example:
        #    domains: [example.org]
        #    recipients: [fred@example.org]
            # Another mail server instead, over SMTP or LMTP: NAME:PORT, ADDRESS:PORT or unix:/path/to/socket. An example:
        #  - name: elsewhere
        #    smtp: mail.example.net:25
        #    takes: [relay-domains, elsewhere]
            # Of a mail server only. keep: it gets the detail of a recipient (fred+lists@example.org); drop: it does not
            # (fred@example.org). Default: keep. An example:
        #    detail: drop
            # starttls, or implicit, as on port 465; either way its certificate is verified, and nothing is sent without.
            # Default: none. An example:
        #    tls: starttls
            # The name that its certificate must have. Default: NAME above. An example:
        #    tls-name: mail.example.net
            # Whose certificates are good, as a PEM file. Default: those that this system trusts. An example:
        #    ca-file: authorities.pem
            # Connections to it at once, shared evenly among the event loops, at least one for each: 1 to 100000. Default: 100.
            # An example:
        #    connections: 100
            # LMTP, as Dovecot speaks it; it takes mail for mailboxes, unless "takes" says more. An example:
        #  - name: store
        #    lmtp: unix:/run/dovecot/lmtp

        # Who rewrites the senders of what is forwarded, so that it passes for mail of this site (SRS), and finds the address again
        # when a notification comes back: postsrsd 2, or another server with the socketmap maps "forward" and "reverse". Default:
        # senders are kept. An example:
        #srs:
          # postsrsd 1 has no socketmap. Instead name its two servers, over tcp_table(5): "forward: 127.0.0.1:10001" and
          # "reverse: 127.0.0.1:10002". An example:
        #  socketmap: unix:/run/postsrsd/socketmap

        # Classes of clients: the first whose networks hold a client is its class. A class without "networks" holds any
        # client and stands last; when there is none, "everyone" follows as it is below. In a class of your own, what
        # you leave out is as in "everyone".
        #clients:
        #  - name: trusted
            # Networks as 192.0.2.0/24 or 2001:db8::/32, addresses, and unix for Unix sockets.
        #    networks: [127.0.0.0/8, "::1", unix]
            # true: lists that are open to trusted clients only are open to this class.
        #    trusted: true
            # true: mail of this class is taken for domains elsewhere too, when a next hop takes it.
        #    relay: false
            # VRFY. full: names, forwards, new addresses; existence: whether a mailbox is here; closed: 252 for all.
        #    vrfy: full
            # EXPN. full: the members of lists; closed: 252 for all.
        #    expn: full
            # RCPT. full: 251 and 551 tell the other address; existence: 250 and 550 instead.
        #    rcpt: full
            # Questions (RCPT, VRFY, EXPN, keys of maps) of one client address: unlimited, or 1 to 1000000000. One that
            # needs many look-ups, as of a long list, counts for one more with each hundred of them.
        #    questions-per-minute: unlimited
        #  - name: everyone
        #    trusted: false
        #    relay: false
        #    vrfy: closed
        #    expn: closed
        #    rcpt: existence
        #    questions-per-minute: 600

        # The certificate for STARTTLS, as PEM files: the chain, and its key without a passphrase. Default: none.
        # An example:
        #tls:
        #  certificate: certificate.pem
        #  private-key: private-key.pem

        limits:
          # Connections at once, on all listeners together: 1 to 1000000.
        #  connections: 10000
          # Recipients of one transaction: 100 (RFC 5321 4.5.3.1.8) to 1000000.
        #  recipients: 1000
          # Questions that a connection may have unanswered, or answered and unsent: 1 to 1000.
        #  pipelined-questions: 64
          # Bad commands or requests that a session may send before it is closed: 1 to 1000000.
        #  errors: 20
          # Addresses that are remembered until the directory changes: 0 to 67108864. Each takes 16 octets as the table
          # fills; 32 where a name was asked for (VRFY, EXPN), and 64 where that has over 16 octets. Names of over 48 are
          # looked up each time.
        #  remembered-recipients: 4194304
          # Octets of a message, as SIZE offers it and DATA holds to it: up to 1000000000000; 0 states no limit.
        #  message-size: 26214400
          # Received: fields, and Delivered-To: fields, that a message may have before it is taken to go in a loop:
          # 1 to 10000; RFC 5321 6.3 asks for 100 or more.
        #  trace-fields: 100
          # Of one question: redirections in a row, 1 to 1000; addresses, 1 to 100000000; look-ups, 1 to 1000000000.
          # A question that passes one is answered with 451, never with a shorter list.
        #  expansion-depth: 50
        #  expansion-addresses: 100000
        #  expansion-lookups: 500000
          # Mailboxes named when a name is ambiguous: 1 to 1000.
        #  possibilities: 20

        timeouts:
          # For the next command or request: 1s to 24h; RFC 5321 4.5.3.2.7 asks for 5m or more.
        #  idle: 5m
          # For a client that takes nothing of its replies all that time: 1s to 1h.
        #  write: 1m
          # For what was asked before the server was told to stop: 1s to 1h.
        #  shutdown: 10s
          # For a next hop, 1s to 1h each: to connect; to greet, and to answer MAIL or RCPT; to answer DATA; to take more of
          # a message; to answer its end. All but the first are what RFC 5321 4.5.3.2 asks for.
        #  next-hop-connect: 30s
        #  next-hop-reply: 5m
        #  next-hop-data: 2m
        #  next-hop-block: 3m
        #  next-hop-end: 10m

        # Event loops: auto, one a core, or 1 to 64. A change takes effect when the server is started again.
        #threads: auto

        log:
          # trace, debug, info, notice, warning or error.
        #  level: info

        """
    }

    /// The values of config/addressee.yaml.
    static let sample = text(
        hostname: "mail.example.org", defaultDomain: "example.org", listen: "127.0.0.1:2525",
        database: "directory.sqlite")

    /// A YAML scalar: plain when no reader could take it for anything else, else in double quotes (YAML 1.1 5.7).
    private static func quoted(_ value: String) -> String {
        let first = value.utf8.first ?? 0
        let isPlain = value.utf8.allSatisfy { isWord($0) || "-./:+@".utf8.contains($0) }
        if isPlain, isWord(first) || "./".utf8.contains(first), value.utf8.last != UInt8(ascii: ":"), value != "null" {
            return value
        }
        let escaped = value.unicodeScalars.map { scalar in
            switch scalar {
            case "\"", "\\": "\\\(scalar)"
            case "\n": "\\n"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                "\\x" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
            default: String(scalar)
            }
        }
        return "\"\(escaped.joined())\""
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
