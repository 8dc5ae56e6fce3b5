// What is asked: millions of names in one piece of memory, so that a question costs no more than a copy of its octets.

import Glibc
import Verification

/// The lines of a file, blank ones left out. Read once.
final class NameList {
    /// A command line has 512 octets (RFC 5321 4.5.3.1.4), of which `RCPT TO:<` and `>` with the line end take 12.
    static let lengthLimit = 500
    /// Offsets are kept in 32 bits.
    static let fileLimit = Int(UInt32.max)

    let count: Int
    /// The longest name in octets.
    let longest: Int
    private let bytes: UnsafeMutableRawPointer
    /// Where each name begins; one more, where the last one ends.
    private let offsets: UnsafeMutablePointer<UInt32>

    convenience init(file: String) throws(CommandFailure) {
        let (memory, size) = try Self.contents(of: file)
        try self.init(owning: memory, size: size, file: file)
    }

    /// - Parameter memory: from `malloc`; it is freed with the list, or at once when this throws.
    init(owning memory: UnsafeMutableRawPointer, size: Int, file: String) throws(CommandFailure) {
        let offsets = UnsafeMutablePointer<UInt32>.allocate(capacity: Self.lines(memory, size) + 1)
        do throws(CommandFailure) {
            (count, longest) = try Self.compact(memory, size: size, offsets: offsets, file: file)
            if count == 0 { throw CommandFailure(.data, "\(file) is empty; it takes a name or an address a line") }
        } catch {
            free(memory)
            offsets.deallocate()
            throw error
        }
        bytes = memory
        self.offsets = offsets
    }

    deinit {
        free(bytes)
        offsets.deallocate()
    }

    /// The octets of a name; `index` is not checked.
    func name(_ index: Int) -> UnsafeRawBufferPointer {
        let start = Int(offsets[index])
        return UnsafeRawBufferPointer(start: bytes + start, count: Int(offsets[index + 1]) - start)
    }

    private static func lines(_ memory: UnsafeMutableRawPointer, _ size: Int) -> Int {
        var lines = 1
        var index = 0
        while let newline = memchr(memory + index, 0x0A, size - index) {
            lines += 1
            index = newline - memory + 1
        }
        return lines
    }

    /// Moves the names together, without line ends, and notes where they begin.
    private static func compact(
        _ memory: UnsafeMutableRawPointer, size: Int, offsets: UnsafeMutablePointer<UInt32>, file: String
    ) throws(CommandFailure) -> (count: Int, longest: Int) {
        var (count, longest, line, index, used) = (0, 0, 0, 0, 0)
        while index < size {
            line += 1
            let newline = memchr(memory + index, 0x0A, size - index).map { $0 - memory } ?? size
            var end = newline
            if end > index, memory.load(fromByteOffset: end - 1, as: UInt8.self) == 0x0D { end -= 1 }
            let name = UnsafeRawBufferPointer(start: memory + index, count: end - index)
            index = newline + 1
            if name.isEmpty { continue }
            if name.count > lengthLimit {
                throw CommandFailure(
                    .data, "\(file):\(line): the name is longer than \(lengthLimit) octets; a command holds no more")
            }
            if name.contains(where: { $0 < 32 || $0 == 127 }) {
                throw CommandFailure(.data, "\(file):\(line): the name holds a control character; leave it out")
            }
            offsets[count] = UInt32(used)
            if let start = name.baseAddress { memmove(memory + used, start, name.count) }
            used += name.count
            count += 1
            longest = max(longest, name.count)
        }
        offsets[count] = UInt32(used)
        return (count, longest)
    }

    private static func contents(of file: String) throws(CommandFailure) -> (UnsafeMutableRawPointer, Int) {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(file) }
        defer { close(descriptor) }
        var status = stat()
        fstat(descriptor, &status)
        var capacity = max(65536, Int(status.st_size) + 1)
        guard capacity <= fileLimit, var memory = malloc(capacity) else { throw tooLarge(file) }
        var size = 0
        while true {
            let got = read(descriptor, memory + size, capacity - size)
            if got < 0, errno == EINTR { continue }
            if got < 0 {
                let failure = unreadable(file)
                free(memory)
                throw failure
            }
            if got == 0 { return (memory, size) }
            size += got
            if size < capacity { continue }
            capacity *= 2
            guard capacity <= fileLimit, let larger = realloc(memory, capacity) else {
                free(memory)
                throw tooLarge(file)
            }
            memory = larger
        }
    }

    private static func unreadable(_ file: String) -> CommandFailure {
        CommandFailure(.usage, "can't read \(file): \(String(cString: strerror(errno))); --names takes a file")
    }

    private static func tooLarge(_ file: String) -> CommandFailure {
        CommandFailure(.data, "\(file) is too large; a part of it will do")
    }
}

/// Random numbers, fast rather than good: xorshift64*.
struct RandomIndex {
    private var state: UInt64

    init(seed: UInt64) {
        // The generator stands still at 0, and is poor after seeds with few bits: so they are spread first.
        state = (seed &+ 0x9E37_79B9_7F4A_7C15) &* 0xBF58_476D_1CE4_E5B9
        if state == 0 { state = 1 }
    }

    /// 0..<count
    mutating func next(below count: Int) -> Int {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return Int((state &* 0x2545_F491_4F6C_DD1D).multipliedFullWidth(by: UInt64(count)).high)
    }
}
