// One question to one source, and its three outcomes.

public import MailAddress

/// What one source is asked: one step of a walk.
public enum Lookup: Hashable, Sendable {
    /// The record of a domain.
    case domain(Domain)
    /// The first of these addresses, in this order, that the source has anything at; never empty.
    case entries([Mailbox])
    /// Whoever bears a bare name in a local domain.
    case name(NameQuery)
    /// The members of the list at this address, which the source said it has: `absent` only when it has gone since, and
    /// then nothing can be told.
    case members(of: Mailbox)
    /// The members after a place that `.page` has told: asked only of the source that gave it.
    case moreMembers(of: Mailbox, after: Int)
    /// The targets of the alias at this address after a place that `Alias.next` or `.page` has told: likewise.
    case moreTargets(of: Mailbox, after: Int)
}

/// A bare name: looked for as a local-part, then as a login name, then as a full name or one whole word of it; each in
/// local domains only, not in relay or alias domains. The first of these that matches anything is the answer.
public struct NameQuery: Hashable, Sendable {
    /// The name as a local-part; nil when it can't be one.
    public var localPart: LocalPart?
    /// The name, folded (`NameFolding.fold`).
    public var folded: [UInt8]
    /// At most so many matches are wanted; a source stops there.
    public var limit: Int

    public init(localPart: LocalPart?, folded: [UInt8], limit: Int) {
        self.localPart = localPart
        self.folded = folded
        self.limit = limit
    }
}

/// In what way a bare name matched; the lower is the better.
public enum NameRank: Int, Comparable, Hashable, Sendable {
    case localPart
    case login
    case fullName

    public static func < (one: NameRank, other: NameRank) -> Bool { one.rawValue < other.rawValue }
}

/// What a source answers. "Not found" is a value here, and so is "could not tell": the two are never confused. An answer
/// of another kind than the lookup is taken as "could not tell".
public enum Answer: Hashable, Sendable {
    case domain(DomainRecord)
    /// What stands at the key with this index in the question's list.
    case entry(Entry, key: Int)
    /// All that match in the best way there is, up to the limit that was asked for; never empty.
    case matches([Entry], NameRank)
    /// In the list's order; may be empty.
    case members([ListMember])
    /// Some of the members, in the list's order, and the place after which `moreMembers` goes on: for a list so long that to
    /// read it whole would hold up others. Targets of an alias likewise.
    case page([ListMember], next: Int)
    case absent
    case couldNotTell(Trouble)
    /// What was found so long ago, told because the source can't be asked now; never `absent`. A walk says so in its trace.
    indirect case stale(Answer, age: Duration)
}

extension Answer {
    /// Whether there is more of it to be asked for.
    public var goesOn: Bool {
        switch self {
        case .page: true
        case .entry(let entry, _): entry.goesOn
        case .matches(let entries, _): entries.contains(where: \.goesOn)
        case .domain, .members, .absent, .couldNotTell: false
        case .stale(let known, _): known.goesOn
        }
    }
}

extension Entry {
    fileprivate var goesOn: Bool {
        if case .alias(let alias) = self { return alias.next != nil }
        return forward?.next != nil
    }
}

/// Why a source could not tell. For the log, never for a client.
public struct Trouble: Error, Hashable, Sendable, CustomStringConvertible {
    public var source: String
    public var reason: String

    public init(source: String, reason: String) {
        self.source = source
        self.reason = reason
    }

    public var description: String { "source \(source) could not tell: \(reason)" }
}

/// A configured directory. A source never knows a protocol.
public protocol Source {
    /// The name it bears in the configuration, in traces and in logs.
    var name: String { get }

    /// The answer. Where `answersAtOnce` is false this waits for it, up to the source's own time limit: never call it on an
    /// event loop then.
    func answer(_ lookup: Lookup) -> Answer

    /// Whether `answer` never waits. When false, `ask` is the way on an event loop.
    var answersAtOnce: Bool { get }

    /// Asks without waiting. Returns the answer when it is at hand; else nil, and `later` is called once, on any thread.
    func ask(_ lookup: Lookup, later: @escaping @Sendable (Answer) -> Void) -> Answer?

    /// The lookups until `endBatch()`, or until the next call of this, may share one view of the directory. It is no older
    /// than this call: what was written before is seen.
    func beginBatch()

    func endBatch()

    /// In a batch: a number that is another one whenever any answer may be another one, for whoever remembers answers;
    /// nil when the source can't tell, and then nothing may be remembered.
    func version() -> UInt64?

    /// To be called when this owner will ask no more: lets go what the source has open for him alone. A question all the
    /// same opens it anew.
    func release()

    /// A source of its own that sees what is there now, and that alone, for as long as it is kept: for a walk that goes on
    /// while others write. Nil where there is none to be had.
    func view() -> (any Source)?
}

extension Source {
    public var answersAtOnce: Bool { true }
    public func ask(_ lookup: Lookup, later: @escaping @Sendable (Answer) -> Void) -> Answer? { answer(lookup) }
    public func beginBatch() {}
    public func endBatch() {}
    public func version() -> UInt64? { nil }
    public func release() {}
    public func view() -> (any Source)? { nil }
}
