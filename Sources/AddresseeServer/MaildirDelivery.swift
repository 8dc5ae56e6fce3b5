// Hands one message on to Maildirs: from the event loop, where it comes in, to the threads for files, in order and with
// bounded memory. Only ever touched on its loop.

import NIOCore
import NIOPosix

final class MaildirDelivery {
    /// Octets that are gathered before they are written: most messages are handed over whole.
    private static let writeSize = 65_536
    /// Octets that may wait to be written before reading pauses.
    private static let mostWaiting = 262_144

    private let order: MaildirOrder
    private let pool: NIOThreadPool
    private let eventLoop: any EventLoop
    private var files: MaildirFiles?
    private var waiting = ByteBuffer()
    /// Whether one of the threads has the files.
    private var isBusy = false
    private var isAbandoned = false
    private var prepared: MaildirFiles?
    private var finished: ((MaildirError?) -> Void)?
    /// Called when the message can't be written, whatever of it is still to come.
    var failed: ((MaildirError) -> Void)?
    /// Called when there is room again after `isFull`.
    var hasRoom: (() -> Void)?

    init(_ order: MaildirOrder, pool: NIOThreadPool, eventLoop: any EventLoop) {
        self.order = order
        self.pool = pool
        self.eventLoop = eventLoop
    }

    /// Whether reading should pause.
    var isFull: Bool { waiting.readableBytes >= Self.mostWaiting }

    /// Makes the first file.
    /// - Parameter opened: called with nil when the message may come.
    func open(_ opened: @escaping (MaildirError?) -> Void) {
        let order = order
        let make: @Sendable () throws -> MaildirFiles = { try MaildirFiles(order) }
        run(make) { [self] result in
            switch result {
            case .success(let files):
                self.files = files
                if isAbandoned { return remove() }
                opened(nil)
            case .failure(let error): if !isAbandoned { opened(error) }
            }
        }
    }

    /// Takes octets of the message.
    func take(_ octets: UnsafeRawBufferPointer) {
        waiting.writeBytes(octets)
    }

    /// Writes what has been taken, if that is worth it.
    func writeOn() {
        if waiting.readableBytes >= Self.writeSize { write() }
    }

    /// The message is whole: writes the rest and all copies, for `commit`.
    /// - Parameter finished: called with nil when all is on the disk.
    func prepare(_ finished: @escaping (MaildirError?) -> Void) {
        self.finished = finished
        if !isBusy { settle() }
    }

    /// Delivers what is prepared, to all or none.
    /// - Parameter done: called with nil when it is delivered.
    func commit(_ done: @escaping (MaildirError?) -> Void) {
        guard let files = prepared else { return done(MaildirError(what: "deliver what is not there", number: 0)) }
        prepared = nil
        let commit: @Sendable () throws -> Void = { try files.commit() }
        run(commit) { result in
            if case .failure(let error) = result { done(error) } else { done(nil) }
        }
    }

    /// The message will not be delivered: what is there of it is removed. After `commit` that is too late, and nothing is
    /// done: the sender, who has no reply, will send it again.
    func abandon() {
        if isAbandoned { return }
        isAbandoned = true
        waiting = ByteBuffer()
        if !isBusy { remove() }
    }

    private func write() {
        guard !isBusy, let files else { return }
        let octets = waiting
        waiting = ByteBuffer()
        let append: @Sendable () throws -> Void = { try octets.withUnsafeReadableBytes { try files.append($0) } }
        run(append) { [self] result in
            if isAbandoned { return remove() }
            if case .failure(let error) = result {
                remove()
                isAbandoned = true
                waiting = ByteBuffer()
                let finished = finished
                self.finished = nil
                if let finished { finished(error) } else { failed?(error) }
            } else if finished != nil {
                settle()
            } else {
                writeOn()
                hasRoom?()
            }
        }
    }

    private func settle() {
        guard let files else { return }
        self.files = nil
        let octets = waiting
        waiting = ByteBuffer()
        let prepare: @Sendable () throws -> Void = {
            do {
                try octets.withUnsafeReadableBytes { try files.append($0) }
            } catch {
                files.abandon()
                throw error
            }
            try files.prepare()
        }
        run(prepare) { [self] result in
            // Whoever is told may own this delivery, which must not keep its owner.
            let finished = finished
            self.finished = nil
            if case .failure(let error) = result {
                if !isAbandoned { finished?(error) }
                return
            }
            prepared = files
            if isAbandoned { remove() } else { finished?(nil) }
        }
    }

    private func remove() {
        let (files, prepared) = (files, prepared)
        (self.files, self.prepared) = (nil, nil)
        if files == nil, prepared == nil { return }
        let remove: @Sendable () throws -> Void = {
            files?.abandon()
            prepared?.discard()
        }
        run(remove) { _ in }
    }

    /// One piece of work at a time.
    private func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value, _ done: @escaping (Result<Value, MaildirError>) -> Void
    ) {
        isBusy = true
        pool.runIfActive(eventLoop: eventLoop, body).assumeIsolated().whenComplete { [self] result in
            isBusy = false
            // What is no error of a file is a pool that ends with the server.
            done(
                result.mapError {
                    $0 as? MaildirError ?? MaildirError(what: "write, for the server is stopping", number: 0)
                })
        }
    }
}
