// What the table has of one address: a slot of two words, and after it one or three more for a name. The first word is its
// head: 32 bits of the version, 28 of the address's hash, and in the last four what is true of it. The second is 64 more of
// the hash.

public import MailAddress

/// What the last four bits of a head say.
private enum Mark {
    static let mask: UInt64 = 0b1111
    /// The bits of one of the following.
    static let fact: UInt64 = 0b0111
    static let unknown: UInt64 = 1
    /// A user with another spelling than the key.
    static let user: UInt64 = 2
    /// A user whose spelling is the key; of the name nothing is known.
    static let userAsKey: UInt64 = 3
    static let withoutName: UInt64 = 4
    /// The name is in the next slot.
    static let withName: UInt64 = 5
    /// The name is in the next three slots.
    static let withLongName: UInt64 = 6
    /// A list that reaches somebody.
    static let list: UInt64 = 7
    /// Beside one of those of a user: the domain is a relay domain. Beside `list`: its spelling is the key. Beside `unknown`:
    /// there is a list, which reaches nobody.
    static let more: UInt64 = 0b1000
}

extension MailboxMemory {
    typealias Words = UnsafeMutablePointer<UInt64>

    /// What stands for an address: 92 bits of its hash.
    public struct Key: Sendable {
        fileprivate static let mask: UInt64 = 0xFFFF_FFF0

        /// 28 bits, where a head has them.
        fileprivate let high: UInt64
        let low: UInt64

        public init(_ mailbox: Mailbox) {
            var hasher = Hasher()
            mailbox.localPart.key.withUnsafeBytes { hasher.combine(bytes: $0) }
            // Where one part ends and the other begins counts; no key has this octet.
            hasher.combine(0xFF as UInt8)
            mailbox.domain.key.withUnsafeBytes { hasher.combine(bytes: $0) }
            // Two hashes of two texts, one of which goes on where the other ends.
            var other = hasher
            other.combine(1 as UInt8)
            low = UInt64(bitPattern: Int64(hasher.finalize()))
            high = UInt64(bitPattern: Int64(other.finalize())) & Self.mask
        }
    }

    struct Place {
        let head: UInt64
        let low: UInt64
        /// UTF-8 from the lowest octet on, then zeros.
        private var name: [6 of UInt64] = .init(repeating: 0)

        /// The key alone, under which nothing is true yet.
        init(_ key: Key, version: UInt64) { self.init(key, version: version, mark: 0) }

        /// - Parameter withName: whether a name is to be kept.
        init(_ key: Key, version: UInt64, _ fact: Fact, withName: Bool) {
            let (user, fullName): (Mailbox?, String?)
            let relay: UInt64
            switch fact {
            case .unknown:
                self.init(key, version: version, mark: Mark.unknown)
                return
            case .listOfNobody:
                self.init(key, version: version, mark: Mark.unknown | Mark.more)
                return
            case .list(let list):
                self.init(
                    key, version: version, mark: list?.isSpelledAsKey == true ? Mark.list | Mark.more : Mark.list)
                return
            case .user(let mailbox, let name, let isInRelayDomain):
                (user, fullName) = (mailbox, name)
                relay = isInRelayDomain ? Mark.more : 0
            }
            guard let user, user.isSpelledAsKey else {
                self.init(key, version: version, mark: Mark.user | relay)
                return
            }
            guard let fullName, fullName.utf8.isEmpty || withName, fullName.utf8.count <= MailboxMemory.longestName,
                // The first zero is the end of it.
                !fullName.utf8.contains(0)
            else {
                self.init(key, version: version, mark: Mark.userAsKey | relay)
                return
            }
            let length = fullName.utf8.count
            let mark =
                length == 0 ? Mark.withoutName : length <= Self.slot * 8 ? Mark.withName : Mark.withLongName
            self.init(key, version: version, mark: mark | relay)
            for (offset, octet) in fullName.utf8.enumerated() {
                name[offset >> 3] |= UInt64(octet) << UInt64(8 * (offset & 7))
            }
        }

        private init(_ key: Key, version: UInt64, mark: UInt64) {
            head = version << 32 | key.high | mark
            low = key.low
        }

        /// What the table has at this index.
        init(_ words: Words, at index: Int) {
            (head, low) = (words[index], words[index + 1])
            for word in 0..<Self.width(head) - Self.slot { name[word] = words[index + Self.slot + word] }
        }

        /// Words of a slot.
        static let slot = 2

        /// How many words a place takes that begins so: of one, two or four slots.
        static func width(_ head: UInt64) -> Int {
            switch head & Mark.fact {
            case Mark.withName: 2 * slot
            case Mark.withLongName: 4 * slot
            default: slot
            }
        }

        var width: Int { Self.width(head) }

        /// Which of eight gives way to it.
        var turn: Int { Int(low >> 61) }

        /// As many bits of a version as there is room for.
        static func version(_ head: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: head >> 32) }

        var version: UInt32 { Self.version(head) }

        func isSameAddress(in words: Words, at index: Int) -> Bool {
            words[index + 1] == low && (words[index] ^ head) & Key.mask == 0
        }

        /// Whether what the table has at this index, of the same address, tells all that this does.
        func isTold(by words: Words, at index: Int) -> Bool {
            (words[index] ^ head) & ~Mark.mask == 0 && head & Mark.fact == Mark.userAsKey
                && (Mark.withoutName...Mark.withLongName).contains(words[index] & Mark.fact)
        }

        func write(to words: Words, at index: Int) {
            words[index] = head
            words[index + 1] = low
            for word in 0..<width - Self.slot { words[index + Self.slot + word] = name[word] }
        }

        /// What the table has at this index, if it is of this address and this version.
        func fact(in words: Words, at index: Int, of mailbox: Mailbox) -> Fact? {
            guard words[index + 1] == low, (words[index] ^ head) & ~Mark.mask == 0 else { return nil }
            let isMore = words[index] & Mark.more != 0
            switch words[index] & Mark.fact {
            case Mark.unknown: return isMore ? .listOfNobody : .unknown
            case Mark.user: return .user(nil, name: nil, isInRelayDomain: isMore)
            case Mark.userAsKey: return .user(mailbox.spelledAsKey, name: nil, isInRelayDomain: isMore)
            case Mark.withoutName: return .user(mailbox.spelledAsKey, name: "", isInRelayDomain: isMore)
            case Mark.withName, Mark.withLongName:
                return .user(
                    mailbox.spelledAsKey, name: Self.name(in: words, at: index), isInRelayDomain: isMore)
            case Mark.list: return .list(isMore ? mailbox.spelledAsKey : nil)
            default: return nil
            }
        }

        private static func name(in words: Words, at index: Int) -> String {
            let start = index + slot
            var end = index + width(words[index])
            while end > start, words[end - 1] == 0 { end -= 1 }
            if end == start { return "" }
            let length = 8 * (end - start) - words[end - 1].leadingZeroBitCount / 8
            return String(unsafeUninitializedCapacity: length) { buffer in
                for offset in 0..<length {
                    buffer[offset] = UInt8(truncatingIfNeeded: words[start + offset >> 3] >> UInt64(8 * (offset & 7)))
                }
                return length
            }
        }
    }
}

extension Mailbox {
    /// The same mailbox in the spelling that addresses are compared in.
    fileprivate var spelledAsKey: Mailbox {
        if isSpelledAsKey { return self }
        return Mailbox(
            localPart: LocalPart(stored: localPart.key, key: localPart.key),
            domain: Domain(stored: domain.key, key: domain.key))
    }
}
