// What was found of addresses before, for as long as no source has changed. Nothing but plain "a user is here", "unknown"
// and whether a list reaches somebody is kept, so that trouble is never remembered. It is what is true that is kept, not
// what was said: so every wire and every client profit, and each is told what it may know.

public import MailAddress
public import MailboxDirectory

/// A bounded table of addresses and what stands at them. It belongs to one owner, who clears nothing: what was remembered
/// under another version is as good as gone.
///
/// 92 bits of a hash stand for the address: SipHash under a key that is drawn anew in each process, so that nobody can choose
/// addresses that share one, and two of a thousand million addresses do so in one of 10^9 processes.
public final class MailboxMemory {
    /// What may be remembered of an address.
    public enum Fact: Hashable, Sendable {
        /// An active user who has no forward, found by the whole address, without a detail. The mailbox is nil where the
        /// spelling on record is another than the key, and then so is the name; that is empty where there is none, and nil
        /// where it was not asked for or has no place.
        case user(Mailbox?, name: String?, isInRelayDomain: Bool = false)
        /// Nobody.
        case unknown
        /// A list that reaches somebody, whoever that is. The mailbox as of a user.
        case list(Mailbox?)
        /// A list that reaches nobody, and will not by itself.
        case listOfNobody
    }

    /// Octets that an address takes in the table; twice as many with a name of so many octets, and four times as many with a
    /// longer one.
    public static let placeSize = 16
    /// Octets of the longest name that is kept.
    static let longestName = 3 * placeSize

    /// Places to begin with: a site of ten users needs no more.
    static let firstPlaces = 8192
    /// Buckets of the table before that are moved into a new one with each address that is remembered: all at once would hold
    /// up an event loop for some hundredths of a second.
    static let movedAtOnce = 16

    private var table: Table
    /// The table that has become too small, until all is moved; what lies before `moved` has been.
    private var old: Table?
    private var moved = 0
    /// What of the version a place has no room for.
    private var era: UInt64 = 0
    private let limit: Int

    /// - Parameter places: how many addresses may be remembered; rounded down to a power of two; under 8 for none. The
    ///   table takes memory as it fills.
    public init(places: Int) {
        limit = places < 8 ? 0 : 1 << (Int.bitWidth - 1 - places.leadingZeroBitCount)
        table = Table(places: min(limit, Self.firstPlaces))
    }

    /// What is remembered of an address, and of a user's name if that is.
    /// - Parameters:
    ///   - key: that of the mailbox.
    ///   - version: another number whenever any answer may be another one, and never one that was used before.
    public func recall(_ mailbox: Mailbox, _ key: Key, version: UInt64) -> Fact? {
        guard version >> 32 == era, limit > 0 else { return nil }
        let place = Place(key, version: version)
        return table.fact(of: mailbox, place) ?? old?.fact(of: mailbox, place)
    }

    /// Has the processor fetch what there is of these addresses, side by side and not one after the other: worth while before
    /// the first of them is recalled.
    /// - Returns: what nobody needs; it keeps the reading from being left out.
    @inline(never) @discardableResult public func fetch(_ keys: [Key]) -> UInt64 { limit > 0 ? table.fetch(keys) : 0 }

    /// Keeps what a walk from this address found, if it is something to keep.
    /// - Parameters:
    ///   - key: that of the mailbox.
    ///   - version: as for `recall`.
    ///   - withName: whether a user's name is to be kept too, for twice the room or more.
    public func remember(
        _ resolution: Resolution, of mailbox: Mailbox, _ key: Key, version: UInt64, withName: Bool
    ) {
        guard let fact = Fact(resolution, of: mailbox) else { return }
        remember(fact, key, version: version, withName: withName)
    }

    /// Keeps what is true of the address of this key.
    public func remember(_ fact: Fact, _ key: Key, version: UInt64, withName: Bool) {
        guard limit > 0 else { return }
        if version >> 32 != era {
            era = version >> 32
            // The one before goes first, so that there are never both.
            let places = table.places
            (table, old) = (Table(places: 0), nil)
            table = Table(places: places)
        }
        let place = Place(key, version: version, fact, withName: withName)
        moveSome(place.version)
        table.write(place)
        // Half full, addresses begin to push each other out.
        if table.taken * 2 > table.places, table.places < limit, old == nil {
            old = table
            moved = 0
            table = Table(places: min(limit, table.places * 4))
        }
    }

    private func moveSome(_ version: UInt32) {
        guard let old else { return }
        for _ in 0..<Self.movedAtOnce where moved < old.buckets {
            table.take(bucket: moved, of: old, version: version)
            moved += 1
        }
        if moved == old.buckets { self.old = nil }
    }
}

extension MailboxMemory.Fact {
    /// Nil for whatever is more than plainly here or plainly unknown.
    init?(_ resolution: Resolution, of mailbox: Mailbox) {
        guard case .answered = resolution.outcome, resolution.asked == mailbox else { return nil }
        if resolution.chain.count == 1, case .list(let list) = resolution.chain[0] {
            if resolution.recipients.isEmpty {
                if resolution.failures.contains(where: { $0.reason == .suspended }) { return nil }
                self = .listOfNobody
                return
            }
            // One that was not opened may reach nobody.
            let isOpened = resolution.recipients.contains { recipient in
                if case .list = recipient.kind { false } else { recipient.kind != .user(.full) }
            }
            guard isOpened else { return nil }
            self = .list(list.address)
            return
        }
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
        self = .user(
            user.address, name: user.fullName, isInRelayDomain: resolution.recipients[0].isInRelayDomain)
    }
}
