// All users of a file into a store, or none of them.

import MailAddress
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
    var conflict = ConflictWord.refuse
    /// What to say of a domain that is not on record.
    var absence: (Domain) -> String = { EditError.noSuchDomain($0).line }

    /// - Parameter progress: is called now and then with how many users were taken in, and the octets read for them.
    /// - Throws: `ImportFaults` that are all texts, `StoreError`, `Trouble` or `CommandFailure`; nothing has been added then.
    func run(progress: (_ users: Int, _ octets: Int) -> Void = { _, _ in }) throws -> BulkResult {
        let rows = try UserRows(
            reader: CSVReader(source: file.read), elsewhere: elsewhere, place: place,
            conflict: conflict == .keep ? .keep : .refuse)
        do {
            var result = try store.importUsers(
                next: rows.next, onConflict: conflict.rule(rows.fields), fault: rows.note
            ) { progress($0, rows.consumed) }
            result.kept += rows.kept
            return result
        } catch let error where error is BulkRefused || error is ImportFaults {
            throw try inWords(rows.faults)
        }
    }

    /// The same words that the other commands have, but for what stands further up in the same file.
    private func inWords(_ faults: ImportFaults) throws -> ImportFaults {
        let first = try FirstLines(of: faults, in: file)
        var said: [Domain: String] = [:]
        return faults.mapping { fault in
            guard case .refused(let error) = fault.reason else { return fault.reason }
            switch error {
            case .addressTaken(let address, .user):
                if let line = first.addresses[address], line > 0, line < fault.line {
                    return .text("\(address) is in line \(line) already")
                }
                let advice = "; for all such users: --on-conflict keep, or --on-conflict replace"
                if !file.isRepeatable {
                    return .text("\(address) is a user already, or further up in what is imported\(advice)")
                }
                return .text(EditError(error).line + advice)
            case .loginTaken(let login):
                if let line = first.logins[NameFolding.fold(Array(login.utf8))], line > 0, line < fault.line {
                    return .text("the login \(login) is in line \(line) already")
                }
            case .noSuchDomain(let domain):
                let text = said[domain] ?? absence(domain)
                said[domain] = text
                return .text(text)
            default: break
            }
            return .text(EditError(error).line)
        }
    }
}

/// What becomes of users who are on record already.
enum ConflictWord: String, CaseIterable {
    case refuse
    case keep
    case replace

    /// - Parameter fields: those that the file has a column for.
    func rule(_ fields: Set<UserField>) -> BulkConflict {
        switch self {
        case .refuse: .refuse
        case .keep: .keep
        case .replace: .replace(fields)
        }
    }
}

/// Where in the file the addresses and logins that came up twice stand first. So a good import need not remember what it has
/// seen.
private struct FirstLines {
    /// 0 where it is not known.
    private(set) var addresses: [Mailbox: Int] = [:]
    private(set) var logins: [[UInt8]: Int] = [:]

    /// Reads the file again as far as the last of the faults that are shown.
    init(of faults: ImportFaults, in file: ImportFile) throws {
        for fault in faults.shown {
            switch fault.reason {
            case .refused(.addressTaken(let address, .user)): addresses[address] = 0
            case .refused(.loginTaken(let login)): logins[NameFolding.fold(Array(login.utf8))] = 0
            default: break
            }
        }
        guard file.isRepeatable, !addresses.isEmpty || !logins.isEmpty, let last = faults.shown.last?.line else {
            return
        }
        let place = file.position
        file.position = 0
        defer { file.position = place }
        let rows = try UserRows(reader: CSVReader(source: file.read))
        var index = 0
        while let user = try rows.nextSound(), rows.line(of: index) < last {
            let line = rows.line(of: index)
            if addresses[user.address] == 0 { addresses[user.address] = line }
            if let login = user.login.map({ NameFolding.fold(Array($0.utf8)) }), logins[login] == 0 {
                logins[login] = line
            }
            index += 1
        }
    }
}
