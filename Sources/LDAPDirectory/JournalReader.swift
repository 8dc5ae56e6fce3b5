// The servers' side of the journal: one stat(2) tells that nothing has changed, and most often nothing has.

import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Follows a journal. For many threads.
final class JournalReader: Sendable {
    /// What is to be forgotten.
    enum News: Equatable {
        case nothing
        case names([LDAPCacheJournal.Name])
        /// It can't be told what has changed.
        case everything
    }

    /// One state of the file.
    fileprivate struct Mark: Equatable {
        var device: UInt64
        var inode: UInt64
        var size: Int
        var seconds: Int
        var nanoseconds: Int
    }

    private struct Place {
        /// Nil where there is no file.
        var mark: Mark?
        /// How far it has been read: the end of a line.
        var offset = 0
        /// The last octets before that: when they are others, it is another file by the same name.
        var tail: [UInt8] = []
        /// Whether it could be read last time.
        var isKnown = false
    }

    private let path: String
    private let place = Mutex(Place())

    private static let tailLength = 64

    init(path: String) {
        self.path = path
        _ = news()
    }

    /// What has changed since the last call. Two threads never get the same news; both have to wait for whoever applies
    /// them, so `apply` runs within.
    func follow(_ apply: (News) -> Void) {
        place.withLock { place in
            let news = Self.news(path, &place)
            if news != .nothing { apply(news) }
        }
    }

    private func news() -> News { place.withLock { Self.news(path, &$0) } }

    private static func news(_ path: String, _ place: inout Place) -> News {
        var status = stat()
        guard stat(path, &status) == 0 else {
            let isGone = errno == ENOENT
            let hadNone = place.isKnown && place.mark == nil
            place = Place(isKnown: isGone)
            // Without a file nobody has written; a file that can't be looked at may say anything.
            return isGone && hadNone ? .nothing : .everything
        }
        let mark = Mark(status)
        if place.isKnown, place.mark == mark { return .nothing }
        let before = place
        guard let (news, read) = read(path, from: before) else {
            place = Place()
            return .everything
        }
        place = read
        return news
    }

    /// - Returns: nil when the file can't be read.
    private static func read(_ path: String, from before: Place) -> (News, Place)? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        let mark = Mark(status)
        var isSame = before.isKnown && mark.size >= before.offset
        if let old = before.mark {
            isSame = isSame && old.inode == mark.inode && old.device == mark.device
        }
        let start = isSame ? before.offset - before.tail.count : max(0, mark.size - tailLength)
        guard var octets = octets(descriptor, from: start, count: mark.size - start) else { return nil }
        if isSame, Array(octets.prefix(before.tail.count)) != before.tail { isSame = false }
        if isSame { octets.removeFirst(before.tail.count) }
        // A line that is being written is read when it is whole.
        let end = octets.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let whole = octets[..<end]
        var place = Place(mark: mark, isKnown: true)
        if isSame {
            place.offset = before.offset + end
            place.tail = Array((before.tail + whole).suffix(tailLength))
        } else {
            place.offset = end == 0 ? start : start + end
            place.tail = Array(whole.suffix(tailLength))
            return (.everything, place)
        }
        if whole.isEmpty { return (.nothing, place) }
        var names: [LDAPCacheJournal.Name] = []
        for line in whole.split(separator: UInt8(ascii: "\n")) {
            guard let name = LDAPCacheJournal.name(line) else { return (.everything, place) }
            if !names.contains(name) { names.append(name) }
        }
        return (names.count > manyNames ? .everything : .names(names), place)
    }

    /// So many at once are forgotten with all the rest, for each costs a look at all that is remembered.
    private static let manyNames = 50

    private static func octets(_ descriptor: Int32, from start: Int, count: Int) -> [UInt8]? {
        var octets = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let more = octets.withUnsafeMutableBytes { bytes in
                pread(descriptor, bytes.baseAddress.map { $0 + filled }, count - filled, off_t(start + filled))
            }
            if more <= 0 { break }
            filled += more
        }
        return filled == count ? octets : nil
    }
}

extension JournalReader.Mark {
    fileprivate init(_ status: stat) {
        #if canImport(Darwin)
            let time = status.st_mtimespec
        #else
            let time = status.st_mtim
        #endif
        self.init(
            device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int(status.st_size),
            seconds: Int(time.tv_sec), nanoseconds: Int(time.tv_nsec))
    }
}
