// A Maildir (https://cr.yp.to/proto/maildir.html), reached folder by folder from the one that the configuration names. Below
// that a symbolic link is not followed, unless the configuration says so: who may write in one mailbox must not have the
// server write in another place. Each folder is opened in the one above it, so that nothing can be put there in between.
// Every function here blocks, and runs in the threads for files only.

import Foundation

struct MaildirFolder: Hashable, Sendable {
    /// The folder of all mailboxes. The way to it may lead through symbolic links.
    var base: String
    /// The folders below it, down to that of the mailbox.
    var names: [String]
    /// Whether symbolic links are followed there.
    var followsLinks: Bool

    /// The three of a Maildir. `tmp` is made last, so that where it is the others are too.
    enum Part: String, CaseIterable {
        case cur
        case new
        case tmp
    }

    /// How a folder is opened to open others in it, which takes no permission to read it: O_PATH, O_DIRECTORY and O_CLOEXEC
    /// (open(2)); Glibc has the first for C with extensions only.
    static let toPass: Int32 = 0o10_000_000 | O_DIRECTORY | O_CLOEXEC

    /// How long a file may lie in `tmp`: 36 hours, in seconds.
    static let staleAge = 36 * 3600
    /// Files that are looked at in one `tmp` at a time.
    private static let mostLookedAt = 1000

    /// For messages.
    var path: String { ([base == "/" ? "" : base] + names).joined(separator: "/") }

    func path(_ part: Part) -> String { "\(path)/\(part.rawValue)" }

    /// Opens a part.
    /// - Parameter body: gets the folder, which is closed after it, for calls such as `openat`.
    func with<Result>(_ part: Part, _ body: (Int32) throws -> Result) throws -> Result {
        // `new` may have been removed when it was empty; where `tmp` has been, all three are made.
        try with(names + [part.rawValue], isMade: part == .new, body)
    }

    /// Makes the parts, and the folders above that are not there, and sees to it that they stay.
    func make() throws {
        try Self.make(base)
        for part in Part.allCases { try with(names + [part.rawValue], isMade: true) { _ in } }
    }

    private func with<Result>(_ names: [String], isMade: Bool, _ body: (Int32) throws -> Result) throws -> Result {
        var folder = open(base, Self.toPass)
        try MaildirError.check(folder, "open \(base)")
        defer { close(folder) }
        var path = base == "/" ? "" : base
        for name in names {
            path += "/" + name
            let next = try enter(name, in: folder, path, isMade: isMade)
            close(folder)
            folder = next
        }
        return try body(folder)
    }

    private func enter(_ name: String, in folder: Int32, _ path: String, isMade: Bool) throws -> Int32 {
        let flags = Self.toPass | (followsLinks ? 0 : O_NOFOLLOW)
        var next = openat(folder, name, flags)
        if next < 0, errno == ENOENT, isMade {
            if mkdirat(folder, name, 0o700) != 0, errno != EEXIST {
                throw MaildirError(what: "make \(path)", number: errno)
            }
            try Self.synchronize(folder, path)
            next = openat(folder, name, flags)
        }
        if next >= 0 { return next }
        let number = errno
        var found = stat()
        if !followsLinks, fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW) == 0, found.st_mode & S_IFMT == S_IFLNK {
            throw MaildirError.link(path)
        }
        throw MaildirError(what: "open \(path)", number: number)
    }

    /// Brings the names in a folder to the disk.
    static func synchronize(_ folder: Int32, _ path: String) throws {
        // What is open to find others by can't be synchronized itself.
        let descriptor = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        try MaildirError.check(descriptor, "open \(path)")
        defer { close(descriptor) }
        try MaildirError.check(fsync(descriptor), "fsync \(path)")
    }

    /// Makes the folder of all mailboxes, and those above it that are not there.
    private static func make(_ base: String) throws {
        if mkdir(base, 0o700) == 0 { return try synchronizeParent(of: base) }
        if errno == EEXIST { return }
        let above = parent(of: base)
        if errno != ENOENT || above == base { throw MaildirError(what: "make \(base)", number: errno) }
        try make(above)
        if mkdir(base, 0o700) != 0, errno != EEXIST { throw MaildirError(what: "make \(base)", number: errno) }
        try synchronizeParent(of: base)
    }

    private static func synchronizeParent(of path: String) throws {
        let above = parent(of: path)
        let folder = open(above, Self.toPass)
        try MaildirError.check(folder, "open \(above)")
        defer { close(folder) }
        try synchronize(folder, above)
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

extension MaildirFolder {
    /// Removes the files in a `tmp` that nobody has touched for 36 hours: what wrote them has ended. Some at a time; what
    /// fails is left for the next.
    /// - Parameters:
    ///   - folder: an open `tmp`.
    ///   - now: seconds since 1970.
    /// - Returns: how many were removed.
    @discardableResult static func removeStale(in folder: Int32, now: Int) -> Int {
        var (lookedAt, removed) = (0, 0)
        forEachEntry(of: folder) { name in
            lookedAt += 1
            var found = stat()
            if fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW) == 0, found.st_mode & S_IFMT == S_IFREG,
                max(found.st_mtim.tv_sec, found.st_atim.tv_sec) < now - staleAge, unlinkat(folder, name, 0) == 0
            {
                removed += 1
            }
            return lookedAt < mostLookedAt
        }
        return removed
    }

    /// Calls `body` with each name in a folder until it gives false; not with names that begin with a dot, as those of no
    /// mailbox and no message do.
    static func forEachEntry(of folder: Int32, _ body: (String) -> Bool) {
        let descriptor = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if descriptor < 0 { return }
        guard let stream = fdopendir(descriptor) else {
            close(descriptor)
            return
        }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix("."), !body(name) { return }
        }
    }
}

/// Why a message could not be written. Nothing of it is left.
struct MaildirError: Error {
    /// What could not be done, and with which file.
    var what: String
    var number: Int32
    /// In place of what the number means.
    private var text: String?

    init(what: String, number: Int32) {
        self.what = what
        self.number = number
    }

    /// A symbolic link is where a folder should be.
    static func link(_ path: String) -> MaildirError {
        var error = MaildirError(what: "open \(path)", number: ELOOP)
        error.text = "it is a symbolic link; put a folder there, or give the next hop \"follow-links: true\""
        return error
    }

    static func check(_ result: Int32, _ what: @autoclosure () -> String) throws {
        if result < 0 {
            let number = errno
            throw MaildirError(what: what(), number: number)
        }
    }

    /// Whether there was no room.
    var isFull: Bool { number == ENOSPC || number == EDQUOT }

    var reason: String { "\(what): \(text ?? String(cString: strerror(number)))" }
}
