// What an SMTP connection does with a message where there is a next hop: it streams through, and its reply is given when the
// next hop has it.

import AddresseeConfiguration
import MailAddress
import MailboxDirectory
import NIOCore
import SMTPProtocol
import Verification

extension SMTPHandler {
    /// A message under way.
    struct Passage {
        let id: MessageID
        let delivery: MessageDelivery
        /// What is written into Maildirs.
        let order: MaildirOrder?
    }

    /// DATA: 354 is not said before there is a place for the message.
    func openMessage() {
        let id = MessageID()
        let name = id.fileName(hostname: String(decoding: loop.service.hostname, as: UTF8.self))
        guard let envelope else { return session.messageEnded(ReplyCatalogue.notHandedOn) }
        let (stamp, nextHops) = (stamp(of: envelope, id), nextHops)
        let prepare = { @Sendable in
            (
                order: envelope.order(nextHops, name: name, stamp: stamp),
                head: envelope.originalTo(nextHops) + (envelope.redirected.map(TraceFields.deliveredTo) ?? []) + stamp
            )
        }
        var isLater = false
        loop.aside(envelope.size, prepare) { [self] message in
            if context == nil || state != .open { return letGo(message.order) }
            openMessage(id, message.order, head: message.head)
            if isLater { goOnAfterAnswer() }
        }
        isLater = true
    }

    private func letGo(_ order: MaildirOrder?) {
        if let order { loop.letGo(order, mailboxes: order.copies.count) }
    }

    private func openMessage(_ id: MessageID, _ order: MaildirOrder?, head: [UInt8]) {
        let folders = order.map { MaildirDelivery($0, pool: loop.shared.files, eventLoop: loop.eventLoop) }
        if transaction?.recipients.isEmpty == true {
            // All that were asked for were refused: its connection is for others.
            transaction?.abandon()
            transaction = nil
        }
        let server = transaction
        if folders == nil, server == nil { return session.messageEnded(ReplyCatalogue.notHandedOn) }
        let delivery = MessageDelivery(folders: folders, server: server, head: head, eventLoop: loop.eventLoop)
        passage = Passage(id: id, delivery: delivery, order: order)
        delivery.failed = { [self] failure in
            guard passage?.id == id else { return }
            loop.shared.log.notHandedOn(id.atom, envelope, by: client, failure)
            session.messageFailed(failure.reply)
            goOnAfterAnswer()
        }
        delivery.hasRoom = { [self] in if passage?.id == id { goOnAfterAnswer() } }
        delivery.open { [self] failure in
            if let failure { return ended(id, failure) }
            if context == nil || state != .open { return delivery.abandon() }
            session.messageOpened()
            goOnAfterAnswer()
        }
    }

    private func stamp(of envelope: Envelope, _ id: MessageID) -> [UInt8] {
        Stamp(
            clientName: session.client?.name, clientAddress: client.literal, hostname: loop.service.hostname,
            transmission: Stamp.transmission(
                isExtended: session.client?.isExtended ?? false, isEncrypted: session.isTLSActive,
                utf8: envelope.parameters.utf8),
            id: Array(id.atom.utf8), recipient: envelope.paths.count == 1 ? envelope.paths[0] : nil, date: id.date
        ).line
    }

    /// Hands on what has come in of the message.
    /// - Returns: false when there is nothing more to be taken now.
    func receiveData() -> Bool {
        let delivery = passage?.delivery
        if let delivery, delivery.isFull {
            isHeld = true
            return false
        }
        if inbound.readableBytes == 0, !session.isChunkWhole { return false }
        let progress = inbound.withUnsafeReadableBytes { bytes in
            session.receivedData(Span(_unsafeBytes: bytes), from: 0) { range in
                delivery?.take(UnsafeRawBufferPointer(rebasing: bytes[range]))
            }
        }
        switch progress {
        case .more:
            inbound.clear()
            delivery?.writeOn()
        case .chunk(let next):
            inbound.moveReaderIndex(forwardBy: next)
            delivery?.writeOn()
        case .refused(let next):
            inbound.moveReaderIndex(forwardBy: next)
            if let passage, let fault = session.lastFault {
                loop.shared.log.refusedMessage(passage.id.atom, envelope, by: client, fault)
            }
            abandonMessage()
        case .handOn(let next):
            inbound.moveReaderIndex(forwardBy: next)
            handOn()
        }
        return true
    }

    private func handOn() {
        guard let passage, let envelope, let message = session.message else { return }
        if envelope.isDelivered(to: message.deliveredTo) {
            loop.shared.log.refusedMessage(passage.id.atom, envelope, by: client, .loop)
            abandonMessage()
            return session.messageEnded(ReplyCatalogue.messageLoops)
        }
        let size = message.size
        // It is no longer this transaction's to give up.
        transaction = nil
        passage.delivery.finish { [self] failure in
            if failure == nil {
                loop.shared.log.handedOn(
                    passage.id.atom, envelope, by: client, size: size, over: nextHops,
                    reply: passage.delivery.serverReply)
            }
            ended(passage.id, failure)
            // The client may have gone meanwhile, and this be all that holds them.
            letGo(passage.order)
            loop.letGo(envelope, mailboxes: envelope.size)
        }
    }

    /// The next hop has taken the message, or will not.
    private func ended(_ id: MessageID, _ failure: DeliveryFailure?) {
        letGo(passage?.order)
        passage = nil
        if let failure { loop.shared.log.notHandedOn(id.atom, envelope, by: client, failure) }
        if context == nil || state != .open { return }
        session.messageEnded(failure?.reply ?? ReplyCatalogue.ok)
        goOnAfterAnswer()
    }

    /// Forgets the transaction and the message that is under way, if there are any.
    func abandonMessage() {
        passage?.delivery.abandon()
        letGo(passage?.order)
        passage = nil
        transaction?.abandon()
        if let recipients = transaction?.recipients { loop.letGo(recipients, mailboxes: recipients.count) }
        transaction = nil
    }
}

extension ClientAddress {
    /// As it stands in an address literal, without brackets (RFC 5321 4.1.3); nil for a Unix socket.
    fileprivate var literal: [UInt8]? {
        switch self {
        case .ipv4: Array("\(self)".utf8)
        case .ipv6: Array("IPv6:\(self)".utf8)
        case .unixSocket: nil
        }
    }
}
