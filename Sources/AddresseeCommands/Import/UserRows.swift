// From rows to users. What is wrong with a row is noted with its line, and reading goes on, so that one look at the messages
// is enough.

import MailAddress
import MailboxDirectory

/// Reads users; hands out one at a time.
final class UserRows {
    private var reader: CSVReader
    private let columns: UserColumns
    /// Asked whether something stands at an address: sources other than the one that is written to.
    private let elsewhere: [any Source]
    /// How many of them are asked before the one that is written to.
    private let place: Int
    private let conflict: BulkConflict
    private var lines = LineNumbers()
    private(set) var faults = ImportFaults()
    /// Users who are on record in another source and stay as they are.
    private(set) var kept = 0

    /// Octets that are done with.
    var consumed: Int { reader.consumed }
    /// The fields that the file has a column for.
    var fields: Set<UserField> { columns.fields }

    /// Reads the header.
    /// - Throws: `ImportFaults` when it can't be used, and what the source throws.
    init(
        reader: CSVReader, elsewhere: [any Source] = [], place: Int = 0, conflict: BulkConflict = .refuse
    ) throws {
        self.reader = reader
        self.place = place
        self.elsewhere = elsewhere
        self.conflict = conflict
        columns = try UserColumns(&self.reader)
    }

    /// The next user; nil at the end.
    /// - Throws: `ImportFaults` at the end of the file, when a row was wrong; `Trouble`; what the source throws.
    func next() throws -> User? {
        if let user = try nextSound() { return user }
        if faults.count > 0 { throw faults }
        return nil
    }

    /// The next user, also after rows that are wrong; nil at the end.
    func nextSound() throws -> User? {
        while true {
            do {
                guard try reader.advance() else { return nil }
                let user = try columns.user(reader)
                if try isKept(user.address) { continue }
                lines.append(reader.line)
                return user
            } catch let fault as RowFault {
                faults.add(line: reader.line, fault.text)
            } catch let fault as CSVFault {
                // A quote may stand before an address for a name: `"Fred" <fred@example.org>`.
                let meant = fault == .strayQuote ? reader.faultyLine.pastedAddress : nil
                faults.add(
                    line: reader.line,
                    meant.map { "more than an address stands here; did you mean \($0)?" } ?? fault.description)
            }
        }
    }

    /// The line of a user that was handed out.
    func line(of index: Int) -> Int { lines[index] }

    /// Notes what the store has against a user.
    func note(_ error: BulkError) { faults.add(line: lines[error.index], .refused(error.reason)) }

    /// Whether the address is a user's in another source, who is to be kept.
    private func isKept(_ address: Mailbox) throws -> Bool {
        for (index, source) in elsewhere.enumerated() {
            switch source.answer(.entries([address])) {
            // A forward may sit on a user of a source that is asked later.
            case .entry(.forward, _) where index < place: continue
            case .entry(.user, _) where conflict == .keep:
                kept += 1
                return true
            case .entry(let entry, _):
                let error = EditError.addressTakenElsewhere(address, by: entry.kind, source: source.name)
                if case .user = entry {
                    throw RowFault(text: "\(error.line); or for all such users: --on-conflict keep")
                }
                throw RowFault(text: error.line)
            case .absent: continue
            case let answer: throw source.trouble(in: answer)
            }
        }
        return false
    }
}
