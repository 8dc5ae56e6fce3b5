// MAIL and RCPT on one connection to a mail server: so many recipients at once, and the others when those have been answered.
// A list of a hundred thousand holds up neither the loop nor the server, and takes no memory for its commands.

import AddresseeConfiguration
import MailAddress
import SMTPProtocol

/// One round of them. Only ever touched on its loop.
final class HopConversation {
    /// Recipients that are asked for together, where the server takes that.
    static let together = 256

    /// What RCPT was answered with.
    struct Heard {
        var taken: [HopTransaction.Recipient] = []
        var refused: [HopTransaction.Refusal] = []
        /// The first "not now"; who comes after those that were asked for together with it has not been asked for.
        var notNow: HopTransaction.Refusal?
        /// The first reply that was not positive.
        var firstRefusal: HeardReply?
    }

    enum Outcome {
        /// MAIL was refused, so that RCPT counts for nothing.
        case senderRefused(HeardReply)
        case heard(Heard)
        case failed(HopFailure)
    }

    private let connection: HopConnection
    private let parameters: Command.MailParameters
    private let timeouts: Timeouts.NextHop
    private let count: Int
    private let recipient: (Int) -> HopTransaction.Recipient
    private let done: (Outcome) -> Void
    private var heard = Heard()
    private var senderRefusal: HeardReply?
    private var failure: HopFailure?
    /// How many have been asked for, and how many of their replies are due.
    private var asked = 0
    private var due = 0

    /// - Parameters:
    ///   - count: how many recipients there are; one at least.
    ///   - recipient: the one with this index.
    ///   - done: called once.
    init(
        _ connection: HopConnection, _ parameters: Command.MailParameters, timeouts: Timeouts.NextHop, count: Int,
        recipient: @escaping (Int) -> HopTransaction.Recipient, done: @escaping (Outcome) -> Void
    ) {
        self.connection = connection
        self.parameters = parameters
        self.timeouts = timeouts
        self.count = count
        self.recipient = recipient
        self.done = done
    }

    /// MAIL, and what follows.
    /// - Parameter refused: called when the server does not take that.
    func begin(with sender: ReversePath, refused: @escaping () -> Void) {
        let line = HandoverCommands.mail(sender, parameters, to: connection.extensions)
        connection.send(line, within: timeouts.reply) { [self] result in
            switch result {
            case .success(let reply) where reply.endsConnection: failure = ending(reply)
            case .success(let reply) where !reply.isPositive:
                senderRefusal = reply
                refused()
            case .success: break
            case .failure(let reason): failure = reason
            }
        }
        begin()
    }

    func begin() {
        let recipients = (asked..<min(asked + Self.together, count)).map(recipient)
        asked += recipients.count
        due = recipients.count
        for recipient in recipients {
            let line = HandoverCommands.recipient(
                recipient.mailbox, recipient.parameters, utf8: parameters.utf8, to: connection.extensions)
            connection.send(line, within: timeouts.reply) { [self] in take($0, to: recipient) }
        }
        connection.flush()
    }

    private func take(_ result: Result<HeardReply, HopFailure>, to recipient: HopTransaction.Recipient) {
        switch result {
        case .success(let reply):
            // RFC 5321 3.8: the connection is over, and so is the transaction.
            if reply.endsConnection, failure == nil { failure = ending(reply) }
            hear(reply, to: recipient)
        case .failure(let reason): failure = failure ?? reason
        }
        due -= 1
        if due > 0 { return }
        if let failure { return done(.failed(failure)) }
        if let senderRefusal { return done(.senderRefused(senderRefusal)) }
        if asked < count, heard.notNow == nil { return begin() }
        done(.heard(heard))
    }

    private func hear(_ reply: HeardReply, to recipient: HopTransaction.Recipient) {
        if reply.isPositive { return heard.taken.append(recipient) }
        if heard.firstRefusal == nil { heard.firstRefusal = reply }
        let refusal = HopTransaction.Refusal(mailbox: recipient.mailbox, reply: reply)
        if reply.refusesRecipient {
            heard.refused.append(refusal)
        } else if heard.notNow == nil {
            heard.notNow = refusal
        }
    }

    private func ending(_ reply: HeardReply) -> HopFailure {
        HopFailure(reason: "\(connection.hop.server.address): \(reply)")
    }
}
