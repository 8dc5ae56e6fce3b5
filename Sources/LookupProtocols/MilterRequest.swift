// What is asked and answered over the milter protocol.

/// What a mail server tells a filter, as far as it waits for a reply.
public enum MilterRequest: Hashable, Sendable {
    /// What the mail server can do; the first thing that it tells.
    case negotiate(MilterOffer)
    /// RCPT: what the directory is asked.
    case recipient(MilterRecipient)
    /// Another step of the session, about which a directory has nothing to say.
    case step
    /// The connection is over.
    case quit

    /// The answer that needs no directory.
    public var answer: MilterAnswer? {
        switch self {
        case .negotiate(let offer): .agreed(offer.wanted)
        case .recipient: nil
        case .step: .proceed
        case .quit: .silence
        }
    }
}

/// What a filter answers.
public enum MilterAnswer: Hashable, Sendable {
    /// The version and the steps that will be used.
    case agreed(MilterOffer)
    /// On with it, as far as this filter is concerned. It never says "accept", which would silence other steps.
    case proceed
    /// Code, enhanced code and text for the SMTP client: 4yz or 5yz.
    case reply([UInt8])
    /// Nothing, and the connection is closed: the mail server does as it is configured for filters that fail.
    case silence

    /// A word with stable spelling, for logs.
    public var word: String {
        switch self {
        case .agreed: "agreed"
        case .proceed: "continue"
        case .reply: "reply"
        case .silence: "silence"
        }
    }
}

/// A recipient, as RCPT has it.
public struct MilterRecipient: Hashable, Sendable {
    /// The forward-path as the mail server hands it on, with angle brackets or without.
    public var path: [UInt8]
    /// What the mail server has read the path as, by its macro {rcpt_addr}; nil where it does not tell.
    public var address: [UInt8]?
    public var client: MilterClient
    /// Whether MAIL had SMTPUTF8.
    public var utf8: Bool

    public init(path: [UInt8], address: [UInt8]? = nil, client: MilterClient, utf8: Bool = false) {
        self.path = path
        self.address = address
        self.client = client
        self.utf8 = utf8
    }
}

/// Who talks to the mail server.
public enum MilterClient: Hashable, Sendable {
    /// The IPv4 or IPv6 address, as text that has not been looked at.
    case internet([UInt8])
    /// A local process, over a Unix socket.
    case local
    /// The mail server does not know, or did not say.
    case unknown
}

/// A version, and steps that can be switched off.
public struct MilterOffer: Hashable, Sendable {
    public var version: UInt32
    public var steps: MilterSteps

    public init(version: UInt32, steps: MilterSteps) {
        self.version = version
        self.steps = steps
    }

    /// Those that can be spoken: from sendmail 8.11 to 8.18.
    public static let versions: ClosedRange<UInt32> = 2...6

    /// What is made of it: the highest version that both sides have, and no step but CONNECT, MAIL and RCPT, as far as the
    /// other side can switch them off.
    public var wanted: MilterOffer {
        MilterOffer(
            version: min(version, Self.versions.upperBound), steps: steps.intersection(.needless))
    }
}

/// The steps that are switched off, by the bits of mfdef.h (SMFIP_NOHELO and so on).
public struct MilterSteps: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let helo = MilterSteps(rawValue: 0x02)
    public static let body = MilterSteps(rawValue: 0x10)
    public static let headers = MilterSteps(rawValue: 0x20)
    public static let endOfHeaders = MilterSteps(rawValue: 0x40)
    public static let unknownCommands = MilterSteps(rawValue: 0x100)
    public static let data = MilterSteps(rawValue: 0x200)

    /// Whatever tells nothing of clients and recipients.
    static let needless: MilterSteps = [.helo, .body, .headers, .endOfHeaders, .unknownCommands, .data]
}
