// A session under fire: feeds octets as a connection would, answers questions at odd times, and checks what must hold
// whatever a client sends. Used by the generated tests and by the fuzzers; so it imports no test library.

import MailAddress
import SMTPProtocol

/// Where a session stands when the octets come.
enum Standing: UInt8, CaseIterable {
    case fresh, greeted, inTransaction, awaitingAnswers, takingMail, inMessage
}

/// A small generator that gives the same numbers for the same seed (SplitMix64).
struct Numbers {
    var state: UInt64

    mutating func next(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((value ^ (value >> 31)) % UInt64(bound))
    }
}

/// Plays octets to a session and keeps the first fault it finds.
final class SessionProbe {
    static let slots = 4
    static let errors = 5
    static let messageSize: UInt64 = 3000

    private(set) var fault: String?
    private var session: Session
    private var framing = LineFraming()
    private var buffer: [UInt8] = []
    private var pending: [(ticket: Int, line: Int)] = []
    private var linesTaken = 0
    private var replies = 0
    private var outputLine: [UInt8] = []
    private var replyCode: [UInt8] = []
    private var numbers: Numbers
    private var isOver = false
    /// Whether the next hop has not said yet that it takes a message.
    private var isOpening = false
    /// Mail data as it came, and what was handed on of it.
    private var data: [UInt8] = []
    private var message: [UInt8] = []
    private let form: ReplyForm

    init(_ standing: Standing, seed: UInt64) {
        numbers = Numbers(state: seed)
        form = seed & 1 == 0 ? .enhanced : .plain
        let takesMail = standing == .takingMail || standing == .inMessage
        session = Session(
            SessionConfiguration(
                hostname: Array("mx.example".utf8), form: form, offersTLS: seed & 2 == 0, takesMail: takesMail,
                traceFields: 3, messageSize: Self.messageSize, recipients: 6, slots: Self.slots, errors: Self.errors))
        session.connected()
        collect()
        replies = 0
        let opening: [String] =
            switch standing {
            case .fresh: []
            case .greeted: ["EHLO c.example"]
            case .inTransaction: ["EHLO c.example", "MAIL FROM:<> SMTPUTF8"]
            case .awaitingAnswers: ["MAIL FROM:<>", "RCPT TO:<a@b.example>", "VRFY c"]
            case .takingMail: ["MAIL FROM:<>", "RCPT TO:<a@b.example>"]
            case .inMessage: ["MAIL FROM:<>", "RCPT TO:<a@b.example>", "DATA"]
            }
        for line in opening {
            buffer += Array(line.utf8) + [13, 10]
            process()
        }
        if standing == .inMessage, isOpening { openMessage() }
    }

    /// Feeds all, in pieces, then answers what is open and checks the count.
    func play(_ octets: [UInt8]) {
        var at = 0
        while at < octets.count, fault == nil {
            let size = min(octets.count - at, 1 + numbers.next(numbers.next(3) == 0 ? 700 : 40))
            buffer += octets[at..<at + size]
            at += size
            process()
            if numbers.next(3) == 0 { answerOne() }
            if session.isHandlingMessage, numbers.next(3) == 0 { goOn() }
        }
        while !pending.isEmpty || session.isHandlingMessage, fault == nil, !session.isClosed {
            if pending.isEmpty { goOn() } else { answerOne() }
        }
        if fault != nil { return }
        if session.isClosed {
            // The last reply may be an extra 421.
            check(replies <= linesTaken + 1, "more replies than lines")
        } else {
            // BDAT is answered when its chunk has come.
            let answered = session.isReceivingChunk ? linesTaken - 1 : linesTaken
            check(replies == answered, "\(linesTaken) lines, \(replies) replies")
            check(!session.isWaiting, "still waiting when all is answered")
        }
        check(outputLine.isEmpty, "output ends amid a line")
        check(replyCode.isEmpty, "output ends amid a reply")
    }

    private func check(_ isTrue: Bool, _ what: @autoclosure () -> String) {
        if !isTrue, fault == nil { fault = what() }
    }

    private func process() {
        while !isOver, fault == nil {
            if session.isReceivingData {
                if !(session.isReceivingChunk ? takeChunk() : takeData()) { return }
                continue
            }
            if session.isHandlingMessage { return collect() }
            var line: Int?
            let next: Int
            var beginsChunk = false
            switch framing.next(buffer.span, from: 0) {
            case .incomplete(let consumed):
                check(consumed <= buffer.count, "consumed more than there is")
                buffer.removeFirst(consumed)
                check(buffer.count <= SMTPLimits.longestLine, "\(buffer.count) octets kept of one line")
                collect()
                return
            case .line(let end, let after): (line, next) = (end, after)
            case .overlong(let after, let isChunk): (next, beginsChunk) = (after, isChunk)
            }
            let action: Session.Action
            if let line {
                let octets = buffer
                action = session.received(octets.span.extracting(..<line))
            } else {
                action = session.receivedOverlongLine(beginsChunk: beginsChunk)
            }
            switch action {
            case .wait:
                check(line != nil, "an overlong line can't wait")
                check(!pending.isEmpty, "waits for nothing")
                collect()
                return
            case .ask(_, let ticket):
                pending.append((ticket, linesTaken))
                check(pending.count <= Self.slots, "\(pending.count) questions open")
            case .close:
                check(session.isClosed, "close, but not closed")
                isOver = true
            case .startTLS: session.tlsStarted()
            case .begin, .forget: check(session.configuration.takesMail, "a transaction where no mail is taken")
            case .openMessage: isOpening = true
            case .go: break
            }
            buffer.removeFirst(next)
            linesTaken += 1
            collect()
            if isOpening, numbers.next(2) == 0 { handle() }
        }
    }

    /// Mail data is one line more, which gets one reply.
    /// - Returns: whether the message has ended.
    private func takeData() -> Bool {
        let before = buffer
        let progress = session.receivedData(before.span, from: 0) { message += before[$0] }
        if numbers.next(40) == 0 { session.messageFailed(ReplyCatalogue.storageFull) }
        switch progress {
        case .more:
            data += buffer
            buffer = []
            check(MessageRules.end(of: data) == nil, "the end of the message is passed by")
            collect()
            return false
        case .chunk: check(false, "a chunk ends where there is none")
        case .handOn(let next), .refused(let next):
            data += buffer.prefix(next)
            buffer.removeFirst(next)
            linesTaken += 1
        }
        check(MessageRules.end(of: data) == data.count, "the message ends elsewhere")
        if case .handOn = progress {
            check(message == MessageRules.content(of: data), "another message is handed on")
            check(!MessageRules.holdsBareLineEnd(data), "a bare line end is handed on")
            check(message.count <= Self.messageSize, "\(message.count) octets are handed on")
            if numbers.next(2) == 0 { handle() }
        }
        collect()
        return true
    }

    /// A chunk has the reply of its BDAT.
    /// - Returns: whether it is over.
    private func takeChunk() -> Bool {
        if buffer.isEmpty, !session.isChunkWhole {
            collect()
            return false
        }
        let before = buffer
        let progress = session.receivedData(before.span, from: 0) { message += before[$0] }
        if numbers.next(40) == 0 { session.messageFailed(ReplyCatalogue.storageFull) }
        switch progress {
        case .more:
            data += buffer
            buffer = []
            collect()
            return false
        case .handOn(let next), .refused(let next), .chunk(let next):
            check(next <= buffer.count, "a chunk ends after what has come")
            data += buffer.prefix(next)
            buffer.removeFirst(min(next, buffer.count))
        }
        if case .handOn = progress {
            check(message == data, "other octets are handed on than came in chunks")
            check(!MessageRules.holdsBareLineEnd(data), "a bare line end is handed on")
            check(message.count <= Self.messageSize, "\(message.count) octets are handed on")
            if numbers.next(2) == 0 { handle() }
        }
        collect()
        return true
    }

    private func goOn() {
        handle()
        process()
    }

    /// The next hop says what it thinks of opening a message, or of the message.
    private func handle() {
        if isOpening, numbers.next(4) > 0 { return openMessage() }
        isOpening = false
        session.messageEnded(numbers.next(2) == 0 ? ReplyCatalogue.ok : ReplyCatalogue.notHandedOn)
        collect()
    }

    private func openMessage() {
        isOpening = false
        data = []
        message = []
        session.messageOpened()
        collect()
    }

    private func answerOne() {
        if pending.isEmpty { return }
        let (ticket, line) = pending.remove(at: numbers.next(pending.count))
        // The reply says which line it belongs to.
        let reply: Reply
        if let mailbox = try? Mailbox("line\(line)@b.example") {
            let named = NamedMailbox(name: numbers.next(2) == 0 ? "N\r\n250 x" : "", mailbox: mailbox)
            switch numbers.next(4) {
            case 0: reply = ReplyCatalogue.willForward(to: mailbox)
            case 1: reply = ReplyCatalogue.pleaseTry(mailbox)
            case 2: reply = ReplyCatalogue.possibilities([named, named])
            default: reply = ReplyCatalogue.verified(named)
            }
        } else {
            return check(false, "no mailbox")
        }
        if session.answered(reply, to: ticket) == .close { isOver = true }
        collect()
        process()
    }

    /// Takes the output and looks at every line of it.
    private func collect() {
        var output: [UInt8] = []
        session.takeOutput { output = $0 }
        for octet in output {
            outputLine.append(octet)
            if octet == 10 {
                checkLine()
                outputLine = []
            }
        }
    }

    private func checkLine() {
        let line = outputLine
        let text = String(decoding: line, as: UTF8.self)
        check(line.count <= SMTPLimits.replyLine, "a reply line of \(line.count) octets")
        guard line.count >= 6, line.suffix(2) == [13, 10] else { return check(false, "no reply line: \(text)") }
        check(!line.dropLast(2).contains { $0 < 32 || $0 == 127 }, "a control character in a reply")
        check((50...53).contains(line[0]) && (48...53).contains(line[1]) && (48...57).contains(line[2]), text)
        let isLast = line[3] == 32
        check(isLast || line[3] == 45, text)
        check(replyCode.isEmpty || replyCode == Array(line.prefix(3)), "the code changes within a reply")
        replyCode = Array(line.prefix(3))
        if line.count > 10, line[5] == 46, line[7] == 46 {
            check(form == .enhanced && line[4] == line[0], "enhanced code of another class: \(text)")
        }
        if let range = text.range(of: "line"), let end = text[range.upperBound...].firstIndex(of: "@") {
            check(Int(text[range.upperBound..<end]) == replies, "reply \(replies) is that of another line: \(text)")
        }
        if isLast {
            replies += 1
            replyCode = []
        }
    }
}

extension String {
    /// Without Foundation: where the word is.
    fileprivate func range(of word: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(word) { return start..<index(start, offsetBy: word.count) }
            start = index(after: start)
        }
        return nil
    }
}
