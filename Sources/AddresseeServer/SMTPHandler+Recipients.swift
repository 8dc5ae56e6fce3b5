// RCPT where there is a next hop: all final recipients are found, and a mail server is asked for those that it is to have,
// before the client hears of it.

import AddresseeConfiguration
import MailAddress
import MailboxDirectory
import SMTPProtocol
import Verification

extension SMTPHandler {
    /// A recipient that the directory takes, and that waits for its turn at the server.
    struct AcceptedRecipient {
        var path: ForwardPath
        var query: Query
        var ticket: Int
        var parameters: Command.RecipientParameters?
        var verdict: Verdict
        var destinations: [Destination]
        var leftOut: [Mailbox]
        /// What is said where none of the others can be reached, because some of those may take mail later.
        var otherwise: Verdict?
    }

    /// RCPT where mail is taken.
    func accept(_ path: ForwardPath, _ query: Query, _ ticket: Int) {
        let parameters = session.recipientParameters
        guard case .mailbox(let mailbox) = path, mailbox.isRewritten, let rewriter = loop.rewriter else {
            return resolve(path, query, by: clientClass) { [self] in take(path, query, ticket, parameters, $0) }
        }
        // Where there is no such address, the map is asked before a catch-all or a relay domain takes it.
        resolve(path, query, by: clientClass, onlyOnRecord: true) { [self] acceptance in
            if case .refused(let verdict) = acceptance, verdict == .unknown || verdict == .notServed {
                return restore(mailbox, rewriter, query, ticket, parameters)
            }
            take(path, query, ticket, parameters, acceptance)
        }
    }

    private func resolve(
        _ path: ForwardPath, _ query: Query, by client: ClientClass, onlyOnRecord: Bool = false,
        _ done: @escaping (Acceptance) -> Void
    ) {
        let acceptance = loop.answer(
            DeliveryInquiry(query, to: path, by: client, over: routes, onlyOnRecord: onlyOnRecord), about: query.about,
            later: { [self] acceptance in resolved(acceptance, done) })
        if let acceptance { done(acceptance) }
    }

    private func resolved(_ acceptance: Acceptance, _ done: (Acceptance) -> Void) {
        if context == nil || state != .open { return }
        done(acceptance)
        goOnAfterAnswer()
    }

    /// A notification for an address that was made for a forwarded message goes to the sender of that. Whoever has made the
    /// address has signed it, so that the mail may go elsewhere, whoever brings it. What the map does not know is
    /// looked up like any other address.
    private func restore(
        _ mailbox: Mailbox, _ rewriter: SenderRewriter, _ query: Query, _ ticket: Int,
        _ parameters: Command.RecipientParameters?
    ) {
        rewriter.reverse(mailbox) { [self] answer in
            if context == nil || state != .open { return }
            var (path, query, client) = (ForwardPath.mailbox(mailbox), query, clientClass)
            switch answer {
            case .failed(let reason):
                return notRestored(mailbox, reason: reason, ticket)
            case .tooLong(let octets):
                return notRestored(mailbox, reason: "it would be for an address of \(octets) octets", ticket)
            case .kept: break
            case .rewritten(let original):
                path = .mailbox(original)
                query = .recipient(path, utf8: envelope?.parameters.utf8 ?? false)
                client.mayRelay = true
            }
            resolve(path, query, by: client) { [self] in
                take(.mailbox(mailbox), query, ticket, parameters, $0)
            }
            goOnAfterAnswer()
        }
    }

    private func notRestored(_ mailbox: Mailbox, reason: String, _ ticket: Int) {
        loop.shared.log.notRewritten(mailbox, reason: reason)
        say(ReplyCatalogue.notHandedOn, to: ticket)
        goOnAfterAnswer()
    }

    private func take(
        _ path: ForwardPath, _ query: Query, _ ticket: Int, _ parameters: Command.RecipientParameters?,
        _ acceptance: Acceptance
    ) {
        switch acceptance {
        case .refused(let verdict): answer(query, ticket, verdict)
        case .noRoute(let mailbox):
            loop.shared.log.noRoute(to: mailbox, about: query.about)
            say(ReplyCatalogue.noRoute, to: ticket)
        case .accepted(let verdict, let destinations, let leftOut, let otherwise):
            let recipient = AcceptedRecipient(
                path: path, query: query, ticket: ticket, parameters: parameters, verdict: verdict,
                destinations: destinations, leftOut: leftOut, otherwise: otherwise)
            // One after the other: what one of them gets depends on those before.
            if isAskingServer { return accepted.append(recipient) }
            admit(recipient)
        }
    }

    /// Goes on with the recipients that had to wait.
    private func goOnWithRecipients() {
        while !isAskingServer, !accepted.isEmpty { admit(accepted.removeFirst()) }
        goOnAfterAnswer()
    }

    /// What of a recipient's mailboxes has to be known before it is admitted.
    private struct Sorted: Sendable {
        /// The next hops of those that servers get, in the order in which they come up; no more than two.
        var servers: [Int] = []
        /// From whom those go on, unless the sender is rewritten.
        var sender: ReversePath
        /// The owner of the list by which each of them was reached, where it is one for all.
        var owner: Mailbox?
        /// Whether one of them was reached by a redirection to a domain elsewhere.
        var isForwarded: Bool
        /// Whether each mailbox that has a folder can have one.
        var canHaveFolders: Bool
        /// Those that no recipient so far has led to; nil where there are too many.
        var new: [Destination]?
        /// Those of them that servers get.
        var group: HopTransaction.Group

        init(_ destinations: [Destination], _ nextHops: [NextHopConfiguration], _ envelope: Envelope, limit: Int) {
            let servers = destinations.filter(nextHops.isServer)
            if let first = servers.first {
                self.servers = [first.nextHop]
                if let other = servers.first(where: { $0.nextHop != first.nextHop }) {
                    self.servers.append(other.nextHop)
                }
            }
            sender = envelope.sender(to: servers)
            owner = servers.first?.owner.flatMap { owner in servers.allSatisfy { $0.owner == owner } ? owner : nil }
            isForwarded = servers.contains(where: \.isForwarded)
            canHaveFolders = destinations.allSatisfy { nextHops.isServer($0) || nextHops.folder(of: $0) != nil }
            new = envelope.new(among: destinations, limit: limit)
            group = HopTransaction.Group(servers.isEmpty ? [] : (new ?? []).filter(nextHops.isServer).map(\.mailbox))
        }
    }

    private func admit(_ recipient: AcceptedRecipient) {
        guard let envelope else { return say(ReplyCatalogue.notHandedOn, to: recipient.ticket) }
        let (destinations, nextHops) = (recipient.destinations, nextHops)
        let limit = loop.service.configuration.expansion.addresses
        let sort = { @Sendable in Sorted(destinations, nextHops, envelope, limit: limit) }
        aside(destinations.count, sort) { [self] sorted in admit(recipient, sorted) }
    }

    /// Does what takes long on another thread, as `LoopContext.aside`; other recipients wait meanwhile.
    private func aside<Result: Sendable>(
        _ mailboxes: Int, _ work: @escaping @Sendable () -> Result, then: @escaping (Result) -> Void
    ) {
        var isLater = false
        isAskingServer = true
        loop.aside(mailboxes, work) { [self] result in
            isAskingServer = false
            loop.letGo(result, mailboxes: mailboxes)
            if context == nil || state != .open { return }
            then(result)
            if isLater { goOnWithRecipients() }
        }
        isLater = true
    }

    private func admit(_ recipient: AcceptedRecipient, _ sorted: Sorted) {
        defer { letGo(recipient) }
        if !sorted.canHaveFolders { return say(ReplyCatalogue.nameNotAllowed, to: recipient.ticket) }
        guard let new = sorted.new else { return say(ReplyCatalogue.tooManyMailboxes, to: recipient.ticket) }
        guard let first = sorted.servers.first else { return taken(recipient, new) }
        if let other = sorted.servers.dropFirst().first {
            // Two servers can't be had to take a message both or neither.
            loop.shared.log.twoServers(nextHops[first].name, nextHops[other].name, recipient.query.about)
            return answer(recipient.query, recipient.ticket, instead: recipient.verdict)
        }
        guard let sender = sender(of: recipient, sorted), let parameters = envelope?.parameters else { return }
        guard let pool = loop.pool(nextHops[first]) else {
            // It has gone from the configuration since the client connected.
            return say(ReplyCatalogue.notHandedOn, to: recipient.ticket)
        }
        let isFromList = sorted.owner.map(ReversePath.mailbox) == sender
        if let transaction, !transaction.recipients.isEmpty {
            if transaction.pool !== pool { return say(ReplyCatalogue.anotherServer, to: recipient.ticket) }
            if transaction.sender != sender { return say(ReplyCatalogue.anotherSender, to: recipient.ticket) }
        }
        let transaction = transaction(over: pool, from: sender, parameters, isFromList: isFromList)
        isAskingServer = true
        let isTold =
            recipient.destinations.count == 1 && .mailbox(recipient.destinations[0].mailbox) == recipient.path
        var group = sorted.group
        group.parameters = parametersOfFirst(of: recipient, isFromList: isFromList)
        transaction.add(group) { [self] verdict in
            isAskingServer = false
            letGo(recipient)
            if context == nil || state != .open { return }
            said(verdict, of: recipient, new, isTold: isTold)
            goOnWithRecipients()
        }
    }

    /// What is done with these mailboxes has been done, for now.
    private func letGo(_ recipient: AcceptedRecipient) {
        loop.letGo(recipient.destinations, mailboxes: recipient.destinations.count)
    }

    /// Who the sender is to be; nil where that has to be waited for, and the recipient is admitted again then.
    private func sender(of recipient: AcceptedRecipient, _ sorted: Sorted) -> ReversePath? {
        guard let envelope else { return nil }
        let sender = sorted.sender
        guard sender == envelope.sender, case .mailbox(let mailbox) = sender, sorted.isForwarded,
            let rewriter = loop.rewriter
        else { return sender }
        if let rewritten = envelope.rewritten { return rewritten }
        isAskingServer = true
        rewriter.forward(mailbox) { [self] answer in
            isAskingServer = false
            if context == nil || state != .open { return }
            switch answer {
            case .rewritten(let other): self.envelope?.rewritten = .mailbox(other)
            case .kept: self.envelope?.rewritten = sender
            case .tooLong(let octets):
                // No later try would make it shorter. The next server may refuse the sender as it is; then it hears of it.
                loop.shared.log.keptSender(mailbox, octets: octets)
                self.envelope?.rewritten = sender
            case .failed(let reason):
                loop.shared.log.notRewritten(mailbox, reason: reason)
                say(ReplyCatalogue.notHandedOn, to: recipient.ticket)
                return goOnWithRecipients()
            }
            admit(recipient)
            goOnWithRecipients()
        }
        return nil
    }

    private func said(
        _ verdict: HopTransaction.Verdict, of recipient: AcceptedRecipient, _ new: [Destination], isTold: Bool
    ) {
        switch verdict {
        case .heard(let refused):
            if !isTold { transaction?.namesOthers = true }
            leaveOut(refused, of: recipient, new, isTold: isTold)
        case .needsAnother: say(ReplyCatalogue.anotherTransaction, to: recipient.ticket)
        case .failed(let failure): say(failure.reply, to: recipient.ticket)
        case .refused(let reply, let mailbox): refuse(recipient, reply, of: mailbox, isTold: isTold)
        }
    }

    /// - Parameter mailbox: whom the server refuses of those that the recipient leads to; nil where it is the sender.
    private func refuse(_ recipient: AcceptedRecipient, _ reply: HeardReply, of mailbox: Mailbox?, isTold: Bool) {
        tell(of: recipient, reply, of: mailbox, isTold: isTold)
        say(ReplyCatalogue.nextHopRefused(reply, isTold: isTold, isOfRecipient: true), to: recipient.ticket)
    }

    /// Names in the log who is behind an address that is refused: the client is not told.
    private func tell(of recipient: AcceptedRecipient, _ reply: HeardReply, of mailbox: Mailbox?, isTold: Bool) {
        guard let hop = transaction?.pool.hop else { return }
        loop.shared.log.refusedByNextHop(hop.name, about: recipient.query.about, isTold ? nil : mailbox, reply)
    }

    /// Goes on without those whom the server has refused for good, as long as the message reaches anybody: one member who has
    /// gone must not stop a list.
    private func leaveOut(
        _ refused: [HopTransaction.Refusal], of recipient: AcceptedRecipient, _ new: [Destination], isTold: Bool
    ) {
        guard let first = refused.first else { return taken(recipient, new) }
        let (destinations, log, about) = (recipient.destinations, loop.shared.log, recipient.query.about)
        let name = transaction?.pool.hop.name ?? ""
        let without = { @Sendable in
            let mailboxes = Set(refused.map(\.mailbox))
            let left = destinations.filter { !mailboxes.contains($0.mailbox) }
            if left.isEmpty {
                for refusal in refused.dropFirst() {
                    log.refusedByNextHop(name, about: about, isTold ? nil : refusal.mailbox, refusal.reply)
                }
            } else {
                for refusal in refused { log.leftOut(refusal.mailbox, about: about, by: name, refusal.reply) }
            }
            return (left, new.filter { !mailboxes.contains($0.mailbox) })
        }
        aside(destinations.count, without) { [self] destinations, new in
            if destinations.isEmpty {
                guard let otherwise = recipient.otherwise else {
                    return refuse(recipient, first.reply, of: first.mailbox, isTold: isTold)
                }
                tell(of: recipient, first.reply, of: first.mailbox, isTold: isTold)
                return answer(recipient.query, recipient.ticket, otherwise)
            }
            var recipient = recipient
            recipient.destinations = destinations
            taken(recipient, new)
        }
    }

    private func taken(_ recipient: AcceptedRecipient, _ new: [Destination]) {
        let (destinations, leftOut) = (recipient.destinations, recipient.leftOut)
        let (log, about) = (loop.shared.log, recipient.query.about)
        if !leftOut.isEmpty { loop.aside(leftOut.count, { log.leftOut(leftOut, about: about) }, then: {}) }
        if destinations.count < LoopContext.many, (envelope?.size ?? 0) < LoopContext.many {
            // In place: no other thread holds the envelope, so it is not copied.
            envelope?.add(recipient.path, to: destinations, new: new)
            return answer(recipient.query, recipient.ticket, recipient.verdict)
        }
        guard let envelope else { return }
        let added = { @Sendable in
            var envelope = envelope
            envelope.add(recipient.path, to: destinations, new: new)
            return envelope
        }
        aside(LoopContext.many, added) { [self] envelope in
            if let before = self.envelope { loop.letGo(before, mailboxes: before.size) }
            self.envelope = envelope
            answer(recipient.query, recipient.ticket, recipient.verdict)
        }
    }

    /// Who would be told "will forward" is told where to send it instead (RFC 5321 3.4).
    private func answer(_ query: Query, _ ticket: Int, instead verdict: Verdict) {
        if case .willForward(let address, _) = verdict { return answer(query, ticket, .moved(to: address)) }
        say(ReplyCatalogue.twoWays, to: ticket)
    }

    /// The transaction with this server and from this sender. One that has recipients is for the same.
    ///
    /// DEVIATION: RFC 5321 4.5.3.1.8 wants a hundred recipients to be taken together. Where they go to several servers, or from
    /// several senders, those of the first are taken, and the others get 452, after which a client sends them anew (4.5.3.1.10):
    /// two servers can't be had to take a message both or neither. Tests: test_next_hop.
    private func transaction(
        over pool: HopPool, from sender: ReversePath, _ parameters: Command.MailParameters, isFromList: Bool
    ) -> HopTransaction {
        if let transaction {
            if transaction.pool === pool, transaction.sender == sender { return transaction }
            transaction.abandon()
        }
        var parameters = parameters
        if isFromList {
            // What a list sends on is a message of its own (RFC 3461 5.2.7.1).
            (parameters.returned, parameters.envelopeID) = (nil, nil)
        }
        let new = HopTransaction(
            pool, from: sender, parameters, name: loop.service.hostname,
            timeouts: loop.service.configuration.timeouts.nextHop)
        transaction = new
        return new
    }

    /// What goes on of the parameters of RFC 3461, with the first of those that the server is asked for: they go with a single
    /// redirection (5.2.7.2), to exactly one of several targets (5.2.7.3), and not with what a list sends on (5.2.7.1).
    private func parametersOfFirst(
        of recipient: AcceptedRecipient, isFromList: Bool
    ) -> Command.RecipientParameters? {
        if isFromList { return nil }
        return .given(recipient.parameters, for: recipient.path, utf8: envelope?.parameters.utf8 ?? false)
    }
}
