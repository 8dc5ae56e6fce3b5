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
    /// Octets of the request at hand that hold whole lines, and no end.
    private var scanned = 0

    public init() {}

    public mutating func next(_ bytes: Span<UInt8>) -> LookupStep<PolicyRequest, PolicyAction> {
        var line = scanned
        while let newline = bytes.index(of: UInt8(ascii: "\n"), from: line) {
            // The empty line may be the first.
            if newline == line {
                scanned = 0
                if newline >= LookupLimits.policyRequest { return .fail(.silence) }
                guard let request = Self.request(bytes, end: newline) else { return .fail(.silence) }
                return .ask(request, next: newline + 1)
            }
            line = newline + 1
        }
        if bytes.count >= LookupLimits.policyRequest { return .fail(.silence) }
        scanned = line
        return .incomplete(consumed: 0)
    }

    /// The attributes that matter here.
    private enum Attribute: CaseIterable {
        case request
        case state
        case recipient
        case clientAddress

        var name: StaticString {
            switch self {
            case .request: "request"
            case .state: "protocol_state"
            case .recipient: "recipient"
            case .clientAddress: "client_address"
            }
        }

        /// The one whose name stands at `range`.
        init?(_ bytes: Span<UInt8>, _ range: Range<Int>) {
            for attribute in Self.allCases where attribute.name.utf8CodeUnitCount == range.count {
                let name = attribute.name.utf8Start
                if range.allSatisfy({ bytes[$0] == name[$0 - range.lowerBound] }) {
                    self = attribute
                    return
                }
            }
            return nil
        }
    }

    /// Attributes come in any order, and those that are not known are passed over. One that matters and comes twice could
    /// mean either value: that is no request.
    private static func request(_ bytes: Span<UInt8>, end: Int) -> PolicyRequest? {
        var kind: [UInt8]?
        var state: [UInt8]?
        var recipient: [UInt8]?
        var clientAddress: [UInt8]?
        var line = 0
        while line < end {
            guard let newline = bytes.index(of: UInt8(ascii: "\n"), from: line),
                let equals = bytes.index(of: UInt8(ascii: "="), from: line), line < equals, equals < newline
            else { return nil }
            if let attribute = Attribute(bytes, line..<equals) {
                let value = bytes.array(equals + 1..<newline)
                let isNew =
                    switch attribute {
                    case .request: Self.set(&kind, value)
                    case .state: Self.set(&state, value)
                    case .recipient: Self.set(&recipient, value)
                    case .clientAddress: Self.set(&clientAddress, value)
                    }
                if !isNew { return nil }
            }
            line = newline + 1
        }
        guard let kind, kind.elementsEqual("smtpd_access_policy".utf8), let state else { return nil }
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
