// A source that can't tell, at each lookup of each row of the resolve table: nothing may be concluded from it.

import DirectoryTesting
import MailAddress
import MailboxDirectory
import Testing

private func empty() throws -> any RecordStore { try MemoryStore() }

/// How many lookups the row takes.
private func lookups(_ row: ResolveRow) throws -> Int {
    var count = 0
    _ = try row.answer(from: empty) { number, _, answer in
        count = number + 1
        return answer
    }
    return count
}

/// An answer of each kind.
private let kinds: [Answer] = [
    .domain(DomainRecord(domain: ResolveRow.defaultDomain)),
    .entry(.moved(Moved(address: Mailbox(localPart: .postmaster, domain: ResolveRow.defaultDomain))), key: 9),
    .matches([], .login), .members([ListMember]()),
]

@Suite struct Failures {
    @Test(arguments: resolveTable)
    func couldNotTell(_ row: ResolveRow) throws {
        let trouble = Trouble(source: "memory", reason: "gone")
        for failing in 0..<(try lookups(row)) {
            let resolution = try row.answer(from: empty) { number, _, answer in
                number == failing ? .couldNotTell(trouble) : answer
            }
            #expect(resolution.outcome == .couldNotTell(trouble), "at lookup \(failing)")
            #expect(resolution.recipients.isEmpty && resolution.failures.isEmpty && resolution.end == nil)
        }
    }

    @Test(arguments: resolveTable)
    func answersOfAnotherKind(_ row: ResolveRow) throws {
        for failing in 0..<(try lookups(row)) {
            for wrong in kinds {
                var isRight = false
                let resolution = try row.answer(from: empty) { number, lookup, answer in
                    if number != failing { return answer }
                    switch (lookup, wrong) {
                    case (.domain, .domain), (.members, .members): isRight = true
                    default: break
                    }
                    return wrong
                }
                if isRight { continue }
                guard case .couldNotTell = resolution.outcome else {
                    Issue.record("lookup \(failing) with \(wrong): \(resolution.text)")
                    continue
                }
            }
        }
    }

    /// An absent answer may be true; it may not crash, nor may a list that is gone pass for one without members.
    @Test(arguments: resolveTable)
    func absent(_ row: ResolveRow) throws {
        for failing in 0..<(try lookups(row)) {
            var isMembers = false
            let resolution = try row.answer(from: empty) { number, lookup, answer in
                if number != failing { return answer }
                if case .members = lookup { isMembers = true }
                return .absent
            }
            if isMembers { #expect(resolution.text == "could not tell") }
        }
    }

    @Test func noSources() throws {
        let expansion = Expansion(
            .postmaster, purpose: .resolve, sources: [], defaultDomain: ResolveRow.defaultDomain, isTracing: true)
        guard case .couldNotTell = expansion.run([]).outcome else {
            Issue.record("nobody was asked, and there is an answer")
            return
        }
    }

    /// Reading the trace changes nothing.
    @Test(arguments: resolveTable)
    func tracing(_ row: ResolveRow) throws {
        let resolution = try row.answer(from: empty, isTracing: true)
        #expect(resolution.text == row.expected)
        #expect(!resolution.trace.isEmpty || row.limits.lookups == 0)
    }

    /// What was found before is as good as what is found, and the trace says so.
    @Test(arguments: resolveTable)
    func foundBefore(_ row: ResolveRow) throws {
        var stale = 0
        let resolution = try row.answer(from: empty, isTracing: true) { _, _, answer in
            if case .absent = answer { return answer }
            stale += 1
            return .stale(answer, age: .seconds(41))
        }
        #expect(resolution.text == row.expected)
        #expect(resolution.trace.filter { $0.reason.contains("found 41 s ago") }.count == stale)
    }
}
