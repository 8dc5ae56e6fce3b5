// Finds the replies in what a server sent: lines of a code, then a hyphen when more lines follow (RFC 5321 4.2.1).
// It keeps nothing between calls: the first lines of a reply are passed over, its last line is the reply.

import Glibc

/// A server said something that is no reply line.
struct NotAReply: Error {
    /// Where the line is, without its end.
    let line: Range<Int>
}

enum ReplyScanner {
    /// The last line of a reply.
    struct Reply: Equatable {
        /// 200...599; of other wires also a number of `BenchAnswer`.
        let code: Int
        /// Where the line is, without its end.
        let line: Range<Int>
    }

    /// The next reply, with `index` after it; nil when its last line is not all there yet, with `index` after the
    /// lines that are: what follows must be given again, with more.
    static func next(in bytes: UnsafeRawBufferPointer, from index: inout Int) throws(NotAReply) -> Reply? {
        guard let base = bytes.baseAddress else { return nil }
        while let found = memchr(base + index, 0x0A, bytes.count - index) {
            let start = index
            let newline = UnsafeRawPointer(found) - base
            index = newline + 1
            let end = newline > start && bytes[newline - 1] == 0x0D ? newline - 1 : newline
            guard end - start >= 3 else { throw NotAReply(line: start..<end) }
            guard let code = code(bytes[start..<end]) else { throw NotAReply(line: start..<end) }
            if end - start == 3 || bytes[start + 3] == UInt8(ascii: " ") { return Reply(code: code, line: start..<end) }
            guard bytes[start + 3] == UInt8(ascii: "-") else { throw NotAReply(line: start..<end) }
        }
        return nil
    }

    /// The reply code that a line begins with.
    static func code(_ line: Slice<UnsafeRawBufferPointer>) -> Int? {
        let start = line.startIndex
        guard line.count >= 3 else { return nil }
        let code = digit(line[start]) * 100 + digit(line[start + 1]) * 10 + digit(line[start + 2])
        return (200...599).contains(code) ? code : nil
    }

    /// Something that makes no code valid, when it is no digit.
    private static func digit(_ octet: UInt8) -> Int {
        octet >= 0x30 && octet <= 0x39 ? Int(octet) - 0x30 : 10_000
    }
}
