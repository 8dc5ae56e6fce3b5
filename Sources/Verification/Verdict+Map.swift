// The verdict in the words of maps. Whether a map has a key is what RCPT says of it: 4yz is "ask again later", 5yz is
// "not found". So no map can tell what SMTP does not.

public import LookupProtocols
import MailAddress
import MailboxDirectory
import SMTPProtocol

extension Verdict {
    /// What a map says where RCPT does not take the address; with the code and the text of that reply where the answer has
    /// room for one.
    public var refusal: MapAnswer {
        let reply = reply(on: .recipient, form: .enhanced)
        guard reply.code < 500 else { return .absent }
        let code = reply.enhancedCode.map { "\(reply.code / 100).\($0.subject).\($0.detail) " } ?? ""
        return .temporary(Array(code.utf8) + reply.text)
    }

    var isPositive: Bool { reply(on: .recipient, form: .enhanced).isPositive }
}

extension Judgement {
    /// The answer to what is remembered: the same as on the walk that it was learned from.
    func answer(on fact: MailboxMemory.Fact, asked: Mailbox, of map: DirectoryMap) -> MapAnswer? {
        switch (fact, map) {
        case (_, .domains), (_, .relayDomains), (_, .transport): nil
        case (.unknown, _): .absent
        case (.list(let mailbox?), .mailboxes), (.list(let mailbox?), .recipients): .found([mailbox])
        case (.listOfNobody, .mailboxes), (.listOfNobody, .recipients): Verdict.noMembers.refusal
        case (.list, _), (.listOfNobody, _): nil
        case (.user(nil, _, _), .mailboxes), (.user(nil, _, _), .recipients), (.user, .senders): nil
        case (.user(let mailbox?, _, _), .mailboxes), (.user(let mailbox?, _, _), .recipients): .found([mailbox])
        // An active user without a forward, at the address itself.
        case (.user, .aliases), (.user, .aliasesStep), (.user, .forwards), (.user, .relocated): .absent
        }
    }

    func answer(on resolution: Resolution, asked: Mailbox, of map: DirectoryMap) -> MapAnswer {
        let verdict = verdict(on: resolution)
        guard case .answered = resolution.outcome else { return verdict.refusal }
        switch map {
        case .domains: return resolution.served.map { $0.isRelay ? .absent : .found($0.domain.octets) } ?? .absent
        case .relayDomains: return resolution.served.map { $0.isRelay ? .found($0.domain.octets) : .absent } ?? .absent
        case .transport: return resolution.served?.transport.map { .found(Array($0.utf8)) } ?? .absent
        case .mailboxes:
            // An alias of an address in a relay domain is on record; the address itself is not.
            if case .notVerifiable = verdict, resolution.end?.mailbox == asked { return .absent }
            return recipient(verdict, asked)
        case .recipients: return recipient(verdict, asked)
        case .aliases, .aliasesStep: return aliases(resolution, verdict, asked, isStep: map == .aliasesStep)
        case .forwards: return forwards(resolution, verdict)
        case .relocated:
            // Who is only suspended has not moved, and Postfix asks this of senders too.
            if case .moved(let address?) = verdict { return .found([address]) }
            return .absent
        case .senders: return senders(resolution, verdict)
        }
    }

    private func recipient(_ verdict: Verdict, _ asked: Mailbox) -> MapAnswer {
        switch verdict {
        case .verified(let mailbox): .found([mailbox.mailbox])
        case .willForward(_, let asked): .found([asked])
        case .notVerifiable: .found([asked])
        default: verdict.refusal
        }
    }

    private func aliases(
        _ resolution: Resolution, _ verdict: Verdict, _ asked: Mailbox, isStep: Bool
    ) -> MapAnswer {
        switch redirection(resolution, verdict, asked) {
        case .none: return .absent
        case .refused(let answer): return answer
        case .targets(let mailboxes):
            if isStep, !resolution.step.isEmpty { return .found(resolution.step) }
            // Who is suspended gets the mail later; who is disabled or has moved takes none.
            let waiting = resolution.failures.filter { $0.reason == .suspended }.map(\.address)
            return .found(mailboxes + waiting)
        }
    }

    /// Where mail for an address is to be sent instead.
    enum Redirection {
        /// Nothing is on record that leads elsewhere: whether mail is taken is not said.
        case none
        case refused(MapAnswer)
        /// To all that take it now; never empty.
        case targets([Mailbox])
    }

    func redirection(_ resolution: Resolution, _ verdict: Verdict, _ asked: Mailbox) -> Redirection {
        if resolution.chain.isEmpty, resolution.step.isEmpty { return .none }
        if resolution.chain.count == 1, resolution.step.isEmpty,
            case .user(let user, forward: nil) = resolution.chain[0], user.address.domain == asked.domain,
            asked.isAddressed(by: user.address.localPart, detail: resolution.detailAtEnd)
        {
            return .none
        }
        if resolution.recipients.count == 1, resolution.recipients[0].address == asked { return .none }
        if !verdict.isPositive { return .refused(verdict.refusal) }
        return .targets(resolution.recipients.map(\.address))
    }

    private func forwards(_ resolution: Resolution, _ verdict: Verdict) -> MapAnswer {
        guard let forward = resolution.chain.first?.forward else { return .absent }
        // No more than the address itself among the targets is no forward.
        if forward.next == nil, forward.targets.allSatisfy({ $0 == forward.address }) { return .absent }
        return verdict.isPositive ? .found(resolution.step) : verdict.refusal
    }

    private func senders(_ resolution: Resolution, _ verdict: Verdict) -> MapAnswer {
        for entry in resolution.chain {
            guard case .user(let user, _) = entry else { continue }
            // Wherever the user forwards mail to, the address is the user's own.
            switch user.status {
            case .active, .full: return .found(logins: [user.login ?? user.address.description])
            case .disabled: return .absent
            case .suspended: return Verdict.suspended.refusal
            }
        }
        if case .full = verdict {} else if !verdict.isPositive { return verdict.refusal }
        let users = resolution.recipientsByMailbox.filter { if case .user = $0.kind { true } else { false } }
        return .found(logins: users.map { $0.login ?? $0.mailbox.description })
    }
}

extension Resolution {
    /// The detail that goes on with the one whom the way ends at, whether mail is taken now or later.
    fileprivate var detailAtEnd: [UInt8] {
        end?.detail ?? failures.first.map { Array($0.separatedDetail.dropFirst()) } ?? []
    }
}

extension Mailbox {
    /// Where the separator of the detail stands.
    private func separator(of detail: [UInt8]) -> Int { localPart.octets.count - detail.count - 1 }

    /// Whether this is the mailbox of that local-part itself, be it with a detail, and not another address of it.
    fileprivate func isAddressed(by base: LocalPart, detail: [UInt8]) -> Bool {
        if localPart == base { return true }
        let (octets, end) = (localPart.octets, separator(of: detail))
        // Where the detail is empty there may be none at all: no letter or digit separates.
        guard end > 0, octets[end] < 0x80, !octets[end].isAlphanumeric else { return false }
        return (try? LocalPart(octets: Array(octets[..<end]))) == base
    }
}

extension MapAnswer {
    fileprivate static func found(_ mailboxes: [Mailbox]) -> MapAnswer {
        var value: [UInt8] = []
        value.reserveCapacity(64 * mailboxes.count)
        for mailbox in mailboxes {
            if !value.isEmpty { value += [UInt8(ascii: ","), UInt8(ascii: " ")] }
            mailbox.append(to: &value)
        }
        return value.isEmpty ? .absent : .found(value)
    }

    /// A login that could be read as two is left out: else one user could bear the name of another.
    fileprivate static func found(logins: [String]) -> MapAnswer {
        let whole = logins.filter { login in
            !login.isEmpty && login.utf8.allSatisfy { $0 > 32 && $0 != 127 && $0 != UInt8(ascii: ",") }
        }
        return whole.isEmpty ? .absent : .found(Array(whole.joined(separator: ", ").utf8))
    }
}
