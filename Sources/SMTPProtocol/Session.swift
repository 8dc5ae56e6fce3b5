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
    }

    private(set) public var configuration: SessionConfiguration
    /// Replies that may be sent now, in order. The owner takes them.
    public private(set) var output: [UInt8] = []
    var transaction: Transaction?
    private var slots: [Slot] = []
    private var ticket = 0
    private var errors = 0
    private var isTLSActive = false
    private(set) public var isClosed = false

    struct Transaction: Hashable, Sendable {
        var reversePath: ReversePath
        var utf8: Bool
        var recipients = 0
    }

    private struct Slot: Hashable, Sendable {
        var ticket: Int
        var reply: Reply?
        var isRecipient: Bool
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

    /// Whether an answer is awaited.
    public var isWaiting: Bool { !slots.isEmpty }

    /// A line has come in; `line` is without its CRLF.
    public mutating func received(_ line: Span<UInt8>) -> Action {
        if isClosed { return .close }
        if slots.count >= configuration.slots { return .wait }
        let command: Command
        do {
            command = try CommandParser.parse(line)
        } catch {
            return slots.isEmpty ? refused(error.reply) : .wait
        }
        switch command {
        case .recipient(let path): return recipient(path)
        case .verify(let subject, let utf8): return ask(.verify(subject, utf8: utf8))
        case .expand(let subject, let utf8): return ask(.expand(subject, utf8: utf8))
        default:
            // Everything else depends on what went before, so it waits for it.
            return slots.isEmpty ? carryOut(command) : .wait
        }
    }

    /// A line that was too long is over.
    public mutating func receivedOverlongLine() -> Action {
        if isClosed { return .close }
        return slots.isEmpty ? refused(ReplyCatalogue.lineTooLong) : .wait
    }

    /// The answer to a query is there.
    public mutating func answered(_ reply: Reply, to ticket: Int) {
        guard let index = slots.firstIndex(where: { $0.ticket == ticket && $0.reply == nil }) else { return }
        slots[index].reply = reply
        if index > 0 { return }
        var ready = 0
        while ready < slots.count, let reply = slots[ready].reply {
            if slots[ready].isRecipient, reply.isPositive { transaction?.recipients += 1 }
            say(reply)
            ready += 1
        }
        slots.removeFirst(ready)
    }

    /// The handshake is done: the client starts anew (RFC 3207 4.2).
    public mutating func tlsStarted() {
        isTLSActive = true
        transaction = nil
        configuration.offersTLS = false
    }

    /// Ends the session with this reply, which goes after those that are ready. Open questions stay unanswered.
    public mutating func end(with reply: Reply) {
        if isClosed { return }
        slots = []
        say(reply)
        isClosed = true
    }

    private mutating func recipient(_ path: ForwardPath) -> Action {
        guard let transaction else {
            return slots.isEmpty ? refused(ReplyCatalogue.noTransaction) : .wait
        }
        if case .mailbox(let mailbox) = path, !mailbox.isASCII, !transaction.utf8 {
            return slots.isEmpty ? refused(ReplyCatalogue.nonASCIIPath) : .wait
        }
        if transaction.recipients + slots.count >= configuration.recipients {
            if !slots.isEmpty { return .wait }
            // 452, never 552 (RFC 5321 4.5.3.1.10).
            say(ReplyCatalogue.tooManyRecipients)
            return .go
        }
        return ask(.recipient(path, utf8: transaction.utf8), isRecipient: true)
    }

    private mutating func ask(_ query: Query, isRecipient: Bool = false) -> Action {
        ticket &+= 1
        slots.append(Slot(ticket: ticket, reply: nil, isRecipient: isRecipient))
        return .ask(query, ticket: ticket)
    }

    mutating func say(_ reply: Reply) {
        reply.append(to: &output, withEnhancedCode: configuration.form == .enhanced)
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
