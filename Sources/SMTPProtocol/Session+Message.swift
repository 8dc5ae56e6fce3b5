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
        /// What comes in is a chunk of the message (RFC 3030), so many octets of which are still to come.
        case chunk(rest: UInt64, of: UInt64, isLast: Bool)
        /// What comes in is a chunk that is refused.
        case refusedChunk(rest: UInt64, Reply)
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
        /// A chunk ends before `next`, and has been answered. The message goes on with another, after a line.
        case chunk(next: Int)
    }

    /// What is to be done next.
    public enum Turn: Sendable {
        /// A long reply is being said: `sayMore()`.
        case say
        /// What comes in is mail data: `receivedData`.
        case readData
        /// A message is being opened or handed on: what comes in must be kept.
        case wait
        /// What comes in is a command: `received(_:)`.
        case readLine
    }

    /// What is to be done next. It changes nothing; but as a getter it would be given a copy of the session, at every command.
    public mutating func turn() -> Turn {
        if isSaying { return .say }
        switch phase {
        case .data, .chunk, .refusedChunk: return .readData
        case .opening, .handing: return .wait
        case .commands: return .readLine
        }
    }

    /// Whether what comes in is mail data, for `receivedData`, and no line.
    public var isReceivingData: Bool {
        switch phase {
        case .data, .chunk, .refusedChunk: true
        case .commands, .opening, .handing: false
        }
    }

    /// Whether what comes in is a chunk (RFC 3030), whose end its size tells.
    public var isReceivingChunk: Bool { isReceivingData && phase != .data }

    /// Whether `receivedData` has something to say though nothing has come in: a chunk may be empty.
    public var isChunkWhole: Bool {
        switch phase {
        case .chunk(let rest, _, _), .refusedChunk(let rest, _): rest == 0
        default: false
        }
    }

    /// Whether a message is being opened or handed on. What comes in meanwhile must be kept: whether it is a message or
    /// commands is not known yet.
    public var isHandlingMessage: Bool { phase == .opening || phase == .handing }

    /// There is a place for the message: 354 is said, and what comes in is its data.
    public mutating func messageOpened() {
        guard phase == .opening, !isClosed else { return }
        message = MessageReader(sizeLimit: configuration.messageSize, traceFields: configuration.traceFields)
        if let chunk = firstChunk {
            firstChunk = nil
            phase = .chunk(rest: chunk.size, of: chunk.size, isLast: chunk.isLast)
        } else {
            phase = .data
            say(ReplyCatalogue.startMail)
        }
    }

    /// The message can't be taken, or was not in order, or has been handed on: this is its reply. The transaction is over
    /// (RFC 5321 4.1.1.4).
    public mutating func messageEnded(_ reply: Reply) {
        guard isHandlingMessage, !isClosed else { return }
        if let chunk = firstChunk {
            // Its octets are on their way.
            firstChunk = nil
            phase = .refusedChunk(rest: chunk.size, reply)
        } else {
            endMessage(reply)
        }
    }

    /// What has been read can't be handed on. The rest is read past, and then this reply is given.
    public mutating func messageFailed(_ reply: Reply) {
        guard message != nil, message?.fault == nil else { return }
        message?.fault = .refused(reply)
    }

    /// Mail data has come in.
    /// - Parameters:
    ///   - start: the first octet that has not been given yet.
    ///   - content: called with each range of `octets` that is to be handed on, in order.
    public mutating func receivedData(
        _ octets: Span<UInt8>, from start: Int, _ content: (Range<Int>) -> Void
    ) -> DataProgress {
        switch phase {
        case .data:
            guard let (next, isEnd) = message?.read(octets, from: start, content), isEnd else { return .more }
            return messageIsWhole(next: next)
        case .chunk(let rest, let size, let isLast):
            let end = start + Int(min(rest, UInt64(octets.count - start)))
            message?.readChunk(octets, start..<end, content)
            let left = rest - UInt64(end - start)
            phase = .chunk(rest: left, of: size, isLast: isLast)
            if left > 0 { return .more }
            if isLast {
                message?.endChunks()
                return messageIsWhole(next: end)
            }
            if let fault = message?.fault {
                endMessage(fault.reply)
                return .refused(next: end)
            }
            phase = .commands
            say(ReplyCatalogue.chunkTaken(size))
            return .chunk(next: end)
        case .refusedChunk(let rest, let reply):
            let end = start + Int(min(rest, UInt64(octets.count - start)))
            let left = rest - UInt64(end - start)
            phase = .refusedChunk(rest: left, reply)
            if left > 0 { return .more }
            endMessage(reply)
            return .refused(next: end)
        case .commands, .opening, .handing: return .more
        }
    }

    private mutating func messageIsWhole(next: Int) -> DataProgress {
        guard let fault = message?.fault else {
            phase = .handing
            return .handOn(next: next)
        }
        endMessage(fault.reply)
        return .refused(next: next)
    }

    /// BDAT (RFC 3030). Whatever becomes of it, its octets follow.
    mutating func chunk(_ size: UInt64, isLast: Bool) -> Action {
        if size == .max {
            // Nobody can read past that.
            end(with: ReplyCatalogue.messageTooBig)
            return .close
        }
        if let refusal = chunkRefusal {
            phase = .refusedChunk(rest: size, refusal)
            return .go
        }
        if message != nil {
            phase = .chunk(rest: size, of: size, isLast: isLast)
            return .go
        }
        firstChunk = (size, isLast)
        phase = .opening
        return .openMessage
    }

    private var chunkRefusal: Reply? {
        if !configuration.takesMail { return ReplyCatalogue.notImplemented }
        guard let transaction else { return ReplyCatalogue.noTransaction }
        return transaction.recipients == 0 ? ReplyCatalogue.noRecipients : nil
    }

    private mutating func endMessage(_ reply: Reply) {
        phase = .commands
        lastFault = message?.fault
        message = nil
        transaction = nil
        _ = refused(reply)
    }
}
