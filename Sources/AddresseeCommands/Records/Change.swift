// What a command says when it has changed something.

import MailboxDirectory

/// What was done to a record.
enum Change: String {
    case added
    case changed
    case removed

    /// One line, `added user fred@example.org`, or the record.
    func tell(_ record: Record, in store: any RecordStore, asJSON: Bool) throws {
        if asJSON {
            try Output.current.json(JSON(record, source: store.name))
        } else {
            try Output.current.line("\(rawValue) \(record.kind.phrase) \(record.title)")
        }
    }
}

extension WriteOptions {
    /// Adds a record and says so.
    func add(_ record: Record, isForced: Bool = false) throws {
        let (editor, store) = try configuration.directory().writing(to: source)
        try editor.add(record, isForced: isForced)
        try Change.added.tell(record, in: store, asJSON: json.isWanted)
    }

    /// Changes a record and says so.
    func set(
        _ kind: RecordKind, at address: AddressText, isForced: Bool = false,
        change: (Record) throws(EditError) -> Record
    ) throws {
        let address = try address.ofRecord()
        let directory = try configuration.directory()
        let (editor, store) = try directory.writing(to: source)
        var changed: Record?
        do throws(EditError) {
            try editor.set(kind, at: address, isForced: isForced) { record throws(EditError) in
                let record = try change(record)
                changed = record
                return record
            }
        } catch {
            if case .notFound = error { throw try directory.absence(of: kind, at: address, in: source) }
            throw error
        }
        if let changed { try Change.changed.tell(changed, in: store, asJSON: json.isWanted) }
    }
}
