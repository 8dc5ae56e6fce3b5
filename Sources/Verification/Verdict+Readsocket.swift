// The verdict in the words of readsocket: ok, no, elsewhere or defer, and the reply line of SMTP or the value of a map.

public import LookupProtocols
import MailAddress
public import SMTPProtocol

extension Verdict {
    /// The answer to `rcpt` or `vrfy`.
    public func readsocketAnswer(on wire: Wire) -> ReadsocketAnswer {
        let reply = reply(on: wire, form: .enhanced, naming: false)
        let line = reply.firstLine
        if case .notServed = self { return .elsewhere(line) }
        return ReadsocketAnswer(code: reply.code, line)
    }
}

extension MapAnswer {
    /// The answer of a map. What can't be answered for good is no "not found" either.
    public var readsocketAnswer: ReadsocketAnswer {
        switch self {
        case .found(let value): .ok(value)
        case .absent: .no([])
        case .temporary(let text), .permanent(let text): .later(text)
        }
    }
}

extension ReadsocketAnswer {
    fileprivate init(code: UInt16, _ line: [UInt8]) {
        switch code / 100 {
        case 2: self = .ok(line)
        case 5: self = .no(line)
        default: self = .later(line)
        }
    }
}

/// What a readsocket question asks.
public enum ReadsocketQuestion: Sendable {
    /// `rcpt` or `vrfy`.
    case query(Query)
    /// The word is the name of a map.
    case map(MapRequest)
    /// There is nothing to look up.
    case decided(ReadsocketAnswer)

    public init(_ request: ReadsocketRequest) {
        let word = String(decoding: request.word, as: UTF8.self)
        guard word == "rcpt" || word == "vrfy" else {
            let isMap = DirectoryMap(octets: request.word) != nil
            self = isMap ? .map(MapRequest(map: request.word, key: request.key)) : .decided(Self.noSuchWord)
            return
        }
        let policy = PolicyRequest(state: word == "rcpt" ? .rcpt : .vrfy, recipient: request.key)
        if let query = Query(policy) {
            self = .query(query)
            return
        }
        do {
            _ = try Mailbox(octets: request.key.span)
            self = .decided(.no([]))
        } catch {
            let reply = ReplyCatalogue.badAddress(error)
            self = .decided(ReadsocketAnswer(code: reply.code, reply.firstLine))
        }
    }

    private static let noSuchWord = ReadsocketAnswer.later(
        Array(
            "5.5.4 No such word; there are rcpt, vrfy, \(DirectoryMap.allCases.map(\.rawValue).joined(separator: ", "))"
                .utf8))
}
