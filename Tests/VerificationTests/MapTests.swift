// Every map for every verdict, and that none says what RCPT does not.

import DirectoryTesting
import LookupProtocols
import MailAddress
import MailboxDirectory
import SMTPProtocol
import Testing
import Verification

private let directory = """
    domain a
    domain b
    domain c catch-all=fred@a
    domain r relay transport=smtp:[mx.r]:25
    domain d alias-of=a
    domain s alias-of=r
    domain u alias-of=r transport=lmtp:unix:/s
    domain lost alias-of=nowhere
    user fred@a (Fred Claude) login=fc
    user jane@b (Jane Claude)
    user odd@a login=two,logins
    user "a b"@a
    user at-r@r
    domain n separators=
    user u@n
    alias info@a fred@a
    alias mixed@a away@a fred@a
    alias ton@a u@n fred@a
    alias out@a t@elsewhere
    alias relayed@a any@r
    alias two@a fred@a jane@b
    alias deep@a two@a
    alias dead@a nobody@a
    alias half@a nobody@a fred@a
    alias gone@a old@a
    alias tobig@a big@a
    alias toaway@a away@a
    alias tostaff@a staff@a
    forward bare@a t@elsewhere
    user fwd@a login=fw
    forward fwd@a t@elsewhere
    user keep@a
    forward keep@a t@elsewhere fred@a keep
    user self@a
    forward self@a self@a
    user quiet@a
    forward quiet@a t@elsewhere reply=250
    moved old@a to=t@elsewhere
    moved lost@a
    list staff@a (Staff) expn=nobody : two@a t@elsewhere away@a off@a
    list empty@a
    list closed@a : off@a
    user off@a login=off status=disabled
    user away@a login=away status=suspended
    user awaykeep@a status=suspended
    forward awaykeep@a t@elsewhere keep
    user big@a login=big status=full
    alias loop1@a loop2@a
    alias loop2@a loop1@a
    """

struct MapTests {
    static func empty() throws -> any RecordStore { try MemoryStore() }

    static func answer(
        _ map: String, _ key: String, in text: String = directory, by client: ClientClass = .trusted,
        limits: ExpansionLimits = ExpansionLimits(), tamper: Tamper? = nil
    ) throws -> MapAnswer {
        let row = ResolveRow("", text, "", "")
        return try row.withSources(from: Self.empty, tamper: tamper) { sources in
            let context = Inquiry.Context(
                sources: sources.map(\.name), defaultDomain: ResolveRow.defaultDomain, limits: limits)
            let inquiry = MapInquiry(
                MapRequest(map: Array(map.utf8), key: Array(key.utf8)), by: client)
            let resolution = inquiry.expansion(in: context)?.run(sources)
            let answer = inquiry.answer(on: resolution)
            // What is remembered must say the same, or nothing.
            if let mailbox = inquiry.mailbox, let resolution {
                let memory = MailboxMemory(places: 8)
                memory.remember(resolution, of: mailbox, .init(mailbox), version: 1, withName: false)
                if let again = memory.recall(mailbox, .init(mailbox), version: 1).flatMap({
                    inquiry.answer(on: $0, asked: mailbox)
                }) {
                    #expect(again == answer, "remembered: \(map) \(key)")
                }
            }
            if limits.lookups >= MailboxMemory.Fact.plainLookups,
                let short = try Self.shortWay(inquiry, row, tamper, context)
            {
                #expect(short == answer, "the short way: \(map) \(key)")
            }
            return answer
        }
    }

    /// What the short way says, of a directory of its own, or the walk that goes on from what that has read; nil where there is
    /// no short way.
    private static func shortWay(
        _ inquiry: MapInquiry, _ row: ResolveRow, _ tamper: Tamper?, _ context: Inquiry.Context
    ) throws -> MapAnswer? {
        try row.withSources(from: Self.empty, tamper: tamper) { sources in
            guard let mailbox = inquiry.mailbox, sources.count == 1 else { return nil }
            var read: FirstAnswers?
            let fact = MailboxMemory.Fact.plain(mailbox, in: sources[0], read: &read)
            if let answer = fact.flatMap({ inquiry.answer(on: $0, asked: mailbox) }) { return answer }
            // It asks less, so that what is tampered with would be another answer.
            guard let read, tamper == nil,
                case .finished(let resolution)? = inquiry.expansion(in: context)?.run(sources, turns: .max, read: read)
            else { return nil }
            return inquiry.answer(on: resolution)
        }
    }

    static func text(_ answer: MapAnswer) -> String {
        switch answer {
        case .found(let value): "OK " + String(decoding: value, as: UTF8.self)
        case .absent: "no"
        case .temporary(let text): "TEMP " + String(decoding: text.prefix(5), as: UTF8.self)
        case .permanent(let text): "PERM " + String(decoding: text.prefix(5), as: UTF8.self)
        }
    }

    /// A key, and what each map says of it; where a map is not named, it has no such key.
    @Test(arguments: [
        ("fred@a", "mailboxes=OK fred@a; recipients=OK fred@a; senders=OK fc"),
        ("FRED@A", "mailboxes=OK fred@a; recipients=OK fred@a; senders=OK fc"),
        ("fred+x@a", "mailboxes=OK fred@a; recipients=OK fred@a; senders=OK fc"),
        (
            "fred@d",
            "mailboxes=OK fred@a; recipients=OK fred@a; senders=OK fc; aliases=OK fred@a; aliases-step=OK fred@a"
        ),
        (
            "fred+x@d",
            "mailboxes=OK fred@a; recipients=OK fred@a; senders=OK fc; aliases=OK fred+x@a; aliases-step=OK fred+x@a"
        ),
        ("\"a b\"@a", "mailboxes=OK \"a b\"@a; recipients=OK \"a b\"@a; senders=no"),
        ("a b@a", "mailboxes=OK \"a b\"@a; recipients=OK \"a b\"@a; senders=no"),
        ("odd@a", "mailboxes=OK odd@a; recipients=OK odd@a"),
        ("jane@b", "mailboxes=OK jane@b; recipients=OK jane@b; senders=OK jane@b"),
        ("nobody@a", ""), ("nobody@elsewhere", ""), ("nobody@d", ""),
        ("any@r", "recipients=OK any@r; transport=OK smtp:[mx.r]:25"),
        ("any@s", "recipients=OK any@s; transport=OK smtp:[mx.r]:25"),
        ("any@u", "recipients=OK any@u; transport=OK lmtp:unix:/s"),
        ("at-r@r", "mailboxes=OK at-r@r; recipients=OK at-r@r; senders=OK at-r@r; transport=OK smtp:[mx.r]:25"),
        ("postmaster@a", "mailboxes=OK postmaster@a; recipients=OK postmaster@a"),
        (
            "info@a",
            "mailboxes=OK fred@a; recipients=OK fred@a; aliases=OK fred@a; aliases-step=OK fred@a; senders=OK fc"
        ),
        (
            "any@c",
            "mailboxes=OK fred@a; recipients=OK fred@a; aliases=OK fred@a; aliases-step=OK fred@a; senders=OK fc"
        ),
        ("out@a", "mailboxes=OK out@a; recipients=OK out@a; aliases=OK t@elsewhere; aliases-step=OK t@elsewhere"),
        ("relayed@a", "mailboxes=OK relayed@a; recipients=OK relayed@a; aliases=OK any@r; aliases-step=OK any@r"),
        (
            "two@a",
            "mailboxes=OK two@a; recipients=OK two@a; aliases=OK fred@a, jane@b; aliases-step=OK fred@a, jane@b;"
                + " senders=OK fc, jane@b"
        ),
        (
            "deep@a",
            "mailboxes=OK two@a; recipients=OK two@a; aliases=OK fred@a, jane@b; aliases-step=OK two@a;"
                + " senders=OK fc, jane@b"
        ),
        ("dead@a", ""),
        (
            "half@a",
            "mailboxes=OK half@a; recipients=OK half@a; aliases=OK fred@a; aliases-step=OK nobody@a, fred@a;"
                + " senders=OK fc"
        ),
        // A detail goes on to the targets of an alias, and stays with a copy.
        (
            "info+x@a",
            "mailboxes=OK fred@a; recipients=OK fred@a; aliases=OK fred+x@a; aliases-step=OK fred+x@a; senders=OK fc"
        ),
        (
            "INFO+X@d",
            "mailboxes=OK fred@a; recipients=OK fred@a; aliases=OK fred+X@a; aliases-step=OK fred+X@a; senders=OK fc"
        ),
        (
            "out+x@a",
            "mailboxes=OK out@a; recipients=OK out@a; aliases=OK t+x@elsewhere; aliases-step=OK t+x@elsewhere"
        ),
        (
            "two+x@a",
            "mailboxes=OK two@a; recipients=OK two@a; aliases=OK fred+x@a, jane+x@b;"
                + " aliases-step=OK fred+x@a, jane+x@b; senders=OK fc, jane@b"
        ),
        (
            "deep+x@a",
            "mailboxes=OK two@a; recipients=OK two@a; aliases=OK fred+x@a, jane+x@b; aliases-step=OK two+x@a;"
                + " senders=OK fc, jane@b"
        ),
        (
            "ton+x@a",
            "mailboxes=OK ton@a; recipients=OK ton@a; aliases=OK u@n, fred+x@a; aliases-step=OK u@n, fred+x@a;"
                + " senders=OK u@n, fc"
        ),
        (
            "mixed+x@a",
            "mailboxes=OK mixed@a; recipients=OK mixed@a; aliases=OK fred+x@a, away+x@a;"
                + " aliases-step=OK away+x@a, fred+x@a; senders=OK fc"
        ),
        (
            "keep+x@a",
            "mailboxes=OK keep@a; recipients=OK keep@a; aliases=OK keep+x@a, t@elsewhere, fred@a;"
                + " aliases-step=OK keep+x@a, t@elsewhere, fred@a; forwards=OK keep+x@a, t@elsewhere, fred@a;"
                + " senders=OK keep@a"
        ),
        ("self+x@a", "mailboxes=OK self@a; recipients=OK self@a; senders=OK self@a"),
        ("any+x@r", "recipients=OK any+x@r; transport=OK smtp:[mx.r]:25"),
        ("postmaster+x@a", "mailboxes=OK postmaster@a; recipients=OK postmaster@a"),
        ("gone@a", "relocated=OK t@elsewhere"), ("old@a", "relocated=OK t@elsewhere"), ("lost@a", ""),
        (
            "tobig@a",
            "mailboxes=TEMP 4.2.2; recipients=TEMP 4.2.2; aliases=TEMP 4.2.2; aliases-step=TEMP 4.2.2;"
                + " senders=OK big"
        ),
        (
            "toaway@a",
            "mailboxes=TEMP 4.2.1; recipients=TEMP 4.2.1; aliases=TEMP 4.2.1; aliases-step=TEMP 4.2.1;"
                + " senders=TEMP 4.2.1"
        ),
        // A mailbox that takes no mail is its own final one all the same.
        ("big@a", "mailboxes=TEMP 4.2.2; recipients=TEMP 4.2.2; senders=OK big"),
        ("away@a", "mailboxes=TEMP 4.2.1; recipients=TEMP 4.2.1; senders=TEMP 4.2.1"),
        // Its forward is there, and is not followed now: which is not that there is none.
        (
            "awaykeep@a",
            "mailboxes=TEMP 4.2.1; recipients=TEMP 4.2.1; aliases=TEMP 4.2.1; aliases-step=TEMP 4.2.1; forwards=TEMP 4.2.1;"
                + " senders=TEMP 4.2.1"
        ),
        ("off@a", ""),
        (
            "bare@a",
            "mailboxes=OK bare@a; recipients=OK bare@a; aliases=OK t@elsewhere; aliases-step=OK t@elsewhere;"
                + " forwards=OK t@elsewhere"
        ),
        (
            "fwd@a",
            "mailboxes=OK fwd@a; recipients=OK fwd@a; aliases=OK t@elsewhere; aliases-step=OK t@elsewhere;"
                + " forwards=OK t@elsewhere; senders=OK fw"
        ),
        (
            "keep@a",
            "mailboxes=OK keep@a; recipients=OK keep@a; aliases=OK keep@a, t@elsewhere, fred@a;"
                + " aliases-step=OK keep@a, t@elsewhere, fred@a; forwards=OK keep@a, t@elsewhere, fred@a;"
                + " senders=OK keep@a"
        ),
        ("self@a", "mailboxes=OK self@a; recipients=OK self@a; senders=OK self@a"),
        (
            "quiet@a",
            "mailboxes=OK quiet@a; recipients=OK quiet@a; aliases=OK t@elsewhere; aliases-step=OK t@elsewhere;"
                + " forwards=OK t@elsewhere; senders=OK quiet@a"
        ),
        // Who is suspended gets the mail later; who is disabled, none.
        (
            "staff@a",
            "mailboxes=OK staff@a; recipients=OK staff@a; aliases=OK fred@a, jane@b, t@elsewhere, away@a;"
                + " aliases-step=OK two@a, t@elsewhere, away@a, off@a"
        ),
        (
            "tostaff@a",
            "mailboxes=OK staff@a; recipients=OK staff@a; aliases=OK fred@a, jane@b, t@elsewhere, away@a;"
                + " aliases-step=OK staff@a"
        ),
        // 550 to RCPT, so in no map.
        ("empty@a", ""), ("closed@a", ""),
        (
            "loop1@a",
            "mailboxes=TEMP 4.4.6; recipients=TEMP 4.4.6; aliases=TEMP 4.4.6; aliases-step=TEMP 4.4.6;"
                + " forwards=TEMP 4.4.6; relocated=TEMP 4.4.6; senders=TEMP 4.4.6"
        ),
        (
            "any@lost",
            "mailboxes=TEMP 4.4.3; recipients=TEMP 4.4.3; aliases=TEMP 4.4.3; aliases-step=TEMP 4.4.3;"
                + " forwards=TEMP 4.4.3; relocated=TEMP 4.4.3; senders=TEMP 4.4.3; transport=TEMP 4.4.3"
        ),
        // Keys of other forms, which Postfix may send for other types of table.
        ("fred", ""), ("@a", ""), ("", ""), ("postmaster", ""), ("fred@", ""), ("fred@a@b", ""), ("<fred@a>", ""),
        ("a", "domains=OK a"), ("A", "domains=OK a"), ("d", "domains=OK d"),
        ("r", "relay-domains=OK r; transport=OK smtp:[mx.r]:25"),
        ("s", "relay-domains=OK s; transport=OK smtp:[mx.r]:25"),
        ("u", "relay-domains=OK u; transport=OK lmtp:unix:/s"),
        ("*", ""), ("elsewhere", ""), (".a", ""), ("a.", ""), ("sub.a", ""), ("[192.0.2.1]", ""),
        ("lost", "domains=TEMP 4.4.3; relay-domains=TEMP 4.4.3; transport=TEMP 4.4.3"),
    ])
    func key(_ key: String, _ expected: String) throws { try check(key, expected) }

    /// Another address of a user, which a store has beside the canonical one: it leads there as an alias does.
    @Test(arguments: [
        (
            "fred.claude@a",
            "mailboxes=OK fred@a; recipients=OK fred@a; aliases=OK fred@a; aliases-step=OK fred@a; senders=OK fc"
        ),
        (
            "FRED.Claude+x@a",
            "mailboxes=OK fred@a; recipients=OK fred@a; aliases=OK fred+x@a; aliases-step=OK fred+x@a; senders=OK fc"
        ),
        (
            "fred.claude@d",
            "mailboxes=OK fred@a; recipients=OK fred@a; aliases=OK fred@a; aliases-step=OK fred@a; senders=OK fc"
        ),
        (
            "fred.claude+x@d",
            "mailboxes=OK fred@a; recipients=OK fred@a; aliases=OK fred+x@a; aliases-step=OK fred+x@a; senders=OK fc"
        ),
        (
            "fwd.claude@a",
            "mailboxes=OK fwd@a; recipients=OK fwd@a; aliases=OK t@elsewhere; aliases-step=OK t@elsewhere;"
                + " forwards=OK t@elsewhere; senders=OK fw"
        ),
        (
            "big.claude@a",
            "mailboxes=TEMP 4.2.2; recipients=TEMP 4.2.2; aliases=TEMP 4.2.2; aliases-step=TEMP 4.2.2;"
                + " senders=OK big"
        ),
        // Who is suspended takes it later, at the canonical address.
        (
            "away.claude@a",
            "mailboxes=TEMP 4.2.1; recipients=TEMP 4.2.1; aliases=TEMP 4.2.1; aliases-step=TEMP 4.2.1;"
                + " senders=TEMP 4.2.1"
        ),
        (
            "away.claude+x@d",
            "mailboxes=TEMP 4.2.1; recipients=TEMP 4.2.1; aliases=TEMP 4.2.1; aliases-step=TEMP 4.2.1;"
                + " senders=TEMP 4.2.1"
        ),
        ("away+x@a", "mailboxes=TEMP 4.2.1; recipients=TEMP 4.2.1; senders=TEMP 4.2.1"),
        ("off.claude@a", ""), ("off.claude+x@a", ""),
        // A detail that is empty is one all the same.
        ("fred+@a", "mailboxes=OK fred@a; recipients=OK fred@a; senders=OK fc"),
    ])
    func otherAddresses(_ key: String, _ expected: String) throws {
        try check(key, expected) { _, lookup, answer in
            guard case .entries(let keys) = lookup, case .absent = answer else { return answer }
            let end = Array(".claude".utf8)
            for (index, key) in keys.enumerated() where key.localPart.key.suffix(end.count).elementsEqual(end) {
                let base = String(decoding: key.localPart.key.dropLast(end.count), as: UTF8.self)
                guard "\(key.domain)" == "a", let mailbox = try? Mailbox("\(base)@a") else { continue }
                let statuses: [String: AccountStatus] = ["big": .full, "off": .disabled, "away": .suspended]
                let status = statuses[base] ?? .active
                let logins = ["fred": "fc", "fwd": "fw"]
                let user = User(address: mailbox, login: logins[base] ?? base, status: status)
                let forward = (try? Mailbox("t@elsewhere")).map { Forward(address: mailbox, targets: [$0]) }
                return .entry(.user(user, forward: base == "fwd" ? forward : nil), key: index)
            }
            return answer
        }
    }

    private func check(_ key: String, _ expected: String, tamper: Tamper? = nil) throws {
        var wanted: [Substring: Substring] = [:]
        for part in expected.split(separator: ";") {
            let pair = part.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
            wanted[pair[0]] = pair[1]
        }
        for map in DirectoryMap.allCases {
            let answer = Self.text(try Self.answer(map.rawValue, key, tamper: tamper))
            #expect(answer == wanted[Substring(map.rawValue)] ?? "no", "\(map.rawValue)")
        }
    }

    /// Found is 2yz, absent 5yz, temporary 4yz: in every directory and for every address that stores are held to.
    @Test(arguments: resolveTable)
    func sameAsRCPT(_ row: ResolveRow) throws {
        guard case .address(let mailbox) = Question(text: row.question) else { return }
        for disclosure in [Disclosure.full, .existence] {
            let asking = Asking(
                directory: row.directory, question: row.question, wire: .recipient, disclosure: disclosure, utf8: true,
                limits: row.limits)
            let code = try asking.reply().prefix(1)
            let client = ClientClass(name: "test", networks: [], disclosure: disclosure, isTrusted: true)
            let answer = try Self.answer(
                "recipients", mailbox.description, in: row.directory, by: client, limits: row.limits)
            switch answer {
            case .found: #expect(code == "2")
            case .absent: #expect(code == "5")
            case .temporary: #expect(code == "4")
            case .permanent: Issue.record("\(answer)")
            }
        }
    }

    /// Whichever lookup fails, no map says anything but "ask again later".
    @Test(arguments: resolveTable)
    func trouble(_ row: ResolveRow) throws {
        guard case .address(let mailbox) = Question(text: row.question) else { return }
        for map in DirectoryMap.allCases {
            let key = map.isOfDomains ? mailbox.domain.description : mailbox.description
            var lookups = 0
            let counting: Tamper = { number, _, answer in
                lookups = number + 1
                return answer
            }
            _ = try Self.answer(map.rawValue, key, in: row.directory, tamper: counting)
            #expect(lookups > 0)
            for failing in 0..<lookups {
                let failure: Tamper = { number, _, answer in
                    number == failing ? .couldNotTell(Trouble(source: "memory", reason: "gone")) : answer
                }
                let answer = try Self.answer(map.rawValue, key, in: row.directory, tamper: failure)
                #expect(Self.text(answer) == "TEMP 4.4.3", "\(map.rawValue) at lookup \(failing)")
            }
        }
    }

    /// Targets, members and logins are for those who may see them all; whether an address is here is for everybody.
    @Test(arguments: [
        ClientClass.everyone, ClientClass(name: "untrusted", networks: [], disclosure: .full),
        ClientClass(name: "existence", networks: [], disclosure: .existence, isTrusted: true),
    ])
    func disclosure(client: ClientClass) throws {
        for map in DirectoryMap.allCases where map.tellsMore {
            for key in ["fred@a", "nobody@a", "staff@a"] {
                #expect(try Self.answer(map.rawValue, key, by: client) == MapInquiry.closed)
            }
        }
        #expect(Self.text(try Self.answer("mailboxes", "fred@a", by: client)) == "OK fred@a")
        #expect(Self.text(try Self.answer("mailboxes", "old@a", by: client)) == "no")
        #expect(Self.text(try Self.answer("domains", "a", by: client)) == "OK a")
    }

    @Test(arguments: ["", "mailbox", "Mailboxes", "aliases ", "transports", "\u{0}"])
    func noSuchMap(name: String) throws {
        #expect(try Self.answer(name, "fred@a") == MapInquiry.noSuchMap)
    }

    /// sendmail has no "-" in the names of its maps.
    @Test func underscores() throws {
        #expect(Self.text(try Self.answer("relay_domains", "r")) == "OK r")
        #expect(try Self.answer("relay_domain", "r") == MapInquiry.noSuchMap)
    }

    @Test func octetsThatAreNoUTF8() throws {
        let request = MapRequest(map: [0xFF], key: [0xFF])
        #expect(MapInquiry(request, by: .trusted).answer(on: nil) == MapInquiry.noSuchMap)
        let key = MapRequest(map: Array("mailboxes".utf8), key: [0xFF, 0x40, 0x61])
        #expect(MapInquiry(key, by: .trusted).answer(on: nil) == .absent)
    }
}
