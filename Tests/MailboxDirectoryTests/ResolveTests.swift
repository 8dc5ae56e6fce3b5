import DirectoryTesting
import MailboxDirectory
import Testing

@Test(arguments: resolveTable)
func resolves(_ row: ResolveRow) throws {
    #expect(try row.answer { try MemoryStore() }.text == row.expected)
}

/// Step by step, as whoever waits for answers walks, comes to the same end.
@Test(arguments: resolveTable)
func resolvesStepByStep(_ row: ResolveRow) throws {
    func walked(_ sources: [any Source]) throws -> Resolution {
        var walk = Expansion(
            Question(text: row.question), purpose: row.purpose, sources: sources.indices.map { "source \($0)" },
            defaultDomain: ResolveRow.defaultDomain, limits: row.limits)
        var step = walk.next()
        while case .lookUp(let lookup, let source) = step { step = walk.answered(sources[source].answer(lookup)) }
        guard case .finished(let resolution) = step else { throw StoreError.notFound(.user, "the end") }
        return resolution
    }
    let resolution = try row.withSources(from: { try MemoryStore() }, walked)
    #expect(resolution.text == row.expected)
}
