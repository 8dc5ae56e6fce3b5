// The table itself: buckets of 64 octets, one after the other. An address is in one of two that are neighbours.

import MailAddress

extension MailboxMemory {
    struct Table {
        /// Words of a bucket: four short places of two words each, or a whole one.
        private static let bucket = wholeSize / 8

        private var words: [UInt64]
        /// Buckets, less one.
        private let mask: Int
        /// Short places in use, and four for each whole one.
        private(set) var taken = 0

        /// An empty one. Places: 0, or a power of two from 8 on.
        init(places: Int) {
            words = Array(repeating: 0, count: places * placeSize / 8)
            mask = words.count / Self.bucket - 1
        }

        var places: Int { words.count * 8 / placeSize }
        var buckets: Int { mask + 1 }

        /// What is there of an address; of two facts, the one with the name if it is wanted.
        func fact(of mailbox: Mailbox, _ key: ShortPlace, withName: Bool) -> Fact? {
            let first = start(of: key)
            let one = fact(of: mailbox, key, from: first)
            if let one, !withName || one.isWhole { return one }
            return fact(of: mailbox, key, from: first ^ Self.bucket) ?? one
        }

        private func fact(of mailbox: Mailbox, _ key: ShortPlace, from start: Int) -> Fact? {
            if WholePlace.isWhole(words[start]) {
                // Its head tells at once whether it can be the address.
                guard words[start] >> 16 == WholePlace.head(mailbox, version: key.version) >> 16 else { return nil }
                return WholePlace(mailbox, version: key.version)?.fact(in: words, at: start, of: mailbox)
            }
            for index in stride(from: start, to: start + Self.bucket, by: 2) {
                if let fact = key.fact(in: words, at: index, of: mailbox) { return fact }
            }
            return nil
        }

        /// The first of the two buckets, unless it is in use under this version, then the second: what is asked for again
        /// and again comes back soon enough.
        mutating func write(_ whole: WholePlace, for key: ShortPlace) {
            let first = start(of: key)
            let isInUse = (first..<first + Self.bucket).contains { self.isInUse($0, key.version) }
            let start = isInUse ? first ^ Self.bucket : first
            clear(start)
            whole.write(to: &words, at: start)
            taken += Self.bucket / 2
        }

        /// Where the address stands already, else where there is room; else one of the first bucket goes, or of the second
        /// where the first is a whole place.
        mutating func write(_ short: ShortPlace) {
            let first = start(of: short)
            let second = first ^ Self.bucket
            let index =
                own(short, from: first) ?? own(short, from: second) ?? room(for: short, from: first)
                ?? room(for: short, from: second)
                ?? (WholePlace.isWhole(words[first]) ? second : first) + 2 * short.turn
            let start = index & ~(Self.bucket - 1)
            if WholePlace.isWhole(words[start]) { clear(start) }
            if words[index] == 0 { taken += 1 }
            short.write(to: &words, at: index)
        }

        /// Takes over what a bucket of another table has under this version.
        mutating func take(bucket: Int, of other: Table, version: UInt32) {
            let start = bucket * Self.bucket
            if WholePlace.isWhole(other.words[start]) {
                guard other.isInUse(start, version) else { return }
                let whole = WholePlace(other.words, at: start)
                return write(whole, for: whole.key)
            }
            for index in stride(from: start, to: start + Self.bucket, by: 2) where other.isInUse(index, version) {
                write(ShortPlace(other.words, at: index))
            }
        }

        private func start(of key: ShortPlace) -> Int { (key.number & mask) * Self.bucket }

        private func own(_ short: ShortPlace, from start: Int) -> Int? {
            if WholePlace.isWhole(words[start]) { return nil }
            return stride(from: start, to: start + Self.bucket, by: 2).first { short.isSameAddress(in: words, at: $0) }
        }

        private func room(for short: ShortPlace, from start: Int) -> Int? {
            if WholePlace.isWhole(words[start]) { return isInUse(start, short.version) ? nil : start }
            return stride(from: start, to: start + Self.bucket, by: 2).first { !isInUse($0, short.version) }
        }

        private func isInUse(_ index: Int, _ version: UInt32) -> Bool {
            words[index] != 0 && UInt32(truncatingIfNeeded: words[index] >> 32) == version
        }

        private mutating func clear(_ start: Int) {
            if WholePlace.isWhole(words[start]) {
                taken -= Self.bucket / 2
            } else {
                for index in stride(from: start, to: start + Self.bucket, by: 2) where words[index] != 0 { taken -= 1 }
            }
            for index in start..<start + Self.bucket { words[index] = 0 }
        }
    }
}
