// What an SMTP connection does with mail where there is a next hop: recipients with their destinations, the message as it
// streams through, and its reply, which is given when the next hop has it.

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
        let delivery: MaildirDelivery
    }

    /// RCPT where mail is taken.
    func accept(_ path: ForwardPath, _ query: Query, _ ticket: Int) {
        let acceptance = loop.accept(
            path, query, by: clientClass, over: routes,
            later: { [self] acceptance in answerLater(path, query, ticket, acceptance) })
        if let acceptance { answer(path, query, ticket, acceptance) }
    }

    private func answerLater(_ path: ForwardPath, _ query: Query, _ ticket: Int, _ acceptance: Acceptance) {
        if context == nil || state != .open { return }
        answer(path, query, ticket, acceptance)
        goOnAfterAnswer()
    }

    private func answer(_ path: ForwardPath, _ query: Query, _ ticket: Int, _ acceptance: Acceptance) {
        let log = loop.shared.log
        switch acceptance {
        case .refused(let verdict): answer(query, ticket, verdict)
        case .noRoute(let mailbox):
            log.noRoute(to: mailbox, about: query.about)
            say(ReplyCatalogue.noRoute, to: ticket)
        case .accepted(let verdict, let destinations, let leftOut):
            guard destinations.allSatisfy({ nextHops.folder(of: $0) != nil }) else {
                return say(ReplyCatalogue.nameNotAllowed, to: ticket)
            }
            let limit = loop.service.configuration.expansion.addresses
            guard envelope?.add(path, destinations, limit: limit) == true else {
                return say(ReplyCatalogue.tooManyRecipients, to: ticket)
            }
            if !leftOut.isEmpty { log.leftOut(leftOut, about: query.about) }
            answer(query, ticket, verdict)
        }
    }

    /// DATA: 354 is not said before there is a place for the message.
    func openMessage() {
        let id = MessageID()
        let name = id.fileName(hostname: String(decoding: loop.service.hostname, as: UTF8.self))
        guard let envelope, let order = envelope.order(nextHops, name: name, stamp: stamp(of: envelope, id)) else {
            return session.messageEnded(ReplyCatalogue.notHandedOn)
        }
        let delivery = MaildirDelivery(order, pool: loop.shared.files, eventLoop: loop.eventLoop)
        passage = Passage(id: id, delivery: delivery)
        delivery.failed = { [self] error in
            loop.shared.log.notHandedOn(id.atom, reason: error.reason)
            session.messageFailed(error.reply)
            goOnAfterAnswer()
        }
        delivery.hasRoom = { [self] in goOnAfterAnswer() }
        delivery.open { [self] error in
            if let error { return ended(id, error) }
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
                utf8: envelope.isUTF8),
            id: Array(id.atom.utf8), recipient: envelope.paths.count == 1 ? envelope.paths[0] : nil, date: id.date
        ).line
    }

    /// Hands on what has come in of the message.
    /// - Returns: false when there is nothing more to be taken now.
    func receiveData() -> Bool {
        guard let delivery = passage?.delivery else { return false }
        if delivery.isFull {
            isHeld = true
            return false
        }
        if inbound.readableBytes == 0 { return false }
        let progress = inbound.withUnsafeReadableBytes { bytes in
            session.receivedData(Span(_unsafeBytes: bytes), from: 0) { range in
                delivery.take(UnsafeRawBufferPointer(rebasing: bytes[range]))
            }
        }
        switch progress {
        case .more:
            inbound.clear()
            delivery.writeOn()
        case .refused(let next):
            inbound.moveReaderIndex(forwardBy: next)
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
            abandonMessage()
            return session.messageEnded(ReplyCatalogue.messageLoops)
        }
        let size = message.size
        passage.delivery.finish { [self] error in
            if error == nil {
                loop.shared.log.handedOn(
                    passage.id.atom, from: envelope.sender, size: size, mailboxes: envelope.destinations.count)
            }
            ended(passage.id, error)
        }
    }

    /// The next hop has taken the message, or will not.
    private func ended(_ id: MessageID, _ error: MaildirError?) {
        passage = nil
        if let error { loop.shared.log.notHandedOn(id.atom, reason: error.reason) }
        if context == nil || state != .open { return }
        session.messageEnded(error?.reply ?? ReplyCatalogue.ok)
        goOnAfterAnswer()
    }

    /// Forgets the message that is under way, if there is one.
    func abandonMessage() {
        passage?.delivery.abandon()
        passage = nil
    }
}

extension MaildirError {
    var reply: Reply { isFull ? ReplyCatalogue.storageFull : ReplyCatalogue.notHandedOn }
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
