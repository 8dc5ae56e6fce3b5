// What is remembered of recipients, and above all what is not.

import MailAddress
import SMTPProtocol
import Testing
import Verification

private func mailbox(_ text: String) throws -> Mailbox { try Mailbox(text) }

private let full = RecipientMemory.Asker(disclosure: .full, utf8: false)
private let existence = RecipientMemory.Asker(disclosure: .existence, utf8: false)

private func verified(_ mailbox: Mailbox) -> Verdict { .verified(NamedMailbox(name: "", mailbox: mailbox)) }

struct RecipientMemoryTests {
    @Test func remembers() throws {
        var memory = RecipientMemory(places: 64)
        let (fred, nobody) = (try mailbox("fred@example.org"), try mailbox("nobody@example.org"))
        #expect(memory.recall(fred, version: 1, asker: full) == nil)
        memory.remember(verified(fred), of: fred, version: 1, asker: full)
        memory.remember(.unknown, of: nobody, version: 1, asker: full)
        #expect(memory.recall(fred, version: 1, asker: full) == verified(fred))
        #expect(memory.recall(try mailbox("\"FRED\"@Example.ORG"), version: 1, asker: full) != nil)
        #expect(memory.recall(nobody, version: 1, asker: full) == .unknown)
    }

    @Test func forgetsWithTheVersion() throws {
        var memory = RecipientMemory(places: 64)
        let fred = try mailbox("fred@example.org")
        memory.remember(.unknown, of: fred, version: 7, asker: full)
        for version: UInt64 in [0, 6, 8, 1 << 31, 1 << 32 | 7] {
            #expect(memory.recall(fred, version: version, asker: full) == nil)
        }
        memory.remember(verified(fred), of: fred, version: 8, asker: full)
        #expect(memory.recall(fred, version: 8, asker: full) == verified(fred))
    }

    /// However often the directory has changed.
    @Test func forgetsAcrossTheWordOfAPlace() throws {
        var memory = RecipientMemory(places: 64)
        let (fred, jane) = (try mailbox("fred@example.org"), try mailbox("jane@example.org"))
        memory.remember(.unknown, of: fred, version: 7, asker: full)
        memory.remember(.unknown, of: jane, version: 1 << 32 | 7, asker: full)
        #expect(memory.recall(jane, version: 1 << 32 | 7, asker: full) == .unknown)
        #expect(memory.recall(fred, version: 1 << 32 | 7, asker: full) == nil)
        #expect(memory.recall(fred, version: 7, asker: full) == nil)
    }

    @Test func tellsClientsApart() throws {
        var memory = RecipientMemory(places: 64)
        let fred = try mailbox("fred@example.org")
        memory.remember(verified(fred), of: fred, version: 1, asker: existence)
        #expect(memory.recall(fred, version: 1, asker: full) == nil)
        let utf8 = RecipientMemory.Asker(disclosure: .existence, utf8: true)
        #expect(memory.recall(fred, version: 1, asker: utf8) == nil)
        #expect(memory.recall(fred, version: 1, asker: existence) == verified(fred))
    }

    /// The octets of both parts stand one after the other: where one ends and the other begins must count.
    @Test(arguments: [
        ("a@bc", "ab@c"), ("a@b.c", "a.b@c"), ("fred@example.org", "fred@example.or"), ("a@b", "a@bb"),
    ])
    func tellsNeighboursApart(one: String, other: String) throws {
        var memory = RecipientMemory(places: 2)
        memory.remember(.unknown, of: try mailbox(one), version: 1, asker: full)
        #expect(memory.recall(try mailbox(other), version: 1, asker: full) == nil)
        #expect(memory.recall(try mailbox(one), version: 1, asker: full) == .unknown)
    }

    @Test(arguments: [
        Verdict.couldNotTell, .loop, .suspended, .disabled, .moved(to: nil), .notServed, .notVerifiable,
        .tooManyQuestions, .closed,
    ])
    func keepsNothingElse(verdict: Verdict) throws {
        var memory = RecipientMemory(places: 64)
        let fred = try mailbox("fred@example.org")
        memory.remember(verdict, of: fred, version: 1, asker: full)
        #expect(memory.recall(fred, version: 1, asker: full) == nil)
    }

    @Test(arguments: [-1, 0, 1])
    func mayHaveNoPlace(places: Int) throws {
        var memory = RecipientMemory(places: places)
        let fred = try mailbox("fred@example.org")
        memory.remember(.unknown, of: fred, version: 1, asker: full)
        #expect(memory.recall(fred, version: 1, asker: full) == nil)
    }

    @Test func longOnesAreAskedAnew() throws {
        var memory = RecipientMemory(places: 64)
        for count in 30...50 {
            let long = try mailbox(String(repeating: "x", count: count) + "@example.org")
            memory.remember(.unknown, of: long, version: 1, asker: full)
            let recalled = memory.recall(long, version: 1, asker: full)
            #expect(recalled == nil || (recalled == .unknown && count + 11 <= 40))
        }
    }

    /// However full it is, it says what is true or nothing.
    @Test func isNeverWrong() throws {
        var memory = RecipientMemory(places: 2048)
        let mailboxes = try (0..<2000).map { try mailbox("user\($0)@example.org") }
        var found = 0
        for pass in 0..<6 {
            let version = UInt64(pass / 2)
            for (index, mailbox) in mailboxes.enumerated() {
                let verdict = (index + pass / 2).isMultiple(of: 3) ? Verdict.unknown : verified(mailbox)
                if let recalled = memory.recall(mailbox, version: version, asker: full) {
                    #expect(recalled == verdict)
                    found += 1
                }
                memory.remember(verdict, of: mailbox, version: version, asker: full)
                #expect(memory.recall(mailbox, version: version, asker: full) == verdict)
            }
        }
        #expect(found > 0)
    }

    /// However many it has to grow for.
    @Test func growsAsItFills() throws {
        var memory = RecipientMemory(places: 1 << 16)
        let mailboxes = try (0..<20_000).map { try mailbox("user\($0)@example.org") }
        for _ in 0..<2 {
            for mailbox in mailboxes { memory.remember(.unknown, of: mailbox, version: 1, asker: full) }
        }
        let found = mailboxes.count { memory.recall($0, version: 1, asker: full) == .unknown }
        #expect(found > 15_000)
    }
}
