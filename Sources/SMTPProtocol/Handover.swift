// The client's side of SMTP (RFC 5321) and of LMTP (RFC 2033), as a value: the greeting, EHLO or LHLO, STARTTLS, and then
// one command after the other, or many at once where the server takes that (RFC 2920). It does no I/O and knows no time.

import MailAddress

/// A connection to a server that is handed messages.
public struct Handover: Sendable {
    /// What has come of what the server said.
    public enum Event: Hashable, Sendable {
        /// Commands may be sent.
        case ready
        /// Do the TLS handshake, then call `tlsStarted()`.
        case startTLS
        /// The reply to the first command, or the first message of LMTP's, that has had none yet.
        case answered(HeardReply)
        /// The connection is of no use; nothing more comes.
        case failed(Fault)
    }

    /// Why a connection is of no use.
    public enum Fault: Hashable, Sendable {
        /// What came is no reply.
        case malformedReply
        /// A reply to nothing, such as the 421 of a server that stops.
        case unasked(HeardReply)
        /// No greeting that welcomes.
        case unwelcome(HeardReply)
        /// EHLO, or LHLO, refused: maybe it speaks the other.
        case refused(HeardReply, isLocal: Bool)
        /// TLS is asked for, and the server does not do it.
        case noTLS(HeardReply?)
        /// Something followed the reply to STARTTLS before the handshake: somebody may have put it there.
        case octetsBeforeTLS
    }

    private enum Phase: Hashable {
        case greeting
        case hello
        /// After EHLO was refused (RFC 5321 3.2).
        case plainHello
        case startTLS
        case ready
        case over
    }

    private let isLocal: Bool
    private let name: [UInt8]
    private let usesStartTLS: Bool
    private var phase = Phase.greeting
    private var reader = ReplyReader()
    private var isEncrypted = false
    /// Commands that have not been sent.
    private var queue: [[UInt8]] = []
    /// Replies that are due.
    private var due = 0
    public private(set) var extensions = ServerExtensions()
    /// What is to be sent now.
    public private(set) var output: [UInt8] = []

    /// - Parameters:
    ///   - isLocal: whether LMTP is spoken.
    ///   - name: what this client calls itself: a domain.
    ///   - usesStartTLS: whether nothing is sent before STARTTLS.
    public init(isLocal: Bool, name: [UInt8], usesStartTLS: Bool) {
        self.isLocal = isLocal
        self.name = name
        self.usesStartTLS = usesStartTLS
    }

    /// Takes what has come in, up to the first event.
    /// - Returns: the event, nil when more has to come; and how many octets are done with.
    public mutating func received(_ octets: Span<UInt8>) -> (event: Event?, consumed: Int) {
        var start = 0
        while phase != .over {
            switch reader.next(octets, from: start) {
            case .incomplete(let consumed): return (nil, consumed)
            case .malformed: return (fail(.malformedReply), octets.count)
            case .reply(let reply, let next):
                start = next
                if phase == .startTLS, reply.isPositive, next < octets.count {
                    return (fail(.octetsBeforeTLS), octets.count)
                }
                if let event = take(reply) { return (event, next) }
            }
        }
        return (nil, octets.count)
    }

    /// Sends a command line; its reply is an `answered` event, in the order of the commands.
    /// - Parameter line: without CRLF.
    public mutating func send(_ line: [UInt8]) {
        guard phase == .ready else { return }
        queue.append(line)
        sendQueued()
    }

    /// The end of a message has been sent, and gets so many replies: one, or one a recipient in LMTP (RFC 2033 4.2).
    public mutating func expect(_ replies: Int) { due += replies }

    /// The handshake is done: the server starts anew (RFC 3207 4.2).
    public mutating func tlsStarted() {
        isEncrypted = true
        extensions = ServerExtensions()
        sayHello()
    }

    public mutating func takeOutput(_ body: (borrowing [UInt8]) -> Void) {
        if output.isEmpty { return }
        body(output)
        output.removeAll(keepingCapacity: true)
    }

    private mutating func take(_ reply: HeardReply) -> Event? {
        switch phase {
        case .greeting:
            // 220 alone; 554 says that there is no service (RFC 5321 3.1).
            guard reply.code == 220 else { return fail(.unwelcome(reply)) }
            sayHello()
            return nil
        case .hello:
            if reply.isPositive { return welcomed(reply) }
            guard !isLocal, !usesStartTLS, reply.code >= 500 else { return fail(.refused(reply, isLocal: isLocal)) }
            phase = .plainHello
            write(Array("HELO ".utf8) + name)
            return nil
        case .plainHello:
            guard reply.isPositive else { return fail(.refused(reply, isLocal: false)) }
            phase = .ready
            return .ready
        case .startTLS:
            guard reply.isPositive else { return fail(.noTLS(reply)) }
            return .startTLS
        case .ready:
            if due == 0 { return fail(.unasked(reply)) }
            due -= 1
            sendQueued()
            return .answered(reply)
        case .over: return nil
        }
    }

    private mutating func welcomed(_ reply: HeardReply) -> Event? {
        extensions = ServerExtensions(reply)
        guard usesStartTLS, !isEncrypted else {
            phase = .ready
            return .ready
        }
        guard extensions.startTLS else { return fail(.noTLS(nil)) }
        phase = .startTLS
        write(Array("STARTTLS".utf8))
        return nil
    }

    private mutating func sayHello() {
        phase = .hello
        write(Array((isLocal ? "LHLO " : "EHLO ").utf8) + name)
    }

    private mutating func sendQueued() {
        var sent = 0
        while sent < queue.count, due == 0 || extensions.pipelining {
            write(queue[sent])
            sent += 1
            due += 1
        }
        queue.removeFirst(sent)
    }

    private mutating func write(_ line: [UInt8]) {
        output += line
        output += "\r\n".utf8
    }

    private mutating func fail(_ fault: Fault) -> Event {
        phase = .over
        return .failed(fault)
    }
}

extension Handover.Fault: CustomStringConvertible {
    /// For a log.
    public var description: String {
        switch self {
        case .malformedReply: "what it says is no reply"
        case .unasked(let reply): "it says \(reply)"
        case .unwelcome(let reply): "it greets with \(reply)"
        case .refused(let reply, isLocal: true): "it refuses LHLO, does it speak SMTP? \(reply)"
        case .refused(let reply, isLocal: false): "it refuses EHLO and HELO, does it speak LMTP? \(reply)"
        case .noTLS(nil): "it does not offer STARTTLS"
        case .noTLS(let reply?): "it refuses STARTTLS: \(reply)"
        case .octetsBeforeTLS: "it sends something between STARTTLS and the handshake"
        }
    }
}
