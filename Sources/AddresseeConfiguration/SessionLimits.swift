// What clients may use up, all of them together and each by itself.

import MailboxDirectory

/// What clients may use up.
public struct SessionLimits: Hashable, Sendable {
    /// Connections at once, on all listeners together.
    public var connections: Int
    /// Recipients of one transaction; at least 100 (RFC 5321 4.5.3.1.8).
    public var recipients: Int
    /// Questions that one connection may have unanswered or unsent (RFC 2920); reading pauses at the limit.
    public var pipelinedQuestions: Int
    /// Bad commands in one session before 421.
    public var errors: Int
    /// Recipients that are remembered, all together, for as long as the directory does not change; 0 for none. Each takes
    /// 16 octets as the table fills, 32 where a name was asked for and 64 where that has over 16 octets; names of over
    /// 48 are looked up each time.
    public var rememberedRecipients: Int
    /// Octets of a message, as SIZE offers it (RFC 1870); 0 states no limit.
    public var messageSize: Int
    /// Received: fields, and Delivered-To: fields, after which a message is taken to go in a loop; 100 or more, says
    /// RFC 5321 6.3.
    public var traceFields: Int

    public init(
        connections: Int = 10_000, recipients: Int = 1000, pipelinedQuestions: Int = 64, errors: Int = 20,
        rememberedRecipients: Int = 4_194_304, messageSize: Int = 26_214_400, traceFields: Int = 100
    ) {
        self.connections = connections
        self.recipients = recipients
        self.pipelinedQuestions = pipelinedQuestions
        self.errors = errors
        self.rememberedRecipients = rememberedRecipients
        self.messageSize = messageSize
        self.traceFields = traceFields
    }
}

extension SessionLimits {
    /// Reads `limits`, which hold those of the walk too.
    static func read(from root: inout Section) -> (session: SessionLimits, expansion: ExpansionLimits) {
        var session = SessionLimits()
        var expansion = ExpansionLimits()
        guard var section = root.section("limits") else { return (session, expansion) }

        func read(_ key: String, _ range: ClosedRange<Int>, into value: inout Int, reason: String? = nil) {
            if let number = section.setting(key)?.number(in: range, reason: reason) { value = number }
        }
        read("connections", 1...1_000_000, into: &session.connections)
        read("recipients", 100...1_000_000, into: &session.recipients, reason: "RFC 5321 4.5.3.1.8")
        read("pipelined-questions", 1...1000, into: &session.pipelinedQuestions)
        read("errors", 1...1_000_000, into: &session.errors)
        read("remembered-recipients", 0...67_108_864, into: &session.rememberedRecipients)
        read("message-size", 0...1_000_000_000_000, into: &session.messageSize)
        read("trace-fields", 1...10_000, into: &session.traceFields)
        read("expansion-depth", 1...1000, into: &expansion.depth)
        read("expansion-addresses", 1...100_000_000, into: &expansion.addresses)
        read("expansion-lookups", 1...1_000_000_000, into: &expansion.lookups)
        read("possibilities", 1...1000, into: &expansion.possibilities)
        section.close()
        return (session, expansion)
    }
}
