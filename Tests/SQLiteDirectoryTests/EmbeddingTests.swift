// The examples of the library's page: they compile as they stand, outside of any actor, and do what it says.

import Foundation
import MailAddress
import MailboxDirectory
import SQLiteDirectory
import Testing

/// The mailboxes that mail for an address reaches.
func mailboxes(at address: String, in directory: some Source) throws -> [Mailbox] {
    let walk = Expansion(
        .address(try Mailbox(address)), purpose: .resolve, sources: [directory.name],
        defaultDomain: try Domain("example.org"))
    let resolution = walk.run([directory])
    switch resolution.outcome {
    case .answered:
        // Who is unknown, disabled, suspended or has moved. Where nobody is reached, this says why.
        for failure in resolution.failures { print("\(failure.mailbox) takes no mail: \(failure.reason)") }
        return resolution.recipients.map(\.mailbox)
    case .couldNotTell(let trouble): throw trouble  // never "nobody": ask again later
    case .loop(let path), .limit(_, let path):
        throw Trouble(source: directory.name, reason: "it goes in a loop, or too far: \(path.arrows)")
    case .ambiguous: return []  // only a bare name can be
    }
}

/// Adds a user to a file that `addressee init` or `SQLiteStore.create(path:)` made.
func addUser(_ address: String, name: String, to path: String) throws {
    let editor = RecordEditor(
        store: try SQLiteStore(path: path, name: "main"), defaultDomain: try Domain("example.org"))
    // Throws an EditError, which says what is wrong and what to do; nothing is written then.
    try editor.add(.user(User(address: try Mailbox(address), fullName: name)))
}

@Suite struct EmbeddingTests {
    @Test func thePageHasThem() throws {
        let repository = URL(fileURLWithPath: #filePath).appending(path: "../../..").standardizedFileURL
        let page = try String(
            contentsOf: repository.appending(path: "Sources/SQLiteDirectory/SQLiteDirectory.docc/SQLiteDirectory.md"),
            encoding: .utf8)
        let source = try String(contentsOfFile: #filePath, encoding: .utf8)
        let examples = source.split(separator: "\n\n").filter { $0.hasPrefix("/// ") && $0.contains("\nfunc ") }
        #expect(examples.count == 2)
        for example in examples { #expect(page.contains(example)) }
    }

    @Test func theyWork() throws {
        let file = try TemporaryFile()
        _ = try file.store()
        try addUser("fred@example.org", name: "Fred Claude", to: file.path)
        let error = #expect(throws: EditError.self) { try addUser("fred@example.org", name: "", to: file.path) }
        #expect(
            error?.description
                == "fred@example.org is a user already; one address is one thing: change that record, or remove it first"
        )
        let directory = SharedSQLiteReader(path: file.path, name: "main")
        #expect(directory.check() == nil)
        #expect(try mailboxes(at: "fred+x@example.org", in: directory).map(\.description) == ["fred@example.org"])
        #expect(try mailboxes(at: "nobody@example.org", in: directory) == [])
        let own = SQLiteReader(path: file.path, name: "main")
        #expect(try mailboxes(at: "fred@example.org", in: own).count == 1)
        let missing = SharedSQLiteReader(path: file.path + ".missing", name: "main")
        #expect(throws: Trouble.self) { try mailboxes(at: "fred@example.org", in: missing) }
        #expect(missing.check() != nil)
    }

    /// From many threads at once, and always what was written last.
    @Test func isShared() async throws {
        let file = try TemporaryFile()
        _ = try file.store()
        let directory = SharedSQLiteReader(path: file.path, name: "main")
        for number in 0..<5 {
            let address = "user\(number)@example.org"
            #expect(try mailboxes(at: address, in: directory) == [])
            try addUser(address, name: "", to: file.path)
            let found = await withTaskGroup(of: Int.self) { group in
                for _ in 0..<8 { group.addTask { (try? mailboxes(at: address, in: directory).count) ?? -1 } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(found == Array(repeating: 1, count: 8))
        }
    }
}
