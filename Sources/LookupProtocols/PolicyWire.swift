// Postfix's policy delegation: `name=value` lines, an empty line; the answer is `action=...` and an empty line
// (SMTPD_POLICY_README, "Protocol description").

import MailAddress

/// What Postfix tells of the session that it asks about: the attributes that matter here. Values are as they came.
public struct PolicyRequest: Hashable, Sendable {
    public var state: State
    public var recipient: [UInt8]
    /// The SMTP client's; empty where Postfix does not say.
    public var clientAddress: [UInt8]

    /// Where the session is that Postfix asks about.
    public enum State: Hashable, Sendable {
        case rcpt
        case vrfy
        /// Any in which there is nothing to ask of a directory.
        case other([UInt8])

        /// As Postfix writes it.
        public init(_ octets: [UInt8]) {
            self = octets == Self.rcpt.octets ? .rcpt : octets == Self.vrfy.octets ? .vrfy : .other(octets)
        }

        public var octets: [UInt8] {
            switch self {
            case .rcpt: Array("RCPT".utf8)
            case .vrfy: Array("VRFY".utf8)
            case .other(let octets): octets
            }
        }
    }

    public init(state: State, recipient: [UInt8], clientAddress: [UInt8] = []) {
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
    /// The request at hand, as far as its lines are whole.
    private var attributes = Attributes()
    /// Whom the last request named: most of a connection name one client, and then share its octets.
    private var lastClient: [UInt8] = []

    public init() {}

    public mutating func next(_ bytes: Span<UInt8>) -> LookupStep<PolicyRequest, PolicyAction> {
        while let newline = bytes.index(of: UInt8(ascii: "\n"), from: attributes.end) {
            if newline > attributes.end {
                attributes.take(bytes, lineEnd: newline)
                continue
            }
            // The empty line may be the first.
            let whole = attributes
            attributes = Attributes()
            guard newline < LookupLimits.policyRequest, let request = request(whole, bytes) else {
                return .fail(.silence)
            }
            return .ask(request, next: newline + 1)
        }
        if bytes.count >= LookupLimits.policyRequest { return .fail(.silence) }
        return .incomplete(consumed: 0)
    }

    private mutating func request(_ attributes: Attributes, _ bytes: Span<UInt8>) -> PolicyRequest? {
        if attributes.isMalformed { return nil }
        guard let kind = attributes.kind, bytes.holds("smtpd_access_policy", at: kind), let state = attributes.state
        else { return nil }
        let client = attributes.clientAddress ?? 0..<0
        if !bytes.holds(lastClient, at: client) { lastClient = bytes.array(client) }
        return PolicyRequest(
            state: bytes.holds("RCPT", at: state) ? .rcpt : PolicyRequest.State(bytes.array(state)),
            recipient: bytes.array(attributes.recipient ?? 0..<0), clientAddress: lastClient)
    }

    /// Where the values of the attributes that matter here stand. They come in any order, and those that are not known are
    /// passed over.
    private struct Attributes: Hashable {
        /// Where the first line that has not been taken begins.
        private(set) var end = 0
        private(set) var kind: Range<Int>?
        private(set) var state: Range<Int>?
        private(set) var recipient: Range<Int>?
        private(set) var clientAddress: Range<Int>?
        /// There was a line that is no attribute; or one that matters came twice, and could mean either value.
        private(set) var isMalformed = false

        @inline(__always) mutating func take(_ bytes: Span<UInt8>, lineEnd: Int) {
            let line = end
            end = lineEnd + 1
            if isMalformed { return }
            guard let equals = bytes.index(of: UInt8(ascii: "="), from: line), line < equals, equals < lineEnd else {
                isMalformed = true
                return
            }
            let name = line..<equals
            let value = equals + 1..<lineEnd
            // By its first octet and its length: nearly every attribute is passed over.
            let isNew =
                switch (bytes[line], name.count) {
                case (UInt8(ascii: "r"), 7) where bytes.holds("request", at: name): Self.set(&kind, value)
                case (UInt8(ascii: "r"), 9) where bytes.holds("recipient", at: name): Self.set(&recipient, value)
                case (UInt8(ascii: "p"), 14) where bytes.holds("protocol_state", at: name): Self.set(&state, value)
                case (UInt8(ascii: "c"), 14) where bytes.holds("client_address", at: name):
                    Self.set(&clientAddress, value)
                default: true
                }
            if !isNew { isMalformed = true }
        }

        private static func set(_ attribute: inout Range<Int>?, _ value: Range<Int>) -> Bool {
            if attribute != nil { return false }
            attribute = value
            return true
        }
    }

    /// `action=DUNNO`, or `action=` with code and text, and an empty line; nothing for `silence`.
    public static func append(_ answer: PolicyAction, to output: inout [UInt8]) {
        switch answer {
        case .dunno: output += "action=DUNNO\n\n".utf8
        case .reply(let text):
            output += "action=".utf8
            output += text
            output += "\n\n".utf8
        case .silence: break
        }
    }
}

extension Span<UInt8> {
    fileprivate func holds(_ text: StaticString, at range: Range<Int>) -> Bool {
        holds(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount), at: range)
    }

    fileprivate func holds(_ octets: [UInt8], at range: Range<Int>) -> Bool {
        octets.withUnsafeBytes { holds($0, at: range) }
    }

    /// Eight octets at a time, and what is left one by one.
    @inline(__always) private func holds(_ octets: UnsafeRawBufferPointer, at range: Range<Int>) -> Bool {
        if range.count != octets.count { return false }
        return extracting(range).withUnsafeBytes { bytes in
            var index = 0
            while index + 8 <= bytes.count {
                let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                if word != octets.loadUnaligned(fromByteOffset: index, as: UInt64.self) { return false }
                index += 8
            }
            while index < bytes.count {
                if bytes[index] != octets[index] { return false }
                index += 1
            }
            return true
        }
    }
}
