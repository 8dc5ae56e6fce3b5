// The files of one message in Maildirs (https://cr.yp.to/proto/maildir.html): written to tmp, on the disk, then renamed into
// new. Every function here blocks, and runs in the threads for files only. Lines end with LF there; since no bare CR gets
// this far, every CR that is left out can be put back (RFC 5321 4.5.2).

import Foundation

/// What is written for one message, but for the message itself. The fields are whole lines with CRLF.
struct MaildirOrder: Sendable {
    /// A mailbox's copy.
    struct Copy: Sendable {
        /// The Maildir; made when it is not there.
        var folder: MaildirFolder
        /// What stands above the Received: field.
        var fields: [UInt8]
    }

    /// Of the files: unique for this machine and for all time, as Maildir asks.
    var name: String
    /// The Received: field.
    var stamp: [UInt8]
    /// One at least, each in a folder of its own.
    var copies: [Copy]

    /// What stands before the message in a copy, as it is written.
    fileprivate func head(of copy: Copy) -> [UInt8] {
        (copy.fields + stamp).filter { $0 != UInt8(ascii: "\r") }
    }

    /// For messages.
    fileprivate func path(_ copy: Copy) -> String { "\(copy.folder.path(.tmp))/\(name)" }
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
        first = order.path(order.copies[0])
        descriptor = try Self.create(order.name, in: order.copies[0].folder)
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
            for copy in order.copies.prefix(made) { Self.remove(order.name, .tmp, of: copy.folder) }
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
                try copy.folder.with(.tmp) { tmp in
                    try copy.folder.with(.new) { new in
                        try MaildirError.check(
                            renameat(tmp, order.name, new, order.name), "rename \(order.path(copy))")
                    }
                }
                moved += 1
            }
            for copy in order.copies {
                try copy.folder.with(.new) { try MaildirFolder.synchronize($0, copy.folder.path(.new)) }
            }
        } catch {
            for copy in order.copies.prefix(moved) { Self.remove(order.name, .new, of: copy.folder) }
            for copy in order.copies.dropFirst(moved) { Self.remove(order.name, .tmp, of: copy.folder) }
            throw error
        }
    }

    /// Removes what has been written, when it is not prepared.
    func abandon() {
        close(descriptor)
        Self.remove(order.name, .tmp, of: order.copies[0].folder)
    }

    /// Removes what is prepared.
    func discard() {
        for copy in order.copies { Self.remove(order.name, .tmp, of: copy.folder) }
    }

    private func duplicate(_ copy: MaildirOrder.Copy) throws {
        let path = order.path(copy)
        let target = try Self.create(order.name, in: copy.folder)
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
            Self.remove(order.name, .tmp, of: copy.folder)
            throw error
        }
        do {
            try Self.settle(target, path)
        } catch {
            Self.remove(order.name, .tmp, of: copy.folder)
            throw error
        }
    }
}

extension MaildirFiles {
    /// Makes the file in tmp, and the folders where they are not there. What others have left in tmp goes then.
    private static func create(_ name: String, in folder: MaildirFolder) throws -> Int32 {
        let path = "\(folder.path(.tmp))/\(name)"
        func create() throws -> Int32 {
            try folder.with(.tmp) { tmp in
                let descriptor = openat(tmp, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
                try MaildirError.check(descriptor, "make \(path)")
                MaildirFolder.removeStale(in: tmp, now: time(nil))
                return descriptor
            }
        }
        do {
            return try create()
        } catch let error as MaildirError where error.number == ENOENT {
            try folder.make()
            return try create()
        }
    }

    /// Removes a file that may be there; what fails is left as a file of tmp that nobody touches.
    private static func remove(_ name: String, _ part: MaildirFolder.Part, of folder: MaildirFolder) {
        _ = try? folder.with(part) { unlinkat($0, name, 0) }
    }

    /// Brings the file to the disk, and closes it whatever comes of that.
    private static func settle(_ descriptor: Int32, _ path: String) throws {
        let synchronized = fsync(descriptor)
        let number = errno
        let closed = close(descriptor)
        if synchronized != 0 { throw MaildirError(what: "fsync \(path)", number: number) }
        // Some file systems tell only here that there was no room.
        try MaildirError.check(closed, "close \(path)")
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
}
