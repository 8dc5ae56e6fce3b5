// The two kinds of places in the table: of two words, and of a head and 56 octets. Either begins with a head: 32 bits of the
// version first, and in its last four bits which kind it is and what is true of the address.

import MailAddress
import SMTPProtocol

/// What the last three bits of a head say.
private enum Mark {
    static let mask: UInt64 = 0b111
    static let unknown: UInt64 = 1
    /// A user with another spelling than the key.
    static let user: UInt64 = 2
    /// A user whose spelling is the key.
    static let userAsKey: UInt64 = 3

    static func of(_ fact: MailboxMemory.Fact) -> UInt64 {
        switch fact {
        case .unknown: unknown
        case .user(let mailbox, _): mailbox?.isSpelledAsKey == true ? userAsKey : user
        }
    }

    static func fact(_ head: UInt64, of mailbox: Mailbox, name: @autoclosure () -> String?) -> MailboxMemory.Fact? {
        switch head & mask {
        case unknown: .unknown
        case user: .user(nil, name: name())
        case userAsKey: .user(mailbox.spelledAsKey, name: name())
        default: nil
        }
    }
}

extension MailboxMemory {
    /// An address as 92 bits of its hash, and what is true of it: 28 bits of them in the head.
    struct ShortPlace {
        private static let hashBits: UInt64 = 0xFFFF_FFF0

        let head: UInt64
        private let low: UInt64

        /// - Parameter fact: what is true; nil for the key alone.
        init(_ mailbox: Mailbox, version: UInt64, _ fact: Fact? = nil) {
            self.init(
                mailbox.localPart.key, mailbox.domain.key, version: UInt32(truncatingIfNeeded: version),
                mark: fact.map(Mark.of) ?? 0)
        }

        init(_ localPart: [UInt8], _ domain: [UInt8], version: UInt32, mark: UInt64) {
            var hasher = Hasher()
            localPart.withUnsafeBytes { hasher.combine(bytes: $0) }
            // Where one part ends and the other begins counts; no key has this octet.
            hasher.combine(0xFF as UInt8)
            domain.withUnsafeBytes { hasher.combine(bytes: $0) }
            // Two hashes of two texts, one of which goes on where the other ends.
            var other = hasher
            other.combine(1 as UInt8)
            low = UInt64(bitPattern: Int64(hasher.finalize()))
            head = UInt64(version) << 32 | UInt64(bitPattern: Int64(other.finalize())) & Self.hashBits | mark
        }

        /// What the table has at this index.
        init(_ words: [UInt64], at index: Int) { (head, low) = (words[index], words[index + 1]) }

        /// Which bucket it is for.
        var number: Int { Int(truncatingIfNeeded: low & 0xFFFF_FFFF) }

        var version: UInt32 { UInt32(truncatingIfNeeded: head >> 32) }

        /// Which of four gives way to it.
        var turn: Int { Int(low >> 62) }

        func isSameAddress(in words: [UInt64], at index: Int) -> Bool {
            words[index + 1] == low && (words[index] ^ head) & Self.hashBits == 0
        }

        func write(to words: inout [UInt64], at index: Int) {
            words[index] = head
            words[index + 1] = low
        }

        func fact(in words: [UInt64], at index: Int, of mailbox: Mailbox) -> Fact? {
            guard words[index + 1] == low, (words[index] ^ head) & ~Mark.mask == 0 else { return nil }
            return Mark.fact(words[index], of: mailbox, name: nil)
        }
    }

    /// An address with the name of its user. The head: 8 bits each for the lengths of local-part, domain and name. After it the
    /// folded local-part, the folded domain, and the name.
    struct WholePlace {
        private static let isWhole: UInt64 = 0b1000

        private var head: UInt64
        private var octets: [7 of UInt64] = .init(repeating: 0)
        private let keyLength: Int

        /// Whether a place that begins with this head is a whole one.
        static func isWhole(_ head: UInt64) -> Bool { head & isWhole != 0 }

        /// The head of the key alone.
        static func head(_ mailbox: Mailbox, version: UInt32) -> UInt64 {
            UInt64(version) << 32 | UInt64(UInt8(truncatingIfNeeded: mailbox.localPart.key.count)) << 24
                | UInt64(UInt8(truncatingIfNeeded: mailbox.domain.key.count)) << 16 | isWhole
        }

        /// The key alone. Nil when the address is too long to be kept.
        init?(_ mailbox: Mailbox, version: UInt32) {
            let (localPart, domain) = (mailbox.localPart.key, mailbox.domain.key)
            keyLength = localPart.count + domain.count
            if keyLength > MailboxMemory.keyLimit { return nil }
            head = Self.head(mailbox, version: version)
            write(localPart, at: 0)
            write(domain, at: localPart.count)
        }

        /// Nil too when there is no name to keep, or no room for it.
        init?(_ mailbox: Mailbox, version: UInt32, _ fact: Fact) {
            guard case .user(_, let name?) = fact else { return nil }
            self.init(mailbox, version: version)
            let length = name.utf8.count
            if keyLength + length > MailboxMemory.keyLimit { return nil }
            head |= UInt64(length) << 8 | Mark.of(fact)
            write(name.utf8, at: keyLength)
        }

        /// What the table has at this index.
        init(_ words: [UInt64], at index: Int) {
            head = words[index]
            keyLength = Int(head >> 24 & 0xFF) + Int(head >> 16 & 0xFF)
            for word in octets.indices { octets[word] = words[index + 1 + word] }
        }

        /// The address as a short place has it.
        var key: ShortPlace {
            let octets = (0..<keyLength).map { UInt8(truncatingIfNeeded: self.octets[$0 >> 3] >> UInt64(8 * ($0 & 7))) }
            let end = Int(head >> 24 & 0xFF)
            return ShortPlace(
                Array(octets[..<end]), Array(octets[end...]), version: UInt32(truncatingIfNeeded: head >> 32), mark: 0)
        }

        private mutating func write(_ text: some Sequence<UInt8>, at start: Int) {
            var position = start
            for octet in text {
                octets[position >> 3] |= UInt64(octet) << UInt64(8 * (position & 7))
                position += 1
            }
        }

        func write(to words: inout [UInt64], at index: Int) {
            words[index] = head
            for word in octets.indices { words[index + 1 + word] = octets[word] }
        }

        /// What the table has at this index, if it is of this key.
        func fact(in words: [UInt64], at index: Int, of mailbox: Mailbox) -> Fact? {
            let found = words[index]
            if found >> 16 != head >> 16 { return nil }
            let whole = keyLength >> 3
            for word in 0..<whole where words[index + 1 + word] != octets[word] { return nil }
            // The name begins in the middle of a word.
            if keyLength & 7 != 0 {
                let mask = UInt64.max >> UInt64(64 - 8 * (keyLength & 7))
                if words[index + 1 + whole] & mask != octets[whole] { return nil }
            }
            return Mark.fact(found, of: mailbox, name: name(in: words, at: index))
        }

        private func name(in words: [UInt64], at index: Int) -> String {
            let length = Int(words[index] >> 8 & 0xFF)
            return String(unsafeUninitializedCapacity: length) { buffer in
                for offset in 0..<length {
                    let position = keyLength + offset
                    buffer[offset] = UInt8(
                        truncatingIfNeeded: words[index + 1 + (position >> 3)] >> UInt64(8 * (position & 7)))
                }
                return length
            }
        }
    }
}

extension Mailbox {
    fileprivate var isSpelledAsKey: Bool {
        localPart.octets == localPart.key && domain.octets == domain.key
    }

    /// The same mailbox in the spelling that addresses are compared in.
    fileprivate var spelledAsKey: Mailbox {
        if isSpelledAsKey { return self }
        return Mailbox(
            localPart: LocalPart(stored: localPart.key, key: localPart.key),
            domain: Domain(stored: domain.key, key: domain.key))
    }
}
