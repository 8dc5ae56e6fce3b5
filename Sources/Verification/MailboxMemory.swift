// What was found of addresses before, for as long as no source has changed. Keys are kept whole, so that nothing is
// guessed; nothing but plain "a user is here" and "unknown" is kept, so that trouble is never remembered. It is what is
// true that is kept, not what was said: so every wire and every client profit, and each is told what it may know.

public import MailAddress
public import MailboxDirectory
public import SMTPProtocol

/// A bounded table of addresses and what stands at them. It belongs to one owner, who clears nothing: what was remembered
/// under another version is as good as gone.
public struct MailboxMemory: Sendable {
    /// What may be remembered of an address.
    public enum Fact: Hashable, Sendable {
        /// An active user, whose mailbox this is, and who has no forward; nil where the name has no place in the table or
        /// the spelling on record is another than the key.
        case user(NamedMailbox?)
        /// Nobody.
        case unknown
    }

    /// Octets that one place of the table takes.
    public static let placeSize = 64
    /// Octets that a local-part, its domain and the full name may have together; without the name they find place more
    /// often, and what is longer even so is asked anew each time.
    static let keyLimit = placeSize - 8

    /// Places to begin with: a site of ten users needs no more.
    static let firstPlaces = 4096

    /// A place: first the head of its `Key`, then the folded local-part, the folded domain, and the name.
    private var words: [UInt64] = []
    private var mask = 0
    private var taken = 0
    /// What of the version a place has no room for.
    private var era: UInt64 = 0
    private let limit: Int

    /// - Parameter places: how many addresses may be remembered; rounded down to a power of two; under 2 for none. The
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
        words = Array(repeating: 0, count: places * Place.words)
        mask = places - 1
        taken = 0
    }

    /// What is remembered of an address.
    /// - Parameter version: another number whenever any answer may be another one, and never one that was used before.
    public func recall(_ mailbox: Mailbox, version: UInt64) -> Fact? {
        guard version >> 32 == era, let key = Place(mailbox, version: version), !words.isEmpty else { return nil }
        let (first, second) = places(of: key)
        if let fact = key.fact(in: words, at: first, of: mailbox) { return fact }
        return key.fact(in: words, at: second, of: mailbox)
    }

    /// Keeps what a walk from this address found, if it is something to keep.
    public mutating func remember(_ resolution: Resolution, of mailbox: Mailbox, version: UInt64) {
        guard let fact = Fact(resolution, of: mailbox), var place = Place(mailbox, version: version), !words.isEmpty
        else { return }
        if version >> 32 != era {
            era = version >> 32
            resize(to: mask + 1)
        }
        // The first of the two places unless it is in use under this version, then the second: what is asked for again
        // and again comes back soon enough.
        let (first, second) = places(of: place)
        place.take(fact)
        let index = words[first] >> 32 == place.head >> 32 && words[first] != 0 ? second : first
        if words[index] == 0 {
            taken += 1
            // Half full, addresses begin to push each other out.
            if taken * 2 > mask, mask + 1 < limit { return resize(to: min(limit, (mask + 1) * 4)) }
        }
        place.write(to: &words, at: index)
    }

    private func places(of key: Place) -> (Int, Int) {
        let place = key.hash & mask
        return (place * Place.words, (place ^ 1) * Place.words)
    }
}

extension MailboxMemory.Fact {
    /// Nil for whatever is more than plainly here or plainly unknown.
    init?(_ resolution: Resolution, of mailbox: Mailbox) {
        guard case .answered = resolution.outcome, resolution.asked == mailbox else { return nil }
        if resolution.recipients.isEmpty {
            guard resolution.chain.isEmpty, resolution.failures.count == 1,
                resolution.failures[0] == Failure(mailbox: mailbox, reason: .unknown)
            else { return nil }
            self = .unknown
            return
        }
        guard resolution.recipients.count == 1, resolution.failures.isEmpty, resolution.chain.count == 1,
            case .user(let user, forward: nil) = resolution.chain[0], user.status == .active, user.address == mailbox
        else { return nil }
        self = .user(NamedMailbox(name: user.fullName, mailbox: user.address))
    }
}
