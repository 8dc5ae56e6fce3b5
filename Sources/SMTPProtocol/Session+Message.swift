// From DATA to the reply that the message gets (RFC 5321 4.1.1.4). The session says when octets are the message's, and
// tells its owner what to hand on; the owner says when it is taken. Nothing is acknowledged before.

extension Session {
    /// Where a session stands with a message.
    enum Phase: Hashable, Sendable {
        /// Lines are commands.
        case commands
        /// DATA was in order; whether the message can be taken is being found out.
        case opening
        /// What comes in is the message.
        case data
        /// The message is whole, and is being handed on.
        case handing
    }

    /// How far mail data has been read.
    public enum DataProgress: Hashable, Sendable {
        /// All of it, and the message goes on.
        case more
        /// The message ends before `next`. Hand it on, and call `messageEnded(_:)` with the reply.
        case handOn(next: Int)
        /// The message ends before `next`, and its refusal has been said. Forget it.
        case refused(next: Int)
    }

    /// Whether what comes in is mail data, for `receivedData`, and no line.
    public var isReceivingData: Bool { phase == .data }

    /// Whether a message is being opened or handed on. What comes in meanwhile must be kept: whether it is a message or
    /// commands is not known yet.
    public var isHandlingMessage: Bool { phase == .opening || phase == .handing }

    /// There is a place for the message: 354 is said, and what comes in is its data.
    public mutating func messageOpened() {
        guard phase == .opening, !isClosed else { return }
        message = MessageReader(sizeLimit: configuration.messageSize, traceFields: configuration.traceFields)
        phase = .data
        say(ReplyCatalogue.startMail)
    }

    /// The message can't be taken, or was not in order, or has been handed on: this is its reply. The transaction is over
    /// (RFC 5321 4.1.1.4).
    public mutating func messageEnded(_ reply: Reply) {
        guard isHandlingMessage, !isClosed else { return }
        endMessage(reply)
    }

    /// What has been read can't be handed on. The rest is read past, and then this reply is given.
    public mutating func messageFailed(_ reply: Reply) {
        guard phase == .data, message?.fault == nil else { return }
        message?.fault = .refused(reply)
    }

    /// Mail data has come in.
    /// - Parameters:
    ///   - start: the first octet that has not been given yet.
    ///   - content: called with each range of `octets` that is to be handed on, in order.
    public mutating func receivedData(
        _ octets: Span<UInt8>, from start: Int, _ content: (Range<Int>) -> Void
    ) -> DataProgress {
        guard phase == .data, let (next, isEnd) = message?.read(octets, from: start, content) else { return .more }
        if !isEnd { return .more }
        guard let fault = message?.fault else {
            phase = .handing
            return .handOn(next: next)
        }
        endMessage(fault.reply)
        return .refused(next: next)
    }

    private mutating func endMessage(_ reply: Reply) {
        phase = .commands
        message = nil
        transaction = nil
        say(reply)
    }
}
