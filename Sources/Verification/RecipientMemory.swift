// Answers to RCPT that were given before, for as long as no source has changed. Keys are kept whole, so that nothing is
// guessed; nothing but plain "here" and "unknown" is kept, so that trouble is never remembered.

public import MailAddress
import SMTPProtocol

/// A bounded table of recipients and what was said of them. It belongs to one owner, who clears nothing: what was
/// remembered under another version is as good as gone.
public struct RecipientMemory: Sendable {
    /// Octets that one place of the table takes.
    public static let placeSize = 48
    /// Octets that a local-part and its domain may have together to find place; longer ones are asked anew each time.
    static let keyLimit = 40

    /// Places to begin with: a site of ten users needs no more.
    static let firstPlaces = 4096

    /// A place: first the head of its `Key`, then the folded local-part and the folded domain.
    private var words: [UInt64] = []
    private var mask = 0
    private var taken = 0
    /// What of the version a place has no room for.
    private var era: UInt64 = 0
    private let limit: Int

    private static let placeWords = placeSize / 8

    /// - Parameter places: how many recipients may be remembered; rounded down to a power of two; under 2 for none. The
    ///   table takes memory as it fills.
    public init(places: Int) {
        guard places >= 2 else {
            limit = 0
            return
        }
        limit = 1 << (Int.bitWidth - 1 - places.leadingZeroBitCount)
        resize(to: min(limit, Self.firstPlaces))
    }

    /// Makes an empty table of so many places: what was remembered is asked anew.
    private mutating func resize(to places: Int) {
        words = Array(repeating: 0, count: places * Self.placeWords)
        mask = places - 1
        taken = 0
    }

    /// Who asks: what one is told is not for everyone.
    public struct Asker: Hashable, Sendable {
        public var disclosure: RCPTDisclosure
        /// Whether the transaction has SMTPUTF8 (RFC 6531 3.7.4.1).
        public var utf8: Bool

        public init(disclosure: RCPTDisclosure, utf8: Bool) {
            self.disclosure = disclosure
            self.utf8 = utf8
        }
    }

    /// What is remembered of a recipient.
    /// - Parameter version: another number whenever any answer may be another one, and never one that was used before.
    public func recall(_ mailbox: Mailbox, version: UInt64, asker: Asker) -> Verdict? {
        guard version >> 32 == era, let key = Key(mailbox, version: version, asker: asker), !words.isEmpty else {
            return nil
        }
        let (first, second) = places(of: key)
        let place = key.matches(words, at: first) ? first : second
        guard place == first || key.matches(words, at: second) else { return nil }
        switch words[place] & Key.outcomeMask {
        case Key.here: return .verified(NamedMailbox(name: "", mailbox: mailbox))
        case Key.unknown: return .unknown
        default: return nil
        }
    }

    /// Keeps a verdict, if it is one to keep.
    public mutating func remember(
        _ verdict: Verdict, of mailbox: Mailbox, version: UInt64, asker: Asker
    ) {
        let outcome: UInt64
        switch verdict {
        case .verified: outcome = Key.here
        case .unknown: outcome = Key.unknown
        default: return
        }
        guard let key = Key(mailbox, version: version, asker: asker), !words.isEmpty else { return }
        if version >> 32 != era {
            era = version >> 32
            resize(to: mask + 1)
        }
        // The first of the two places unless it is in use under this version, then the second: what is asked for again
        // and again comes back soon enough.
        let (first, second) = places(of: key)
        let place = words[first] >> 32 == key.head >> 32 && words[first] & Key.outcomeMask != 0 ? second : first
        if words[place] == 0 {
            taken += 1
            // Half full, recipients begin to push each other out.
            if taken * 2 > mask, mask + 1 < limit { return resize(to: min(limit, (mask + 1) * 4)) }
        }
        key.write(to: &words, at: place, outcome: outcome)
    }

    private func places(of key: Key) -> (Int, Int) {
        let place = key.hash & mask
        return (place * Self.placeWords, (place ^ 1) * Self.placeWords)
    }
}

extension RecipientMemory {
    /// A recipient under one version and disclosure: 32 bits of the version, 8 each for two lengths, and flags.
    private struct Key {
        static let outcomeMask: UInt64 = 0b11
        static let here: UInt64 = 1
        static let unknown: UInt64 = 2

        let head: UInt64
        var octets: [5 of UInt64] = .init(repeating: 0)

        /// Nil when the recipient is too long to be kept.
        init?(_ mailbox: Mailbox, version: UInt64, asker: Asker) {
            let (localPart, domain) = (mailbox.localPart.key, mailbox.domain.key)
            if localPart.count + domain.count > RecipientMemory.keyLimit { return nil }
            head =
                version << 32 | UInt64(localPart.count) << 24 | UInt64(domain.count) << 16
                | (asker.disclosure == .full ? 4 : 0) | (asker.utf8 ? 8 : 0)
            var position = 0
            for octet in localPart {
                octets[position >> 3] |= UInt64(octet) << UInt64(8 * (position & 7))
                position += 1
            }
            for octet in domain {
                octets[position >> 3] |= UInt64(octet) << UInt64(8 * (position & 7))
                position += 1
            }
        }

        /// Seeded anew in each process, so that no client can choose recipients that push each other out.
        var hash: Int {
            var hasher = Hasher()
            for index in octets.indices { hasher.combine(octets[index]) }
            hasher.combine(head)
            return hasher.finalize()
        }

        func matches(_ words: [UInt64], at place: Int) -> Bool {
            if words[place] & ~Self.outcomeMask != head { return false }
            for index in octets.indices where words[place + 1 + index] != octets[index] { return false }
            return true
        }

        func write(to words: inout [UInt64], at place: Int, outcome: UInt64) {
            words[place] = head | outcome
            for index in octets.indices { words[place + 1 + index] = octets[index] }
        }
    }
}
