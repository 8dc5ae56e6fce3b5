// All users of a file into a store, or none of them.

import MailboxDirectory
import Verification

/// One import.
struct UserImport {
    let file: ImportFile
    let store: any BulkUserStore
    /// The other sources, which may not have anything at the users' addresses.
    var elsewhere: [any Source] = []
    /// How many of them are asked before the store.
    var place = 0

    /// - Parameter progress: is called now and then with how many users were taken in, and the octets read for them.
    /// - Returns: how many were added.
    /// - Throws: `ImportFaults`, `StoreError`, `Trouble` or `CommandFailure`; nothing has been added then.
    func run(progress: (_ users: Int, _ octets: Int) -> Void = { _, _ in }) throws -> Int {
        let rows = try UserRows(reader: CSVReader(source: file.read), elsewhere: elsewhere, place: place)
        do {
            return try store.importUsers(next: rows.next) { progress($0, rows.consumed) }
        } catch let error as BulkError {
            if case .trouble = error.reason { throw error.reason }
            let line = rows.line(of: error.index)
            throw try rows.collecting(try reason(error.reason, before: line), line: line)
        }
    }

    /// The same words that the other commands have, but for what stands further up in the same file.
    private func reason(_ error: StoreError, before line: Int) throws -> String {
        switch error {
        case .addressTaken(let address, .user):
            if let first = try firstLine(before: line, where: { $0.address == address }) {
                return "\(address) is in line \(first) already"
            }
            if !file.isRepeatable { return "\(address) is a user already, or further up in what is imported" }
        case .loginTaken(let login):
            let folded = NameFolding.fold(Array(login.utf8))
            let first = try firstLine(before: line) { user in
                user.login.map { NameFolding.fold(Array($0.utf8)) } == folded
            }
            if let first { return "the login \(login) is in line \(first) already" }
        default: break
        }
        return EditError(error).description
    }

    /// Reads the file again as far as the line. So a good import need not remember what it has seen.
    private func firstLine(before line: Int, where isMatch: (User) -> Bool) throws -> Int? {
        guard file.isRepeatable else { return nil }
        let place = file.position
        file.position = 0
        defer { file.position = place }
        let rows = try UserRows(reader: CSVReader(source: file.read))
        var index = 0
        while let user = try rows.next(), rows.line(of: index) < line {
            if isMatch(user) { return rows.line(of: index) }
            index += 1
        }
        return nil
    }
}
