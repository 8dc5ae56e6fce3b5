// What qmail-deliverabled is asked over HTTP: `GET /qd1/deliverable?ADDRESS`, answered with a decimal number
// (Qmail::Deliverable, "deliverable"). HTTP itself is not for here: a request is a method and a target, an answer a status and
// a text.

import MailAddress

/// A request.
public enum QmailDeliverableRequest: Hashable, Sendable {
    /// Whether mail to this address can be delivered; the octets are those that %XX stood for.
    case deliverable([UInt8])
    /// It is for something else, or for nothing; this is the answer.
    case refused(QmailDeliverableAnswer)

    /// Reads what was asked.
    /// - Parameters:
    ///   - method: as HTTP spells it, in capitals.
    ///   - target: in origin form (RFC 9112 3.2.1), no longer than `LookupLimits.qmailDeliverableRequest`.
    public init(method: String, target: String) {
        let page = "/qd1/deliverable?"
        let octets = Array(target.utf8)
        if method != "GET" {
            self = .refused(.noSuchMethod)
        } else if octets.count > LookupLimits.qmailDeliverableRequest {
            self = .refused(.malformed)
        } else if !octets.starts(with: page.utf8) {
            self = .refused(.noSuchPage)
        } else if let address = PercentEncoding.decoded(octets.dropFirst(page.utf8.count)) {
            // "+" is a plus: clients escape spaces as %20.
            self = .deliverable(address)
        } else {
            self = .refused(.malformed)
        }
    }
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

    /// The number, as the constants of Qmail::Deliverable have it.
    private var number: Int? {
        switch self {
        case .deliverable: 0xF1
        case .undeliverable: 0x00
        case .temporary: 0x22
        case .notLocal: 0xFF
        case .noSuchPage, .noSuchMethod, .malformed: nil
        }
    }

    /// The status of the response (RFC 9110 15).
    ///
    /// Haraka's plugin takes any number of a 200 that is no "yes" for a refusal, and Haraka says 550 then. A 503 it takes for what
    /// it is, from its version 1.3.0 on; whoever reads the number has it all the same.
    public var status: Int {
        switch self {
        case .deliverable, .undeliverable, .notLocal: 200
        case .temporary: 503
        case .noSuchPage: 404
        case .noSuchMethod: 405
        case .malformed: 400
        }
    }

    /// The content of the response: a number, or what to ask instead, and a line feed.
    public var text: String {
        if let number { return "\(number)\n" }
        switch self {
        case .noSuchPage: return "Ask /qd1/deliverable?ADDRESS\n"
        case .noSuchMethod: return "Ask with GET\n"
        default: return "This is no request for /qd1/deliverable?ADDRESS\n"
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
        }
    }
}
