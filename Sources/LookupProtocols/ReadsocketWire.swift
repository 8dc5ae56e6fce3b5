// Exim's ${readsocket}: one question a connection, `WORD SP [client=ADDRESS SP] KEY`, which ends with LF or where the client
// closes its side; one answer, without an end of line, and the server closes (Exim's specification, "11.5 Expansion items").

import MailAddress

/// A question as it came; nothing in it has been looked at.
public struct ReadsocketRequest: Hashable, Sendable {
    /// `rcpt`, `vrfy`, or the name of a map.
    public var word: [UInt8]
    /// The SMTP client's address that the question is for; empty where that is not told.
    public var clientAddress: [UInt8]
    public var key: [UInt8]

    public init(word: [UInt8], clientAddress: [UInt8] = [], key: [UInt8]) {
        self.word = word
        self.clientAddress = clientAddress
        self.key = key
    }
}

/// An answer: a word that conditions are made of, and for most a text after a space.
public enum ReadsocketAnswer: Hashable, Sendable {
    /// Yes: the value of a map, or the reply of SMTP.
    case ok([UInt8])
    /// Surely not. A map has nothing to say about it.
    case no([UInt8])
    /// A recipient in no domain that is served: whether mail may go there is not for a directory to say.
    case elsewhere([UInt8])
    /// It can't be told, now or because the question can't be answered. Never to be taken for "no".
    case later([UInt8])

    /// The first word of the answer.
    public var word: String {
        switch self {
        case .ok: "ok"
        case .no: "no"
        case .elsewhere: "elsewhere"
        case .later: "defer"
        }
    }

    fileprivate var text: [UInt8] {
        switch self {
        case .ok(let text), .no(let text), .elsewhere(let text), .later(let text): text
        }
    }
}

/// One readsocket connection.
public struct ReadsocketWire: LookupWire, Hashable {
    private var framing = NewlineFraming(limit: LookupLimits.readsocketRequest)
    private var hasInputEnded = false

    public init() {}

    public mutating func next(_ bytes: Span<UInt8>) -> LookupStep<ReadsocketRequest, ReadsocketAnswer> {
        switch framing.next(bytes) {
        case .line(let end, let next): return Self.step(bytes.array(0..<end), next: next)
        case .overlong: return .fail(Self.overlong)
        case .incomplete(let consumed):
            if consumed > 0 { return .fail(Self.overlong) }
            guard hasInputEnded, bytes.count > 0 else { return .incomplete(consumed: 0) }
            if bytes.count > LookupLimits.readsocketRequest { return .fail(Self.overlong) }
            framing = NewlineFraming(limit: LookupLimits.readsocketRequest)
            return Self.step(bytes.array(0..<bytes.count), next: bytes.count)
        }
    }

    public mutating func inputEnded() { hasInputEnded = true }

    private static func step(
        _ line: [UInt8], next: Int
    ) -> LookupStep<ReadsocketRequest, ReadsocketAnswer> {
        let space = UInt8(ascii: " ")
        guard let end = line.firstIndex(of: space), end > 0 else { return .fail(malformed) }
        var request = ReadsocketRequest(word: Array(line[..<end]), key: Array(line[(end + 1)...]))
        let client = Array("client=".utf8)
        // An address may begin so too, but holds no space unless it is quoted.
        if request.key.starts(with: client), let end = request.key.firstIndex(of: space) {
            request.clientAddress = Array(request.key[client.count..<end])
            request.key = Array(request.key[(end + 1)...])
        }
        return .ask(request, next: next)
    }

    public static func append(_ answer: ReadsocketAnswer, to output: inout [UInt8]) {
        output += answer.word.utf8
        if answer.text.isEmpty { return }
        output.append(UInt8(ascii: " "))
        output += answer.text
    }

    public static let malformed = ReadsocketAnswer.later(Array("5.5.2 A question is a word, a space, and a key".utf8))
    public static let overlong = ReadsocketAnswer.later(
        Array("5.5.2 The question is longer than \(LookupLimits.readsocketRequest) octets".utf8))
}
