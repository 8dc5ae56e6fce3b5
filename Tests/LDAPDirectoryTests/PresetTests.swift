// What each preset reads and asks, without a server: tables of entries and of filters.

import MailAddress
import MailboxDirectory
import Testing

@testable import LDAPDirectory

private func entry(_ text: String, dn: String = "cn=x") -> LDAPEntry {
    var entry = LDAPEntry(dn: dn, attributes: [:])
    for pair in text.split(separator: "|") {
        let parts = pair.split(separator: ":", maxSplits: 1)
        entry.attributes[parts[0].trimmingCharacters().lowercased(), default: []].append(
            Array(parts[1].trimmingCharacters().utf8))
    }
    return entry
}

extension Substring {
    fileprivate func trimmingCharacters() -> String {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}

private func plan(_ preset: LDAPPreset, roles: [LDAPRole: [AttributeName]] = [:]) throws -> SearchPlan {
    var settings = LDAPSettings(
        uris: [], base: "o=x", preset: preset, roles: roles, domains: [DomainRecord(domain: try Domain("Example.org"))])
    settings.cache.entries = 0
    return SearchPlan(name: "x", settings: settings)
}

/// What a preset makes of an entry, or asks.
struct PresetRow: Sendable, CustomStringConvertible {
    var preset: LDAPPreset
    var text: String
    var expected: String

    init(_ preset: LDAPPreset, _ text: String, _ expected: String) {
        self.preset = preset
        self.text = text
        self.expected = expected
    }

    var description: String { "\(preset.rawValue): \(text)" }
}

@Suite struct PresetTests {
    @Test(arguments: LDAPPreset.allCases)
    func namesAreNames(preset: LDAPPreset) {
        let schema = preset.schema
        var names = schema.attributes.values.flatMap { $0 } + Array(schema.prefixes.keys) + Array(schema.cuts.keys)
        names += Array(schema.loginless.keys)
        for rule in schema.rules {
            names += rule.classes + rule.attributes.values.flatMap { $0 } + [rule.needs, rule.lacks].compactMap { $0 }
            #expect(!rule.classes.isEmpty)
        }
        if let keys = schema.keys { names += [keys.address, keys.localPart, keys.domain, keys.login, keys.name] }
        for name in names { #expect(name.description != "0.0", "\(name)") }
    }

    /// An entry, and what stands at fred@example.org because of it.
    static let readings: [PresetRow] = [
        PresetRow(
            .inetorgperson, "objectClass: inetOrgPerson|mail: FRED@example.org|cn: Fred|uid: f",
            "user FRED@example.org (Fred) f active"
        ),
        PresetRow(
            .inetorgperson, "objectClass: INETORGPERSON|mail: bad|mail: fred@example.org",
            "user fred@example.org () - active"
        ),
        PresetRow(
            .inetorgperson, "objectClass: inetOrgPerson|mail: fred@example.org|displayName: F|cn: C",
            "user fred@example.org (F) - active"
        ),
        PresetRow(
            .inetorgperson, "objectClass: inetOrgPerson|mail: fred@example.org|cn: a<b>\u{7}c",
            "user fred@example.org (a b  c) - active"
        ),
        PresetRow(
            .laser, "objectClass: inetLocalMailRecipient|mailLocalAddress: fred@example.org|mailRoutingAddress: x@y",
            "user fred@example.org () - active -> x@y"
        ),
        PresetRow(
            .laser,
            "objectClass: inetLocalMailRecipient|mailLocalAddress: fred@example.org|mailLocalAddress: b@c|mailRoutingAddress: B@C",
            "user fred@example.org () - active -> B@C"
        ),
        PresetRow(
            .laser,
            "objectClass: inetLocalMailRecipient|mailLocalAddress: fred@example.org|mailRoutingAddress: nowhere",
            "fault"
        ),
        PresetRow(
            .nis, "objectClass: nisMailAlias|cn: fred|rfc822MailMember: a|rfc822MailMember: b@c",
            "alias fred@Example.org -> a@Example.org b@c"
        ),
        PresetRow(.nis, "objectClass: nisMailAlias|cn: fred|rfc822MailMember: \"/bin/sh\"", "fault"),
        PresetRow(.nis, "objectClass: nisMailAlias|cn: fred", "fault"),
        PresetRow(
            .nis, "objectClass: posixAccount|uid: fred|gecos: Fred,Room", "user fred@Example.org (Fred) fred active"),
        PresetRow(
            .nis, "objectClass: posixAccount|uid: fred|gecos: Fred , Room", "user fred@Example.org (Fred) fred active"),
        PresetRow(
            .qmail, "objectClass: qmailUser|mail: fred@example.org|mailForwardingAddress: a@b",
            "user fred@example.org () - active -> a@b keep"
        ),
        PresetRow(
            .qmail, "objectClass: qmailUser|mail: fred@example.org|mailForwardingAddress: a@b|deliveryMode: NoMbox",
            "user fred@example.org () - active -> a@b"
        ),
        PresetRow(.qmail, "objectClass: qmailUser|mail: fred@example.org|accountStatus: odd", "fault"),
        PresetRow(
            .qmail, "objectClass: qmailUser|mail: c@d|mailAlternateAddress: fred@example.org",
            "user fred@example.org () - active"),
        PresetRow(
            .netscape,
            "objectClass: mailRecipient|mail: fred@example.org|mailUserStatus: overquota|inetUserStatus: Inactive",
            "user fred@example.org () - suspended"
        ),
        PresetRow(
            .netscape, "objectClass: mailRecipient|mail: fred@example.org|mailForwardingAddress: a@b",
            "user fred@example.org () - active -> a@b"
        ),
        PresetRow(
            .ad,
            "objectClass: user|mail: old@example.org|proxyAddresses: smtp:fred@example.org|proxyAddresses: SMTP:f@example.org|proxyAddresses: x500:z",
            "user f@example.org () - active"
        ),
        PresetRow(
            .ad, "objectClass: user|mail: fred@example.org|userAccountControl: 514",
            "user fred@example.org () - disabled"
        ),
        PresetRow(.ad, "objectClass: user|mail: fred@example.org|userAccountControl: x", "fault"),
        PresetRow(
            .ad, "objectClass: contact|mail: fred@example.org|targetAddress: SMTP:a@b",
            "forward fred@example.org -> a@b"),
        PresetRow(.ad, "objectClass: contact|mail: fred@example.org", "absent"),
        PresetRow(
            .ad, "objectClass: user|mail: fred@example.org|userAccountControl: 514|msExchRecipientTypeDetails: 4",
            "user fred@example.org () - active"
        ),
        PresetRow(
            .ad,
            "objectClass: user|mail: fred@example.org|userAccountControl: 514|msExchRecipientTypeDetails: 17179869184",
            "user fred@example.org () - active"
        ),
        PresetRow(
            .ad, "objectClass: user|mail: fred@example.org|userAccountControl: 514|msExchRecipientTypeDetails: 1",
            "user fred@example.org () - disabled"
        ),
        PresetRow(
            .ad, "objectClass: publicFolder|proxyAddresses: SMTP:fred@example.org|displayName: Minutes",
            "user fred@example.org (Minutes) - active"
        ),
        PresetRow(
            .ad, "objectClass: msExchDynamicDistributionList|proxyAddresses: SMTP:fred@example.org|displayName: All",
            "list fred@example.org (All) trusted"
        ),
        PresetRow(
            .ad, "objectClass: group|mail: fred@example.org|displayName: Team|managedBy: cn=x",
            "list fred@example.org (Team) trusted"
        ),
        PresetRow(
            .addressee, "objectClass: addresseeUser|addresseeAddress: fred@example.org|addresseeStatus: full",
            "user fred@example.org () - full"
        ),
        PresetRow(
            .addressee,
            "objectClass: addresseeAlias|addresseeAddress: fred@example.org|addresseeAliasTarget: 10 b@b|addresseeAliasTarget: 2 a@a",
            "alias fred@example.org -> a@a b@b"
        ),
        PresetRow(
            .addressee, "objectClass: addresseeAlias|addresseeAddress: fred@example.org|addresseeAliasTarget: b@b",
            "fault"
        ),
        PresetRow(
            .addressee, "objectClass: addresseeMoved|addresseeAddress: fred@example.org|addresseeNewAddress: a@a",
            "moved fred@example.org -> a@a"
        ),
        PresetRow(
            .addressee, "objectClass: addresseeMoved|addresseeAddress: fred@example.org", "moved fred@example.org ->"),
        PresetRow(
            .addressee, "objectClass: addresseeMoved|addresseeAddress: fred@example.org|addresseeNewAddress: ?", "fault"
        ),
    ]

    @Test(arguments: readings)
    func reads(_ row: PresetRow) throws {
        let expected = row.expected
        let plan = try plan(row.preset)
        let key = try Mailbox("fred@example.org")
        let entry = entry(row.text)
        var work = EntriesWork(plan: plan, keys: [key])
        guard case .search = work.begin() else {
            Issue.record("nothing is asked")
            return
        }
        switch work.take([.found([entry])] + (row.preset == .postfixbook ? [.found([])] : [])) {
        case .answered(.entry(let found, key: 0)): #expect(found.text == expected)
        case .answered(.absent): #expect(expected == "absent")
        case .answered(.couldNotTell(let trouble)):
            #expect(expected == "fault")
            #expect(trouble.reason.contains("cn=x"))
        case let other: Issue.record("\(other)")
        }
    }

    /// Two entries at one address, in either order.
    @Test(
        arguments: [
            (LDAPPreset.ad, "objectClass: user", "objectClass: contact|targetAddress: SMTP:x@y", "fault"),
            (.ad, "objectClass: user", "objectClass: contact", "user fred@example.org () - active"),
            (.ad, "objectClass: user", "objectClass: group", "fault"),
            (
                .postfixbook, "objectClass: PostfixBookMailAccount",
                "objectClass: PostfixBookMailForward|mailForwardingAddress: x@y",
                "user fred@example.org () - active -> x@y"
            ),
            (
                .addressee, "objectClass: addresseeUser|addresseeAddress: fred@example.org",
                "objectClass: addresseeForward|addresseeAddress: fred@example.org|addresseeForwardTarget: 0 x@y",
                "user fred@example.org () - active -> x@y"
            ),
        ] as [(LDAPPreset, String, String, String)])
    func two(preset: LDAPPreset, one: String, other: String, expected: String) throws {
        let entries = [one, other].map { entry($0 + (preset == .addressee ? "" : "|mail: fred@example.org")) }
        for order in [entries, entries.reversed()] {
            var work = EntriesWork(plan: try plan(preset), keys: [try Mailbox("fred@example.org")])
            _ = work.begin()
            switch work.take([.found(order)] + (preset == .postfixbook ? [.found([])] : [])) {
            case .answered(.entry(let found, key: 0)): #expect(found.text == expected)
            case .answered(.couldNotTell(let trouble)):
                #expect(expected == "fault" && trouble.reason.contains("both say what"))
            case let step: Issue.record("\(step)")
            }
        }
    }

    static let questions: [PresetRow] = [
        PresetRow(
            .inetorgperson, "a*@Example.org",
            "(&(|(objectClass=inetOrgPerson)(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=groupOfURLs)(objectClass=posixGroup))(mail=a\\2A@Example.org))"
        ),
        PresetRow(
            .nis, "a*@Example.org",
            "(|(&(objectClass=nisMailAlias)(|(cn=a\\2A@Example.org)(cn=a\\2A)))(&(objectClass=posixAccount)(uid=a\\2A)))"
        ),
        // A local-part that needs quotes in an address may stand without them where it stands alone.
        PresetRow(
            .nis, "\"a b\"@Example.org",
            "(|(&(objectClass=nisMailAlias)(|(cn=\"a b\"@Example.org)(cn=\"a b\")(cn=a b)))(&(objectClass=posixAccount)(|(uid=\"a b\")(uid=a b))))"
        ),
        PresetRow(
            .addressee, "a*@Example.org",
            "(&(|(objectClass=addresseeUser)(objectClass=addresseeForward)(objectClass=addresseeAlias)(objectClass=addresseeMoved)(objectClass=addresseeList))(addresseeKey=a\\2A@example.org))"
        ),
        PresetRow(
            .ad, "a*@Example.org",
            "(|(&(|(objectClass=user)(objectClass=publicFolder)(objectClass=group)(objectClass=msExchDynamicDistributionList))(|(mail=a\\2A@Example.org)(proxyAddresses=smtp:a\\2A@Example.org)(proxyAddresses=smtp: a\\2A@Example.org)))(&(objectClass=contact)(targetAddress=*)(|(mail=a\\2A@Example.org)(proxyAddresses=smtp:a\\2A@Example.org)(proxyAddresses=smtp: a\\2A@Example.org))))"
        ),
    ]

    @Test(arguments: questions)
    func asks(_ row: PresetRow) throws {
        let plan = try plan(row.preset)
        #expect(plan.addressFilter([try Mailbox(row.text)], plan.recordGroups).text == row.expected)
    }

    /// A role may be given other attributes, or none.
    @Test func replacedRoles() throws {
        let plan = try plan(.ad, roles: [.status: [], .address: ["mail"], .login: ["uid"]])
        let key = try Mailbox("fred@example.org")
        let found = entry(
            "objectClass: user|mail: fred@example.org|userAccountControl: 514|uid: f|proxyAddresses: SMTP:x@y")
        let read = try plan.reader.record(found, at: key)
        #expect(read.text == "user fred@example.org () f active")
        #expect(!plan.addressFilter([key], plan.recordGroups).text.contains("proxyAddresses"))
        #expect(!plan.schema.wanted(SearchPlan.recordRoles, plan.recordRules).contains("userAccountControl"))
    }

    /// What a rule of the preset says itself gives way to a role of the site's.
    @Test func replacedRolesOfRules() throws {
        let schema = LDAPPreset.nis.schema.replacing([.login: ["mailNick"], .aliasTarget: ["siteTarget"]])
        let (users, aliases) = (schema.rules.filter { $0.kind == .user }, schema.rules.filter { $0.kind == .alias })
        #expect(schema.names(.login, users) == ["mailNick"] && schema.names(.localPart, users) == ["uid"])
        #expect(schema.names(.aliasTarget, aliases) == ["siteTarget"] && schema.names(.address, aliases) == ["cn"])
    }

    /// Where a server compares with case, a value is looked for as it is given and folded.
    @Test func exactSpellings() throws {
        let plan = try plan(.postfixbook)
        func spellings(_ address: String) throws -> [String] {
            plan.exactSpellings(of: try Mailbox(address)).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(try spellings("Fred@example.org") == ["Fred@example.org", "fred@example.org"])
        #expect(try spellings("fred@Example.org") == ["fred@Example.org", "fred@example.org"])
        #expect(try spellings("fred@example.org") == ["fred@example.org"])
        #expect(plan.membershipFilter(try Mailbox("Team@example.org")).text.contains("=team@example.org)"))
    }

    /// A server that returns what was not asked for has not found anything.
    @Test func otherEntriesAreNoHits() throws {
        var work = EntriesWork(plan: try plan(.inetorgperson), keys: [try Mailbox("fred@example.org")])
        _ = work.begin()
        let other = entry("objectClass: inetOrgPerson|mail: freddy@example.org")
        guard case .answered(.absent) = work.take([.found([other])]) else {
            Issue.record("found")
            return
        }
    }

    /// Whose limit it was that a result came to is said: ours where as many came as were asked for.
    @Test func limits() throws {
        var work = NameWork(
            plan: try plan(.inetorgperson), query: NameQuery(localPart: nil, folded: Array("fame".utf8), limit: 21))
        guard case .search(let first) = work.begin() else {
            Issue.record("nothing is asked")
            return
        }
        #expect(first.map(\.filter).last?.contains("(cn=*fame*)") == true)
        let entries = [LDAPEntry](repeating: entry("objectClass: inetOrgPerson|mail: x@example.org"), count: 5000)
        func outcome(_ code: Int32, _ count: Int, of search: LDAPSearch) -> SearchOutcome {
            var page = SearchPage()
            page.code = code
            page.cookie = [1]
            let end = page.end(of: search, entries: Array(entries.prefix(count)), uri: "ldap://s")
            if case .ended(let outcome) = end { return outcome }
            return .found([])
        }
        // Few of them, and then only those in which the word may stand alone.
        guard case .search(let second) = work.take([.found([]), outcome(0, first[1].sizeLimit, of: first[1])]) else {
            Issue.record("given up")
            return
        }
        for term in ["(cn=fame*)", "(cn=*fame)", "(cn=* fame*)", "(cn=*fame,*)", "(cn=*-fame*)", "(cn=*\\28fame*)"] {
            #expect(second[1].filter.contains(term))
        }
        var other = work
        guard case .answered(.absent) = work.take([.found([]), .found([])]) else {
            Issue.record("not absent")
            return
        }
        guard case .answered(.couldNotTell(let trouble)) = other.take([.found([]), outcome(0, 5000, of: second[1])])
        else {
            Issue.record("told")
            return
        }
        #expect(trouble.reason.contains("more than 5000 entries fit, which is the most that Addressee reads"))
        #expect(!trouble.reason.contains("raise"))
        guard case .partial(_, let ours) = outcome(4, 200, of: first[1]),
            case .partial(_, let servers) = outcome(4, 199, of: first[1])
        else {
            Issue.record("not in part")
            return
        }
        #expect(ours.description.contains("the server's limits are not to blame"))
        #expect(servers.description.contains("raise the server's size limit"))
    }

    /// The members of a large group are asked for a few at a time, so that others get their turns, and keep their order.
    @Test func fewSearchesAtOnce() throws {
        var work = MembersWork(plan: try plan(.ad), list: try Mailbox("team@example.org"))
        _ = work.begin()
        var group = entry("objectClass: group|mail: team@example.org", dn: "cn=team")
        let count = 3 * LDAPLimits.searchesAtOnce + 1
        group.attributes["member"] = (0..<count).map { Array("cn=u\($0)".utf8) }
        #expect(SearchOutcome.found([group, group]).valueCount == 2 * (count + 2))
        var (step, steps) = (work.take([.found([group])]), 0)
        while case .search(let searches) = step {
            steps += 1
            #expect(searches.count <= LDAPLimits.searchesAtOnce)
            step = work.take(
                searches.map { search in
                    let name = search.base.dropFirst("cn=".count)
                    return .found([entry("objectClass: user|mail: \(name)@example.org", dn: search.base)])
                })
        }
        #expect(steps == 4)
        guard case .answered(.members(let members)) = step else {
            Issue.record("no members")
            return
        }
        #expect(members.map(\.mailbox.description) == (0..<count).map { "u\($0)@example.org" })
    }

    /// Active Directory gives a large group's members in ranges.
    @Test func ranges() throws {
        var work = MembersWork(plan: try plan(.ad), list: try Mailbox("team@example.org"))
        _ = work.begin()
        var group = entry("objectClass: group|mail: team@example.org", dn: "cn=team")
        group.attributes["member;range=0-1"] = [Array("cn=a".utf8), Array("cn=b".utf8)]
        guard case .search(let searches) = work.take([.found([group])]) else {
            Issue.record("no search")
            return
        }
        #expect(searches.map(\.base) == ["cn=a", "cn=b", "cn=team"])
        #expect(searches[2].attributes.last == "member;range=2-*")
        var rest = LDAPEntry(dn: "cn=team", attributes: [:])
        rest.attributes["member;range=2-*"] = [Array("cn=c".utf8)]
        let user = { (name: String) in entry("objectClass: user|mail: \(name)@example.org", dn: "cn=\(name)") }
        guard
            case .search(let last) = work.take([
                .found([user("a")]), .noSuchObject(.result(32, said: "", uri: "", base: "")), .found([rest]),
            ])
        else {
            Issue.record("no more searches")
            return
        }
        #expect(last.map(\.base) == ["cn=c"])
        guard case .answered(.members(let members)) = work.take([.found([user("c")])]) else {
            Issue.record("no members")
            return
        }
        #expect(members.map(\.mailbox.description) == ["a@example.org", "c@example.org"])
    }

    /// No failed search becomes "absent", in any lookup of any preset.
    @Test(arguments: LDAPPreset.allCases)
    func failuresAreTold(preset: LDAPPreset) throws {
        let plan = try plan(preset)
        let key = try Mailbox("fred@elsewhere.example")
        let query = NameQuery(localPart: key.localPart, folded: Array("fred".utf8), limit: 5)
        #expect(doubted(DomainWork(plan: plan, domain: key.domain)) == [])
        #expect(doubted(EntriesWork(plan: plan, keys: [key])) == [])
        #expect(doubted(NameWork(plan: plan, query: query)) == [])
        #expect(doubted(MembersWork(plan: plan, list: key)) == [])
    }

    /// The searches whose failure leaves a lookup sure of something.
    private func doubted<Work: LookupWork>(_ work: Work) -> [Int] {
        var probe = work
        guard case .search(let searches) = probe.begin() else { return [] }
        let failure = LDAPFailure.result(51, said: "", uri: "ldap://x", base: "o=x")
        var sure: [Int] = []
        for failed in searches.indices {
            for outcome in [SearchOutcome.failed(failure), SearchOutcome.noSuchObject(failure)] {
                var tried = work
                _ = tried.begin()
                var outcomes = Array(repeating: SearchOutcome.found([]), count: searches.count)
                outcomes[failed] = outcome
                if case .answered(.couldNotTell(let trouble)) = tried.take(outcomes),
                    trouble.reason.contains("ldap://x")
                {
                    continue
                }
                sure.append(failed)
            }
        }
        return sure
    }

    /// Of several statuses the gravest holds, in whatever order they come.
    @Test(arguments: [
        (["active", "disabled"], "disabled"), (["overquota", "inactive"], "suspended"),
        (["active", "overquota"], "full"),
        (["inactive", "deleted", "active"], "disabled"), (["active", "unused"], "active"), (["ACTIVE"], "active"),
        ([], "active"),
    ])
    func theGravestStatus(words: [String], expected: String) throws {
        let reader = try plan(.netscape).reader
        for words in [words, words.reversed()] {
            let one = entry(
                (["objectClass: mailRecipient"] + words.map { "mailUserStatus: \($0)" }).joined(separator: "|"))
            #expect(try reader.status(of: one, reader.rules(of: one)).rawValue == expected)
            guard words.count == 2 else { continue }
            let two = entry("objectClass: mailRecipient|mailUserStatus: \(words[0])|inetUserStatus: \(words[1])")
            #expect(try reader.status(of: two, reader.rules(of: two)).rawValue == expected)
        }
    }

    /// A user and where his mail goes, in two entries: who is locked has none, where the preset has it so.
    @Test(arguments: LDAPPreset.allCases, AccountStatus.allCases)
    func twoEntries(preset: LDAPPreset, status: AccountStatus) throws {
        let plan = try plan(preset)
        let (fred, jane) = (try Mailbox("fred@example.org"), try Mailbox("jane@example.org"))
        let user = User(address: fred, status: status)
        let forward = Forward(address: fred, targets: [jane], keepsCopy: true, reply: .silent)
        let isStopped = plan.schema.statusStopsForwards && (status == .disabled || status == .suspended)
        // A contact of Active Directory contradicts the user whose address it has.
        let both = preset == .ad ? nil : Entry.user(user, forward: isStopped ? nil : forward)
        #expect(plan.merge(.user(user, forward: nil), .forward(forward)) == both)
        #expect(plan.merge(.forward(forward), .user(user, forward: nil)) == both)
        #expect(plan.merge(.user(user, forward: forward), .forward(forward)) == nil)
        let alias = Alias(address: fred, targets: [jane])
        var redirected = Entry.user(user, forward: nil)
        if plan.schema.aliasesRedirectUsers, !isStopped {
            redirected = .user(user, forward: Forward(address: fred, targets: [jane]))
        }
        #expect(plan.merge(.user(user, forward: nil), .alias(alias)) == redirected)
        #expect(plan.merge(.alias(alias), .user(user, forward: nil)) == redirected)
        #expect(plan.merge(.alias(alias), .forward(forward)) == nil)
        #expect(plan.merge(.user(user, forward: nil), .user(user, forward: nil)) == nil)
    }

    /// Where mail goes by the name of an entry: it is there, with an address, or the question can't be answered.
    @Test func linkedEntries() throws {
        let work = EntriesWork(plan: try plan(.ad), keys: [try Mailbox("fred@example.org")])
        let fred = entry("objectClass: user|mail: fred@example.org|altRecipient: cn=jane")
        func answer(_ linked: SearchOutcome) -> Answer? {
            var work = work
            _ = work.begin()
            guard case .search(let searches) = work.take([.found([fred])]), searches.map(\.base) == ["cn=jane"],
                case .answered(let answer) = work.take([linked])
            else { return nil }
            return answer
        }
        let missing = LDAPFailure.result(32, said: "", uri: "", base: "")
        let bare = entry("objectClass: user|cn: Jane")
        for outcome in [SearchOutcome.noSuchObject(missing), .found([]), .found([bare])] {
            guard case .couldNotTell(let trouble)? = answer(outcome) else {
                Issue.record("\(outcome) is told")
                continue
            }
            #expect(trouble.reason.contains("leads to cn=jane, which has no address"))
        }
        guard
            case .entry(.user(_, let forward?), key: 0)? = answer(
                .found([entry("objectClass: user|mail: jane@example.org", dn: "cn=jane")]))
        else {
            Issue.record("no forward")
            return
        }
        #expect(forward.targets == [try Mailbox("jane@example.org")])
    }

    /// A contact whose mail goes to its own first address: by that it would lead to itself, by another it leads there.
    @Test func forwardsToItsFirstAddress() throws {
        let reader = try plan(.ad).reader
        let contact = entry(
            "objectClass: contact|targetAddress: SMTP:anna@example.org|proxyAddresses: SMTP:anna@example.org"
                + "|proxyAddresses: smtp:a.b@example.org")
        let (anna, other) = (try Mailbox("anna@example.org"), try Mailbox("a.b@example.org"))
        #expect(try reader.record(contact, at: other) == .forward(Forward(address: other, targets: [anna])))
    }

    /// A list that is known by its members only: one of them is enough, but a result cut short without one tells nothing.
    @Test func listsOfMembers() throws {
        let plan = try plan(.postfixbook)
        let name = try #require(plan.schema.names(.memberOf, plan.recordRules).first)
        let list = try Mailbox("team@example.org")
        let aClass = try #require(plan.userRules.first?.classes.first)
        let member = entry("objectClass: \(aClass)|\(name): team@example.org")
        let stranger = entry("objectClass: \(aClass)|\(name): tea@example.org")
        let cut = LDAPFailure.result(4, said: "", uri: "", base: "")
        func word(_ outcome: SearchOutcome) -> String {
            var work = EntriesWork(plan: plan, keys: [list])
            guard case .search(let searches) = work.begin(), searches.count == 2 else { return "not asked" }
            switch work.take([.found([]), outcome]) {
            case .answered(.entry(.list(let found), key: 0)): return found.address.description
            case .answered(.absent): return "absent"
            case .answered(.couldNotTell): return "trouble"
            default: return "odd"
            }
        }
        #expect(word(.found([member])) == "team@example.org")
        #expect(word(.partial([stranger, member], cut)) == "team@example.org")
        #expect(word(.partial([stranger], cut)) == "trouble")
        #expect(word(.partial([], cut)) == "trouble")
        #expect(word(.failed(cut)) == "trouble")
        #expect(word(.found([stranger])) == "absent")
        #expect(word(.found([])) == "absent")
    }

    /// A domain that two entries have can't be told, whichever comes first; one that nobody else has is that one.
    @Test func oneDomainTwice() throws {
        let domain = try Domain("b.example")
        func answer(_ entries: [LDAPEntry]) throws -> Answer? {
            var work = DomainWork(plan: try plan(.addressee), domain: domain)
            guard case .search = work.begin(), case .answered(let answer) = work.take([.found(entries)]) else {
                return nil
            }
            return answer
        }
        let one = entry("objectClass: addresseeDomain|addresseeDomainName: b.example", dn: "cn=1")
        let two = entry("objectClass: addresseeDomain|addresseeDomainName: B.Example", dn: "cn=2")
        let other = entry("objectClass: addresseeDomain|addresseeDomainName: c.example", dn: "cn=3")
        for entries in [[one, two], [two, one], [other, two, one]] {
            guard case .couldNotTell(let trouble)? = try answer(entries) else {
                Issue.record("told")
                continue
            }
            #expect(trouble.reason.contains("cn=1") && trouble.reason.contains("cn=2"))
        }
        #expect(try answer([other, one]) == .domain(DomainRecord(domain: domain)))
        #expect(try answer([other]) == .absent)
    }

    /// Where a result is cut off, those who were found are not all; but no more are wanted than may be named.
    @Test(arguments: [(0, 2), (1, 2), (2, 2), (3, 2), (1, 1)])
    func bearersOfACutOffName(count: Int, limit: Int) throws {
        let cut = LDAPFailure.result(4, said: "", uri: "ldap://s", base: "")
        let people = (0..<count).map { number in
            entry("objectClass: inetOrgPerson|mail: u\(number)@example.org|cn: Fred Smith", dn: "cn=\(number)")
        }
        var work = NameWork(
            plan: try plan(.inetorgperson),
            query: NameQuery(localPart: nil, folded: Array("smith".utf8), limit: limit))
        guard case .search(let first) = work.begin() else {
            Issue.record("nothing is asked")
            return
        }
        let outcomes = first.dropLast().map { _ in SearchOutcome.found([]) } + [.partial(people, cut)]
        guard case .search(let second) = work.take(outcomes) else {
            Issue.record("it is told")
            return
        }
        if count >= limit {
            // Each of them by his own address.
            #expect(second.map(\.addresses.count) == Array(repeating: 1, count: limit))
            return
        }
        #expect(second.count == first.count && second.allSatisfy { $0.addresses.isEmpty })
        guard case .answered(.couldNotTell(let trouble)) = work.take(outcomes) else {
            Issue.record("it is told")
            return
        }
        #expect(trouble.reason.contains("ldap://s"))
    }

    /// One person whom a name finds by two entries, a mailbox and what sends on its mail for that name, is one match.
    @Test func oneByTwoEntries() throws {
        let freddy = Array("freddy".utf8)
        var work = NameWork(
            plan: try plan(.postfixbook),
            query: NameQuery(localPart: try LocalPart(octets: freddy), folded: freddy, limit: 5))
        let entries = [
            entry("objectClass: PostfixBookMailAccount|mail: fred@example.org|mailAlias: freddy@example.org"),
            entry(
                "objectClass: PostfixBookMailForward|mail: freddy@example.org|mailForwardingAddress: f@far.example",
                dn: "cn=y"),
        ]
        guard case .search(let searches) = work.begin(),
            case .search(let addresses) = work.take([.found(entries)] + searches.dropFirst().map { _ in .found([]) })
        else {
            Issue.record("nothing is asked")
            return
        }
        // Each address, and whether it is a list that somebody says he is in.
        #expect(addresses.count == 4)
        guard
            case .answered(.matches(let found, .localPart)) = work.take([
                .found(entries), .found([]), .found(entries), .found([]),
            ])
        else {
            Issue.record("no match")
            return
        }
        #expect(found.map(\.address.description) == ["fred@example.org"])
    }

    /// Of a thing that there is one of the least value counts, in whatever order they come.
    @Test func oneOfSeveral() throws {
        let reader = try plan(.addressee).reader
        let domain = try Domain("b.example")
        let key = "addresseeDomainName: b.example|"
        func record(_ values: [String]) throws -> DomainRecord? {
            let text = "objectClass: addresseeDomain|" + key + values.joined(separator: "|")
            return try reader.domain(entry(text), asked: domain)
        }
        let values = [
            "addresseeDomainKind: relay", "addresseeDomainKind: local", "addresseeCatchAll: x@b.example",
            "addresseeCatchAll: a@b.example", "addresseeDetailSeparators: -", "addresseeDetailSeparators: +",
            "addresseeTransport: smtp:b", "addresseeTransport: lmtp:a",
        ]
        let one = try #require(try record(values))
        #expect(one.kind == .local && one.catchAll?.description == "a@b.example")
        #expect(one.detailSeparators == [UInt8(ascii: "+")] && one.transport == "lmtp:a")
        #expect(try record(values.reversed()) == one)
    }
}

extension Entry {
    fileprivate var text: String {
        func arrow(_ forward: Forward) -> String {
            " -> " + forward.targets.map(\.description).joined(separator: " ") + (forward.keepsCopy ? " keep" : "")
        }
        switch self {
        case .user(let user, let forward):
            return "user \(user.address) (\(user.fullName)) \(user.login ?? "-") \(user.status)"
                + (forward.map(arrow) ?? "")
        case .alias(let alias):
            return "alias \(alias.address)" + arrow(Forward(address: address, targets: alias.targets))
        case .forward(let forward): return "forward \(forward.address)" + arrow(forward)
        case .moved(let moved): return "moved \(moved.address) ->" + (moved.newAddress.map { " \($0)" } ?? "")
        case .list(let list): return "list \(list.address) (\(list.name)) \(list.expansion)"
        }
    }
}
