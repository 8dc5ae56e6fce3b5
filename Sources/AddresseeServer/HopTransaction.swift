// One message on its way to a mail server. Recipients are asked for as they come, so that the sender hears at RCPT what the
// server says of them; the message streams through; and its reply is the server's. Only ever touched on its loop.

import AddresseeConfiguration
import MailAddress
import NIOCore
import SMTPProtocol

final class HopTransaction {
    /// A recipient as the server is asked for it.
    struct Recipient {
        var mailbox: Mailbox
        var parameters: Command.RecipientParameters?
    }

    /// Recipients that are asked for together.
    struct Group: Sendable {
        var mailboxes: [Mailbox]
        /// Those of the first.
        var parameters: Command.RecipientParameters?
        /// Whether none of them needs SMTPUTF8.
        let isASCII: Bool

        init(_ mailboxes: [Mailbox]) {
            self.mailboxes = mailboxes
            isASCII = mailboxes.allSatisfy(\.localPart.isASCII)
        }

        subscript(index: Int) -> Recipient {
            Recipient(mailbox: mailboxes[index], parameters: index == 0 ? parameters : nil)
        }
    }

    /// A recipient that the server never takes, and what it says.
    struct Refusal: Sendable {
        var mailbox: Mailbox
        var reply: HeardReply
    }

    /// What the server says of recipients.
    enum Verdict {
        /// It has taken all but these.
        case heard(refused: [Refusal])
        /// It does not take the sender, or one of the recipients not now: the mailbox, where it is one.
        case refused(HeardReply, Mailbox?)
        case failed(HopFailure)
        /// These need something that the transaction did not begin with, and that others of it do without.
        case needsAnother
    }

    let pool: HopPool
    let sender: ReversePath
    private var parameters: Command.MailParameters
    private let name: [UInt8]
    private let timeouts: Timeouts.NextHop
    private var connection: HopConnection?
    /// Whether the server has taken MAIL.
    private var hasBegun = false
    /// Whether MAIL was sent, even if it was refused: Postfix keeps the SIZE of that until RSET.
    private var needsReset = false
    /// Whether the server knows of recipients that are not wanted, or not of all that are.
    private var isAstray = false
    private(set) var recipients: [Recipient] = []
    private var phase = Phase.asking
    private var stuffing = DotStuffing()
    /// Called when the message can't be sent, whatever of it is still to come.
    var failed: ((HopFailure) -> Void)?
    /// Called when there is room again after `isFull`.
    var hasRoom: (() -> Void)?

    private enum Phase {
        case asking
        /// DATA was taken.
        case sending
        /// The message is whole, and its reply is awaited.
        case ending
        case over
    }

    /// What the trace fields may add to a message whose size the client has told: octets.
    private static let traceSize: UInt64 = 512

    /// - Parameter name: what this server calls itself.
    init(
        _ pool: HopPool, from sender: ReversePath, _ parameters: Command.MailParameters, name: [UInt8],
        timeouts: Timeouts.NextHop
    ) {
        self.pool = pool
        self.sender = sender
        self.parameters = parameters
        self.parameters.size = parameters.size.map { $0.addingReportingOverflow(Self.traceSize) }.flatMap {
            $0.overflow ? nil : $0.partialValue
        }
        self.name = name
        self.timeouts = timeouts
    }

    // MARK: Recipients

    /// Asks for recipients, one group at a time.
    /// - Parameter answer: called once, maybe before this returns. Unless it is `heard`, none of them gets the message.
    func add(_ group: Group, _ answer: @escaping (Verdict) -> Void) {
        if group.mailboxes.isEmpty { return answer(.heard(refused: [])) }
        reach { [self] result in
            switch result {
            case .failure(let failure): answer(.failed(failure))
            case .success(let connection): ask(group, connection, mayTryAgain: true, answer)
            }
        }
    }

    /// Gives the connection at hand, or one of the pool.
    private func reach(isFresh: Bool = false, _ done: @escaping (Result<HopConnection, HopFailure>) -> Void) {
        if let connection, connection.isOpen { return done(.success(connection)) }
        pool.take(name: name, timeouts: timeouts, isFresh: isFresh) { [self] result in
            if case .success(let connection) = result {
                if phase == .over { return pool.give(connection) }
                self.connection = connection
                connection.lost = { [self] in lost($0) }
            }
            done(result)
        }
    }

    /// The connection has ended while nothing was asked.
    private func lost(_ failure: HopFailure) {
        letGo()
        guard phase == .sending else { return }
        phase = .over
        failed?(failure)
    }

    /// Forgets a connection that is of no use any more; what it knew must be told to another.
    private func letGo() {
        if let connection { pool.drop(connection) }
        connection = nil
        hasBegun = false
        needsReset = false
        isAstray = true
    }

    private func ask(
        _ group: Group, _ connection: HopConnection, mayTryAgain: Bool, _ answer: @escaping (Verdict) -> Void
    ) {
        if let verdict = prepare(group, connection.extensions) { return answer(verdict) }
        let isFirst = !hasBegun
        let canBeStale = isFirst && mayTryAgain && connection.uses > 0
        let recipient = { (index: Int) in group[index] }
        converse(connection, group.mailboxes.count, recipient) { [self] outcome in
            if phase == .over { return }
            switch outcome {
            case .failed(_) where canBeStale:
                // The server has closed a connection that was kept: that says nothing of the server.
                letGo()
                isAstray = !recipients.isEmpty
                reach(isFresh: true) { [self] result in
                    switch result {
                    case .failure(let failure): answer(.failed(failure))
                    case .success(let connection): ask(group, connection, mayTryAgain: false, answer)
                    }
                }
            case .failed(let failure):
                letGo()
                pool.report(failure)
                answer(.failed(failure))
            case .senderRefused(let reply): answer(.refused(reply, nil))
            case .heard(let heard): answer(take(heard))
            }
        }
    }

    /// Who is refused for good is left out. "Not now" of one is that of all: the message may reach all of them later, and a
    /// second time must not go to those who would have it already.
    private func take(_ heard: HopConversation.Heard) -> Verdict {
        if let refusal = heard.notNow {
            if !heard.taken.isEmpty { isAstray = true }
            return .refused(refusal.reply, refusal.mailbox)
        }
        // Moved where it can be, for there may be very many.
        if recipients.isEmpty { recipients = heard.taken } else { recipients += heard.taken }
        return .heard(refused: heard.refused)
    }

    /// What can be told without asking.
    private func prepare(_ group: Group, _ server: ServerExtensions) -> Verdict? {
        if parameters.utf8, !server.utf8 { return .failed(Self.noUTF8) }
        if parameters.utf8 || group.isASCII { return nil }
        // An address that a redirection led to.
        if !server.utf8 { return .failed(Self.noUTF8) }
        if hasBegun || !recipients.isEmpty { return .needsAnother }
        parameters.utf8 = true
        return nil
    }

    private static let noUTF8 = HopFailure(reason: "it does not offer SMTPUTF8", reply: ReplyCatalogue.utf8Refused)

    /// MAIL, where the server has none yet, and RCPT for each.
    private func converse(
        _ connection: HopConnection, _ count: Int, _ recipient: @escaping (Int) -> Recipient,
        _ done: @escaping (HopConversation.Outcome) -> Void
    ) {
        let conversation = HopConversation(
            connection, parameters, timeouts: timeouts, count: count, recipient: recipient, done: done)
        if hasBegun { return conversation.begin() }
        if needsReset { connection.send(Array("RSET".utf8), within: timeouts.reply) { _ in } }
        hasBegun = true
        needsReset = true
        conversation.begin(with: sender) { [self] in hasBegun = false }
    }

    // MARK: The message

    /// DATA: the message may come when the server asks for it.
    /// - Parameter opened: called once, with nil when it does.
    func open(_ opened: @escaping (HopFailure?) -> Void) {
        open(mayTryAgain: true, opened)
    }

    private func open(mayTryAgain: Bool, _ opened: @escaping (HopFailure?) -> Void) {
        reach(isFresh: !mayTryAgain) { [self] result in
            switch result {
            case .failure(let failure): opened(failure)
            case .success(let connection):
                straighten(connection) { [self] failure in
                    if phase == .over { return }
                    if let failure { return fail(failure, mayTryAgain, opened) }
                    connection.send(Array("DATA".utf8), within: timeouts.data) { [self] result in
                        if phase == .over { return }
                        switch result {
                        case .failure(let failure): fail(failure, mayTryAgain, opened)
                        case .success(let reply) where reply.asksForData:
                            phase = .sending
                            connection.isInMessage = true
                            connection.hasRoom = { [self] in hasRoom?() }
                            opened(nil)
                        case .success(let reply):
                            // It has not begun to read the message, so it can begin anew.
                            release()
                            opened(refusal(reply))
                        }
                    }
                    connection.flush()
                }
            }
        }
    }

    /// Nothing of the message has been sent yet, so that another connection may do.
    private func fail(_ failure: HopFailure, _ mayTryAgain: Bool, _ opened: @escaping (HopFailure?) -> Void) {
        let isGone = connection?.isOpen != true
        letGo()
        if isGone, mayTryAgain { open(mayTryAgain: false, opened) } else { opened(failure) }
    }

    /// Sees to it that the server knows of the recipients that are wanted, and of no others.
    private func straighten(_ connection: HopConnection, _ done: @escaping (HopFailure?) -> Void) {
        if !isAstray, hasBegun { return done(nil) }
        hasBegun = false
        let recipient = { [recipients] (index: Int) in recipients[index] }
        converse(connection, recipients.count, recipient) { [self] outcome in
            switch outcome {
            case .failed(let failure): done(failure)
            case .senderRefused(let reply): done(refusal(reply))
            case .heard(let heard):
                isAstray = false
                done(heard.firstRefusal.map(refusal))
            }
        }
    }

    private func refusal(_ reply: HeardReply) -> HopFailure {
        HopFailure(
            reason: "\(pool.hop.server.address): \(reply)",
            reply: ReplyCatalogue.nextHopRefused(reply, isTold: !namesOthers), isRefusal: true)
    }

    /// Whether the server knows of an address that the client may not: then its words are not told.
    var namesOthers = false

    /// What the server has said last of the message.
    private(set) var lastReply: HeardReply?

    /// Whether reading should pause.
    var isFull: Bool { connection?.isFull ?? false }

    /// Sends octets of the message.
    func take(_ octets: UnsafeRawBufferPointer) {
        guard phase == .sending, let connection else { return }
        if parameters.eightBit, !connection.extensions.eightBit, octets.contains(where: { $0 >= 128 }) {
            letGo()
            phase = .over
            failed?(
                HopFailure(
                    reason: "\(pool.hop.server.address): it does not offer 8BITMIME",
                    reply: ReplyCatalogue.eightBitRefused))
            return
        }
        var buffer = ByteBuffer()
        buffer.reserveCapacity(octets.count + 64)
        stuffing.stuff(Span(_unsafeBytes: octets)) { range in
            buffer.writeBytes(UnsafeRawBufferPointer(rebasing: octets[range]))
        } dot: {
            buffer.writeInteger(UInt8(ascii: "."))
        }
        connection.write(buffer)
    }

    /// Sends what has been taken.
    func writeOn() { if phase == .sending { connection?.flush() } }

    /// The message is whole.
    /// - Parameter finished: called once, with nil when the server has taken it for all.
    func finish(_ finished: @escaping (HopFailure?) -> Void) {
        guard phase == .sending, let connection else {
            return finished(HopFailure(reason: "\(pool.hop.server.address): the connection has ended"))
        }
        phase = .ending
        connection.lost = nil
        let isLocal = pool.hop.server.dialect == .lmtp
        var outcome = HandingOutcome(of: isLocal ? recipients.map(\.mailbox) : nil)
        let answer: HopConnection.Answer = { [self] result in
            if case .success(let reply) = result { lastReply = reply }
            guard outcome.take(result) else { return }
            phase = .over
            if connection.isOpen {
                connection.countUse()
                self.connection = nil
                pool.give(connection)
            } else {
                letGo()
            }
            finished(outcome.failure(of: pool.hop.server.address, refusal: refusal))
        }
        var end = ByteBuffer()
        end.writeStaticString(stuffing.end)
        // Expected first: writing may find that the server has spoken.
        connection.expect(Array(repeating: answer, count: outcome.due))
        connection.write(end)
        connection.flush()
    }

    /// The message will not be sent. After `finish` that is too late, and nothing is done.
    func abandon() {
        switch phase {
        case .asking: release()
        case .sending:
            phase = .over
            // Closing before the end of the message is what tells the server to forget it (RFC 5321 4.1.1.4, 4.1.1.10).
            letGo()
        case .ending, .over: break
        }
    }

    /// Leaves the connection to others.
    private func release() {
        phase = .over
        guard let connection else { return }
        self.connection = nil
        connection.lost = nil
        if !connection.isIdle { return pool.drop(connection) }
        if !needsReset { return pool.give(connection) }
        connection.countUse()
        connection.send(Array("RSET".utf8), within: timeouts.reply) { [pool] result in
            if case .success(let reply) = result, reply.isPositive {
                pool.give(connection)
            } else {
                pool.drop(connection)
            }
        }
        connection.flush()
    }
}

/// What comes of the replies to one message: SMTP gives one for all, LMTP one for each recipient (RFC 2033 4.2).
private struct HandingOutcome {
    private(set) var due: Int
    private var taken = 0
    private var refused: [(mailbox: Mailbox?, reply: HeardReply)] = []
    private var lost: HopFailure?
    /// Those that have a reply each.
    private let mailboxes: [Mailbox]?

    /// - Parameter mailboxes: those that have a reply each; nil where one is for all.
    init(of mailboxes: [Mailbox]?) {
        self.mailboxes = mailboxes
        due = mailboxes?.count ?? 1
    }

    /// - Returns: whether that was the last.
    mutating func take(_ result: Result<HeardReply, HopFailure>) -> Bool {
        let mailbox = mailboxes.map { $0[$0.count - due] }
        due -= 1
        switch result {
        case .success(let reply) where reply.isPositive: taken += 1
        case .success(let reply): refused.append((mailbox, reply))
        case .failure(let failure): lost = lost ?? failure
        }
        return due == 0
    }

    /// Nil when all have it.
    ///
    /// Where the connection was lost, the message may have been taken, and is sent again: better twice than never (RFC 1047).
    /// Where some have it and others were refused, sending it again would give it twice to some, and "taken" would hide
    /// from the sender that others miss it: so the refusal is for good, and says so.
    func failure(of address: ServerAddress, refusal: (HeardReply) -> HopFailure) -> HopFailure? {
        if let lost { return lost }
        guard let worst = refused.first(where: { $0.reply.code < 500 }) ?? refused.first else { return nil }
        if taken == 0 { return refusal(worst.reply) }
        let all = taken + refused.count
        let whom = refused.map { "\($0.mailbox?.description ?? ""): \($0.reply)" }.joined(separator: "; ")
        return HopFailure(
            reason: "\(address): of \(all) recipients \(taken) have it, and it refuses \(whom)",
            reply: ReplyCatalogue.partlyDelivered(to: taken, of: all), isRefusal: true)
    }
}
