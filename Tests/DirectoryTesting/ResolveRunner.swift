// Runs rows of the resolve table against any store. It imports no test library: it gives back text to compare, so that
// the tests of every store can use it.

public import MailAddress
public import MailboxDirectory

/// One line of the resolve table.
public struct ResolveRow: Sendable, CustomStringConvertible {
    /// The rule that the row is about.
    public var rule: String
    /// Records, as `DirectoryText.swift` reads them.
    public var directory: String
    public var question: String
    public var purpose: Purpose
    public var limits: ExpansionLimits
    /// As `Resolution.text` writes it.
    public var expected: String

    public init(
        _ rule: String, _ directory: String, _ question: String, _ purpose: Purpose,
        limits: ExpansionLimits = ExpansionLimits(), _ expected: String
    ) {
        self.rule = rule
        self.directory = directory
        self.question = question
        self.purpose = purpose
        self.limits = limits
        self.expected = expected
    }

    /// A row that asks for every final recipient.
    public init(
        _ rule: String, _ directory: String, _ question: String, limits: ExpansionLimits = ExpansionLimits(),
        _ expected: String
    ) {
        self.init(rule, directory, question, .resolve, limits: limits, expected)
    }

    public var description: String { "\(rule): \(question)" }

    /// The domain of bare names in every row.
    public static let defaultDomain = Domain(stored: Array("a".utf8), key: Array("a".utf8))

    /// What the stores answer.
    /// - Parameter makeStore: a new and empty store; called once for each source of the row.
    public func answer(
        from makeStore: () throws -> any RecordStore, isTracing: Bool = false, tamper: Tamper? = nil
    ) throws -> Resolution {
        try withSources(from: makeStore, tamper: tamper) { resolve($0, isTracing: isTracing) }
    }

    /// What these sources answer, which hold the row's directory.
    public func resolve(_ sources: [any Source], isTracing: Bool = false, tamper: Tamper? = nil) -> Resolution {
        let count = Count()
        let asked = tamper.map { tamper in
            sources.map { TamperedSource(base: $0, count: count, tamper: tamper) }
        }
        return Expansion(
            Question(text: question), purpose: purpose, sources: sources.indices.map { "source \($0)" },
            defaultDomain: Self.defaultDomain, limits: limits, isTracing: isTracing
        ).run(asked ?? sources)
    }

    /// Gives `body` the row's directory in stores of this make.
    public func withSources<Result>(
        from makeStore: () throws -> any RecordStore, tamper: Tamper? = nil, _ body: ([any Source]) throws -> Result
    ) throws -> Result {
        let stores = try records(directory).map { records in
            let store = try makeStore()
            try store.write { writing in for record in records { try writing.insert(record) } }
            return store
        }
        let count = Count()
        return try reading(stores[...], []) { sources in
            guard let tamper else { return try body(sources) }
            return try body(sources.map { TamperedSource(base: $0, count: count, tamper: tamper) })
        }
    }
}

/// Gets each lookup with its number, counted from 0 over all sources, and the true answer; gives what is answered.
public typealias Tamper = (Int, Lookup, Answer) -> Answer

final class Count {
    var value = 0
}

struct TamperedSource: Source {
    let base: any Source
    let count: Count
    let tamper: Tamper

    var name: String { base.name }

    func answer(_ lookup: Lookup) -> Answer {
        defer { count.value += 1 }
        return tamper(count.value, lookup, base.answer(lookup))
    }
}

/// Opens one view of each store, all at once.
func reading<Result>(
    _ stores: ArraySlice<any RecordStore>, _ views: [any Source], _ body: ([any Source]) throws -> Result
) throws -> Result {
    guard let store = stores.first else { return try body(views) }
    return try store.read { view in try reading(stores.dropFirst(), views + [view], body) }
}
