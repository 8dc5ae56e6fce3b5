// The verdict in the words of SMTP.

public import SMTPProtocol

extension Verdict {
    /// The reply on this wire.
    /// - Parameter naming: whether the possibilities are named when a name is ambiguous.
    public func reply(on wire: Wire, form: ReplyForm, naming: Bool = true) -> Reply {
        switch self {
        case .verified(let mailbox):
            return wire == .recipient ? ReplyCatalogue.recipientOK : ReplyCatalogue.verified(mailbox)
        case .full(let mailbox):
            return wire == .recipient ? ReplyCatalogue.full : ReplyCatalogue.verified(mailbox)
        case .willForward(let address, _): return ReplyCatalogue.willForward(to: address)
        case .moved(let address): return address.map(ReplyCatalogue.pleaseTry) ?? ReplyCatalogue.movedAway
        case .members(let mailboxes): return ReplyCatalogue.members(mailboxes) ?? ReplyCatalogue.noMembers
        case .noMembers: return ReplyCatalogue.noMembers
        case .membersHidden:
            return form == .plain ? ReplyCatalogue.accessDeniedPlain : ReplyCatalogue.accessDenied
        case .notVerifiable:
            switch wire {
            case .recipient: return ReplyCatalogue.recipientOK
            case .expand: return ReplyCatalogue.membersNotVerified
            default: return ReplyCatalogue.notVerified
            }
        case .unknown: return wire == .recipient ? ReplyCatalogue.recipientUnknown : ReplyCatalogue.noMatch(form)
        case .notServed: return wire == .recipient ? ReplyCatalogue.relayingDenied : ReplyCatalogue.domainNotServed
        case .ambiguous(let mailboxes, _):
            return naming && !mailboxes.isEmpty
                ? ReplyCatalogue.possibilities(mailboxes) : ReplyCatalogue.ambiguous(form)
        case .disabled: return ReplyCatalogue.disabled
        case .suspended: return ReplyCatalogue.suspended
        case .couldNotTell: return ReplyCatalogue.couldNotTell
        case .loop: return ReplyCatalogue.loop
        case .closed: return wire == .expand ? ReplyCatalogue.expansionClosed : ReplyCatalogue.closed
        case .needsUTF8: return ReplyCatalogue.utf8Required
        case .nonASCIIPath: return ReplyCatalogue.nonASCIIPath
        case .tooManyQuestions: return ReplyCatalogue.tooManyQuestionsNow
        }
    }
}
