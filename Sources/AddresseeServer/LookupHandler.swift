// One connection of a lookup wire: finds requests, has each answered before the next is looked at, and closes where the
// wire can't go on. What a request means is in ServedWire and in Verification.

import AddresseeConfiguration
import LookupProtocols
import NIOCore
import Verification

class LookupHandler<Wire: ServedWire>: Connection {
    private var wire: Wire
    private var output: [UInt8] = []
    private var isAsking = false
    /// Requests that the wire itself had to refuse.
    private var errors = 0
    /// Replies that have not been handed to the channel yet.
    private var unsent = 0

    init(_ wire: Wire, loop: LoopContext, listener: ListenerConfiguration) {
        self.wire = wire
        super.init(loop: loop, listener: listener)
    }

    override var isWaiting: Bool { isAsking }

    override var idleLimit: TimeAmount {
        wire.patience.map { max(super.idleLimit, TimeAmount($0)) } ?? super.idleLimit
    }

    override func takeOutput(_ allocator: ByteBufferAllocator) -> ByteBuffer? {
        unsent = 0
        if output.isEmpty { return nil }
        let buffer = allocator.buffer(bytes: output)
        output.removeAll(keepingCapacity: output.capacity <= 65_536)
        return buffer
    }

    override func inputEnded() { wire.inputEnded() }

    override func farewell(_ ending: Ending) {
        if let answer = Wire.farewell(ending) { wire.append(answer, to: &output) }
    }

    /// Takes whole requests from what has come in, one at a time, as long as there is room for their replies.
    override func process() { takeRequests() }

    fileprivate final func takeRequests() {
        // A client that takes its replies again is still to wait for the answer that is under way.
        if isAsking {
            isHeld = true
            return
        }
        var hasNewRequest = false
        // A request keeps the connection alive; a client that sends octet after octet and no end of one does not.
        defer { if hasNewRequest { timers.lastCommand = .now() } }
        while state == .open, !isHeld {
            let step = inbound.withUnsafeReadableBytes { bytes in wire.next(Span(_unsafeBytes: bytes)) }
            switch step {
            case .incomplete(let consumed):
                inbound.moveReaderIndex(forwardBy: consumed)
                compact()
                send(flush: false)
                return
            case .answer(let answer, let next):
                inbound.moveReaderIndex(forwardBy: next)
                say(answer)
                errors += 1
                if errors >= loop.service.configuration.limits.errors { fail() }
            case .ask(let request, let next):
                inbound.moveReaderIndex(forwardBy: next)
                ask(request)
            case .fail(let answer):
                say(answer)
                fail()
            }
            hasNewRequest = true
            if output.count >= Self.flushSize || unsent >= loop.service.configuration.limits.pipelinedQuestions {
                sendMuch()
            }
        }
        send(flush: false)
    }

    private func ask(_ request: Wire.Request) {
        switch admitQuestion(isForPostmaster: Wire.isForPostmaster(request)) {
        case .admitted: break
        case .refused:
            say(Wire.tooManyQuestions)
            return Wire.isForOneQuestion ? close() : ()
        case .closed: return end(.tooManyQuestions)
        }
        let answer = Wire.answer(
            request, of: loop, by: clientClass, later: { [self] answer in answerLater(request, answer) })
        if let answer { return take(answer, to: request) }
        isAsking = true
        isHeld = true
    }

    private func answerLater(_ request: Wire.Request, _ answer: Wire.Answer) {
        isAsking = false
        if context == nil || state != .open { return }
        take(answer, to: request)
        goOnAfterAnswer()
    }

    private func take(_ answer: Wire.Answer, to request: Wire.Request) {
        if loop.logsQuestions { Wire.log(request, answer, by: client, in: loop.shared.log) }
        let length = output.count
        wire.append(answer, to: &output)
        if output.count == length { return close() }
        unsent += 1
        if Wire.isForOneQuestion { close() }
    }

    private func say(_ answer: Wire.Answer) {
        wire.append(answer, to: &output)
        unsent += 1
    }

    private func fail() {
        loop.shared.log.malformed(client, at: listener)
        close()
    }
}

// What overrides a method in a generic class is compiled once for all wires, and slow: it has to find out at run time what
// its wire's requests are. Here the compiler knows.

final class PolicyHandler: LookupHandler<PolicyWire> {
    override func process() { takeRequests() }
}

final class SocketmapHandler: LookupHandler<SocketmapWire> {
    override func process() { takeRequests() }
}
