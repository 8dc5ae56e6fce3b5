// What a writer has changed is forgotten by those who remember it, before their next answer.

import DirectoryTesting
import Foundation
import MailAddress
import MailboxDirectory
import Synchronization
import Testing

@testable import LDAPDirectory

@Suite struct JournalTests {
    private let path: String

    init() throws { path = try Scratch.path("journal").path }

    private func news(_ reader: JournalReader) -> [JournalReader.News] {
        let all = Mutex<[JournalReader.News]>([])
        reader.follow { one in all.withLock { $0.append(one) } }
        return all.withLock { $0 }
    }

    private func name(_ address: String) throws -> LDAPCacheJournal.Name { .address(try Mailbox(address)) }

    @Test func linesAreReadOnce() throws {
        let journal = LDAPCacheJournal(path: path)
        let reader = JournalReader(path: path)
        #expect(news(reader) == [])
        try journal.append([name("fred@a")])
        #expect(news(reader) == [.names([try name("fred@a")])])
        #expect(news(reader) == [])
        let names = [try name("\"a b\"@c"), try name("é@bücher.example"), .domain(try Domain("D.example"))]
        try journal.append(names)
        try journal.append([names[0]])
        #expect(news(reader) == [.names(names)])
        // One who comes later has remembered nothing before.
        let late = JournalReader(path: path)
        #expect(news(late) == [])
        try journal.append([name("x@a")])
        #expect(news(late) == [.names([try name("x@a")])])
        #expect(news(reader) == [.names([try name("x@a")])])
    }

    @Test func whatIsNoJournalForgetsAll() throws {
        let journal = LDAPCacheJournal(path: path)
        try journal.append([name("fred@a")])
        let reader = JournalReader(path: path)
        func put(_ text: String) throws {
            let file = try #require(FileHandle(forWritingAtPath: path))
            try file.seekToEnd()
            try file.write(contentsOf: Data(text.utf8))
        }
        // A line in the middle of its writing.
        try put("ab a jane")
        #expect(news(reader) == [])
        try put("@a\n")
        #expect(news(reader) == [.names([try name("jane@a")])])
        try put("what is this\n")
        #expect(news(reader) == [.everything])
        #expect(news(reader) == [])
        // Shorter.
        #expect(truncate(path, 10) == 0)
        #expect(news(reader) == [.everything])
        try journal.append([name("z@a")])
        // The end of a line that was cut.
        #expect(news(reader) == [.everything])
        // Emptied and grown again, longer than before.
        #expect(truncate(path, 0) == 0)
        for number in 0..<20 { try journal.append([name("u\(number)@a")]) }
        #expect(news(reader) == [.everything])
        try journal.append([name("y@a")])
        #expect(news(reader) == [.names([try name("y@a")])])
        // Another file by the same name, with the same octets.
        let copy = try Data(contentsOf: URL(filePath: path))
        try FileManager.default.removeItem(atPath: path)
        #expect(news(reader) == [.everything])
        #expect(news(reader) == [])
        try copy.write(to: URL(filePath: path))
        #expect(news(reader).count == 1)
        // One that begins alike is put over it: of what was between nothing is known.
        try (copy + Data("1 a x@a\n".utf8)).write(to: URL(filePath: path), options: .atomic)
        #expect(news(reader) == [.everything])
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        #expect(news(reader) == [.everything])
        #expect(throws: JournalFailure.self) { try journal.append([name("x@a")]) }
        let nowhere = JournalReader(path: path + "/no/such")
        #expect(news(nowhere) == [])
    }

    @Test func itIsKeptShort() throws {
        let journal = LDAPCacheJournal(path: path)
        try Data(repeating: UInt8(ascii: "\n"), count: LDAPCacheJournal.limit + 1).write(to: URL(filePath: path))
        let reader = JournalReader(path: path)
        try journal.append([name("fred@a")])
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        #expect(size ?? 0 < 100)
        #expect(news(reader) == [.everything])
    }

    /// Many writers, and none of their lines is lost or mixed with another.
    @Test func manyWriters() throws {
        let journal = LDAPCacheJournal(path: path)
        DispatchQueue.concurrentPerform(iterations: 8) { writer in
            for number in 0..<100 { try? journal.append([.address(Mailbox("w\(writer).\(number)@a"))]) }
        }
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let lines = Set(text.split(separator: "\n").map { $0.split(separator: " ").last.map(String.init) ?? "" })
        #expect(lines.count == 800)
    }

    private struct Place {
        var settings: LDAPSettings
        var store: LDAPStore
        var directory: LDAPDirectory
        var notices = Notices()
    }

    private final class Notices: Sendable {
        let all = Mutex<[String]>([])
    }

    private func place(_ journal: String?) throws -> Place {
        var settings = try writerSettings(try .shared())
        settings.cache = LDAPCacheSettings(positive: .seconds(600), negative: .seconds(600))
        settings.cache.journal = journal
        let notices = Notices()
        let store = LDAPStore(name: "main", settings: settings) { text in notices.all.withLock { $0.append(text) } }
        try store.write { writing in
            for record in try records("domain a\nuser fred@a (Fred)")[0] { try writing.insert(record) }
        }
        return Place(
            settings: settings, store: store, directory: LDAPDirectory(name: "main", settings: settings),
            notices: notices)
    }

    /// Nothing old is told after a write, although all is remembered for ten minutes.
    @Test(.enabled(if: hasSlapd)) func writesAreSeenAtOnce() throws {
        let place = try place(path)
        let directory = place.directory
        defer { directory.close() }
        let jane = try Mailbox("jane@a")
        let query = NameQuery(localPart: nil, folded: Array("jane".utf8), limit: 5)
        #expect(directory.answer(.entries([jane])) == .absent)
        #expect(directory.answer(.name(query)) == .absent)
        #expect(directory.answer(.domain(try Domain("b"))) == .absent)
        for record in try records("user jane@a (Jane)\ndomain b")[0] { try place.store.write { try $0.insert(record) } }
        #expect(
            directory.answer(.entries([jane]))
                == .entry(.user(User(address: jane, fullName: "Jane"), forward: nil), key: 0))
        guard case .matches = directory.answer(.name(query)), case .domain = directory.answer(.domain(try Domain("b")))
        else {
            Issue.record("not seen")
            return
        }
        // In a batch it is looked at once, at its beginning.
        directory.beginBatch()
        _ = directory.answer(.entries([jane]))
        try place.store.write { try $0.remove(.user, at: jane) }
        #expect(directory.answer(.entries([jane])) != .absent)
        directory.beginBatch()
        #expect(directory.answer(.entries([jane])) == .absent)
        directory.endBatch()
        try place.store.write { try $0.insert(.moved(Moved(address: jane))) }
        #expect(directory.answer(.entries([jane])) == .entry(.moved(Moved(address: jane)), key: 0))
        #expect(place.notices.all.withLock { $0 } == [])
    }

    /// Before a change, so that who asks meanwhile remembers nothing for long, and after it.
    @Test(.enabled(if: hasSlapd)) func namesAreToldTwice() throws {
        let place = try place(path)
        place.directory.close()
        try place.store.write { try $0.remove(.user, at: Mailbox("fred@a")) }
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        let names = lines.map { $0.split(separator: " ").dropFirst().joined(separator: " ") }
        #expect(names == ["d a", "a fred@a", "d a", "a fred@a", "a fred@a", "a fred@a"])
    }

    /// By a process of its own, as a command is one.
    @Test(.enabled(if: hasSlapd)) func anotherProcess() throws {
        let place = try place(path)
        let fred = try Mailbox("fred@a")
        let before = place.directory.answer(.entries([fred]))
        var quiet = place.settings
        quiet.cache.journal = nil
        try LDAPStore(name: "main", settings: quiet).write { try $0.remove(.user, at: fred) }
        #expect(place.directory.answer(.entries([fred])) == before)
        let child = Process()
        child.executableURL = URL(filePath: "/bin/sh")
        child.arguments = ["-c", "printf '1f a fred@a\\n' >> \"$1\"", "sh", path]
        try child.runUnblocked()
        child.waitUntilExit()
        #expect(place.directory.answer(.entries([fred])) == .absent)
        place.directory.close()
    }

    @Test(.enabled(if: hasSlapd)) func aJournalThatCanNotBeWritten() throws {
        let place = try place("/no/such/folder/journal")
        place.directory.close()
        let notices = place.notices.all.withLock { $0 }
        #expect(notices.count == 1)
        #expect(notices.first?.contains("the journal /no/such/folder/journal can't be opened") == true)
        #expect(notices.first?.contains("for 600 s more") == true)
        // Written all the same.
        #expect(try DirectoryTesting.contents(of: place.store).count == 2)
    }
}
