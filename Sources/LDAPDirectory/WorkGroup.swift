// Several lookups in step: each round trip carries the searches of all that are still under way.

import MailboxDirectory

struct WorkGroup: Sendable {
    private var works: [EntriesWork]
    private(set) var answers: [Answer?]
    /// How many searches each has under way.
    private var counts: [Int]

    init(_ works: [EntriesWork]) {
        self.works = works
        answers = Array(repeating: nil, count: works.count)
        counts = Array(repeating: 0, count: works.count)
    }

    /// - Returns: the searches to carry out; none when all have their answers.
    mutating func begin() -> [LDAPSearch] {
        var searches: [LDAPSearch] = []
        for index in works.indices { keep(works[index].begin(), of: index, in: &searches) }
        return searches
    }

    mutating func take(_ outcomes: [SearchOutcome]) -> [LDAPSearch] {
        var searches: [LDAPSearch] = []
        var start = 0
        for index in works.indices where answers[index] == nil {
            let end = min(start + counts[index], outcomes.count)
            keep(works[index].take(Array(outcomes[start..<end])), of: index, in: &searches)
            start = end
        }
        return searches
    }

    private mutating func keep(_ step: WorkStep, of index: Int, in searches: inout [LDAPSearch]) {
        switch step {
        case .search(let more):
            counts[index] = more.count
            searches += more
        case .answered(let answer): answers[index] = answer
        }
    }
}
