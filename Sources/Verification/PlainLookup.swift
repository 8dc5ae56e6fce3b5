// The short way of most questions: a plain user, or plainly nobody, needs no walk.

public import MailAddress
public import MailboxDirectory

extension MailboxMemory.Fact {
    /// How many lookups this takes; a walk that may not take so many must say so itself.
    public static let plainLookups = 2

    /// What the only source there is has plainly at an address of a domain that is no alias: the same as a walk would find,
    /// or nil where that has more to find out, trouble above all.
    /// - Parameters:
    ///   - source: one that answers at once.
    ///   - read: what has been read, for the walk that may follow.
    public static func plain(_ mailbox: Mailbox, in source: any Source, read: inout FirstAnswers?) -> Self? {
        if mailbox.localPart.isPostmaster { return nil }
        guard case .domain(let record) = source.answer(.domain(mailbox.domain)) else { return nil }
        if case .alias = record.kind { return nil }
        let answer = source.answer(.entries([mailbox]))
        switch answer {
        case .entry(.user(let user, forward: nil), key: 0) where user.status == .active && user.address == mailbox:
            return .user(user.address, name: user.fullName, isInRelayDomain: record.kind == .relay)
        case .absent:
            // Without its detail somebody may be found, and else the catch-all or the kind of the domain decides.
            let separators = record.detailSeparators
            guard record.kind == .local, record.catchAll == nil,
                separators.isEmpty || !mailbox.localPart.hasBase(separators: separators)
            else { break }
            return .unknown
        // The walk asks once more.
        case .couldNotTell: return nil
        default: break
        }
        read = FirstAnswers(mailbox: mailbox, domain: record, entry: answer)
        return nil
    }
}
