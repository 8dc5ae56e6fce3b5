// Sources and stores that answer what was not asked, as one might that is of another version.

import MailAddress
import MailboxDirectory

/// Answers every question with members.
struct OddSource: Source {
    let name: String

    func answer(_ lookup: Lookup) -> Answer { .members([]) }
}

/// Answers so too when it is administered, and has no records.
final class OddStore: RecordStore {
    let name: String

    init(name: String) { self.name = name }

    func read<Result>(_ body: (any RecordReading) throws -> Result) throws -> Result { try body(View(name: name)) }

    func write<Result>(_ body: (any RecordWriting) throws -> Result) throws -> Result {
        throw Trouble(source: name, reason: "it is not written")
    }

    private struct View: RecordReading {
        let name: String

        func answer(_ lookup: Lookup) -> Answer { .members([]) }
        func record(_ kind: RecordKind, at address: Mailbox) throws -> Record? { nil }
        func forEach(
            _ kind: RecordKind, in domain: Domain?, faulty: (Trouble) throws -> Void, _ body: (Record) throws -> Void
        ) throws {
            try faulty(Trouble(source: name, reason: "the record can't be read; correct it"))
        }
        func references(to address: Mailbox, limit: Int) throws -> [Reference] { [] }
        func references(toDomain domain: Domain, limit: Int) throws -> [Reference] { [] }
    }
}

/// Counts the batches, and the questions outside of them.
/// Safe because one command after the other asks it.
final class CountingSource: Source, @unchecked Sendable {
    private let source: any Source
    private(set) var batches = 0
    private(set) var questions = 0
    private(set) var questionsOutside = 0
    private(set) var isInBatch = false

    init(_ source: any Source) { self.source = source }

    var name: String { source.name }

    func beginBatch() {
        batches += 1
        isInBatch = true
    }

    func endBatch() { isInBatch = false }

    func answer(_ lookup: Lookup) -> Answer {
        questions += 1
        if !isInBatch { questionsOutside += 1 }
        return source.answer(lookup)
    }
}
