// One place of the table: a head and 56 octets.

import MailAddress
import SMTPProtocol

extension MailboxMemory {
    /// An address under one version, and what is true of it. The head: 32 bits of the version, 8 each for the lengths of
    /// local-part, domain and name, and what is true.
    struct Place {
        static let words = MailboxMemory.placeSize / 8

        private static let factMask: UInt64 = 0b111
        private static let unknown: UInt64 = 1
        /// A user, but neither name nor spelling.
        private static let user: UInt64 = 2
        /// A user with the name, empty or not; the key is the spelling.
        private static let namedUser: UInt64 = 3
        private static let nameBits: UInt64 = 0xFF << 8

        private(set) var head: UInt64
        private var octets: [7 of UInt64] = .init(repeating: 0)
        private var keyLength: Int

        /// The key alone. Nil when the address is too long to be kept.
        init?(_ mailbox: Mailbox, version: UInt64) {
            let (localPart, domain) = (mailbox.localPart.key, mailbox.domain.key)
            keyLength = localPart.count + domain.count
            if keyLength > MailboxMemory.keyLimit { return nil }
            head = version << 32 | UInt64(localPart.count) << 24 | UInt64(domain.count) << 16
            write(localPart, at: 0)
            write(domain, at: localPart.count)
        }

        private mutating func write(_ text: some Sequence<UInt8>, at start: Int) {
            var position = start
            for octet in text {
                octets[position >> 3] |= UInt64(octet) << UInt64(8 * (position & 7))
                position += 1
            }
        }

        mutating func take(_ fact: Fact) {
            switch fact {
            case .unknown: head |= Self.unknown
            case .user(let user):
                guard let user, user.mailbox.isSpelledAsKey,
                    keyLength + user.name.utf8.count <= MailboxMemory.keyLimit
                else {
                    head |= Self.user
                    return
                }
                head |= Self.namedUser | UInt64(user.name.utf8.count) << 8
                write(user.name.utf8, at: keyLength)
            }
        }

        /// Of the key alone. Seeded anew in each process, so that no client can choose addresses that push each other out.
        var hash: Int {
            var hasher = Hasher()
            for index in 0..<(keyLength + 7) / 8 { hasher.combine(octets[index]) }
            hasher.combine(head)
            return hasher.finalize()
        }

        func write(to words: inout [UInt64], at index: Int) {
            words[index] = head
            for word in octets.indices { words[index + 1 + word] = octets[word] }
        }

        /// What the table has at this index, if it is of this key.
        func fact(in words: [UInt64], at index: Int, of mailbox: Mailbox) -> Fact? {
            let found = words[index]
            if found & ~(Self.factMask | Self.nameBits) != head { return nil }
            let whole = keyLength >> 3
            for word in 0..<whole where words[index + 1 + word] != octets[word] { return nil }
            // The name begins in the middle of a word.
            if keyLength & 7 != 0 {
                let mask = UInt64.max >> UInt64(64 - 8 * (keyLength & 7))
                if words[index + 1 + whole] & mask != octets[whole] { return nil }
            }
            switch found & Self.factMask {
            case Self.unknown: return .unknown
            case Self.user: return .user(nil)
            case Self.namedUser:
                let length = Int(found >> 8 & 0xFF)
                let name = String(unsafeUninitializedCapacity: length) { buffer in
                    for offset in 0..<length {
                        let position = keyLength + offset
                        buffer[offset] = UInt8(
                            truncatingIfNeeded: words[index + 1 + (position >> 3)] >> UInt64(8 * (position & 7)))
                    }
                    return length
                }
                return .user(NamedMailbox(name: name, mailbox: mailbox.spelledAsKey))
            default: return nil
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
