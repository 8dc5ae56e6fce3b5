// Lists so long that they are told in pages, walked in pieces, and left as soon as the answer is certain.

import DirectoryTesting
import MailAddress
import Testing

@testable import MailboxDirectory

/// Tells lists in pages of so many members, and aliases in parts of so many targets.
private struct PagingSource: Source {
    let base: any Source
    let page: Int
    let asked = Count()

    final class Count {
        var lookups = 0
    }

    var name: String { base.name }

    /// A redirection with more targets than a page has, as a source tells it.
    private func inParts(_ entry: Entry) -> Entry {
        switch entry {
        case .alias(var alias) where alias.targets.count > page:
            alias.next = page
            alias.targets.removeSubrange(page...)
            return .alias(alias)
        case .forward(let forward): return .forward(inParts(forward))
        case .user(let user, let forward?): return .user(user, forward: inParts(forward))
        default: return entry
        }
    }

    private func inParts(_ forward: Forward) -> Forward {
        guard forward.targets.count > page else { return forward }
        var forward = forward
        forward.keepsCopy = forward.keepsCopy || forward.targets.contains(forward.address)
        forward.next = page
        forward.targets.removeSubrange(page...)
        return forward
    }

    func answer(_ lookup: Lookup) -> Answer {
        asked.lookups += 1
        let (list, start): (Mailbox, Int)
        switch lookup {
        case .members(let address): (list, start) = (address, 0)
        case .moreMembers(let address, let place): (list, start) = (address, place)
        case .moreTargets(let address, let place):
            let all: [Mailbox]
            switch base.answer(.entries([address])) {
            case .entry(.alias(let alias), _): all = alias.targets
            case .entry(let entry, _): all = entry.forward?.targets ?? []
            default: return .absent
            }
            let end = min(place + page, all.count)
            let targets = all[place..<end].map { ListMember(mailbox: $0) }
            return end < all.count ? .page(targets, next: end) : .members(targets)
        default:
            let answer = base.answer(lookup)
            guard case .entry(let entry, let key) = answer else { return answer }
            return .entry(inParts(entry), key: key)
        }
        guard case .members(let all) = base.answer(.members(of: list)) else { return .absent }
        let end = min(start + page, all.count)
        let members = Array(all[start..<end])
        return end < all.count ? .page(members, next: end) : .members(members)
    }
}

@Suite struct LongLists {
    static let directory = """
        domain a
        user u1@a
        user u2@a
        user u3@a
        user off@a status=disabled
        user big@a status=full
        alias loop1@a loop2@a
        alias loop2@a loop1@a
        list inner@a owner=u1@a : u3@a x@else u1@a
        list outer@a owner=u2@a : off@a inner@a u2@a y@else u3@a gone@a
        list loops@a : off@a loop1@a u1@a
        list none@a : off@a gone@a loop1@a
        list full@a : big@a off@a
        list empty@a
        alias both@a none@a u1@a
        alias two@a empty@a inner@a
        alias many@a u1@a two@a x+y@else off@a many2@a gone@a u2+z@a
        alias many2@a u3@a x@else u1@a
        forward fw@a u1@a x@else fw2@a off@a u2@a
        forward fw2@a u3@a gone@a u1@a
        user kept@a
        forward kept@a u1@a x@else fw@a keep
        user here@a
        forward here@a u1@a u2@a here@a u3@a here2@a
        alias here2@a u1@a here@a
        user away@a status=disabled
        forward away@a u1@a away@a u2@a
        alias tofw@a fw@a kept@a u3@a
        list lists@a owner=u1@a : fw@a kept@a here@a
        """

    private func walk(
        _ question: String, _ purpose: Purpose, page: Int? = nil, limits: ExpansionLimits = ExpansionLimits(),
        room: Expansion.Room? = nil, turns: Int? = nil
    ) throws -> (resolution: Resolution, lookups: Int) {
        let store = try MemoryStore(try records(Self.directory)[0])
        let source = PagingSource(base: store.source, page: page ?? .max)
        var expansion = Expansion(
            Question(text: question), purpose: purpose, sources: ["memory"], defaultDomain: ResolveRow.defaultDomain,
            limits: limits)
        expansion.room = room
        guard let turns else { return (expansion.run([source]), source.asked.lookups) }
        guard case .paused(var walk, var step) = expansion.run([source], turns: turns) else {
            throw TextError("it did not pause")
        }
        while true {
            switch step {
            case .lookUp(let lookup, _): step = walk.answered(source.answer(lookup), turns: turns)
            case .pause: step = walk.goOn(turns: turns)
            case .finished(let resolution): return (resolution, source.asked.lookups)
            }
        }
    }

    @Test(arguments: [
        "outer@a", "inner@a", "loops@a", "none@a", "full@a", "empty@a", "both@a", "two@a", "u1@a", "nobody@a",
        "many@a", "many+tag@a", "many2+tag@a", "fw@a", "fw+tag@a", "kept@a", "here@a", "here+tag@a", "away@a", "tofw@a",
        "lists@a",
    ])
    func pagesAndPiecesChangeNothing(_ question: String) throws {
        for purpose in [Purpose.verify, .recipient, .expand(.trusted), .resolve] {
            let whole = try walk(question, purpose).resolution
            func isSame(_ other: Resolution) -> Bool {
                // Of a walk that came to no answer nothing but that is told.
                var other = other
                // Of a redirection that is told in parts the trail has the first.
                other.chain = zip(other.chain, whole.chain).map { told, whole in
                    switch told {
                    case .alias(let part) where part.next != nil: whole
                    case .forward(let part) where part.next != nil: whole
                    case .user(let user, let part?) where part.next != nil && user == whole.user: whole
                    default: told
                    }
                }
                return whole.outcome == .answered ? other == whole : other.outcome == whole.outcome
            }
            for page in 1...4 { #expect(isSame(try walk(question, purpose, page: page).resolution)) }
            for turns in 1...2 {
                #expect(isSame(try walk(question, purpose, page: 2, turns: turns).resolution))
            }
        }
    }

    /// Of these there is more to be asked for, from the same view of the directory.
    @Test func whatGoesOn() throws {
        let (address, target) = (try Mailbox("many@a"), try Mailbox("t@else"))
        var alias = Alias(address: address, targets: [target])
        var forward = Forward(address: address, targets: [target])
        let user = User(address: address)
        func entries() -> [Entry] { [.alias(alias), .forward(forward), .user(user, forward: forward)] }
        for next in [nil, 1] {
            (alias.next, forward.next) = (next, next)
            for entry in entries() {
                #expect(Answer.entry(entry, key: 0).goesOn == (next != nil))
                #expect(Answer.matches([.user(user, forward: nil), entry], .login).goesOn == (next != nil))
                #expect(Answer.stale(.entry(entry, key: 0), age: .seconds(1)).goesOn == (next != nil))
            }
        }
        #expect(Answer.page([], next: 1).goesOn)
        let others: [Answer] = [
            .members([]), .absent, .stale(.absent, age: .seconds(1)), .domain(DomainRecord(domain: address.domain)),
            .couldNotTell(Trouble(source: "s", reason: "r")),
        ]
        #expect(others.allSatisfy { !$0.goesOn })
    }

    /// What RCPT makes of it, and the same of a walk to the end.
    @Test(arguments: [
        ("outer@a", "u3@a"), ("inner@a", "u3@a"), ("loops@a", "u1@a"), ("both@a", "u1@a"), ("two@a", "u3@a"),
        ("none@a", "loop"), ("full@a", "big@a"), ("empty@a", ""),
    ])
    func recipientsEndAtTheFirst(_ question: String, _ expected: String) throws {
        for page in [1, 2, 100] {
            let resolution = try walk(question, .recipient, page: page).resolution
            switch resolution.outcome {
            case .loop: #expect(expected == "loop")
            default: #expect(resolution.recipients.map(\.mailbox.description).joined(separator: " ") == expected)
            }
        }
    }

    @Test(arguments: [
        ("loops@a", 5, "answered"), ("outer@a", 4, "answered"), ("none@a", 2, "limit"), ("none@a", 1, "limit"),
    ])
    func limitsDecideWhereNobodyIsReached(_ question: String, _ addresses: Int, _ expected: String) throws {
        for page in [1, 2, 100] {
            let limits = ExpansionLimits(addresses: addresses)
            let outcome = try walk(question, .recipient, page: page, limits: limits).resolution.outcome
            switch outcome {
            case .answered: #expect(expected == "answered")
            case .limit(.addresses, _): #expect(expected == "limit")
            default: Issue.record("\(outcome)")
            }
            let whole = try walk("outer@a", .resolve, page: page, limits: ExpansionLimits(addresses: 3)).resolution
            #expect(whole.text == "limit addresses")
        }
    }

    @Test func roomEndsTheWalk() throws {
        // u3@a, x@else, u1@a
        for (room, expected) in [(18, "answered"), (17, "octets")] {
            for kind in [Expansion.Room.recipients(room), .step(room)] {
                let resolution = try walk("inner@a", .resolve, page: 2, room: kind).resolution
                switch resolution.outcome {
                case .limit(.octets, _): #expect(expected == "octets" && resolution.recipients.isEmpty)
                default: #expect(expected == "answered" && resolution.recipients.count == 3)
                }
            }
        }
    }

    /// A hundred thousand members, of which RCPT needs the first, and none is looked up that is elsewhere.
    @Test func longOnes() throws {
        let (domain, list, away) = (ResolveRow.defaultDomain, try Mailbox("list@a"), try Mailbox("away@a"))
        let store = try MemoryStore([.domain(DomainRecord(domain: domain))])
        let elsewhere = try Domain("else.example")
        try store.write { writing in
            func members(_ domain: Domain) throws -> [ListMember] {
                try (0..<100_000).map { number in
                    ListMember(
                        mailbox: Mailbox(localPart: try LocalPart(octets: Array("x\(number)".utf8)), domain: domain))
                }
            }
            let here = try members(domain)
            try writing.insert(.user(User(address: here[0].mailbox)))
            try writing.insert(.list(MailingList(address: list), members: here))
            try writing.insert(.list(MailingList(address: away), members: try members(elsewhere)))
        }
        let source = PagingSource(base: store.source, page: .max)
        func run(_ address: Mailbox, _ purpose: Purpose) -> Resolution {
            Expansion(.address(address), purpose: purpose, sources: ["memory"], defaultDomain: domain).run([source])
        }
        #expect(run(list, .recipient).recipients.count == 1)
        #expect(source.asked.lookups < 10)
        #expect(run(away, .resolve).recipients.count == 100_000)
        #expect(source.asked.lookups < 20)
    }

    /// So many addresses that one answer brings them all, as members of a list and as targets of an alias.
    private func crowd(_ count: Int, in text: String) throws -> (store: MemoryStore, targets: [Mailbox]) {
        let domain = ResolveRow.defaultDomain
        // In a domain that knows no details.
        let other = DomainRecord(domain: try Domain("b"), detailSeparators: [])
        let store = try MemoryStore([.domain(DomainRecord(domain: domain)), .domain(other)])
        let targets = try (0..<count).map { number in
            Mailbox(localPart: try LocalPart(octets: Array("x\(number)".utf8)), domain: try Domain(text))
        }
        let (list, alias) = (try Mailbox("list@a"), try Mailbox("alias@a"))
        try store.write { writing in
            try writing.insert(
                .list(MailingList(address: list), members: targets.map { ListMember(mailbox: $0) }))
            try writing.insert(.alias(Alias(address: alias, targets: targets)))
        }
        return (store, targets)
    }

    /// However many one answer brings, no step makes much of it at once: others may want to go first.
    @Test(arguments: ["list@a", "alias@a", "alias+tag@a"], [Purpose.resolve, .verify, .expand(.trusted), .recipient])
    func noStepTakesMany(_ question: String, _ purpose: Purpose) throws {
        let (store, targets) = try crowd(3000, in: "else.example")
        var walk = Expansion(
            Question(text: question), purpose: purpose, sources: ["memory"], defaultDomain: ResolveRow.defaultDomain)
        var step = walk.next(turns: 1)
        var (before, most) = (walk.addressCount, 0)
        while true {
            most = max(most, walk.addressCount - before)
            before = walk.addressCount
            switch step {
            case .lookUp(let lookup, _): step = walk.answered(store.source.answer(lookup), turns: 1)
            case .pause: step = walk.goOn(turns: 1)
            case .finished(let resolution):
                #expect(most <= Expansion.nodesAtOnce)
                let isOpened = question != "list@a" || purpose == .resolve || purpose == .expand(.trusted)
                guard isOpened else { return }
                #expect(walk.addressCount == targets.count + 1)
                #expect(resolution.recipients.count == targets.count)
                return
            }
        }
    }

    /// Each target that is asked for without the detail is where it stands in the step.
    @Test(arguments: [1, 256, 257, 600])
    func detailsAreDroppedInTheirPlaces(_ count: Int) throws {
        let (store, targets) = try crowd(count, in: "b")
        let resolution = Expansion(
            Question(text: "alias+tag@a"), purpose: .resolve, sources: ["memory"],
            defaultDomain: ResolveRow.defaultDomain
        ).run([store.source])
        #expect(resolution.step == targets)
        #expect(resolution.failures.map(\.mailbox) == targets)
    }

    /// The limit holds for all of them together, in whatever pieces they come.
    @Test(arguments: [(599, false), (600, true)], ["list@a", "alias@a"])
    func limitsHoldForManyPieces(_ limit: (addresses: Int, isEnough: Bool), _ question: String) throws {
        let (store, _) = try crowd(600, in: "else.example")
        let resolution = Expansion(
            Question(text: question), purpose: .resolve, sources: ["memory"],
            defaultDomain: ResolveRow.defaultDomain, limits: ExpansionLimits(addresses: limit.addresses)
        ).run([store.source])
        if limit.isEnough {
            #expect(resolution.recipients.count == 600)
        } else {
            #expect(resolution.outcome == .limit(.addresses, path: resolution.asked.map { [$0] } ?? []))
        }
    }

    /// A walk that begins anew is the same walk.
    @Test func anewIsTheSame() throws {
        let literal = try Domain("[192.0.2.1]")
        let walk = Expansion(
            .address(Mailbox(localPart: .postmaster, domain: literal)), purpose: .recipient, sources: ["memory"],
            defaultDomain: ResolveRow.defaultDomain, literals: [literal])
        let source = try MemoryStore([.domain(DomainRecord(domain: ResolveRow.defaultDomain))]).source
        let resolution = walk.run([source])
        #expect(resolution.recipients.map(\.kind) == [.postmaster])
        #expect(walk.anew().run([source]) == resolution)
    }
}
