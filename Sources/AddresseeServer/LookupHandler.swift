// One connection of a lookup wire: finds requests, has them answered one after the other, and closes where the wire can't
// go on. What a request means is in ServedWire and in Verification.

import AddresseeConfiguration
import LookupProtocols
import NIOCore
import Verification

class LookupHandler<Wire: ServedWire>: Connection {
    private var wire: Wire
    private var output: [UInt8] = []
    private var isAsking = false
    /// Requests that have come together.
    private let ahead: MovingQueue<Ahead>
    private let lookahead: Int
    private var keysAhead: [MailboxMemory.Key] = []
    /// What comes after them, if it is no request.
    private var afterAhead: Refusal?
    /// Requests that the wire itself had to refuse.
    private var errors = 0
    /// Replies that have not been handed to the channel yet.
    private var unsent = 0

    /// What the wire itself has to say, and whether it can go on.
    private enum Refusal {
        case answer(Wire.Answer)
        case fail(Wire.Answer)
    }

    private struct Ahead {
        let request: Wire.Request
        var question: LookupQuestion<Wire.Answer>
        let key: MailboxMemory.Key?
    }

    init(_ wire: Wire, loop: LoopContext, listener: ListenerConfiguration) {
        self.wire = wire
        lookahead = Wire.isForOneQuestion || !loop.answersAtOnce ? 1 : 8
        ahead = MovingQueue(capacity: lookahead)
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
        if let answer = Wire.farewell(ending) { Wire.append(answer, to: &output) }
    }

    /// Takes whole requests from what has come in, in their order, as long as there is room for their replies.
    override func process() { takeRequests() }

    fileprivate final func takeRequests() {
        // A client that takes its replies again is still to wait for the answer that is under way.
        if isAsking {
            isHeld = true
            return
        }
        // What was to be asked may have waited for a client that takes no replies, and the configuration be another one. The
        // key is still right: which mailbox a request names depends on nothing else.
        let (client, loop) = (clientClass, loop)
        ahead.update { $0.question = Wire.question($0.request, by: client, on: loop) }
        var (hasNewRequest, mayHaveMore) = (false, true)
        // A request keeps the connection alive; a client that sends octet after octet and no end of one does not.
        defer { if hasNewRequest { timers.lastCommand = loop.eventLoop.now } }
        while state == .open, !isHeld {
            if ahead.isEmpty, afterAhead == nil {
                if mayHaveMore { mayHaveMore = lookAhead(client, loop) }
                if ahead.isEmpty, afterAhead == nil {
                    compact()
                    break
                }
            }
            hasNewRequest = true
            if let next = ahead.popFirst() {
                ask(next, client, loop)
            } else if let refusal = afterAhead {
                afterAhead = nil
                take(refusal)
            }
            if output.count >= Self.flushSize || unsent >= loop.service.configuration.limits.pipelinedQuestions {
                sendMuch()
            }
        }
        send(flush: false)
    }

    /// Finds requests that have come together, and has memory fetched for all of them at once: what is remembered of one is
    /// on its way while the next is read.
    /// - Returns: whether there may be more in what has come in.
    private func lookAhead(_ client: ClientClass, _ loop: LoopContext) -> Bool {
        // What is an object's is checked at run time for overlapping access each time; what is local is not.
        var (wire, inbound, keys) = (self.wire, inbound, [MailboxMemory.Key]())
        swap(&keys, &keysAhead)
        keys.removeAll(keepingCapacity: true)
        let length = inbound.readableBytes
        var isIncomplete = false
        find: while ahead.count < lookahead {
            switch inbound.withUnsafeReadableBytes({ bytes in wire.next(Span(_unsafeBytes: bytes)) }) {
            case .incomplete(let consumed):
                inbound.moveReaderIndex(forwardBy: consumed)
                isIncomplete = true
                break find
            case .ask(let request, let next):
                inbound.moveReaderIndex(forwardBy: next)
                let question = Wire.question(request, by: client, on: loop)
                let key = lookahead > 1 ? question.mailbox.map { MailboxMemory.Key($0) } : nil
                ahead.append(Ahead(request: request, question: question, key: key))
                if let key { keys.append(key) }
            case .answer(let answer, let next):
                inbound.moveReaderIndex(forwardBy: next)
                afterAhead = .answer(answer)
                break find
            case .fail(let answer):
                afterAhead = .fail(answer)
                break find
            }
        }
        if keys.count > 1 { loop.expect(keys) }
        swap(&keys, &keysAhead)
        self.wire = wire
        self.inbound.moveReaderIndex(forwardBy: length - inbound.readableBytes)
        return !isIncomplete
    }

    private func take(_ refusal: Refusal) {
        switch refusal {
        case .answer(let answer):
            say(answer)
            errors += 1
            if errors >= loop.service.configuration.limits.errors { fail() }
        case .fail(let answer):
            say(answer)
            fail()
        }
    }

    private func ask(_ next: consuming Ahead, _ client: ClientClass, _ loop: LoopContext) {
        let request = next.request
        switch admitQuestion(isForPostmaster: Wire.isForPostmaster(request)) {
        case .admitted: break
        case .refused:
            say(Wire.tooManyQuestions)
            return Wire.isForOneQuestion ? close() : ()
        case .closed: return end(.tooManyQuestions)
        }
        let answer = Wire.answer(
            next.question, known: next.key, to: request, of: loop,
            later: { [self] answer in answerLater(request, answer) })
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
        Wire.append(answer, to: &output)
        if output.count == length { return close() }
        unsent += 1
        if Wire.isForOneQuestion { close() }
    }

    private func say(_ answer: Wire.Answer) {
        Wire.append(answer, to: &output)
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
