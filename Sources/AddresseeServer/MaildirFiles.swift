// The files of one message in Maildirs (https://cr.yp.to/proto/maildir.html): written to tmp, on the disk, then renamed into
// new. Every function here blocks, and runs in the threads for files only. Lines end with LF there; since no bare CR gets
// this far, every CR that is left out can be put back (RFC 5321 4.5.2).

import Foundation

/// What is written for one message, but for the message itself. The fields are whole lines with CRLF.
struct MaildirOrder: Sendable {
    /// A mailbox's copy.
    struct Copy: Sendable {
        /// The Maildir; made when it is not there.
        var folder: String
        var returnPath: [UInt8]
        var deliveredTo: [UInt8]
    }

    /// Of the files: unique for this machine and for all time, as Maildir asks.
    var name: String
    /// The Received: field.
    var stamp: [UInt8]
    /// One at least, each in a folder of its own.
    var copies: [Copy]

    /// What stands before the message in a copy, as it is written.
    fileprivate func head(of copy: Copy) -> [UInt8] {
        (copy.returnPath + copy.deliveredTo + stamp).filter { $0 != UInt8(ascii: "\r") }
    }

    fileprivate func temporary(_ copy: Copy) -> String { "\(copy.folder)/tmp/\(name)" }

    fileprivate func final(_ copy: Copy) -> String { "\(copy.folder)/new/\(name)" }
}

/// Why a message could not be written. Nothing of it is left.
struct MaildirError: Error {
    /// What could not be done, and with which file.
    var what: String
    var number: Int32

    /// Whether there was no room.
    var isFull: Bool { number == ENOSPC || number == EDQUOT }

    var reason: String { "\(what): \(String(cString: strerror(number)))" }
}

/// A message on its way. The first copy takes it as it comes; the others are made of that one in the end, so that a message
/// to a thousand mailboxes is read once and needs two open files.
struct MaildirFiles: Sendable {
    private let order: MaildirOrder
    private let first: String
    private let descriptor: Int32
    /// Octets of the head of the first copy, as written.
    private let headSize: off_t

    /// Octets that are copied at a time.
    private static let chunk = 262_144

    /// Makes the first file.
    init(_ order: MaildirOrder) throws {
        self.order = order
        first = order.temporary(order.copies[0])
        descriptor = try Self.create(first, in: order.copies[0].folder)
        let head = order.head(of: order.copies[0])
        headSize = off_t(head.count)
        do {
            try head.withUnsafeBytes { try Self.put($0, to: descriptor, first) }
        } catch {
            abandon()
            throw error
        }
    }

    /// Writes what has come of the message.
    func append(_ octets: UnsafeRawBufferPointer) throws {
        let text = octets.filter { $0 != UInt8(ascii: "\r") }
        try text.withUnsafeBytes { try Self.put($0, to: descriptor, first) }
    }

    /// Writes all copies and brings them to the disk, still in `tmp`: all that commonly fails, such as a full disk, fails
    /// here. Nothing is left of them then.
    func prepare() throws {
        var made = 1
        do {
            for copy in order.copies.dropFirst() {
                try duplicate(copy)
                made += 1
            }
        } catch {
            for copy in order.copies.prefix(made) { unlink(order.temporary(copy)) }
            close(descriptor)
            throw error
        }
        do {
            try Self.settle(descriptor, first)
        } catch {
            discard()
            throw error
        }
    }

    /// Delivers what is prepared to all, or to none. When a rename fails after others, those are taken back: the sender is
    /// told to come again, and a reader who has seen one meanwhile sees it twice, but nobody misses it.
    func commit() throws {
        var moved = 0
        do {
            for copy in order.copies {
                let temporary = order.temporary(copy)
                try Self.check(rename(temporary, order.final(copy)), "rename \(temporary)")
                moved += 1
            }
            for copy in order.copies { try Self.synchronize(folder: copy.folder + "/new") }
        } catch {
            for copy in order.copies.prefix(moved) { unlink(order.final(copy)) }
            for copy in order.copies.dropFirst(moved) { unlink(order.temporary(copy)) }
            throw error
        }
    }

    /// Removes what has been written, when it is not prepared.
    func abandon() {
        close(descriptor)
        unlink(first)
    }

    /// Removes what is prepared.
    func discard() {
        for copy in order.copies { unlink(order.temporary(copy)) }
    }

    private func duplicate(_ copy: MaildirOrder.Copy) throws {
        let path = order.temporary(copy)
        let target = try Self.create(path, in: copy.folder)
        do {
            try order.head(of: copy).withUnsafeBytes { try Self.put($0, to: target, path) }
            try withUnsafeTemporaryAllocation(byteCount: Self.chunk, alignment: 16) { buffer in
                var offset = headSize
                while true {
                    let count = pread(descriptor, buffer.baseAddress, buffer.count, offset)
                    if count < 0 {
                        if errno == EINTR { continue }
                        throw MaildirError(what: "read \(first)", number: errno)
                    }
                    if count == 0 { return }
                    try Self.put(UnsafeRawBufferPointer(rebasing: buffer[..<count]), to: target, path)
                    offset += off_t(count)
                }
            }
        } catch {
            close(target)
            unlink(path)
            throw error
        }
        do {
            try Self.settle(target, path)
        } catch {
            unlink(path)
            throw error
        }
    }
}

extension MaildirFiles {
    /// Makes the file in tmp, and the folders where they are not there.
    private static func create(_ path: String, in folder: String) throws -> Int32 {
        let flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
        var descriptor = open(path, flags, 0o600)
        if descriptor < 0, errno == ENOENT {
            // tmp is the last, so that where it is the others are too.
            for part in ["cur", "new", "tmp"] { try make(folder: "\(folder)/\(part)") }
            descriptor = open(path, flags, 0o600)
        }
        try check(descriptor, "make \(path)")
        return descriptor
    }

    /// Makes the folder, and those above it that are not there, and sees to it that they stay.
    private static func make(folder: String) throws {
        if mkdir(folder, 0o700) != 0 {
            if errno == EEXIST { return }
            let above = parent(of: folder)
            if errno != ENOENT || above == folder { throw MaildirError(what: "make \(folder)", number: errno) }
            try make(folder: above)
            if mkdir(folder, 0o700) != 0, errno != EEXIST { throw MaildirError(what: "make \(folder)", number: errno) }
        }
        try synchronize(folder: parent(of: folder))
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func synchronize(folder: String) throws {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        try check(descriptor, "open \(folder)")
        defer { close(descriptor) }
        try check(fsync(descriptor), "fsync \(folder)")
    }

    /// Brings the file to the disk, and closes it whatever comes of that.
    private static func settle(_ descriptor: Int32, _ path: String) throws {
        let synchronized = fsync(descriptor)
        let number = errno
        let closed = close(descriptor)
        if synchronized != 0 { throw MaildirError(what: "fsync \(path)", number: number) }
        // Some file systems tell only here that there was no room.
        try check(closed, "close \(path)")
    }

    private static func put(_ octets: UnsafeRawBufferPointer, to descriptor: Int32, _ path: String) throws {
        var rest = octets
        while !rest.isEmpty {
            let count = write(descriptor, rest.baseAddress, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw MaildirError(what: "write \(path)", number: errno)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
        }
    }

    private static func check(_ result: Int32, _ what: @autoclosure () -> String) throws {
        if result < 0 {
            let number = errno
            throw MaildirError(what: what(), number: number)
        }
    }
}
