// What the tests of the session have in common: a session that is talked to in lines, and its answers as text.

import MailAddress
import SMTPProtocol

/// A session with a pen: lines in, replies out as text, LF between lines.
struct Talk {
    var session: Session
    /// The queries that are not answered yet, oldest first.
    var asked: [(query: Query, ticket: Int)] = []

    init(_ change: (inout SessionConfiguration) -> Void = { _ in }) {
        var configuration = SessionConfiguration(hostname: Array("mx.example".utf8))
        change(&configuration)
        session = Session(configuration)
    }

    /// Gives a line and does not answer what it asks.
    @discardableResult
    mutating func give(_ line: String) -> Session.Action { give(Array(line.utf8)) }

    @discardableResult
    mutating func give(_ line: [UInt8]) -> Session.Action {
        let action = session.received(line.span)
        if case .ask(let query, let ticket) = action { asked.append((query, ticket)) }
        return action
    }

    /// Answers the oldest query, or the one at this index.
    @discardableResult
    mutating func answer(_ reply: Reply = ReplyCatalogue.recipientOK, at index: Int = 0) -> Session.Action {
        let ticket = asked.remove(at: index).ticket
        return session.answered(reply, to: ticket)
    }

    /// What is ready to be sent.
    mutating func heard() -> String {
        var text = ""
        session.takeOutput { text = String(decoding: $0, as: UTF8.self) }
        return text.split(separator: "\r\n").joined(separator: "\n")
    }

    /// Gives mail data in pieces of this size, and tells what is handed on of it.
    /// - Returns: the message, and what came of it; `more` counts no octet.
    mutating func give(data: [UInt8], inPiecesOf size: Int) -> (content: [UInt8], progress: Session.DataProgress) {
        var content: [UInt8] = []
        var at = 0
        while at < data.count {
            let piece = Array(data[at..<min(at + size, data.count)])
            let progress = session.receivedData(piece.span, from: 0) { content += piece[$0] }
            switch progress {
            case .more: at += piece.count
            case .handOn(let next): return (content, .handOn(next: at + next))
            case .refused(let next): return (content, .refused(next: at + next))
            case .chunk(let next): return (content, .chunk(next: at + next))
            }
        }
        return (content, .more)
    }

    /// Gives a line, answers at once what it asks with 250, and tells what was said.
    mutating func say(_ line: String) -> String { say(Array(line.utf8)) }

    mutating func say(_ line: [UInt8]) -> String {
        if case .ask = give(line) { answer() }
        return heard()
    }
}

/// What the one line is taken for: the query it asks, as words, or the reply it gets.
func outcome(of line: [UInt8], after lines: [String] = ["MAIL FROM:<>"]) -> String {
    var talk = Talk()
    for line in lines { _ = talk.say(line) }
    switch talk.give(line) {
    case .ask(let query, _): return describe(query)
    case .close: return "close " + talk.heard()
    case .wait: return "wait"
    case .startTLS: return "startTLS " + talk.heard()
    case .go: return talk.heard()
    case .begin: return "begin " + talk.heard()
    case .forget: return "forget " + talk.heard()
    case .openMessage: return "open " + talk.heard()
    }
}

func describe(_ query: Query) -> String {
    switch query {
    case .recipient(.postmaster, let utf8): "rcpt postmaster" + (utf8 ? " utf8" : "")
    case .recipient(.mailbox(let mailbox), let utf8): "rcpt \(mailbox)" + (utf8 ? " utf8" : "")
    case .verify(let subject, let utf8): "vrfy " + describe(subject) + (utf8 ? " utf8" : "")
    case .expand(let subject, let utf8): "expn " + describe(subject) + (utf8 ? " utf8" : "")
    }
}

func describe(_ subject: Subject) -> String {
    switch subject {
    case .mailbox(let mailbox): "mailbox \(mailbox)"
    case .postmaster: "postmaster"
    case .name(let octets): "name " + String(decoding: octets, as: UTF8.self)
    }
}
