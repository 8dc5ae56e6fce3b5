// Roles and what comes of them: every preset with every role, a site's own words for a status, and catch-alls.

import MailAddress
import MailboxDirectory
import Testing

@testable import LDAPDirectory

@Suite struct RoleTests {
    private static let attribute: AttributeName = "siteAttribute"

    private static func settings(_ preset: LDAPPreset, _ roles: [LDAPRole: [AttributeName]]) throws -> LDAPSettings {
        LDAPSettings(
            uris: [], base: "o=x", preset: preset, roles: roles,
            domains: [DomainRecord(domain: try Domain("example.org"))])
    }

    /// Whether the attribute is searched by in any lookup.
    private func isSearched(_ plan: SearchPlan) throws -> Bool {
        let fred = try Mailbox("fred@example.org")
        let query = NameQuery(localPart: fred.localPart, folded: Array("fred".utf8), limit: 5)
        let lookups: [Lookup] = [
            .entries([fred]), .domain(try Domain("other.example")), .members(of: fred), .name(query),
        ]
        return lookups.contains { lookup in
            var work = plan.work(for: lookup)
            guard case .search(let searches) = work.begin() else { return false }
            return searches.contains { $0.filter.contains(Self.attribute.description) }
        }
    }

    /// Whether a value of the attribute changes what any entry is read as.
    private func isRead(_ plan: SearchPlan) throws -> Bool {
        let fred = try Mailbox("fred@example.org")
        let values = [
            "x@example.org", "TRUE", "forward", "251", "disabled", "anyone", "relay", "alias", "-", "smtp:[x]:25", "2",
            "fred", "nolocal",
        ]
        for (rule, kind) in plan.schema.rules.flatMap({ [($0, "local"), ($0, "alias")] }) {
            var plain = LDAPEntry(dn: "cn=x", attributes: ["objectclass": rule.classes.map { Array($0.key.utf8) }])
            if let needed = rule.needs { plain.attributes[needed.key] = [Array("y@example.org".utf8)] }
            let fillings: [(LDAPRole, String)] = [
                (.address, "fred@example.org"), (.forwardTarget, "t@example.org"), (.aliasTarget, "t@example.org"),
                (.domainName, "example.org"), (.domainKind, kind), (.login, "f"), (.memberAddress, "m@example.org"),
            ]
            for (role, value) in fillings {
                for name in plan.schema.names(role, rule) where name != Self.attribute {
                    let hasOrder = plan.schema.isOrdered && (value.hasPrefix("t@") || role == .memberAddress)
                    plain.attributes[name.key] = [Array((hasOrder ? "0 \(value)" : value).utf8)]
                }
            }
            for value in values + values.map({ "0 \($0)" }) {
                var other = plain
                other.attributes[Self.attribute.key] = [Array(value.utf8)]
                if try reading(plain, fred, plan) != reading(other, fred, plan) { return true }
            }
        }
        return false
    }

    private func reading(_ entry: LDAPEntry, _ address: Mailbox, _ plan: SearchPlan) throws -> String {
        func told(_ body: () throws(ReadFault) -> String) -> String {
            do throws(ReadFault) { return try body() } catch { return "fault" }
        }
        let record = told { () throws(ReadFault) in "\(try plan.reader.record(entry, at: address))" }
        let domain = told { () throws(ReadFault) in
            guard let domain = try plan.reader.domain(entry, asked: address.domain) else { return "none" }
            return "\(domain) \(domain.kind) \(domain.detailSeparators) \(domain.catchAll as Any)"
                + " \(domain.transport ?? "")"
        }
        let links = plan.reader.values(.forwardTargetDN, of: entry, plan.reader.rules(of: entry)).count
        let members = LDAPRole.members.map { plan.reader.values($0, of: entry, plan.listRules).count }
        return "\(record) \(domain) \(links) \(members)"
    }

    /// A role is taken where what the site names is searched by or read, and nowhere else.
    @Test(arguments: LDAPPreset.allCases)
    func everyRole(preset: LDAPPreset) throws {
        for role in LDAPRole.allCases {
            let plan = SearchPlan(name: "x", settings: try Self.settings(preset, [role: [Self.attribute]]))
            // With a folded copy to search by, an attribute that is only read is of use too.
            let hasEffect = try isSearched(plan) || isRead(plan)
            #expect(plan.schema.hasUse(for: role) == hasEffect, "\(preset.rawValue): \(role.rawValue)")
        }
    }

    @Test func roleByItself() {
        let schema = LDAPPreset.inetorgperson.schema
        #expect(!schema.hasUse(for: .status))
        #expect(!schema.hasUse(for: .catchAll))
        #expect(!schema.hasUse(for: .memberOf))
        #expect(!schema.hasUse(for: .newAddress))
        #expect(LDAPPreset.postfixbook.schema.hasUse(for: .memberOf))
        #expect(LDAPPreset.courier.schema.hasUse(for: .catchAll))
        #expect(schema.telling([.disabled: ["TRUE"]]).hasUse(for: .status))
        // What is redirected nowhere keeps no copy.
        #expect(!schema.hasUse(for: .keepCopy))
        #expect(schema.replacing([.forwardTarget: ["x"], .keepCopy: ["y"]]).hasUse(for: .keepCopy))
    }

    /// What a status attribute's values mean, by the site's own words.
    @Test(
        arguments: [
            ("TRUE", AccountStatus.disabled), ("true", .disabled), ("Lock", .disabled), ("FALSE", .active),
            ("vacation", .suspended), ("maybe", nil), (nil, .active),
        ] as [(String?, AccountStatus?)])
    func statusWords(value: String?, status: AccountStatus?) throws {
        var settings = try Self.settings(.inetorgperson, [.status: ["nsAccountLock"]])
        settings.schema = settings.schema.telling(
            [.disabled: ["TRUE", "lock"], .active: ["false"], .suspended: ["vacation"]])
        let reader = SearchPlan(name: "x", settings: settings).reader
        var entry = LDAPEntry(
            dn: "cn=x",
            attributes: ["objectclass": [Array("inetOrgPerson".utf8)], "mail": [Array("fred@example.org".utf8)]])
        if let value { entry.attributes["nsaccountlock"] = [Array(value.utf8)] }
        do throws(ReadFault) {
            guard case .user(let user, _) = try reader.record(entry, at: try! Mailbox("fred@example.org")) else {
                Issue.record("no user")
                return
            }
            #expect(user.status == status)
        } catch {
            #expect(status == nil && error.reason.contains("status-words"))
        }
    }

    /// A site's words go before the bit of a preset that has one, and before that nobody logs in to a mailbox.
    @Test(
        arguments: [
            ("512", nil, AccountStatus.active), ("514", nil, .disabled), ("546", nil, .suspended), ("odd", nil, nil),
            ("514", "4", .active), ("546", "4", .suspended), ("Gone", "4", .disabled), (nil, nil, .active),
        ] as [(String?, String?, AccountStatus?)])
    func wordsBesideABit(value: String?, details: String?, status: AccountStatus?) throws {
        var settings = try Self.settings(.ad, [:])
        settings.schema = settings.schema.telling([.suspended: ["546"], .disabled: ["gone"]])
        let plan = SearchPlan(name: "x", settings: settings)
        var entry = LDAPEntry(dn: "cn=x", attributes: ["objectclass": [Array("user".utf8)]])
        if let value { entry.attributes["useraccountcontrol"] = [Array(value.utf8)] }
        if let details { entry.attributes["msexchrecipienttypedetails"] = [Array(details.utf8)] }
        do throws(ReadFault) {
            #expect(try plan.reader.status(of: entry, plan.userRules) == status)
        } catch {
            #expect(status == nil)
        }
    }

    /// Where a preset has no words of its own for it, TRUE keeps a copy, and nothing else does.
    @Test(arguments: [LDAPPreset.laser, .inetorgperson, .postfixbook, .courier])
    func keepsCopy(preset: LDAPPreset) throws {
        let settings = try Self.settings(preset, [.forwardTarget: ["siteTarget"], .keepCopy: [Self.attribute]])
        let plan = SearchPlan(name: "x", settings: settings)
        let fred = try Mailbox("fred@example.org")
        for (value, keeps) in [("TRUE", true), ("true", true), (" True ", true), ("FALSE", false), ("no", false)] {
            let entry = LDAPEntry(
                dn: "cn=x",
                attributes: [
                    "objectclass": plan.userRules[0].classes.map { Array($0.key.utf8) },
                    "sitetarget": [Array("t@example.net".utf8)], Self.attribute.key: [Array(value.utf8)],
                ])
            guard case .user(_, let forward?) = try plan.reader.record(entry, at: fred) else {
                Issue.record("no forward")
                continue
            }
            #expect(forward.keepsCopy == keeps, "\(value)")
        }
    }

    /// A site's words go before the preset's; those that it does not name stay.
    @Test func wordsBesideThePresets() {
        let schema = LDAPPreset.qmail.schema.telling([.suspended: ["Disabled", "Frozen"]])
        guard case .words(let words) = schema.status else {
            Issue.record("no words")
            return
        }
        #expect(words["disabled"] == .suspended && words["frozen"] == .suspended && words["deleted"] == .disabled)
        #expect(schema.statusWords == [.suspended: "Disabled"])
        #expect(LDAPPreset.qmail.schema.telling([:]) == LDAPPreset.qmail.schema)
    }

    private static let account = "objectClass: PostfixBookMailAccount|mail: fred@example.org"

    /// An entry, and where a domain's unknown names go because of it.
    @Test(
        arguments: [
            (.postfixbook, account + "|mailAlias: @example.org", "fred@example.org"),
            (.postfixbook, account + "|mailAlias: @EXAMPLE.org", "fred@example.org"),
            (.postfixbook, account + "|mailAlias: @other.example", "none"),
            (
                .postfixbook, "objectClass: PostfixBookMailForward|mail: x@far.example|mailAlias: @example.org",
                "x@far.example"
            ),
            (
                .laser,
                "objectClass: inetLocalMailRecipient|mailLocalAddress: @example.org|mailRoutingAddress: boss@far.example",
                "boss@far.example"
            ),
            (.laser, "objectClass: inetLocalMailRecipient|mailLocalAddress: @example.org", "trouble"),
            (
                .netscape, "objectClass: mailRecipient|mail: fred@example.org|mailAlternateAddress: @example.org",
                "fred@example.org"
            ),
            (.inetorgperson, "objectClass: inetOrgPerson|mail: fred@example.org|mail: @example.org", "not asked"),
        ] as [(LDAPPreset, String, String)])
    func catchAlls(preset: LDAPPreset, text: String, expected: String) throws {
        var entry = LDAPEntry(dn: "cn=x", attributes: [:])
        for line in text.split(separator: "|") {
            let parts = line.split(separator: ":", maxSplits: 1)
            entry.attributes[parts[0].lowercased(), default: []].append(Array(parts[1].dropFirst().utf8))
        }
        let domain = try Domain("example.org")
        #expect(try catchAll(of: domain, preset, [entry]) == expected)
        if expected.contains("@") {
            var other = entry
            other.dn = "cn=y"
            #expect(try catchAll(of: domain, preset, [entry, other]) == "trouble")
            #expect(try catchAll(of: domain, preset, []) == "none")
        }
    }

    private func catchAll(of domain: Domain, _ preset: LDAPPreset, _ entries: [LDAPEntry]) throws -> String {
        var work = DomainWork(plan: SearchPlan(name: "x", settings: try Self.settings(preset, [:])), domain: domain)
        guard case .search(let searches) = work.begin() else { return "not asked" }
        #expect(searches.count == 1 && searches[0].filter.contains("=@example.org)"))
        guard case .answered(let answer) = work.take([.found(entries)]) else { return "nothing" }
        switch answer {
        case .domain(let record): return record.catchAll?.description ?? "none"
        case .couldNotTell: return "trouble"
        default: return "else"
        }
    }

    /// What the configuration says of a domain goes before any entry, and of relay domains nothing is asked.
    @Test func configuredCatchAlls() throws {
        let domain = try Domain("example.org")
        var settings = try Self.settings(.postfixbook, [:])
        for record in [
            DomainRecord(domain: domain, catchAll: try Mailbox("info@example.org")),
            DomainRecord(domain: domain, kind: .relay),
        ] {
            settings.domains = [record]
            var work = DomainWork(plan: SearchPlan(name: "x", settings: settings), domain: domain)
            guard case .answered(.domain(let told)) = work.begin() else {
                Issue.record("a search for what is known")
                continue
            }
            #expect(told == record)
        }
    }
}
