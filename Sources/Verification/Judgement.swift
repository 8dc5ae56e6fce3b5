// From what a walk found to the verdict on one wire for one client. No lookup, no clock: a table in code.

public import MailAddress
public import MailboxDirectory
public import SMTPProtocol

/// Decides what one client is told on one wire.
public struct Judgement: Hashable, Sendable {
    public var wire: Wire
    public var disclosure: Disclosure
    /// Whether the client takes UTF-8 in this reply.
    public var utf8: Bool
    /// Whether the client's mail is taken for domains elsewhere.
    public var mayRelay: Bool

    public init(wire: Wire, disclosure: Disclosure, utf8: Bool, mayRelay: Bool = false) {
        self.wire = wire
        self.disclosure = disclosure
        self.utf8 = utf8
        self.mayRelay = mayRelay
    }

    /// The judgement on what one client asks.
    public init(_ query: Query, by client: ClientClass) {
        switch query {
        case .recipient(_, let utf8):
            self.init(wire: .recipient, disclosure: client.disclosure, utf8: utf8, mayRelay: client.mayRelay)
        case .verify(_, let utf8): self.init(wire: .verify, disclosure: client.disclosure, utf8: utf8)
        case .expand(_, let utf8): self.init(wire: .expand, disclosure: client.disclosure, utf8: utf8)
        }
    }

    /// Whether a user's name may be told.
    public var tellsNames: Bool { wire != .recipient }

    /// The verdict where no lookup is needed: closed is closed whoever is asked for, so that nothing can be told from the
    /// answer (RFC 5321 7.3).
    public var decided: Verdict? {
        switch wire {
        case .verify: disclosure.vrfy == .closed ? .closed : nil
        case .expand: disclosure.expn == .closed ? .closed : nil
        case .recipient: nil
        }
    }

    /// The verdict on what is remembered of the asked mailbox: the same as on the walk that it was learned from. Nil where
    /// what is remembered does not suffice.
    public func verdict(on fact: MailboxMemory.Fact, asked: Mailbox) -> Verdict? {
        switch (fact, wire) {
        case (.unknown, _): return .unknown
        case (.list, .recipient): return .verified(NamedMailbox(name: "", mailbox: asked))
        case (.listOfNobody, .recipient): return .noMembers
        case (.list, _), (.listOfNobody, _): return nil
        // RCPT is told neither name nor spelling.
        case (.user, .recipient): return .verified(NamedMailbox(name: "", mailbox: asked))
        case (.user(let mailbox?, let name?, _), _):
            let shown = NamedMailbox(name: shown(name), mailbox: mailbox)
            return sayable(wire == .expand ? .members([shown]) : .verified(shown))
        case (.user, _): return nil
        }
    }

    /// The verdict on a finished walk.
    public func verdict(on resolution: Resolution) -> Verdict {
        sayable(unrestricted(resolution))
    }

    /// Whether forwards, new addresses, names and possibilities may be told.
    private var isFull: Bool {
        switch wire {
        case .verify: disclosure.vrfy == .full
        case .expand: disclosure.expn == .full
        case .recipient: disclosure.rcpt == .full
        }
    }

    private func unrestricted(_ resolution: Resolution) -> Verdict {
        switch resolution.outcome {
        case .couldNotTell: return .couldNotTell
        case .loop, .limit: return .loop
        case .ambiguous(let entries, let complete):
            let shown = isFull ? entries.map { NamedMailbox(name: $0.displayName, mailbox: $0.address) } : []
            return .ambiguous(shown, complete: complete && isFull)
        case .answered: break
        }
        if resolution.recipients.isEmpty { return refusal(resolution) }
        switch wire {
        case .expand: return expansion(resolution)
        case .verify, .recipient: return existence(resolution)
        }
    }

    /// Nobody is reached: why not. What may pass by itself comes before what will not.
    private func refusal(_ resolution: Resolution) -> Verdict {
        if resolution.failures.contains(where: { $0.reason == .suspended }) { return .suspended }
        if case .list? = resolution.chain.last { return .noMembers }
        // Without a failure, what was opened held nothing; without a chain, nothing was found.
        guard let failure = resolution.failures.first else { return resolution.chain.isEmpty ? .unknown : .noMembers }
        switch failure.reason {
        case .unknown: return .unknown
        case .notServed: return .notServed
        case .disabled: return .disabled
        case .suspended: return .suspended
        // One address in place of several would be half the truth.
        case .moved(let address): return .moved(to: isFull && resolution.failures.count == 1 ? address : nil)
        }
    }

    /// VRFY and RCPT.
    private func existence(_ resolution: Resolution) -> Verdict {
        var verdict = location(resolution)
        // A list is full for RCPT when all are who are on it and take mail.
        if wire == .recipient, case .verified(let list) = verdict, case .list? = resolution.chain.last,
            resolution.recipients.allSatisfy({ $0.kind == .user(.full) })
        {
            verdict = .full(list)
        }
        // A mailbox without room is one whatever its forwards wish to be said.
        if case .full = verdict { return verdict }
        for entry in resolution.chain {
            guard let forward = entry.forward else { continue }
            switch forward.reply {
            case .auto: continue
            case .silent:
                return .verified(isFull ? named(entry) : askedMailbox(resolution))
            case .announced:
                guard isFull, !forward.keepsCopy, forward.targets.count == 1, forward.targets[0] != entry.address
                else { continue }
                return .willForward(to: forward.targets[0], asked: askedMailbox(resolution).mailbox)
            }
        }
        return verdict
    }

    /// Where mail ends, whatever forwards wish to be said of it.
    private func location(_ resolution: Resolution) -> Verdict {
        if let end = resolution.end {
            switch end.kind {
            case .relay: return .notVerifiable
            case .elsewhere:
                let asked = askedMailbox(resolution)
                return isFull ? .willForward(to: end.mailbox, asked: asked.mailbox) : .verified(asked)
            case .user(.full): return .full(isFull ? named(end) : askedMailbox(resolution))
            case .user, .postmaster, .list: return .verified(isFull ? named(end) : askedMailbox(resolution))
            }
        }
        let asked = askedMailbox(resolution)
        // Several are reached, or a copy is kept: the name that stands for them all.
        guard let last = resolution.chain.last else { return .verified(asked) }
        let mailbox = isFull ? named(last) : asked
        // A copy comes before whatever else is reached.
        if let copy = resolution.recipients.first, copy.mailbox == last.address, copy.kind == .user(.full) {
            return .full(mailbox)
        }
        return .verified(mailbox)
    }

    /// EXPN: every mailbox that is reached.
    ///
    /// DEVIATION: members that take no mail are left out, where RFC 5321 3.5.1 speaks of all mailboxes on the list. A
    /// 250 may name only what was verified (3.5.3), and only what is usable in RCPT (3.5.2). Where nobody is left the
    /// answer is 550, and 450 when some may take mail again. Tests: ExpansionTests.
    private func expansion(_ resolution: Resolution) -> Verdict {
        if let end = resolution.end {
            switch end.kind {
            case .list:
                if case .list(let list)? = resolution.chain.last, list.membership == .elsewhere {
                    return .notVerifiable
                }
                return .membersHidden
            case .relay: return .notVerifiable
            case .user, .postmaster, .elsewhere: break
            }
        }
        return .members(resolution.recipientsByMailbox.map { NamedMailbox(name: shown($0.name), mailbox: $0.mailbox) })
    }

    private func named(_ recipient: Recipient) -> NamedMailbox {
        NamedMailbox(name: shown(recipient.name), mailbox: recipient.mailbox)
    }

    private func named(_ entry: Entry) -> NamedMailbox {
        NamedMailbox(name: shown(entry.displayName), mailbox: entry.address)
    }

    /// The asked mailbox, for those who may not learn where it leads.
    private func askedMailbox(_ resolution: Resolution) -> NamedMailbox {
        let mailbox = resolution.asked ?? resolution.recipients[0].mailbox
        return NamedMailbox(name: shown(resolution.chain.first?.displayName ?? ""), mailbox: mailbox)
    }

    private func shown(_ name: String) -> String { isFull ? name : "" }

    /// The verdict as far as a reply can say it.
    private func sayable(_ verdict: Verdict) -> Verdict {
        // RCPT shows a mailbox in 251 and 551 only.
        switch (wire, verdict) {
        case (.recipient, .verified), (.recipient, .full): return verdict
        default: return utf8 ? inOneLine(verdict) : inASCII(inOneLine(verdict))
        }
    }

    /// RFC 5321 4.5.3.1.5: a mailbox that fits no reply line is not told. Nothing that goes on record here is so long; what
    /// is elsewhere or under a catch-all may be.
    private func inOneLine(_ verdict: Verdict) -> Verdict {
        switch verdict {
        case .verified(let mailbox), .full(let mailbox):
            return mailbox.mailbox.fitsReply ? verdict : .notVerifiable
        case .willForward(let address, let asked):
            if address.fitsReply { return verdict }
            return wire == .recipient ? .verified(NamedMailbox(name: "", mailbox: asked)) : .notVerifiable
        case .moved(let address?): return address.fitsReply ? verdict : .moved(to: nil)
        case .members(let mailboxes): return mailboxes.allSatisfy(\.mailbox.fitsReply) ? verdict : .notVerifiable
        case .ambiguous(let mailboxes, let complete):
            let shown = mailboxes.filter(\.mailbox.fitsReply)
            return .ambiguous(shown, complete: complete && shown.count == mailboxes.count)
        default: return verdict
        }
    }

    /// RFC 6531 3.7.4: without SMTPUTF8 no UTF-8 string may be in a reply. A name is left out; a mailbox can't be.
    private func inASCII(_ verdict: Verdict) -> Verdict {
        switch verdict {
        case .verified(let mailbox):
            return mailbox.mailbox.isASCII ? .verified(mailbox.withASCIIName) : .needsUTF8
        case .full(let mailbox):
            return mailbox.mailbox.isASCII ? .full(mailbox.withASCIIName) : .needsUTF8
        case .willForward(let address, let asked):
            if address.isASCII { return verdict }
            return wire == .recipient ? .verified(NamedMailbox(name: "", mailbox: asked)) : .needsUTF8
        case .moved(let address?):
            if address.isASCII { return verdict }
            return wire == .recipient ? .moved(to: nil) : .needsUTF8
        case .members(let mailboxes):
            return mailboxes.allSatisfy(\.mailbox.isASCII) ? .members(mailboxes.map(\.withASCIIName)) : .needsUTF8
        case .ambiguous(let mailboxes, let complete):
            // 553 needs no mailbox (RFC 5321 3.5.1), so those that can't be shown are left out.
            let shown = mailboxes.filter(\.mailbox.isASCII)
            return .ambiguous(shown.map(\.withASCIIName), complete: complete && shown.count == mailboxes.count)
        default: return verdict
        }
    }
}

extension Mailbox {
    /// Whether a reply line has room for it (RFC 5321 4.5.3.1.5).
    fileprivate var fitsReply: Bool {
        let limit = SMTPLimits.mailboxInReply
        // As spelled it has no more than two octets for one of the local-part, two quotes, and "@".
        if 2 * localPart.octets.count + 3 + domain.octets.count <= limit { return true }
        var spelled: [UInt8] = []
        append(to: &spelled)
        return spelled.count <= limit
    }
}

extension NamedMailbox {
    fileprivate var withASCIIName: NamedMailbox {
        let isASCII = name.utf8.withContiguousStorageIfAvailable { $0.allSatisfy { $0 < 128 } }
        return isASCII ?? name.utf8.allSatisfy { $0 < 128 } ? self : NamedMailbox(name: "", mailbox: mailbox)
    }
}
