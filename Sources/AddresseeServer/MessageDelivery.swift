// One message on its way to all next hops that it has: folders, a mail server, or both. It is delivered to all of them or to
// none: the folders are made ready first, for they can be taken back; then the server is asked for its word; and what it has
// taken can't fail any more but by a rename. Only ever touched on its loop.

import NIOCore
import SMTPProtocol

/// Why a message is not delivered.
struct DeliveryFailure: Error {
    /// For the log.
    var reason: String
    var reply: Reply
    /// Whether a server has refused it for what it is: that is no trouble of ours.
    var isRefusal = false

    init(_ error: MaildirError) {
        reason = error.reason
        reply = error.isFull ? ReplyCatalogue.storageFull : ReplyCatalogue.notHandedOn
    }

    init(_ failure: HopFailure) {
        reason = failure.reason
        reply = failure.reply
        isRefusal = failure.isRefusal
    }
}

final class MessageDelivery {
    private let folders: MaildirDelivery?
    private let server: HopTransaction?
    /// What the server gets on top of the message.
    private let head: [UInt8]
    private var start = MessageStart()
    private let eventLoop: any EventLoop
    private var isFinishing = false
    private var failure: DeliveryFailure?
    /// Called when the message can't be delivered, whatever of it is still to come.
    var failed: ((DeliveryFailure) -> Void)?
    /// Called when there is room again after `isFull`.
    var hasRoom: (() -> Void)?

    init(folders: MaildirDelivery?, server: HopTransaction?, head: [UInt8], eventLoop: any EventLoop) {
        self.folders = folders
        self.server = server
        self.head = head
        self.eventLoop = eventLoop
        // Both belong to this delivery, and must not keep it.
        folders?.failed = { [weak self] error in self?.fail(DeliveryFailure(error)) }
        server?.failed = { [weak self] failure in self?.fail(DeliveryFailure(failure)) }
        folders?.hasRoom = { [weak self] in self?.goOn() }
        // The server may say both while it is given octets, and whoever gives them is not to be called then.
        server?.hasRoom = { [weak self] in self?.soon { [weak self] in self?.goOn() } }
    }

    private func goOn() { if !isFull { hasRoom?() } }

    private func fail(_ failure: DeliveryFailure) {
        // `finish` finds out by itself.
        if isFinishing { return }
        abandon()
        self.failure = failure
        soon { [self] in failed?(failure) }
    }

    private func soon(_ body: @escaping () -> Void) { eventLoop.assumeIsolated().execute(body) }

    /// Whether reading should pause.
    var isFull: Bool { folders?.isFull == true || server?.isFull == true }

    /// - Parameter opened: called with nil when the message may come.
    func open(_ opened: @escaping (DeliveryFailure?) -> Void) {
        guard let folders else { return openServer(opened) }
        folders.open { [self] error in
            if let error {
                abandon()
                return opened(DeliveryFailure(error))
            }
            openServer(opened)
        }
    }

    private func openServer(_ opened: @escaping (DeliveryFailure?) -> Void) {
        guard let server else { return opened(nil) }
        server.open { [self] failure in
            if let failure {
                abandon()
                return opened(DeliveryFailure(failure))
            }
            head.withUnsafeBytes { server.take($0) }
            opened(nil)
        }
    }

    /// Takes octets of the message.
    func take(_ octets: UnsafeRawBufferPointer) {
        if start.isKnown { return pass(octets) }
        let (instead, taken) = start.take(Span(_unsafeBytes: octets))
        instead.withUnsafeBytes(pass)
        pass(UnsafeRawBufferPointer(rebasing: octets[taken...]))
    }

    private func pass(_ octets: UnsafeRawBufferPointer) {
        if octets.isEmpty { return }
        folders?.take(octets)
        server?.take(octets)
    }

    /// Writes what has been taken, if that is worth it.
    func writeOn() {
        folders?.writeOn()
        server?.writeOn()
    }

    /// The message is whole: delivers it to all or none.
    /// - Parameter finished: called with nil when it is.
    func finish(_ finished: @escaping (DeliveryFailure?) -> Void) {
        start.end().withUnsafeBytes(pass)
        if let failure { return finished(failure) }
        isFinishing = true
        guard let folders else { return handOver { finished($0) } }
        folders.prepare { [self] error in
            if let error {
                server?.abandon()
                return finished(DeliveryFailure(error))
            }
            handOver { failure in
                if let failure {
                    folders.abandon()
                    return finished(failure)
                }
                folders.commit { finished($0.map(DeliveryFailure.init)) }
            }
        }
    }

    /// What the server has said of the message that it took; nil where there is none.
    var serverReply: HeardReply? { server?.lastReply }

    private func handOver(_ done: @escaping (DeliveryFailure?) -> Void) {
        guard let server else { return done(nil) }
        server.finish { done($0.map(DeliveryFailure.init)) }
    }

    /// The message will not be delivered. After `finish` that is too late, and nothing is done: the sender, who has no reply,
    /// will send it again.
    func abandon() {
        if isFinishing { return }
        folders?.abandon()
        server?.abandon()
    }
}
