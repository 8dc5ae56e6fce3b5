// What every wire asks of the directory: the rules that need no lookup come first, then what one entry says, then a walk.

public import MailAddress
public import MailboxDirectory

/// What is asked of the directory, and what is made of what is found. Two that are equal have the same answer as long as the
/// directory does not change.
public protocol DirectoryQuestion: Hashable, Sendable {
    associatedtype Answer: Sendable

    /// The full address that is asked about, of which what is found may be remembered; nil for a name, for a domain, and where
    /// a rule has decided already.
    var mailbox: Mailbox? { get }

    /// Whether the name of the user who is found is told.
    var tellsNames: Bool { get }

    /// Whether it asks who is on a list. That always takes a walk; and since the walk leaves the forwards of members alone, it
    /// does not tell whether mail reaches anybody.
    var asksForMembers: Bool { get }

    /// The answer on what is remembered of `mailbox`, or plainly stands there: the same as on a walk. Nil where that does not
    /// suffice.
    func answer(on fact: MailboxMemory.Fact, asked mailbox: Mailbox) -> Answer?

    /// What the directory is asked; nil where a rule has decided already.
    func expansion(in context: Inquiry.Context) -> Expansion?

    /// The answer. The resolution is that of `expansion(in:)`; nil where there was none to walk.
    func answer(on resolution: Resolution?) -> Answer
}

extension DirectoryQuestion {
    public var tellsNames: Bool { false }

    public var asksForMembers: Bool { false }

    /// The answer from sources that answer at once.
    public func answer(from sources: [any Source], in context: Inquiry.Context) -> Answer {
        answer(on: expansion(in: context)?.run(sources))
    }
}
