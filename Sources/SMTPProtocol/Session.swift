// The SMTP session as a value: each event returns what to do. It does no I/O and asks nobody; what it needs to know it
// hands out as a query, and the answer comes back whenever it is there. Replies leave in the order of the commands
// (RFC 2920 3.2).

public import MailAddress

/// A question that the directory has to answer.
public enum Query: Hashable, Sendable {
    /// RCPT; `utf8` is whether the transaction has SMTPUTF8.
    case recipient(ForwardPath, utf8: Bool)
    /// VRFY; `utf8` is whether this command has the SMTPUTF8 parameter.
    case verify(Subject, utf8: Bool)
    case expand(Subject, utf8: Bool)
}

public struct Session: Sendable {
    /// What the owner of the session has to do.
    public enum Action: Hashable, Sendable {
        /// Nothing but to send the output that is there.
        case go
        /// Find the answer and give it to `answered(_:to:)`.
        case ask(Query, ticket: Int)
        /// The line was not taken: give it again after the next answer.
        case wait
        /// Send the output, throw away what else has come in, then do the TLS handshake (RFC 3207 4.2) and call
        /// `tlsStarted()`.
        case startTLS
        /// Send the output, then close.
        case close
        /// A transaction begins; only where mail is taken. Its recipients are the `.recipient` queries after it whose
        /// replies are positive.
        case begin(ReversePath, Command.MailParameters)
        /// The transaction that began is over, with no message handed on; only where mail is taken.
        case forget
        /// DATA is in order. Find out whether the message can be taken, and call `messageOpened()` or `messageEnded(_:)`;
        /// what comes in must wait.
        case openMessage
    }

    private(set) public var configuration: SessionConfiguration
    /// Replies that may be sent now, in order. The owner takes them.
    public private(set) var output: [UInt8] = []
    var transaction: Transaction?
    /// The message that comes in; nil while none does.
    public internal(set) var message: MessageReader?
    /// Why the last message was refused; nil where it was not, or by its owner.
    public internal(set) var lastFault: MessageReader.Fault?
    var phase = Phase.commands
    /// The chunk with which a message begins, while it is being found out whether it can be taken.
    var firstChunk: (size: UInt64, isLast: Bool)?
    /// The parameters of the recipient that was handed out last; nil where there were none.
    public private(set) var recipientParameters: Command.RecipientParameters?
    /// What the client calls itself, and whether it said so by EHLO; nil before it has.
    public internal(set) var client: (name: [UInt8], isExtended: Bool)?
    private var slots: [Slot] = []
    /// A long reply of which only these first lines are in the output.
    private var long: (reply: Reply, said: Int)?
    private var queuedRefusals = 0
    private var ticket = 0
    private var errors = 0
    public private(set) var isTLSActive = false
    private(set) public var isClosed = false

    /// The sender is not kept: no rule depends on it, and every RCPT looks in here.
    struct Transaction: Hashable, Sendable {
        var utf8: Bool
        var recipients = 0
    }

    private struct Slot: Hashable, Sendable {
        var ticket: Int
        var reply: Reply?
        var kind: Kind

        enum Kind: Hashable, Sendable {
            case recipient
            case other
            /// The line was wrong and could not be kept until its turn.
            case refusal
            /// The same, and what follows it can't be read.
            case end
        }
    }

    public init(_ configuration: SessionConfiguration) {
        self.configuration = configuration
    }

    /// The client has connected.
    public mutating func connected() {
        say(ReplyCatalogue.greeting(configuration.hostname, form: configuration.form))
    }

    /// Takes what may be sent, leaving room for as much again.
    public mutating func takeOutput(_ body: (borrowing [UInt8]) -> Void) {
        if output.isEmpty { return }
        body(output)
        output.removeAll(keepingCapacity: output.capacity <= 65_536)
    }

    /// Whether an answer is awaited, or has not been said to its end.
    public var isWaiting: Bool { !slots.isEmpty || isSaying || isHandlingMessage }

    /// Whether a long reply is being said: call `sayMore()` when what there was of it has been sent.
    public var isSaying: Bool { long != nil }

    /// Puts more lines of a long reply into the output, about `SMTPLimits.replyPiece` octets, and what has to wait for its
    /// end after that.
    /// - Returns: `.go`, or `.close` as from `answered(_:to:)`.
    public mutating func sayMore() -> Action {
        guard let (reply, said) = long else { return .go }
        long = nil
        say(reply, from: said)
        return isSaying ? .go : sayReady()
    }

    /// A line has come in; `line` is without its CRLF.
    public mutating func received(_ line: Span<UInt8>) -> Action {
        if isClosed { return .close }
        if slots.count >= configuration.slots || phase != .commands || isSaying || slots.last?.kind == .end {
            return .wait
        }
        let command: Command
        do {
            command = try CommandParser.parse(line)
        } catch {
            if !slots.isEmpty { return .wait }
            if !error.endsSession { return refused(error.reply) }
            end(with: error.reply)
            return .close
        }
        switch consume command {
        case .recipient(let path, let parameters): return recipient(path, parameters, line)
        case .verify(let subject, let utf8): return ask(.verify(subject, utf8: utf8))
        case .expand(let subject, let utf8): return ask(.expand(subject, utf8: utf8))
        // Everything else depends on what went before, so it waits for it.
        case let other: return slots.isEmpty ? carryOut(other) : .wait
        }
    }

    /// A line that was too long is over. It never has to wait: nothing of it is left that could be given again, so its
    /// reply takes its place in the order at once.
    /// - Parameter beginsChunk: whether it was the command before a chunk. How long that is can't be told then, and the
    ///   session ends when it is its turn.
    public mutating func receivedOverlongLine(beginsChunk: Bool = false) -> Action {
        if isClosed { return .close }
        if beginsChunk {
            if slots.isEmpty, !isSaying {
                end(with: ReplyCatalogue.lineTooLong)
                return .close
            }
            slots.append(Slot(ticket: 0, reply: ReplyCatalogue.lineTooLong, kind: .end))
            return .go
        }
        if slots.isEmpty, !isSaying { return refused(ReplyCatalogue.lineTooLong) }
        // When as many are in the queue as end the session, no later line will be answered.
        if queuedRefusals < configuration.errors {
            queuedRefusals += 1
            slots.append(Slot(ticket: 0, reply: ReplyCatalogue.lineTooLong, kind: .refusal))
        }
        return .go
    }

    /// The answer to a query is there.
    /// - Returns: `.go`, or `.close` when too many wrong lines came before their turn.
    @discardableResult
    public mutating func answered(_ reply: Reply, to ticket: Int) -> Action {
        if slots.count == 1, !isSaying {
            // The usual case: the answer came at once, so the reply need not be kept.
            guard slots[0].ticket == ticket else { return .go }
            if slots[0].kind == .recipient, reply.isPositive { transaction?.recipients += 1 }
            slots.removeLast()
            say(reply)
            return .go
        }
        guard ticket != 0, let index = slots.firstIndex(where: { $0.ticket == ticket && $0.reply == nil }) else {
            return .go
        }
        slots[index].reply = reply
        return index > 0 || isSaying ? .go : sayReady()
    }

    /// Says the replies at the head of the queue.
    private mutating func sayReady() -> Action {
        var ready = 0
        while !isSaying, ready < slots.count, let reply = slots[ready].reply {
            switch slots[ready].kind {
            case .recipient:
                if reply.isPositive { transaction?.recipients += 1 }
                say(reply)
            case .other: say(reply)
            case .refusal:
                queuedRefusals -= 1
                if refused(reply) == .close { return .close }
            case .end:
                end(with: reply)
                return .close
            }
            ready += 1
        }
        slots.removeFirst(ready)
        return .go
    }

    /// The handshake is done: the client starts anew (RFC 3207 4.2).
    public mutating func tlsStarted() {
        isTLSActive = true
        transaction = nil
        message = nil
        client = nil
        configuration.offersTLS = false
    }

    /// Ends the session with this reply, which goes after those that are ready, unless one is being said. Open questions stay unanswered.
    public mutating func end(with reply: Reply) {
        if isClosed { return }
        slots = []
        queuedRefusals = 0
        // In the middle of one reply there is no place for another: the client sees that it was broken off.
        if !isSaying { say(reply) }
        long = nil
        isClosed = true
    }

    private mutating func recipient(
        _ path: consuming ForwardPath, _ parameters: consuming Command.RecipientParameters?, _ line: Span<UInt8>
    ) -> Action {
        guard let utf8 = transaction?.utf8, let recipients = transaction?.recipients else {
            return slots.isEmpty ? refused(ReplyCatalogue.noTransaction) : .wait
        }
        // Where RCPT is whole, only its path can hold such an octet.
        if !utf8, CommandParser.holdsNonASCII(line) {
            return slots.isEmpty ? refused(ReplyCatalogue.nonASCIIPath) : .wait
        }
        if parameters != nil, !configuration.offersNotifications {
            return slots.isEmpty ? refused(ReplyCatalogue.unknownParameter) : .wait
        }
        // DATA and BDAT have been begun (RFC 3030 2).
        if message != nil { return refused(ReplyCatalogue.chunkExpected) }
        if recipients + slots.count >= configuration.recipients {
            if !slots.isEmpty { return .wait }
            // 452, never 552 (RFC 5321 4.5.3.1.10).
            say(ReplyCatalogue.tooManyRecipients)
            return .go
        }
        recipientParameters = parameters
        return ask(.recipient(path, utf8: utf8), .recipient)
    }

    private mutating func ask(_ query: consuming Query, _ kind: Slot.Kind = .other) -> Action {
        ticket += 1
        slots.append(Slot(ticket: ticket, reply: nil, kind: kind))
        return .ask(query, ticket: ticket)
    }

    mutating func say(_ reply: Reply) { say(reply, from: 0) }

    private mutating func say(_ reply: Reply, from first: Int) {
        let next = reply.append(
            to: &output, withEnhancedCode: configuration.form == .enhanced, from: first,
            octets: output.count + SMTPLimits.replyPiece)
        if next < reply.lineCount { long = (reply, next) }
    }

    /// A command that is wrong; too many of them end the session.
    mutating func refused(_ reply: Reply) -> Action {
        say(reply)
        if !reply.isSyntaxError { return .go }
        errors += 1
        if errors < configuration.errors { return .go }
        end(with: ReplyCatalogue.tooManyErrors(configuration.hostname))
        return .close
    }

    mutating func quit() -> Action {
        end(with: ReplyCatalogue.closing(configuration.hostname))
        return .close
    }

    mutating func startTLS() -> Action {
        if isTLSActive { return refused(ReplyCatalogue.tlsActive) }
        if !configuration.offersTLS { return refused(ReplyCatalogue.tlsNotOffered) }
        say(ReplyCatalogue.readyForTLS)
        return .startTLS
    }
}
