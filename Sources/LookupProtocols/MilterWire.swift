// The milter protocol, by which sendmail and Postfix ask filters: packets of a length (4 octets, highest first), a command
// and its data. It has no document of its own: it is what sendmail's include/libmilter/mfdef.h and libmilter/engine.c do.

import MailAddress

/// One milter connection. It may carry many SMTP sessions, and each of them many messages.
public struct MilterWire: LookupWire, Hashable {
    /// Nothing but the end may come before the two sides have agreed on steps.
    private var hasNegotiated = false
    /// The SMTP client of the session at hand.
    private var client = MilterClient.unknown
    /// Whether the message at hand has SMTPUTF8.
    private var utf8 = false
    /// What the mail server has read the next recipient as.
    private var address: [UInt8]?

    public init() {}

    /// Whether a mail server is there that may be silent for as long as an SMTP client sends a message, or thinks.
    public var isInUse: Bool { hasNegotiated }

    public mutating func next(_ bytes: Span<UInt8>) -> LookupStep<MilterRequest, MilterAnswer> {
        var index = 0
        // What gets no reply is done with on the way.
        while true {
            guard bytes.count - index >= MilterPacket.header else { return .incomplete(consumed: index) }
            let length = MilterPacket.number(bytes, at: index)
            guard length >= 1, length <= LookupLimits.milterPacket else { return .fail(.silence) }
            let start = index + MilterPacket.header
            let end = start + length
            guard end <= bytes.count else { return .incomplete(consumed: index) }
            switch take(bytes[start], bytes, start + 1..<end) {
            case .ask(let request): return .ask(request, next: end)
            case .nothing: index = end
            case .malformed: return .fail(.silence)
            }
        }
    }

    private enum Taken {
        case ask(MilterRequest)
        /// The other side waits for no reply.
        case nothing
        case malformed
    }

    private mutating func take(_ command: UInt8, _ bytes: Span<UInt8>, _ data: Range<Int>) -> Taken {
        if command == UInt8(ascii: "O") { return negotiate(bytes, data) }
        if command == UInt8(ascii: "Q") { return .ask(.quit) }
        guard hasNegotiated else { return .malformed }
        switch command {
        case UInt8(ascii: "C"):
            guard let client = MilterPacket.client(bytes, data) else { return .malformed }
            self.client = client
            utf8 = false
            return .ask(.step)
        case UInt8(ascii: "M"):
            guard let words = MilterPacket.strings(bytes, data) else { return .malformed }
            utf8 = words.dropFirst().contains { MilterPacket.isSMTPUTF8($0) }
            return .ask(.step)
        case UInt8(ascii: "R"):
            guard let words = MilterPacket.strings(bytes, data) else { return .malformed }
            defer { address = nil }
            return .ask(.recipient(MilterRecipient(path: words[0], address: address, client: client, utf8: utf8)))
        // HELO, DATA, a header, their end, a piece of the body, its end, a command that the server does not know. All but
        // the end can be switched off, but not with every version.
        case UInt8(ascii: "H"), UInt8(ascii: "T"), UInt8(ascii: "L"), UInt8(ascii: "N"), UInt8(ascii: "B"),
            UInt8(ascii: "U"):
            return .ask(.step)
        case UInt8(ascii: "E"):
            utf8 = false
            return .ask(.step)
        case UInt8(ascii: "D"):
            takeMacros(bytes, data)
            return .nothing
        // The message is given up, not the session.
        case UInt8(ascii: "A"):
            utf8 = false
            return .nothing
        // The session is over, and the connection is kept for another.
        case UInt8(ascii: "K"):
            client = .unknown
            utf8 = false
            return .nothing
        default: return .malformed
        }
    }

    /// The command that macros go with, then names and values; those of RCPT tell what the recipient is to the mail server.
    private mutating func takeMacros(_ bytes: Span<UInt8>, _ data: Range<Int>) {
        guard let first = data.first, bytes[first] == UInt8(ascii: "R"),
            let words = MilterPacket.strings(bytes, first + 1..<data.upperBound)
        else { return }
        address = nil
        for index in stride(from: 0, to: words.count - 1, by: 2) where words[index].elementsEqual("{rcpt_addr}".utf8) {
            address = words[index + 1]
        }
    }

    /// Version, actions and steps, 4 octets each; what more there may be is for later versions.
    private mutating func negotiate(_ bytes: Span<UInt8>, _ data: Range<Int>) -> Taken {
        guard data.count >= 12 else { return .malformed }
        let offer = MilterOffer(
            version: UInt32(MilterPacket.number(bytes, at: data.lowerBound)),
            steps: MilterSteps(rawValue: UInt32(MilterPacket.number(bytes, at: data.lowerBound + 8))))
        guard offer.version >= MilterOffer.versions.lowerBound else { return .malformed }
        self = MilterWire()
        hasNegotiated = true
        return .ask(.negotiate(offer))
    }

    public static func append(_ answer: MilterAnswer, to output: inout [UInt8]) { output += packet(answer) }

    private static func packet(_ answer: MilterAnswer) -> [UInt8] {
        switch answer {
        case .agreed(let offer):
            // No action is asked for: nothing of a message is ever changed.
            return MilterPacket.packet("O", [offer.version, 0, offer.steps.rawValue].flatMap(MilterPacket.octets))
        case .proceed: return MilterPacket.packet("c", [])
        case .reply(let text):
            // sendmail takes the text for a format of printf, and Postfix reads it likewise.
            let doubled = text.flatMap { $0 == UInt8(ascii: "%") ? [$0, $0] : [$0] }
            return MilterPacket.packet("y", doubled + [0])
        case .silence: return []
        }
    }
}
