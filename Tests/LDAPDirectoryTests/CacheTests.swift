// What is remembered, for how long, and what makes it forgotten. The clock is the test's.

import MailAddress
import MailboxDirectory
import Testing

@testable import LDAPDirectory

@Suite struct CacheTests {
    private let second: Nanoseconds = 1_000_000_000

    private func settings(entries: Int = 100) -> LDAPCacheSettings {
        LDAPCacheSettings(entries: entries, positive: .seconds(60), negative: .seconds(5), stale: .seconds(600))
    }

    private func lookup(_ address: String) throws -> Lookup { .entries([try Mailbox(address)]) }

    private func found(_ address: String) throws -> Answer {
        .entry(.user(User(address: try Mailbox(address)), forward: nil), key: 0)
    }

    @Test func ages() throws {
        let cache = LDAPCache(settings())
        let (fred, nobody) = (try lookup("fred@a"), try lookup("nobody@a"))
        cache.keep(try found("fred@a"), to: fred, now: 0, generation: cache.generation)
        cache.keep(.absent, to: nobody, now: 0, generation: cache.generation)
        #expect(cache.answer(fred, now: 59 * second) == (try found("fred@a")))
        #expect(cache.answer(fred, now: 60 * second) == nil)
        #expect(cache.answer(nobody, now: 4 * second) == .absent)
        #expect(cache.answer(nobody, now: 5 * second) == nil)
        #expect(cache.staleAnswer(fred, now: 599 * second)?.0 == (try found("fred@a")))
        #expect(cache.staleAnswer(fred, now: 599 * second)?.age == 599 * second)
        #expect(cache.staleAnswer(fred, now: 600 * second) == nil)
        #expect(cache.staleAnswer(nobody, now: second) == nil)
        #expect(cache.answer(try lookup("fred@b"), now: 0) == nil)
    }

    @Test func troubleIsNeverKept() throws {
        let cache = LDAPCache(settings())
        let fred = try lookup("fred@a")
        let trouble = Answer.couldNotTell(Trouble(source: "x", reason: "y"))
        cache.keep(trouble, to: fred, now: 0, generation: cache.generation)
        #expect(cache.count == 0)
        cache.keep(try found("fred@a"), to: fred, now: 0, generation: cache.generation)
        cache.keep(trouble, to: fred, now: 1, generation: cache.generation)
        #expect(cache.answer(fred, now: 2) == (try found("fred@a")))
    }

    @Test(arguments: [1, 10, 2000])
    func bounded(entries: Int) throws {
        let cache = LDAPCache(settings(entries: entries))
        for number in 0..<(entries * 3) {
            cache.keep(.absent, to: try lookup("u\(number)@a"), now: Nanoseconds(number), generation: 0)
            #expect(cache.count <= entries)
        }
        #expect(cache.answer(try lookup("u\(entries * 3 - 1)@a"), now: Nanoseconds(entries * 3)) == .absent)
        #expect(cache.answer(try lookup("u0@a"), now: Nanoseconds(entries * 3)) == nil)
        // The same one again and again takes no room.
        for number in 0..<(entries * 10) {
            cache.keep(.absent, to: try lookup("u@a"), now: Nanoseconds(number), generation: 0)
        }
        #expect(cache.count <= entries)
    }

    @Test func offWithoutEntries() throws {
        let cache = LDAPCache(settings(entries: 0))
        cache.keep(.absent, to: try lookup("fred@a"), now: 0, generation: 0)
        #expect(cache.answer(try lookup("fred@a"), now: 0) == nil)
        cache.forgetAll()
    }

    @Test func forgetting() throws {
        let cache = LDAPCache(settings())
        let (fred, jane) = (try Mailbox("fred@a"), try Mailbox("jane@a"))
        let lookups: [(Lookup, Answer)] = [
            (.entries([fred]), .absent), (.entries([try Mailbox("fred+x@a"), fred]), .absent),
            (.entries([try Mailbox("alternate@a")]), try found("fred@a")), (.members(of: jane), .members([])),
            (.name(NameQuery(localPart: nil, folded: [1], limit: 1)), .absent),
        ]
        let kept: [(Lookup, Answer)] = [(.entries([jane]), try found("jane@a")), (.domain(fred.domain), .absent)]
        for (lookup, answer) in lookups + kept {
            cache.keep(answer, to: lookup, now: 0, generation: cache.generation)
        }
        let before = cache.generation
        cache.forget(fred)
        for (lookup, _) in lookups { #expect(cache.answer(lookup, now: 1) == nil, "\(lookup)") }
        for (lookup, answer) in kept { #expect(cache.answer(lookup, now: 1) == answer) }
        // What was asked for before may be of before.
        cache.keep(.absent, to: .entries([fred]), now: 1, generation: before)
        #expect(cache.answer(.entries([fred]), now: 1) == nil)
        cache.forgetAll()
        #expect(cache.count == 0)
    }
}
