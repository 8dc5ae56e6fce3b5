// What the server writes to its log: one line an event, key=value. Levels: a question is debug, a connection is debug,
// a client's fault is info, the directory's trouble is error.

import AddresseeConfiguration
import Foundation
import Logging
import LookupProtocols
import MailAddress
import MailboxDirectory
import NIOCore
import SMTPProtocol
import Verification

struct ServerLog: Sendable {
    private let logger: Logger
    private let troubles = LogLimit<Trouble>()
    private let limited = LogLimit<ClientAddress>()

    init(_ logger: Logger) {
        self.logger = logger
    }

    var showsQuestions: Bool { logger.logLevel <= .debug }

    func started(_ addresses: [String], sources: [String]) {
        logger.info(
            "listening",
            metadata: ["on": "\(addresses.joined(separator: ","))", "sources": "\(sources.joined(separator: ","))"])
    }

    func stopping(reason: String, connections: Int) {
        logger.info("stopping", metadata: ["reason": "\(reason)", "connections": "\(connections)"])
    }

    func stopped() { logger.info("stopped") }

    func reloaded(_ file: String, addresses: [String]) {
        logger.info(
            "configuration-reloaded", metadata: ["file": "\(file)", "on": "\(addresses.joined(separator: ","))"])
    }

    func needsRestart(_ key: String) { logger.warning("needs-restart", metadata: ["key": "\(key)"]) }

    func fewFiles(_ files: Int, connections: Int) {
        logger.warning(
            "few-open-files",
            metadata: [
                "limit": "\(files)", "connections": "\(connections)",
                "do": "raise the limit on open files (ulimit -n, LimitNOFILE), or lower limits.connections",
            ])
    }

    func notReloaded(_ file: String, reason: String) {
        logger.error(
            "configuration-not-reloaded", metadata: ["file": "\(file)", "reason": "\(reason)", "kept": "the old one"])
    }

    func connected(_ client: ClientAddress, class name: String) {
        logger.debug("connected", metadata: ["client": "\(client)", "class": "\(name)"])
    }

    func disconnected(_ client: ClientAddress) {
        logger.debug("disconnected", metadata: ["client": "\(client)"])
    }

    func refused(_ client: ClientAddress, reason: String) {
        logger.info("refused", metadata: ["client": "\(client)", "reason": "\(reason)"])
    }

    func asked(_ query: Query, by client: ClientAddress, verdict: Verdict) {
        logger.debug(
            "asked",
            metadata: [
                "client": "\(client)", "command": "\(query.verb)", "about": "\(query.about)",
                "verdict": "\(verdict.word)",
            ])
    }

    func asked(_ request: MapRequest, by client: ClientAddress, answer: MapAnswer) {
        logger.debug(
            "asked",
            metadata: [
                "client": "\(client)", "map": "\(String(decoding: request.map, as: UTF8.self))",
                "about": "\(request.about)", "answer": "\(answer.word)",
            ])
    }

    func asked(_ request: PolicyRequest, by client: ClientAddress, answer: PolicyAction) {
        logger.debug(
            "asked",
            metadata: [
                "client": "\(client)", "policy": "\(String(decoding: request.state.octets, as: UTF8.self))",
                "about": "\(request.about)", "answer": "\(answer.word)",
            ])
    }

    func asked(_ request: ReadsocketRequest, by client: ClientAddress, answer: ReadsocketAnswer) {
        logger.debug(
            "asked",
            metadata: [
                "client": "\(client)", "word": "\(String(decoding: request.word, as: UTF8.self))",
                "about": "\(request.about)", "answer": "\(answer.word)",
            ])
    }

    func malformed(_ client: ClientAddress, at listener: ListenerConfiguration) {
        logger.info(
            "malformed-request",
            metadata: [
                "client": "\(client)", "listener": "\(listener.wire.rawValue)", "on": "\(listener.address)",
                "done": "connection closed",
            ])
    }

    /// A client asks more than its class may; told as seldom as trouble.
    func limited(_ client: ClientAddress, perMinute: Int) {
        guard let more = limited.admit(client) else { return }
        var metadata: Logger.Metadata = [
            "client": "\(client)", "reason": "more than \(perMinute) questions a minute",
        ]
        if more > 0 { metadata["more"] = "\(more)" }
        logger.info("question-refused", metadata: metadata)
    }

    func asked(_ recipient: MilterRecipient, by client: ClientAddress, answer: MilterAnswer) {
        logger.debug(
            "asked",
            metadata: [
                "client": "\(client)", "command": "milter RCPT", "about": "\(recipient.about)",
                "answer": "\(answer.word)",
            ])
    }

    func asked(deliverable address: [UInt8], by client: ClientAddress, answer: QmailDeliverableAnswer) {
        logger.debug(
            "asked",
            metadata: [
                "client": "\(client)", "command": "deliverable", "about": "\(String(decoding: address, as: UTF8.self))",
                "answer": "\(answer.word)",
            ])
    }

    /// One question of many that meet the same trouble; `more` says how many others there were since the last line.
    func couldNotTell(_ trouble: Trouble, about: @autoclosure () -> String) {
        guard let more = troubles.admit(trouble) else { return }
        var metadata: Logger.Metadata = [
            "source": "\(trouble.source)", "reason": "\(trouble.reason)", "about": "\(about())",
        ]
        if more > 0 { metadata["more"] = "\(more)" }
        logger.error("could-not-tell", metadata: metadata)
    }

    func loop(_ path: [Mailbox], about: String) {
        logger.error("loop", metadata: ["path": "\(path.arrows)", "about": "\(about)"])
    }

    func limit(_ kind: ExpansionLimits.Kind, _ path: [Mailbox], about: String) {
        logger.error(
            "limit-passed", metadata: ["limit": "\(kind.rawValue)", "path": "\(path.arrows)", "about": "\(about)"])
    }

    func handedOn(_ id: String, from sender: ReversePath, size: UInt64, mailboxes: Int) {
        var from = ""
        if case .mailbox(let mailbox) = sender { from = mailbox.description }
        logger.info(
            "message-delivered",
            metadata: ["id": "\(id)", "from": "<\(from)>", "size": "\(size)", "mailboxes": "\(mailboxes)"])
    }

    func notHandedOn(_ id: String, reason: String) {
        logger.error("message-not-delivered", metadata: ["id": "\(id)", "reason": "\(reason)"])
    }

    func noRoute(to mailbox: Mailbox, about: String) {
        logger.warning(
            "no-next-hop",
            metadata: [
                "recipient": "\(mailbox)", "about": "\(about)", "do": "let one of next-hops take it, see its \"takes\"",
            ])
    }

    func leftOut(_ mailboxes: [Mailbox], about: String) {
        logger.warning(
            "left-out",
            metadata: ["recipients": "\(mailboxes.map(\.description).joined(separator: ","))", "about": "\(about)"])
    }

    /// A client that has gone is nothing to tell of unless somebody looks for it.
    func connectionLost(_ client: ClientAddress, _ error: any Error) {
        let reason = (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
        logger.debug("connection-lost", metadata: ["client": "\(client)", "reason": "\(reason)"])
    }

    func defaultDomainIsMissing(_ domain: Domain) {
        logger.warning(
            "default-domain-not-on-record",
            metadata: ["domain": "\(domain)", "do": "addressee domain add \(domain), or correct default-domain"])
    }

    func connectionFailed(_ client: ClientAddress, reason: String) {
        logger.info("connection-failed", metadata: ["client": "\(client)", "reason": "\(reason)"])
    }
}

extension MapRequest {
    /// The key, for the log; as it came, so that what a server asks can be told from its letters.
    var about: String { String(decoding: key, as: UTF8.self) }
}

extension ReadsocketRequest {
    /// What it asks about.
    var about: String { String(decoding: key, as: UTF8.self) }
}

extension PolicyRequest {
    /// What it asks about.
    var about: String { String(decoding: recipient, as: UTF8.self) }
}

extension Query {
    fileprivate var verb: String {
        switch self {
        case .recipient: "RCPT"
        case .verify: "VRFY"
        case .expand: "EXPN"
        }
    }

    var about: String {
        switch self {
        case .recipient(.mailbox(let mailbox), _): mailbox.description
        case .recipient(.postmaster, _): "postmaster"
        case .verify(let subject, _), .expand(let subject, _):
            switch subject {
            case .mailbox(let mailbox): mailbox.description
            case .postmaster: "postmaster"
            case .name(let octets): String(decoding: octets, as: UTF8.self)
            }
        }
    }
}
