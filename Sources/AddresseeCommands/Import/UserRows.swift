// From rows to users. What is wrong with a row is noted with its line, and reading goes on, so that one look at the
// messages is enough; but after the first fault nothing is handed out any more.

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
    private var lines = LineNumbers()
    private var faults = ImportFaults()

    /// Octets that are done with.
    var consumed: Int { reader.consumed }

    /// Reads the header.
    /// - Throws: `ImportFaults` when it can't be used, and what the source throws.
    init(reader: CSVReader, elsewhere: [any Source] = [], place: Int = 0) throws {
        self.reader = reader
        self.place = place
        self.elsewhere = elsewhere
        columns = try UserColumns(&self.reader)
    }

    /// The next user; nil at the end.
    /// - Throws: `ImportFaults` at the end of the file, when a row was wrong; `Trouble`; what the source throws.
    func next() throws -> User? {
        do {
            guard try reader.advance() else { return nil }
            let user = try columns.user(reader)
            try checkElsewhere(user.address)
            lines.append(reader.line)
            return user
        } catch let fault as RowFault {
            throw try collecting(fault.text, line: reader.line)
        } catch let fault as CSVFault {
            throw try collecting(fault.description, line: reader.line)
        }
    }

    /// The line of a user that was handed out.
    func line(of index: Int) -> Int { lines[index] }

    /// Notes a fault, and what else is wrong in the rest of the file.
    func collecting(_ text: String, line: Int) throws -> ImportFaults {
        faults.add(line: line, text)
        while true {
            do {
                guard try reader.advance() else { return faults }
                _ = try columns.user(reader)
            } catch let fault as RowFault {
                faults.add(line: reader.line, fault.text)
            } catch let fault as CSVFault {
                faults.add(line: reader.line, fault.description)
            }
        }
    }

    private func checkElsewhere(_ address: Mailbox) throws {
        for (index, source) in elsewhere.enumerated() {
            switch source.answer(.entries([address])) {
            // A forward may sit on a user of a source that is asked later.
            case .entry(.forward, _) where index < place: continue
            case .entry(let entry, _):
                let error = EditError.addressTakenElsewhere(address, by: entry.kind, source: source.name)
                throw RowFault(text: error.description)
            case .absent: continue
            case let answer: throw source.trouble(in: answer)
            }
        }
    }
}
