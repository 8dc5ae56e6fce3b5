// The state machine over a directory, in memory or as a test has it: session, inquiry, verdict, reply, as a connection of the server has it.

public import MailboxDirectory
import SMTPProtocol
import Verification

/// When a directory's answers come.
public enum Answering: String, Sendable, CaseIterable {
    case atOnce
    /// When nothing else can be done, the youngest first.
    case late
}

/// A session in memory.
public final class SessionPeer: DialoguePeer {
    private var session: Session
    private var framing = LineFraming()
    private var inbound: [UInt8] = []
    private var pending: [(ticket: Int, reply: Reply)] = []
    private let dialogue: Dialogue
    private let directory: DirectoryText
    private let sources: [any Source]
    private let answering: Answering

    /// - Parameter source: makes a source of the text's records; whatever fails in the text fails nevertheless.
    public init(
        _ dialogue: Dialogue, _ directory: DirectoryText, _ answering: Answering = .atOnce,
        source: (DirectoryText.SourceText) throws -> any Source = { try MemoryStore(name: $0.name, $0.records).source }
    ) throws {
        self.dialogue = dialogue
        self.directory = directory
        self.answering = answering
        sources = try directory.sources.map { text in
            FailingSource(base: try source(text), failing: text.failing)
        }
        let disclosure = dialogue.client.disclosure
        session = Session(
            SessionConfiguration(
                hostname: Array(dialogue.hostname.utf8), form: dialogue.form, offersVerify: disclosure.vrfy != .closed,
                offersExpand: disclosure.expn != .closed, offersTLS: dialogue.offersTLS, takesMail: dialogue.takesMail,
                recipients: dialogue.recipients, slots: answering == .late ? 3 : 64, errors: dialogue.errors))
        session.connected()
    }

    public func send(_ octets: [UInt8]) async throws {
        inbound += octets
        process()
    }

    public func receive() async throws -> [UInt8] {
        answerPending()
        var said: [UInt8] = []
        session.takeOutput { said = $0 }
        return said
    }

    private func answerPending() {
        while !pending.isEmpty {
            let answers = pending.reversed()
            pending = []
            for answer in answers { session.answered(answer.reply, to: answer.ticket) }
            process()
        }
    }

    private func process() {
        while !session.isClosed {
            if session.isReceivingData {
                if !takeMessage() { return }
                continue
            }
            switch framing.next(inbound.span, from: 0) {
            case .incomplete(let consumed):
                inbound.removeFirst(consumed)
                return
            case .overlong(let next, let beginsChunk):
                inbound.removeFirst(next)
                if session.receivedOverlongLine(beginsChunk: beginsChunk) == .close { return }
            case .line(let end, let next):
                switch session.received(inbound.span.extracting(..<end)) {
                case .go, .begin, .forget: inbound.removeFirst(next)
                case .openMessage:
                    inbound.removeFirst(next)
                    session.messageOpened()
                case .wait: return
                case .close: return
                case .startTLS:
                    inbound = []
                    session.tlsStarted()
                case .ask(let query, let ticket):
                    inbound.removeFirst(next)
                    answer(query, ticket)
                }
            }
        }
    }

    /// Every message that is in order is taken.
    /// - Returns: whether one has ended.
    private func takeMessage() -> Bool {
        if inbound.isEmpty, !session.isChunkWhole { return false }
        switch session.receivedData(inbound.span, from: 0, { _ in }) {
        case .more:
            inbound = []
            return false
        case .handOn(let next):
            session.messageEnded(ReplyCatalogue.ok)
            inbound.removeFirst(next)
        case .refused(let next), .chunk(let next): inbound.removeFirst(next)
        }
        return true
    }

    private func answer(_ query: Query, _ ticket: Int) {
        let context = Inquiry.Context(sources: sources.map(\.name), defaultDomain: directory.defaultDomain)
        let inquiry = Inquiry(query, by: dialogue.client)
        let verdict = inquiry.answer(from: sources, in: context)
        let reply = verdict.reply(on: inquiry.wire, form: dialogue.form, naming: dialogue.namesPossibilities)
        switch answering {
        case .atOnce: session.answered(reply, to: ticket)
        case .late: pending.append((ticket, reply))
        }
    }
}

/// A source that can't tell some things.
public struct FailingSource: Source {
    let base: any Source
    let failing: Set<String>

    public init(base: any Source, failing: Set<String>) {
        self.base = base
        self.failing = failing
    }

    public var name: String { base.name }

    public func answer(_ lookup: Lookup) -> Answer {
        let kind =
            switch lookup {
            case .domain: "domain"
            case .entries: "entries"
            case .name: "name"
            case .members, .moreMembers, .moreTargets: "members"
            }
        if failing.contains(kind) { return .couldNotTell(Trouble(source: name, reason: "told to fail")) }
        return base.answer(lookup)
    }
}
