// Postfix's policy delegation: `name=value` lines, an empty line; the answer is `action=...` and an empty line
// (SMTPD_POLICY_README, "Protocol description").

import MailAddress

/// What Postfix tells of the session that it asks about: the attributes that matter here. Values are as they came.
public struct PolicyRequest: Hashable, Sendable {
    /// `RCPT`, `VRFY`, or another state.
    public var state: [UInt8]
    public var recipient: [UInt8]
    /// The SMTP client's; empty where Postfix does not say.
    public var clientAddress: [UInt8]

    public init(state: [UInt8], recipient: [UInt8], clientAddress: [UInt8] = []) {
        self.state = state
        self.recipient = recipient
        self.clientAddress = clientAddress
    }
}

/// What Postfix is to do. There is no "OK": before reject_unauth_destination that would make an open relay.
public enum PolicyAction: Hashable, Sendable {
    /// Whatever the rules after this one say.
    case dunno
    /// To answer with this code, enhanced code and text: 4yz or 5yz.
    case reply([UInt8])
    /// Nothing can be said: the server closes, and Postfix asks again or defers.
    case silence

    /// A word with stable spelling, for logs.
    public var word: String {
        switch self {
        case .dunno: "dunno"
        case .reply: "reply"
        case .silence: "silence"
        }
    }
}

/// One policy connection.
public struct PolicyWire: LookupWire, Hashable {
    /// Octets of the request at hand that hold no end.
    private var scanned = 0

    public init() {}

    public mutating func next(_ bytes: Span<UInt8>) -> LookupStep<PolicyRequest, PolicyAction> {
        var index = scanned
        while index < bytes.count {
            // The empty line may be the first.
            if bytes[index] == UInt8(ascii: "\n"), index == 0 || bytes[index - 1] == UInt8(ascii: "\n") {
                scanned = 0
                if index >= LookupLimits.policyRequest { return .fail(.silence) }
                guard let request = Self.request(bytes.array(0..<index)) else { return .fail(.silence) }
                return .ask(request, next: index + 1)
            }
            index += 1
        }
        if index >= LookupLimits.policyRequest { return .fail(.silence) }
        scanned = index
        return .incomplete(consumed: 0)
    }

    /// Attributes come in any order, and those that are not known are passed over. One that matters and comes twice could
    /// mean either value: that is no request.
    private static func request(_ lines: [UInt8]) -> PolicyRequest? {
        var kind: [UInt8]?
        var state: [UInt8]?
        var recipient: [UInt8]?
        var clientAddress: [UInt8]?
        for line in lines.split(separator: UInt8(ascii: "\n")) {
            guard let equals = line.firstIndex(of: UInt8(ascii: "=")), equals > line.startIndex else { return nil }
            let value = Array(line[(equals + 1)...])
            let isNew =
                switch String(decoding: line[..<equals], as: UTF8.self) {
                case "request": Self.set(&kind, value)
                case "protocol_state": Self.set(&state, value)
                case "recipient": Self.set(&recipient, value)
                case "client_address": Self.set(&clientAddress, value)
                default: true
                }
            if !isNew { return nil }
        }
        guard let kind, kind == Array("smtpd_access_policy".utf8), let state else { return nil }
        return PolicyRequest(state: state, recipient: recipient ?? [], clientAddress: clientAddress ?? [])
    }

    private static func set(_ attribute: inout [UInt8]?, _ value: [UInt8]) -> Bool {
        if attribute != nil { return false }
        attribute = value
        return true
    }

    /// `action=DUNNO`, or `action=` with code and text, and an empty line; nothing for `silence`.
    public func reply(_ answer: PolicyAction) -> [UInt8] {
        switch answer {
        case .dunno: Array("action=DUNNO\n\n".utf8)
        case .reply(let text): Array("action=".utf8) + text + [UInt8(ascii: "\n"), UInt8(ascii: "\n")]
        case .silence: []
        }
    }
}
