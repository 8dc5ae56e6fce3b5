// What is remembered of addresses, and above all what is not.

import MailAddress
import MailboxDirectory
import SMTPProtocol
import Testing
import Verification

private func mailbox(_ text: String) throws -> Mailbox { try Mailbox(text) }

/// What a walk finds that ends at this user at once.
private func here(_ mailbox: Mailbox, _ name: String = "") -> Resolution {
    var resolution = Resolution(outcome: .answered, asked: mailbox)
    resolution.chain = [.user(User(address: mailbox, fullName: name), forward: nil)]
    resolution.recipients = [Recipient(mailbox: mailbox, name: name, kind: .user(.active))]
    return resolution
}

private func nobody(_ mailbox: Mailbox, _ reason: Failure.Reason = .unknown) -> Resolution {
    var resolution = Resolution(outcome: .answered, asked: mailbox)
    resolution.failures = [Failure(mailbox: mailbox, reason: reason)]
    return resolution
}

private func user(_ mailbox: Mailbox, _ name: String = "") -> MailboxMemory.Fact {
    .user(mailbox, name: name)
}

extension MailboxMemory {
    fileprivate func recall(_ mailbox: Mailbox, version: UInt64) -> Fact? {
        recall(mailbox, Key(mailbox), version: version)
    }

    /// With names, as VRFY wants them.
    fileprivate func remember(_ resolution: Resolution, of mailbox: Mailbox, version: UInt64, withName: Bool = true) {
        remember(resolution, of: mailbox, Key(mailbox), version: version, withName: withName)
    }
}

struct MailboxMemoryTests {
    @Test func remembers() throws {
        let memory = MailboxMemory(places: 64)
        let (fred, none) = (try mailbox("fred@example.org"), try mailbox("nobody@example.org"))
        #expect(memory.recall(fred, version: 1) == nil)
        memory.remember(here(fred, "Fred Claude"), of: fred, version: 1)
        memory.remember(nobody(none), of: none, version: 1)
        #expect(memory.recall(fred, version: 1) == user(fred, "Fred Claude"))
        #expect(memory.recall(none, version: 1) == .unknown)
    }

    /// Whether the domain is a relay domain is kept with whatever else is: next hops go by it.
    @Test(arguments: ["", "Fred", "Fred Claude of Rome", String(repeating: "x", count: 49)])
    func keepsThatTheDomainIsARelayDomain(name: String) throws {
        let memory = MailboxMemory(places: 64)
        for (address, isRelay) in [("fred@r", true), ("FRED2@r", true), ("fred@a", false)] {
            let fred = try mailbox(address)
            var resolution = here(fred, name)
            resolution.recipients[0].isInRelayDomain = isRelay
            for withName in [false, true, false] {
                memory.remember(resolution, of: fred, version: 1, withName: withName)
                guard case .user(_, _, let recalled)? = memory.recall(fred, version: 1) else {
                    Issue.record("not remembered")
                    return
                }
                #expect(recalled == isRelay)
            }
        }
        // What a name was kept with is not lost to what is told without one.
        let fits = !name.isEmpty && name.utf8.count <= 48
        if fits {
            #expect(
                memory.recall(try mailbox("fred@r"), version: 1)
                    == .user(try mailbox("fred@r"), name: name, isInRelayDomain: true))
        }
    }

    /// The short way says of relay domains what a walk does.
    @Test func plainInARelayDomain() throws {
        let store = try MemoryStore([
            .domain(DomainRecord(domain: try Domain("r"), kind: .relay)),
            .domain(DomainRecord(domain: try Domain("a"))),
            .user(User(address: try mailbox("fred@r"))), .user(User(address: try mailbox("fred@a"))),
        ])
        func plain(_ mailbox: Mailbox) -> MailboxMemory.Fact? {
            var read: FirstAnswers?
            return .plain(mailbox, in: store.source, read: &read)
        }
        let relayed = MailboxMemory.Fact.user(try mailbox("fred@r"), name: "", isInRelayDomain: true)
        #expect(plain(try mailbox("fred@r")) == relayed)
        #expect(plain(try mailbox("fred@a")) == user(try mailbox("fred@a")))
        #expect(plain(try mailbox("fred+x@a")) == nil)
    }

    /// An address with a detail is walked each time: what it is remembered as would have lost the detail.
    @Test func keepsNothingOfDetails() throws {
        let memory = MailboxMemory(places: 64)
        let (fred, detailed) = (try mailbox("fred@a"), try mailbox("fred+x@a"))
        var resolution = here(fred)
        resolution.recipients[0].separatedDetail = Array("+x".utf8)
        memory.remember(resolution, of: detailed, version: 1)
        #expect(memory.recall(detailed, version: 1) == nil)
    }

    /// Of a list, whether RCPT is taken; nothing of one that was not opened, or that may reach somebody later.
    @Test func remembersLists() throws {
        let memory = MailboxMemory(places: 64)
        let (list, fred) = (try mailbox("list@example.org"), try mailbox("fred@example.org"))
        func resolution(_ recipients: [Recipient], _ failures: [Failure] = []) -> Resolution {
            var resolution = Resolution(outcome: .answered, asked: list)
            resolution.chain = [.list(MailingList(address: list))]
            resolution.recipients = recipients
            resolution.failures = failures
            return resolution
        }
        let full = Recipient(mailbox: fred, kind: .user(.full))
        let rows: [(Resolution, MailboxMemory.Fact?)] = [
            (resolution([Recipient(mailbox: fred, kind: .user(.active))]), .list(list)),
            (resolution([full, Recipient(mailbox: fred, kind: .elsewhere)]), .list(list)),
            (resolution([]), .listOfNobody),
            (resolution([], [Failure(mailbox: fred, reason: .disabled)]), .listOfNobody),
            (resolution([], [Failure(mailbox: fred, reason: .suspended)]), nil), (resolution([full]), nil),
            (resolution([Recipient(mailbox: list, kind: .list(.anyone))]), nil),
        ]
        for (version, (resolution, fact)) in rows.enumerated() {
            memory.remember(resolution, of: list, version: UInt64(version + 1))
            #expect(memory.recall(list, version: UInt64(version + 1)) == fact)
        }
        let recipient = Judgement(wire: .recipient, disclosure: .least, utf8: false)
        #expect(recipient.verdict(on: .list(nil), asked: list) == .verified(NamedMailbox(name: "", mailbox: list)))
        #expect(recipient.verdict(on: .listOfNobody, asked: list) == .noMembers)
        for fact in [MailboxMemory.Fact.list(list), .listOfNobody] {
            #expect(Judgement(wire: .verify, disclosure: .full, utf8: false).verdict(on: fact, asked: list) == nil)
            #expect(Judgement(wire: .expand, disclosure: .full, utf8: false).verdict(on: fact, asked: list) == nil)
        }
        #expect(recipient.acceptance(on: .list(list), over: []) == nil)
        #expect(recipient.acceptance(on: .listOfNobody, over: []) == .refused(.noMembers))
    }

    /// However it is asked for, the spelling on record is what is told.
    @Test func keepsTheSpelling() throws {
        var memory = MailboxMemory(places: 64)
        let (lower, odd) = (try mailbox("fred@example.org"), try mailbox("\"FRED\"@Example.ORG"))
        memory.remember(here(lower, "Fred"), of: odd, version: 1)
        guard case .user(let told?, name: "Fred", isInRelayDomain: false)? = memory.recall(odd, version: 1) else {
            Issue.record("not remembered")
            return
        }
        #expect(told.description == "fred@example.org")
        // A spelling that is not the key has no place, so only that somebody is here is known.
        let jane = try mailbox("jane@example.org")
        for withName in [true, false] {
            memory = MailboxMemory(places: 64)
            memory.remember(here(try mailbox("Jane@example.org"), "Jane"), of: jane, version: 1, withName: withName)
            let told = memory.recall(jane, version: 1)
            #expect(told == .user(nil, name: nil))
        }
    }

    @Test(
        arguments: [
            "", "F", "Fred", "Fred Cl\u{e9}", "Jos\u{e9} \u{4e2d}\u{6587}", "Fred\nClaude", "Fred\0", "\0",
        ] + [7, 8, 9, 15, 16, 17, 24, 25, 47, 48, 49, 1000].map { String(repeating: "x", count: $0) })
    func keepsNames(name: String) throws {
        let memory = MailboxMemory(places: 64)
        for local in ["a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh"] {
            let address = try mailbox(local + "@b.example")
            memory.remember(here(address, name), of: address, version: 1)
            let fits = name.utf8.count <= 48 && !name.contains("\0")
            #expect(memory.recall(address, version: 1) == (fits ? user(address, name) : .user(address, name: nil)))
        }
    }

    @Test func forgetsWithTheVersion() throws {
        let memory = MailboxMemory(places: 64)
        let fred = try mailbox("fred@example.org")
        memory.remember(nobody(fred), of: fred, version: 7)
        for version: UInt64 in [0, 6, 8, 1 << 31, 1 << 32 | 7] { #expect(memory.recall(fred, version: version) == nil) }
        memory.remember(here(fred), of: fred, version: 8)
        #expect(memory.recall(fred, version: 8) == user(fred))
    }

    /// However often the directory has changed.
    @Test func forgetsAcrossTheWordOfAPlace() throws {
        let memory = MailboxMemory(places: 64)
        let (fred, jane) = (try mailbox("fred@example.org"), try mailbox("jane@example.org"))
        memory.remember(nobody(fred), of: fred, version: 7)
        memory.remember(nobody(jane), of: jane, version: 1 << 32 | 7)
        #expect(memory.recall(jane, version: 1 << 32 | 7) == .unknown)
        #expect(memory.recall(fred, version: 1 << 32 | 7) == nil)
        #expect(memory.recall(fred, version: 7) == nil)
    }

    /// The octets of both parts and of the name stand one after the other: where one ends and the next begins must count.
    @Test(arguments: [
        ("a@bc", "ab@c"), ("a@b.c", "a.b@c"), ("fred@example.org", "fred@example.or"), ("a@b", "a@bb"),
        ("abcdefgh@b", "abcdefgh@bb"), ("abcdef@b", "abcdef@bx"),
    ])
    func tellsNeighboursApart(one: String, other: String) throws {
        let memory = MailboxMemory(places: 8)
        memory.remember(here(try mailbox(one), "b"), of: try mailbox(one), version: 1, withName: false)
        #expect(memory.recall(try mailbox(other), version: 1) == nil)
        memory.remember(here(try mailbox(one), "b"), of: try mailbox(one), version: 1)
        #expect(memory.recall(try mailbox(other), version: 1) == nil)
        #expect(memory.recall(try mailbox(one), version: 1) == user(try mailbox(one), "b"))
    }

    @Test(arguments: [Failure.Reason.notServed, .disabled, .suspended, .moved(to: nil)])
    func keepsNoOtherFailure(reason: Failure.Reason) throws {
        let memory = MailboxMemory(places: 64)
        let fred = try mailbox("fred@example.org")
        memory.remember(nobody(fred, reason), of: fred, version: 1)
        #expect(memory.recall(fred, version: 1) == nil)
    }

    /// Trouble above all, but nothing else either that is more than a plain user.
    @Test func keepsNothingElse() throws {
        let (fred, jane) = (try mailbox("fred@example.org"), try mailbox("jane@example.org"))
        var others = [
            Resolution(outcome: .couldNotTell(Trouble(source: "main", reason: "gone")), asked: fred),
            Resolution(outcome: .loop([fred]), asked: fred),
            Resolution(outcome: .limit(.depth, path: [fred]), asked: fred),
            Resolution(outcome: .ambiguous([], complete: true), asked: fred),
            Resolution(outcome: .answered, asked: fred), Resolution(outcome: .answered), here(jane),
        ]
        for status in AccountStatus.allCases where status != .active {
            var resolution = here(fred)
            resolution.chain = [.user(User(address: fred, status: status), forward: nil)]
            others.append(resolution)
        }
        var forwarding = here(fred)
        forwarding.chain = [.user(User(address: fred), forward: Forward(address: fred, targets: [jane]))]
        others.append(forwarding)
        var alias = here(fred)
        alias.chain.insert(.alias(Alias(address: fred, targets: [jane])), at: 0)
        others.append(alias)
        let memory = MailboxMemory(places: 64)
        for resolution in others {
            memory.remember(resolution, of: fred, version: 1)
            #expect(memory.recall(fred, version: 1) == nil, "\(resolution)")
        }
    }

    @Test(arguments: [Int.min, -1, 0, 7])
    func mayHaveNoPlace(places: Int) throws {
        let memory = MailboxMemory(places: places)
        let fred = try mailbox("fred@example.org")
        memory.remember(nobody(fred), of: fred, version: 1)
        #expect(memory.recall(fred, version: 1) == nil)
    }

    /// Whatever is asked first, and whatever has been asked since.
    @Test func namesAreKeptWhereTheyAreAskedFor() throws {
        let memory = MailboxMemory(places: 8)
        let fred = try mailbox("fred@example.org")
        memory.remember(here(fred, "Fred"), of: fred, version: 1, withName: false)
        #expect(memory.recall(fred, version: 1) == .user(fred, name: nil))
        memory.remember(here(fred, "Fred"), of: fred, version: 1, withName: true)
        #expect(memory.recall(fred, version: 1) == user(fred, "Fred"))
        memory.remember(here(fred, "Fred"), of: fred, version: 1, withName: false)
        #expect(memory.recall(fred, version: 1) == user(fred, "Fred"))
        // Who has no name has none to be kept, and that is known too.
        let plain = try mailbox("plain@example.org")
        memory.remember(here(plain), of: plain, version: 1, withName: true)
        #expect(memory.recall(plain, version: 1) == user(plain))
    }

    /// However long they are, for it is their hash that is kept.
    @Test func keepsLongAddresses() throws {
        let memory = MailboxMemory(places: 64)
        for count in 40...64 {
            let long = try mailbox(
                String(repeating: "x", count: count) + "@" + String(repeating: "y", count: 63) + ".example")
            memory.remember(here(long, "Long"), of: long, version: 1)
            #expect(memory.recall(long, version: 1) == user(long, "Long"))
            memory.remember(nobody(long), of: long, version: 2)
            #expect(memory.recall(long, version: 2) == .unknown)
        }
    }

    /// In the middle of growing too.
    @Test func forgetsWhileItGrows() throws {
        let mailboxes = try (0..<30_000).map { try mailbox("user\($0)@example.org") }
        var found = 0
        for changes in [4_000, 4_200, 4_700, 17_000] {
            let memory = MailboxMemory(places: 1 << 20)
            for (index, mailbox) in mailboxes.enumerated() {
                let version: UInt64 = index < changes ? 1 : 2
                memory.remember(here(mailbox, "Name \(version)"), of: mailbox, version: version, withName: true)
                let earlier = mailboxes[Int.random(in: 0...index)]
                switch memory.recall(earlier, version: version) {
                case nil: continue
                case let recalled: #expect(recalled == user(earlier, "Name \(version)"))
                }
                found += 1
            }
        }
        #expect(found > 20_000)
    }

    /// However full it is, it says what is true or nothing.
    @Test func isNeverWrong() throws {
        let memory = MailboxMemory(places: 2048)
        let mailboxes = try (0..<2000).map { try mailbox("user\($0)@example.org") }
        // Of no, one, and three slots more.
        let names = (0..<2000).map { $0 == 0 ? "" : String(repeating: "\($0) ", count: [0, 2, 2, 8][$0 % 4]) }
        var found = 0
        for pass in 0..<12 {
            let version = UInt64(pass / 4)
            for (index, mailbox) in mailboxes.enumerated() {
                let isUnknown = (index + pass / 4).isMultiple(of: 3)
                let withName = (index + pass) % 5 < 2
                let facts: [MailboxMemory.Fact] =
                    isUnknown ? [.unknown] : [user(mailbox, names[index]), .user(mailbox, name: nil)]
                if let recalled = memory.recall(mailbox, version: version) {
                    #expect(facts.contains(recalled))
                    found += 1
                }
                memory.remember(
                    isUnknown ? nobody(mailbox) : here(mailbox, names[index]), of: mailbox, version: version,
                    withName: withName)
                let recalled = try #require(memory.recall(mailbox, version: version))
                #expect(withName ? recalled == facts[0] : facts.contains(recalled))
            }
        }
        #expect(found > 0)
    }

    /// However many it has to grow for, with names and without, nothing is lost by it, and nothing of before.
    @Test(arguments: [nil, "", "Name", "Of twenty octets and more"])
    func growsAsItFills(name: String?) throws {
        let memory = MailboxMemory(places: 1 << 20)
        let mailboxes = try (0..<60_000).map { try mailbox("user\($0)@example.org") }
        var lost = 0
        for (index, mailbox) in mailboxes.enumerated() {
            // Each has its own, unless all have none.
            let names = name.map { $0.isEmpty ? $0 : "\($0) \(index)" }
            memory.remember(here(mailbox, names ?? "Name"), of: mailbox, version: 1, withName: name != nil)
            let earlier = Int.random(in: 0...index)
            let wanted = name.map { $0.isEmpty ? $0 : "\($0) \(earlier)" }
            switch memory.recall(mailboxes[earlier], version: 1) {
            case nil: lost += 1
            case let recalled: #expect(recalled == .user(mailboxes[earlier], name: wanted))
            }
        }
        // Some push each other out, above all with names.
        #expect(lost < ["": 600, "Name": 3_000][name ?? ""] ?? 15_000)
        for mailbox in mailboxes { #expect(memory.recall(mailbox, version: 2) == nil) }
    }
}

/// What is remembered is told as if it had just been looked up, on each wire and to each client.
struct RememberedVerdictTests {
    @Test(arguments: ["Fred Claude", "", "Jos\u{e9}"], [false, true])
    func equalsTheVerdictOnTheWalk(name: String, utf8: Bool) throws {
        let fred = try mailbox("fred@example.org")
        var memory = MailboxMemory(places: 64)
        for resolution in [here(fred, name), nobody(fred)] {
            memory.remember(resolution, of: fred, version: 1, withName: false)
            memory.remember(resolution, of: fred, version: 1, withName: true)
            for client in [ClientClass.trusted, .everyone] {
                let queries: [Query] = [
                    .recipient(.mailbox(fred), utf8: utf8), .verify(.mailbox(fred), utf8: utf8),
                    .expand(.mailbox(fred), utf8: utf8),
                ]
                for query in queries {
                    let judgement = Judgement(query, by: client)
                    let fact = try #require(memory.recall(fred, version: 1))
                    let remembered = judgement.decided ?? judgement.verdict(on: fact, asked: fred)
                    let walked = judgement.decided ?? judgement.verdict(on: resolution)
                    let wire = judgement.wire
                    #expect(
                        remembered?.reply(on: wire, form: .enhanced) == walked.reply(on: wire, form: .enhanced))
                }
            }
            memory = MailboxMemory(places: 64)
        }
    }
}
