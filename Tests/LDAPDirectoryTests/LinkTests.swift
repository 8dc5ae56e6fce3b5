// How a connection is got and kept, as far as that is decided without a server.

import MailAddress
import MailboxDirectory
import Testing

@testable import LDAPDirectory

@Suite struct LinkTests {
    private let log = EventLog()

    private func loop(_ uris: [String], mustFind: [Mailbox] = []) -> ConnectionLoop {
        var settings = LDAPSettings(uris: uris, base: "o=x", preset: .inetorgperson)
        settings.mustFind = mustFind
        return ConnectionLoop(
            LDAPConnection.Shared(
                settings: settings, plan: SearchPlan(name: "x", settings: settings), onEvent: { [log] in log.add($0) }))
    }

    /// When no server can be reached, the next round comes after twice the time, two seconds at most.
    @Test func longerAndLonger() {
        let loop = loop(["ldap://x"])
        for milliseconds in [100, 200, 400, 800, 1600, 2000, 2000] as [Int64] {
            (loop.link, loop.roundStart) = (.connecting(0), 5)
            loop.attempted(.failure(LDAPFailure(.unreachable, "it is down")))
            guard case .backOff(let until) = loop.link else {
                Issue.record("it is tried again at once")
                return
            }
            #expect(until == 5 + milliseconds * 1_000_000)
        }
        #expect(log.events == Array(repeating: .failed(uri: "ldap://x", reason: "it is down"), count: 7))
    }

    /// Whether the server still has who must be found: what can't be told says nothing of it.
    @Test func looksForWhoMustBeFound() throws {
        let fred = try Mailbox("fred@a")
        let trouble = Answer.couldNotTell(Trouble(source: "x", reason: "it is slow"))
        let found = Answer.entry(.user(User(address: fred), forward: nil), key: 0)
        let loop = loop(["ldap://127.0.0.1:1"], mustFind: [fred, try Mailbox("jane@a")])
        loop.link = .connected(
            try LDAPHandle(unconnected: "ldap://127.0.0.1:1", settings: loop.shared.settings), 0)
        for (answers, isDoubted) in [
            ([found, found], false), ([.absent, trouble], false), ([found, .absent], true), ([trouble, found], true),
            ([found, found], false),
        ] as [([Answer], Bool)] {
            loop.isExamining = true
            loop.examined(answers)
            #expect((loop.shared.doubt != nil) == isDoubted, "\(answers)")
            #expect(!loop.isExamining && loop.nextExamination < .max)
        }
        #expect(log.events.count == 2)
    }

    /// A password that is not tried again is told once.
    @Test func pausesAreToldOnce() {
        let loop = loop(["ldap://x"])
        for (kind, told) in [(LDAPFailure.Kind.result(49), 1), (.bindPaused, 1), (.bindPaused, 1), (.result(49), 2)] {
            loop.link = .connecting(0)
            loop.attempted(.failure(LDAPFailure(kind, "wrong password")))
            #expect(log.events.count == told)
        }
    }
}

@Suite struct ServerRoundTests {
    private let memory = ServerMemory()

    private func handle(_ uri: String, _ wholeness: Wholeness) throws -> LDAPHandle {
        let handle = try LDAPHandle(
            unconnected: uri, settings: LDAPSettings(uris: [uri], base: "o=x", preset: .inetorgperson))
        handle.wholeness = wholeness
        return handle
    }

    /// One that lacks somebody is used where there is no other; before one that is still empty, as another shows.
    @Test(arguments: [false, true])
    func theBestOfThem(isMarked: Bool) throws {
        let uris = ["ldap://127.0.0.1:1", "ldap://127.0.0.1:2"]
        var round = ServerRound(uris, memory: memory)
        #expect(round.next() == 0)
        memory.note(uris[0], isMarked: false)
        #expect(round.choose(try handle(uris[0], .unmarked), 0) == .later)
        #expect(round.next() == 1)
        memory.note(uris[1], isMarked: isMarked)
        #expect(round.choose(try handle(uris[1], .incomplete("fred is missing")), 1) == .leftOut("fred is missing"))
        #expect(round.next() == nil)
        #expect(round.best()?.index == (isMarked ? 1 : 0))
        #expect(round.outdone?.uri == (isMarked ? uris[0] : nil))
        #expect(memory.order(of: uris) == [0, 1])
        round.close()
        #expect(round.best() == nil)
    }

    @Test func theFirstThatIsWhole() throws {
        let uris = ["ldap://127.0.0.1:1", "ldap://127.0.0.1:2", "ldap://127.0.0.1:3"]
        var round = ServerRound(uris, memory: memory)
        #expect(round.choose(try handle(uris[0], .whole), 0) == .used)
        memory.note(uris[0], isMarked: true)
        guard case .leftOut(let reason) = round.choose(try handle(uris[1], .unmarked), 1) else {
            Issue.record("it is not left out")
            return
        }
        #expect(reason.contains("has no contextCSN") && memory.isAvoided(uris[1]))
        #expect(round.best() == nil)
    }
}

@Suite struct SearchQueueTests {
    /// A search for so many addresses, or for none: one of another kind.
    private func pending(_ count: Int, deadline: Nanoseconds = 9) throws -> PendingSearch {
        var search = LDAPSearch(base: "o=x", scope: .subtree, filter: "\(count)", attributes: [])
        search.addresses = try (0..<count).map { try Mailbox("u\($0)@a") }
        let batch = PendingBatch(SearchBatch(searches: [search], deadline: deadline) { _ in })
        return PendingSearch(batch: batch, index: 0, search: search, deadline: deadline)
    }

    /// As many go together as have room, in their order; one that has more addresses than that goes alone.
    @Test(arguments: [
        ([3, 4, 9], [[3, 4, 9]]), ([3, 4, 10], [[3, 4], [10]]), ([16, 1], [[16], [1]]), ([17, 1], [[17], [1]]),
        ([1, 17, 2], [[1], [17], [2]]), ([], []),
    ])
    func together(counts: [Int], expected: [[Int]]) throws {
        var queue = SearchQueue()
        for count in counts { queue.append(try pending(count)) }
        var taken: [[Int]] = []
        while queue.hasJoinable, taken.count < 9 {
            taken.append(queue.takeJoinable(addresses: 16).map(\.search.addresses.count))
        }
        #expect(taken == expected)
        #expect(queue.isEmpty)
    }

    /// What is put back goes before what waits; what has waited too long is taken out, whichever line it is in.
    @Test func linesKeepTheirOrder() throws {
        var queue = SearchQueue()
        for count in [0, 1, 2] { queue.append(try pending(count, deadline: Int64(10 + count))) }
        queue.putFirst([try pending(3, deadline: 20), try pending(0, deadline: 5)])
        #expect(queue.earliestDeadline == 5)
        #expect(queue.removeExpired(4).isEmpty)
        #expect(queue.removeExpired(10).map(\.deadline) == [5, 10])
        #expect(queue.takeSingle() == nil)
        #expect(queue.earliestDeadline == 11)
        #expect(queue.takeJoinable(addresses: 16).map(\.search.addresses.count) == [3, 1, 2])
        #expect(queue.isEmpty && queue.earliestDeadline == .max)
    }
}
