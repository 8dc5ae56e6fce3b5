// What a command says when it has changed something.

import MailboxDirectory

/// What was done to a record.
enum Change: String {
    case added
    case changed
    case removed

    /// One line, `added user fred@example.org`, or the record.
    /// - Parameter old: what it was before it was changed; the line says so.
    func tell(_ record: Record, insteadOf old: Record? = nil, in store: any RecordStore, asJSON: Bool) throws {
        if asJSON {
            try Output.current.json(JSON(record, source: store.name))
        } else {
            let was = old.map { " (\(record.whatWas(in: $0)))" } ?? ""
            try Output.current.line("\(rawValue) \(record.kind.phrase) \(record.title)\(was)")
        }
    }
}

extension WriteOptions {
    /// Adds a record and says so.
    func add(_ record: Record, isForced: Bool = false) throws {
        try configuration.directory().write(to: source) { editor, store in
            try editor.add(record, isForced: isForced)
            try Change.added.tell(record, in: store, asJSON: json.isWanted)
        }
    }

    /// Changes a record and says so.
    /// - Parameter address: a bare word is a local-part in the default domain.
    func set(
        _ kind: RecordKind, at address: AddressText, isForced: Bool = false,
        change: (Record) throws(EditError) -> Record
    ) throws {
        let directory = try configuration.directory()
        let address = try address.mailbox(in: directory.defaultDomain)
        try directory.write(to: source) { editor, store in
            var (old, changed): (Record?, Record?)
            do throws(EditError) {
                try editor.set(kind, at: address, isForced: isForced) { record throws(EditError) in
                    old = record
                    let record = try change(record)
                    changed = record
                    return record
                }
            } catch {
                if case .notFound = error { throw try directory.absence(of: kind, at: address, in: source) }
                throw error
            }
            if let changed { try Change.changed.tell(changed, insteadOf: old, in: store, asJSON: json.isWanted) }
        }
    }
}

extension Record {
    /// Values of one field that are told; a list may have very many members.
    private static let toldValues = 20

    /// What this record has replaced: `to was fred@example.org, wilma@example.org; reply was auto`.
    fileprivate func whatWas(in old: Record) -> String {
        let (before, after) = (old.fields, fields)
        var names: [String] = []
        for (name, _) in after + before where !names.contains(name) { names.append(name) }
        var parts: [String] = []
        for name in names {
            let values = before.filter { $0.name == name }.map(\.value)
            if values == after.filter({ $0.name == name }).map(\.value) { continue }
            let shown = values.filter { !$0.isEmpty }
            let more = shown.count > Self.toldValues ? " and \(shown.count - Self.toldValues) more" : ""
            let text = shown.isEmpty ? "none" : shown.prefix(Self.toldValues).joined(separator: ", ") + more
            parts.append("\(name) was \(text)")
        }
        return parts.isEmpty ? "as it was" : parts.joined(separator: "; ")
    }
}
