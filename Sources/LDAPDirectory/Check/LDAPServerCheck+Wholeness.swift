// Whether a server has all of the directory, by itself and beside the others of its source.

import MailboxDirectory

extension LDAPServerCheck {
    /// Looks for those who must be found, and notes how new the server is.
    mutating func examineWholeness(_ handle: LDAPHandle) throws(LDAPFailure) -> Wholeness {
        marks = try handle.contextMarks(settings.base)
        return try handle.examine(settings)
    }

    /// How new the server is now; nil where that can't be had.
    func marksNow() -> [String]? {
        do throws(LDAPFailure) {
            let handle = try LDAPHandle(uri: uri, settings: settings)
            return try handle.contextMarks(settings.base)
        } catch {
            return nil
        }
    }
}

/// What servers that should hold the same hold.
struct ServerComparison {
    private let servers: [LDAPServerCheck]
    /// How long a server may take to catch up with a change that another has; nanoseconds.
    private static let delay: UInt32 = 2_000_000_000

    init(_ servers: [LDAPServerCheck]) { self.servers = servers }

    var findings: [Finding] { servers.count < 2 ? [] : markFindings + countFindings }

    /// A server without contextCSN, where another has one, and one that lags behind.
    private var markFindings: [Finding] {
        let newest = Self.newest(servers.compactMap(\.marks).flatMap(\.self))
        if newest.isEmpty { return [] }
        var findings: [Finding] = []
        for server in servers {
            guard let marks = server.marks else { continue }
            if marks.isEmpty {
                findings.append(
                    Finding(
                        .warning, .directory,
                        "\(server.uri): this server has no contextCSN, and another of the source has: it is still being"
                            + " filled, or was put up anew, and is left out",
                        advice: "wait for its replication to end, or take it out of uris"))
                continue
            }
            guard Self.missing(in: marks, of: newest) != nil else { continue }
            // A change may be on its way just now.
            MonotonicTime.sleep(Self.delay)
            guard let now = server.marksNow(), let missing = Self.missing(in: now, of: newest) else { continue }
            findings.append(
                Finding(
                    .warning, .directory,
                    "\(server.uri): this server lacks changes that another of the source has, up to \(missing)"
                        + " (contextCSN); its own newest is \(now.max() ?? "none")",
                    advice: "look at its replication"))
        }
        return findings
    }

    /// The newest mark of each server that takes changes, by that server's number.
    private static func newest(_ marks: [String]) -> [Substring: String] {
        var newest: [Substring: String] = [:]
        for mark in marks {
            let number = number(mark)
            if mark > newest[number, default: ""] { newest[number] = mark }
        }
        return newest
    }

    /// The third part: `20260101000000.000000Z#000000#001#000000` is of server 001.
    private static func number(_ mark: String) -> Substring {
        let parts = mark.split(separator: "#")
        return parts.count == 4 ? parts[2] : ""
    }

    /// The newest of those marks that are newer than these; nil when there is none.
    static func missing(in marks: [String], of newest: [Substring: String]) -> String? {
        let own = Self.newest(marks)
        return newest.filter { $0.value > own[$0.key, default: ""] }.values.max()
    }

    private var countFindings: [Finding] {
        let counts = servers.compactMap { server in server.count.map { (server.uri, $0) } }
        guard let most = counts.max(by: { $0.1 < $1.1 }) else { return [] }
        return counts.filter { $0.1 < most.1 }.map { uri, count in
            Finding(
                .warning, .directory, "\(uri): this server has \(count) entries of the \(most.1) that \(most.0) has",
                advice: "look at its replication, and at what this account may read there")
        }
    }
}
