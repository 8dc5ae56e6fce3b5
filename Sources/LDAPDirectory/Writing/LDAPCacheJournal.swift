// The file in which those who write say what has changed, so that servers on this machine forget it at once.
//
//     line = LF transaction SP ( "a" SP mailbox / "d" SP domain ) LF
//
// A line is one write(2) at the end of the file, so that several may write. It begins with an LF, so that one that was cut,
// as on a full disk, is not taken for its beginning. A file that has grown too long is emptied by
// whoever writes next; readers notice that, and forget everything.

import MailAddress
import MailboxDirectory

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Why the journal can't be written.
struct JournalFailure: Error {
    var reason: String
}

/// The writers' side of the journal.
struct LDAPCacheJournal: Sendable {
    enum Name: Hashable, Sendable {
        case address(Mailbox)
        case domain(Domain)
    }

    let path: String

    /// Octets after which it is emptied.
    static let limit = 1_000_000

    /// Says that these have changed or are about to.
    func append(_ names: [Name]) throws(JournalFailure) {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
        if descriptor < 0 { throw failure("opened") }
        defer { close(descriptor) }
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_size > Self.limit, ftruncate(descriptor, 0) != 0 {
            throw failure("emptied")
        }
        let transaction = String(UInt64.random(in: .min ... .max), radix: 16)
        for name in names {
            let line = Self.line(transaction, name)
            let count = line.withUnsafeBytes { systemWrite(descriptor, $0.baseAddress, $0.count) }
            if count != line.count { throw failure("written") }
        }
    }

    private static func line(_ transaction: String, _ name: Name) -> [UInt8] {
        var line = Array("\n\(transaction) ".utf8)
        switch name {
        case .address(let mailbox):
            line += Array("a ".utf8)
            mailbox.append(to: &line)
        case .domain(let domain): line += Array("d ".utf8) + domain.octets
        }
        return line + [UInt8(ascii: "\n")]
    }

    /// - Returns: nil for what is no line of a journal.
    static func name(_ line: ArraySlice<UInt8>) -> Name? {
        let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        switch Array(parts[1]) {
        case Array("a".utf8): return (try? Mailbox(octets: Array(parts[2]).span)).map(Name.address)
        case Array("d".utf8): return (try? Domain(octets: Array(parts[2]))).map(Name.domain)
        default: return nil
        }
    }

    private func failure(_ what: String) -> JournalFailure {
        let reason = String(cString: strerror(errno))
        return JournalFailure(
            reason: "the journal \(path) can't be \(what): \(reason); check its folder and who may write there")
    }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
