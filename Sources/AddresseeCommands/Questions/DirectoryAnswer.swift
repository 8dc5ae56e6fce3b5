// A verdict with what led to it, as `verify` and `expand` print it.

import AddresseeConfiguration
import ArgumentParser
import MailAddress
import MailboxDirectory
import SMTPProtocol
import Verification

/// The answer to VRFY or EXPN.
struct DirectoryAnswer {
    var wire: Wire
    var verdict: Verdict
    /// Nil where a rule decided without a lookup.
    var resolution: Resolution?

    /// Prints the reply, and for the operator what a client is never told; ends with the verdict's exit status.
    func tell(name: String, asJSON: Bool) throws {
        let output = Output.current
        let reply = verdict.reply(on: wire, form: .enhanced).lines(withEnhancedCode: true)
        try output.untilClosed {
            if asJSON {
                try output.json(JSON(verdict, on: wire, name: name, reply: reply))
            } else {
                for line in reply { try output.line(line) }
            }
        }
        if let trouble = resolution?.outcome.trouble { output.error(trouble) }
        if verdict.exitStatus != .yes { throw ExitCode(verdict.exitStatus.rawValue) }
    }
}

extension ConfiguredDirectory {
    /// The configured class with this name.
    func client(_ name: String) throws(CommandFailure) -> ClientClass {
        if let client = configuration.clients.first(where: { $0.name == name }) { return client }
        let names = configuration.clients.map(\.name).joined(separator: ", ")
        throw CommandFailure(
            .usage, "no class of clients is called \(name.quoted); the configuration has: \(names)")
    }

    /// Asks as a client would.
    func answer(_ query: Query, by client: ClientClass) throws -> DirectoryAnswer {
        let inquiry = Inquiry(query, by: client, over: configuration.nextHops.map(\.route))
        let resolution = try inquiry.expansion(in: configuration.inquiries).map { try run($0) }
        return DirectoryAnswer(wire: inquiry.wire, verdict: inquiry.answer(on: resolution), resolution: resolution)
    }

    /// Walks.
    func resolution(_ question: Question, purpose: Purpose, isTracing: Bool = false) throws -> Resolution {
        let context = configuration.inquiries
        return try run(
            Expansion(
                question, purpose: purpose, sources: context.sources, defaultDomain: context.defaultDomain,
                literals: context.literals, limits: context.limits, isTracing: isTracing))
    }

    /// Walks on one view of each source, so that a change made meanwhile is seen whole or not at all.
    private func run(_ expansion: consuming Expansion) throws -> Resolution {
        let sources = try sources()
        for source in sources { source.beginBatch() }
        defer { for source in sources { source.endBatch() } }
        return expansion.run(sources)
    }
}

extension Resolution.Outcome {
    /// Why the walk came to no end, for the operator; nil when it did.
    var trouble: String? {
        switch self {
        case .answered, .ambiguous: nil
        case .couldNotTell(let trouble): "\(trouble)"
        case .loop(let path): "there is a loop: \(path.arrows); break it at one of these steps"
        case .limit(.octets, let path):
            "what \(path.arrows) leads to is longer than the answer may be; point closer to the mailboxes, or make it smaller"
        case .limit(let kind, let path):
            "the limit on \(kind.rawValue) was passed at \(path.arrows); raise expansion-\(kind.rawValue) in the"
                + " configuration, or point closer to the mailbox"
        }
    }
}
