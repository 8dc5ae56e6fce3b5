// What is on the disk before a message is acknowledged: each copy, whole, before any of them is renamed; then the folders
// that the names stand in. And what is said, and left, when the disk fails.

import AddresseeConfiguration
import FileWatch
import Foundation
import Testing

@Suite(.enabled(if: file_watch_works()), .serialized) struct DurabilityTests {
    /// A call: `fsync` and a path, or `rename` and both. The name of a message is `*`.
    struct Call: Hashable, CustomStringConvertible {
        var description: String
        /// Octets of the file when it was brought to the disk.
        var size = 0

        init(_ line: Substring) {
            let words = line.split(separator: " ").map(String.init)
            let paths = words.dropFirst().map { $0.replacing(/(tmp|new)\/[^\/]+/) { "\($0.output.1)/*" } }
            size = Int(words.last ?? "") ?? 0
            description = ([words[0]] + (words[0] == "fsync" ? Array(paths.dropLast()) : paths)).joined(separator: " ")
        }
    }

    /// Sends one message and gives the reply to it, and what was done with files until then.
    private func deliver(
        to recipients: [String], existing: [String] = [], failing: (start: String, end: String, error: Int32)? = nil
    ) async throws -> (reply: String, calls: [Call], sizes: [Int], files: [String]) {
        nonisolated(unsafe) var found: (String, [Call], [Int], [String]) = ("", [], [], [])
        let change: MessageServerTests.Change = { _, place in
            for mailbox in existing {
                for part in ["tmp", "new", "cur"] {
                    try FileManager.default.createDirectory(
                        atPath: "\(place.folder)/example.org/\(mailbox)/\(part)", withIntermediateDirectories: true)
                }
            }
        }
        try await MessageServerTests.serve(change: change) { peer, place in
            file_watch_begin(place.folder)
            if let failing { file_watch_fail(failing.start, failing.end, failing.error) }
            let mailboxes = recipients.map { "RCPT TO:<\($0)@example.org>\r\n" }.joined()
            let body = String(repeating: "one line\r\n", count: 20_000)
            let text = "MAIL FROM:<me@elsewhere.example>\r\n\(mailboxes)DATA\r\n\(body).\r\n"
            let replies = try await MessageServerTests.replies(4 + recipients.count, to: text, over: peer)
            let lines = file_watch_end()
            defer { free(lines) }
            let calls = String(cString: lines).split(separator: "\n").map(Call.init)
            let sizes = try place.files.map {
                try FileManager.default.attributesOfItem(atPath: "\(place.folder)/\($0)")[.size] as? Int ?? 0
            }
            if replies.last?.hasPrefix("250") == false { _ = try await place.isEmptySoon() }
            found = (replies.last ?? "", calls, sizes, place.files)
        }
        return found
    }

    @Test func eachCopyIsOnTheDiskBeforeItsName() async throws {
        let mailboxes = ["ann", "fred"]
        let (reply, calls, sizes, _) = try await deliver(to: mailboxes, existing: mailboxes)
        #expect(reply == "250 2.0.0 OK")
        let lines = calls.map(\.description)
        let (files, names, folders) = (
            mailboxes.map { "fsync example.org/\($0)/tmp/*" },
            mailboxes.map { "rename example.org/\($0)/tmp/* example.org/\($0)/new/*" },
            mailboxes.map { "fsync example.org/\($0)/new" }
        )
        #expect(lines.count == 6)
        #expect(Set(lines.prefix(2)) == Set(files))
        #expect(Set(lines.dropFirst(2).prefix(2)) == Set(names))
        #expect(Set(lines.suffix(2)) == Set(folders))
        // All of it: nothing is written after.
        #expect(calls.filter { $0.description.contains("tmp/*") && $0.size > 0 }.map(\.size).sorted() == sizes.sorted())
    }

    /// Where folders are made, the folder that each stands in.
    @Test func newFoldersStay() async throws {
        let (reply, calls, _, _) = try await deliver(to: ["fred"])
        #expect(reply == "250 2.0.0 OK")
        let lines = calls.map(\.description)
        let written = try #require(lines.firstIndex(of: "fsync example.org/fred/tmp/*"))
        for folder in ["example.org/fred", "example.org", "."] {
            let made = try #require(lines.firstIndex(of: "fsync \(folder)"), "the folder \(folder)")
            #expect(made < written)
        }
    }

    /// Nobody but the owner reads mail.
    @Test func filesAreTheOwners() async throws {
        try await MessageServerTests.serve { peer, place in
            let text = MessageServerTests.transaction("fred@example.org", "ann@example.org", message: "x")
            _ = try await MessageServerTests.replies(6, to: text, over: peer)
            func modes(_ names: [String]) throws -> Set<Int> {
                Set(
                    try names.map {
                        try FileManager.default.attributesOfItem(atPath: "\(place.folder)/\($0)")[.posixPermissions]
                            as? Int
                            ?? 0
                    })
            }
            let all = FileManager.default.enumerator(atPath: place.folder)?.compactMap { $0 as? String } ?? []
            #expect(place.files.count == 2)
            #expect(try modes(place.files) == [0o600])
            #expect(try modes(all.filter { !place.files.contains($0) }) == [0o700])
        }
    }

    /// Nobody has the message, and the sender comes again.
    @Test(arguments: [
        ("fsync example.org/ann/tmp", "", EIO, "451 4.3.0 The message can't be handed on now, try again later"),
        ("fsync example.org/fred/tmp", "", EIO, "451 4.3.0 The message can't be handed on now, try again later"),
        ("fsync example.org/ann/tmp", "", ENOSPC, "452 4.3.1 Insufficient system storage, try again later"),
        ("fsync", "/new", EIO, "451 4.3.0 The message can't be handed on now, try again later"),
        ("rename example.org/fred", "", EIO, "451 4.3.0 The message can't be handed on now, try again later"),
        ("rename example.org/ann", "", EDQUOT, "452 4.3.1 Insufficient system storage, try again later"),
    ])
    func theDiskFails(start: String, end: String, error: Int32, expected: String) async throws {
        let mailboxes = ["ann", "fred"]
        let (reply, _, _, files) = try await deliver(
            to: mailboxes, existing: mailboxes, failing: (start, end, error))
        #expect(reply == expected)
        #expect(files == [])
    }
}
