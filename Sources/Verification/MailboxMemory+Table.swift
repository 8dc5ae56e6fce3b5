// The table itself: buckets of four slots, one after the other. An address is in one of two that are neighbours. A place of
// two slots begins at the first or the third of its bucket, one of four at the first.

import MailAddress

extension MailboxMemory {
    final class Table {
        /// Words of a bucket: the 64 octets that a processor fetches at once, for it begins where they do.
        private static let bucket = 8

        private let words: Words
        /// As many as there are slots.
        let places: Int
        /// Buckets, less one: whatever a hash is, a bucket of its last bits is there.
        private let mask: Int
        /// Slots in use, under whatever version.
        private(set) var taken = 0

        /// An empty one. Places: 0, or a power of two from 8 on.
        init(places: Int) {
            self.places = places
            let count = places * Place.slot
            words = UnsafeMutableRawPointer.allocate(byteCount: count * 8, alignment: Self.bucket * 8)
                .bindMemory(to: UInt64.self, capacity: count)
            words.initialize(repeating: 0, count: count)
            mask = count / Self.bucket - 1
        }

        deinit { UnsafeMutableRawPointer(words).deallocate() }

        var buckets: Int { mask + 1 }

        /// What is there of an address.
        func fact(of mailbox: Mailbox, _ key: Place) -> Fact? {
            let first = start(of: key.low)
            return fact(of: mailbox, key, from: first) ?? fact(of: mailbox, key, from: first ^ Self.bucket)
        }

        /// Has the processor fetch both buckets of each of these addresses, side by side.
        /// - Returns: what nobody needs, so that nothing is left out as needless.
        func fetch(_ keys: [Key]) -> UInt64 {
            var sum: UInt64 = 0
            for key in keys {
                let first = start(of: key.low)
                sum &+= words[first] &+ words[first ^ Self.bucket]
            }
            return sum
        }

        private func fact(of mailbox: Mailbox, _ key: Place, from start: Int) -> Fact? {
            var index = start
            while index < start + Self.bucket {
                if let fact = key.fact(in: words, at: index, of: mailbox) { return fact }
                index = end(index)
            }
            return nil
        }

        /// Where the address stands already, if that is as wide; else where there is room, in the first bucket or the second;
        /// else whatever is in its way goes.
        func write(_ place: Place) {
            let first = start(of: place.low)
            let second = first ^ Self.bucket
            if let index = own(place, from: first) ?? own(place, from: second) {
                if place.isTold(by: words, at: index) { return }
                if Place.width(words[index]) == place.width { return place.write(to: words, at: index) }
                clear(index)
            }
            let index =
                room(for: place, from: first) ?? room(for: place, from: second)
                ?? {
                    let slots = (place.turn & 3) * Place.slot / place.width * place.width
                    return (place.turn < 4 ? first : second) + slots
                }()
            makeRoom(index..<index + place.width)
            place.write(to: words, at: index)
            taken += place.width / Place.slot
        }

        /// Takes over what a bucket of another table has under this version.
        func take(bucket: Int, of other: Table, version: UInt32) {
            var index = bucket * Self.bucket
            while index < (bucket + 1) * Self.bucket {
                if other.isInUse(index, version) { write(Place(other.words, at: index)) }
                index = other.end(index)
            }
        }

        private func start(of low: UInt64) -> Int { (Int(truncatingIfNeeded: low) & mask) * Self.bucket }

        private func own(_ place: Place, from start: Int) -> Int? {
            first(from: start) { place.isSameAddress(in: words, at: $0) }
        }

        /// Where a place could stand without taking anything from another under its version.
        private func room(for place: Place, from start: Int) -> Int? {
            stride(from: start, to: start + Self.bucket, by: place.width).first { index in
                let wanted = index..<index + place.width
                return first(from: start) { isInUse($0, place.version) && wanted.overlaps($0..<end($0)) } == nil
            }
        }

        private func makeRoom(_ wanted: Range<Int>) {
            var index = wanted.lowerBound & ~(Self.bucket - 1)
            while index < wanted.upperBound {
                let end = end(index)
                if wanted.overlaps(index..<end) { clear(index) }
                index = end
            }
        }

        private func clear(_ index: Int) {
            if words[index] == 0 { return }
            let end = end(index)
            taken -= (end - index) / Place.slot
            for word in index..<end { words[word] = 0 }
        }

        private func isInUse(_ index: Int, _ version: UInt32) -> Bool {
            words[index] != 0 && Place.version(words[index]) == version
        }

        /// Where the place that begins here ends, and the next one begins.
        private func end(_ index: Int) -> Int { index + Place.width(words[index]) }

        /// The first place of a bucket of which something holds; an empty slot is one too.
        private func first(from start: Int, where holds: (Int) -> Bool) -> Int? {
            var index = start
            while index < start + Self.bucket {
                if holds(index) { return index }
                index = end(index)
            }
            return nil
        }
    }
}
