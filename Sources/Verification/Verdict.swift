// What is true of a name or an address, as far as we are willing to say it. Every wire and the command line end here.

public import MailAddress
public import SMTPProtocol

/// The closed set of answers. Each wire has its own form for each of them; none has an answer of its own.
public enum Verdict: Hashable, Sendable {
    /// A mailbox or a list is here, or a redirection that ends well.
    case verified(NamedMailbox)
    /// The same, but the mailbox has no room now.
    case full(NamedMailbox)
    /// Mail is accepted, and goes to this address elsewhere.
    case willForward(to: Mailbox, asked: Mailbox)
    /// Mail is refused; this is the right address, or nil when it is not known or not to be told.
    case moved(to: Mailbox?)
    /// What EXPN shows: never empty.
    case members([NamedMailbox])
    /// The list is here, but not a member of it takes mail.
    case noMembers
    /// The list is here, but this client may not see its members.
    case membersHidden
    /// A relay domain: ours to accept, not to know.
    case notVerifiable
    case unknown
    case notServed
    /// Several mailboxes bear the name; `complete` is false where there are more than are given.
    case ambiguous([NamedMailbox], complete: Bool)
    case disabled
    case suspended
    case couldNotTell
    /// A loop, or a limit passed.
    case loop
    /// The command is closed to this client.
    case closed
    /// The answer can't be shown without UTF-8, and the client did not ask for it.
    case needsUTF8
    /// A non-ASCII address where SMTPUTF8 was not given.
    case nonASCIIPath
    /// Too many questions from this client just now.
    case tooManyQuestions
}

/// Where a question is asked. The verdict is the same; the words, and what may be told, differ.
public enum Wire: String, Hashable, Sendable {
    case verify = "VRFY"
    case expand = "EXPN"
    case recipient = "RCPT"
}

extension Verdict {
    /// The verdict as a word with stable spelling, for `--json` and logs.
    public var word: String {
        switch self {
        case .verified: "verified"
        case .full: "full"
        case .willForward: "will-forward"
        case .moved: "moved"
        case .members: "members"
        case .noMembers: "no-members"
        case .membersHidden: "members-hidden"
        case .notVerifiable: "not-verifiable"
        case .unknown: "unknown"
        case .notServed: "not-served"
        case .ambiguous: "ambiguous"
        case .disabled: "disabled"
        case .suspended: "suspended"
        case .couldNotTell: "could-not-tell"
        case .loop: "loop"
        case .closed: "closed"
        case .needsUTF8: "needs-utf8"
        case .nonASCIIPath: "non-ascii-path"
        case .tooManyQuestions: "too-many-questions"
        }
    }
}
