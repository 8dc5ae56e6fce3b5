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
    private let failures = LogLimit<String>()

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

    /// A signal that does nothing.
    func ignored(_ signal: String) {
        logger.info(
            "signal-ignored", metadata: ["signal": "\(signal)", "do": "SIGHUP reads the configuration again"])
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

    func exposed(_ file: ExposedFile) {
        logger.warning("file-exposed", metadata: ["reason": "\(file)", "do": "\(file.remedy)"])
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

    func handedOn(
        _ id: String, _ envelope: Envelope, by client: ClientAddress, size: UInt64, over hops: [NextHopConfiguration],
        reply: HeardReply?
    ) {
        var metadata = described(envelope, by: client)
        metadata["id"] = "\(id)"
        metadata["size"] = "\(size)"
        metadata["mailboxes"] = "\(envelope.destinations.count)"
        let used = hops.indices.filter(envelope.nextHops.contains)
        metadata["next-hop"] = "\(used.map { hops[$0].name }.joined(separator: ","))"
        if let reply { metadata["reply"] = "\(reply)" }
        logger.info("message-delivered", metadata: metadata)
    }

    /// A server that refuses a message is well; whatever else keeps one back is trouble.
    func notHandedOn(_ id: String, _ envelope: Envelope?, by client: ClientAddress, _ failure: DeliveryFailure) {
        var metadata = described(envelope, by: client)
        metadata["id"] = "\(id)"
        metadata["reason"] = "\(failure.reason)"
        logger.log(level: failure.isRefusal ? .warning : .error, "message-not-delivered", metadata: metadata)
    }

    /// One that is not as messages are.
    func refusedMessage(_ id: String, _ envelope: Envelope?, by client: ClientAddress, _ fault: MessageReader.Fault) {
        // What the owner has refused is told there.
        if case .refused = fault { return }
        var metadata = described(envelope, by: client)
        metadata["id"] = "\(id)"
        metadata["reply"] = "\(fault.reply)"
        logger.info("message-refused", metadata: metadata)
    }

    /// From whom and to whom, as the client has it.
    private func described(_ envelope: Envelope?, by client: ClientAddress) -> Logger.Metadata {
        guard let envelope else { return ["client": "\(client)"] }
        var from = ""
        if case .mailbox(let mailbox) = envelope.sender { from = mailbox.description }
        return ["client": "\(client)", "from": "<\(from)>", "to": "\(Self.some(envelope.paths.map(\.described)))"]
    }

    /// As many as a line can bear.
    private static func some(_ names: [String]) -> String {
        let shown = names.prefix(10).joined(separator: ",")
        return names.count > 10 ? "\(shown),…" : shown
    }

    func noRoute(to mailbox: Mailbox, about: String) {
        logger.warning(
            "no-next-hop",
            metadata: [
                "recipient": "\(mailbox)", "about": "\(about)", "do": "let one of next-hops take it, see its \"takes\"",
            ])
    }

    /// Trouble with a next hop, told as seldom as that of a source.
    func nextHopFailed(_ name: String, _ failure: HopFailure) {
        guard let more = failures.admit(name) else { return }
        var metadata: Logger.Metadata = ["next-hop": "\(name)", "reason": "\(failure.reason)"]
        if more > 0 { metadata["more"] = "\(more)" }
        logger.error("next-hop-failed", metadata: metadata)
    }

    func notRewritten(_ mailbox: Mailbox, reason: String) {
        guard let more = failures.admit("srs") else { return }
        var metadata: Logger.Metadata = ["about": "\(mailbox)", "reason": "srs: \(reason)"]
        if more > 0 { metadata["more"] = "\(more)" }
        logger.error("address-not-rewritten", metadata: metadata)
    }

    /// A message that goes on under its sender as it is, for there is no other that could be said.
    func keptSender(_ mailbox: Mailbox, octets: Int) {
        guard let more = failures.admit("srs: too long") else { return }
        var metadata: Logger.Metadata = [
            "about": "\(mailbox)",
            "reason":
                "srs: rewritten it would have \(octets) octets, \(AddressLimits.localPart) at most; kept as it is",
        ]
        if more > 0 { metadata["more"] = "\(more)" }
        logger.warning("address-not-rewritten", metadata: metadata)
    }

    func twoServers(_ one: String, _ other: String, _ about: String) {
        logger.warning(
            "no-next-hop",
            metadata: [
                "about": "\(about)", "reason": "its mail goes to \(one) and to \(other)",
                "do": "let one mail server take all that one address leads to",
            ])
    }

    /// A recipient that the directory has and the next hop does not take.
    /// - Parameter mailbox: which of those that it leads to; nil where it is itself that one.
    func refusedByNextHop(_ name: String, about: String, _ mailbox: Mailbox?, _ reply: HeardReply) {
        var metadata: Logger.Metadata = ["next-hop": "\(name)", "about": "\(about)", "reply": "\(reply)"]
        if let mailbox { metadata["recipients"] = "\(mailbox)" }
        logger.warning("refused-by-next-hop", metadata: metadata)
    }

    func leftOut(_ mailboxes: [Mailbox], about: String) {
        logger.warning(
            "left-out",
            metadata: ["recipients": "\(mailboxes.map(\.description).joined(separator: ","))", "about": "\(about)"])
    }

    /// What a server that was killed had left of messages that it had not taken.
    func removedStale(_ files: Int, of hop: String) {
        logger.info("stale-files-removed", metadata: ["next-hop": "\(hop)", "files": "\(files)"])
    }

    /// One of several behind an address, whom the next hop does not take.
    func leftOut(_ mailbox: Mailbox, about: String, by hop: String, _ reply: HeardReply) {
        logger.warning(
            "left-out",
            metadata: [
                "recipients": "\(mailbox)", "about": "\(about)", "next-hop": "\(hop)", "reply": "\(reply)",
            ])
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

extension ForwardPath {
    fileprivate var described: String {
        switch self {
        case .postmaster: "postmaster"
        case .mailbox(let mailbox): mailbox.description
        }
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
