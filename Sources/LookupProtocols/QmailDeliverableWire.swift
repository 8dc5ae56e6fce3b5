// What qmail-deliverabled is asked over HTTP: `GET /qd1/deliverable?ADDRESS`, answered with a decimal number
// (Qmail::Deliverable, "deliverable"). HTTP itself is not for here: each request comes as a line `METHOD SP TARGET`, and each
// reply goes as a line `STATUS SP BODY`.

import MailAddress

/// A request.
public enum QmailDeliverableRequest: Hashable, Sendable {
    /// Whether mail to this address can be delivered; the octets are those that %XX stood for.
    case deliverable([UInt8])
    /// The client wants no more than has been answered.
    case close
}

/// An answer.
public enum QmailDeliverableAnswer: Hashable, Sendable {
    /// Mail is taken: normal delivery.
    case deliverable
    case undeliverable
    /// It can't be told, or not now: ask again later.
    case temporary
    /// The domain is none of ours.
    case notLocal
    /// The request is for something else, and no number is the answer to it.
    case noSuchPage
    case noSuchMethod
    case malformed
    /// Nothing, and the connection is closed.
    case silence

    /// The number, as the constants of Qmail::Deliverable have it.
    var number: Int? {
        switch self {
        case .deliverable: 0xF1
        case .undeliverable: 0x00
        case .temporary: 0x22
        case .notLocal: 0xFF
        case .noSuchPage, .noSuchMethod, .malformed, .silence: nil
        }
    }

    /// A word with stable spelling, for logs.
    public var word: String {
        switch self {
        case .deliverable: "deliverable"
        case .undeliverable: "undeliverable"
        case .temporary: "temporary"
        case .notLocal: "not-local"
        case .noSuchPage: "no-such-page"
        case .noSuchMethod: "no-such-method"
        case .malformed: "malformed"
        case .silence: "silence"
        }
    }
}

/// One connection.
public struct QmailDeliverableWire: LookupWire, Hashable {
    private var framing = NewlineFraming(limit: LookupLimits.qmailDeliverableRequest)

    /// The line that ends a connection; no method is called so.
    public static let closing = "close"

    public init() {}

    public mutating func next(
        _ bytes: Span<UInt8>
    ) -> LookupStep<QmailDeliverableRequest, QmailDeliverableAnswer> {
        switch framing.next(bytes) {
        case .incomplete(let consumed): return .incomplete(consumed: consumed)
        case .overlong(let next): return .answer(.malformed, next: next)
        case .line(let end, let next):
            let line = bytes.array(0..<end)
            if line.elementsEqual(Self.closing.utf8) { return .ask(.close, next: next) }
            guard let space = line.firstIndex(of: UInt8(ascii: " ")) else { return .fail(.malformed) }
            guard line[..<space].elementsEqual("GET".utf8) else { return .answer(.noSuchMethod, next: next) }
            let target = line[(space + 1)...]
            let page = "/qd1/deliverable?"
            guard target.starts(with: page.utf8) else { return .answer(.noSuchPage, next: next) }
            guard let address = Self.decoded(target.dropFirst(page.utf8.count)) else {
                return .answer(.malformed, next: next)
            }
            return .ask(.deliverable(address), next: next)
        }
    }

    /// The octets that %XX stands for (RFC 3986 2.1); nil where "%" is followed by anything else. "+" is a plus: clients escape
    /// spaces as %20.
    private static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var octets: [UInt8] = []
        var rest = text
        while let octet = rest.popFirst() {
            guard octet == UInt8(ascii: "%") else {
                octets.append(octet)
                continue
            }
            guard let high = rest.popFirst().flatMap(value), let low = rest.popFirst().flatMap(value) else {
                return nil
            }
            octets.append(high << 4 | low)
        }
        return octets
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    public func reply(_ answer: QmailDeliverableAnswer) -> [UInt8] {
        if let number = answer.number {
            // Haraka's plugin takes any number of a 200 that is no "yes" for a refusal, and Haraka says 550 then. A 503 it takes
            // for what it is, from its version 1.3.0 on; whoever reads the number has it all the same.
            let status = answer == .temporary ? 503 : 200
            return Array("\(status) \(number)\n".utf8)
        }
        switch answer {
        case .noSuchPage: return Array("404 Ask /qd1/deliverable?ADDRESS\n".utf8)
        case .noSuchMethod: return Array("405 Ask with GET\n".utf8)
        case .silence: return []
        default: return Array("400 This is no request for /qd1/deliverable?ADDRESS\n".utf8)
        }
    }
}
