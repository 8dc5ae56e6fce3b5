// Which column is what, and a user from one row.

import AddresseeConfiguration
import MailAddress
import MailboxDirectory

/// What is wrong with a row, for a person who sees its line's number before it.
struct RowFault: Error, Hashable {
    var text: String
}

/// The columns of a file of users, as its header names them.
struct UserColumns {
    static let names = ["address", "name", "login", "status"]

    private var address = 0
    private var name: Int?
    private var login: Int?
    private var status: Int?
    private let count: Int

    /// Reads the header.
    /// - Throws: `ImportFaults`.
    init(_ reader: inout CSVReader) throws {
        var faults = ImportFaults()
        do {
            guard try reader.advance() else {
                faults.add(line: 1, "the file is empty; its first line names the columns, such as address,name")
                throw faults
            }
        } catch let fault as CSVFault {
            faults.add(line: reader.line, fault.description)
            throw faults
        }
        count = reader.fieldCount
        var places: [String: Int] = [:]
        for index in 0..<count {
            let column = String(decoding: reader.field(index), as: UTF8.self)
            if !Self.names.contains(column) {
                faults.add(line: reader.line, Self.unknown(column))
            } else if places.updateValue(index, forKey: column) != nil {
                faults.add(line: reader.line, "the column \(column) is there twice")
            }
        }
        if let separator = Self.otherSeparator(reader) {
            faults = ImportFaults()
            faults.add(
                line: reader.line,
                "the columns are separated by \(separator); separate them by commas, as in: address,name,login")
        }
        if faults.count == 0, places["address"] == nil {
            faults.add(line: reader.line, "there is no column address; the first line names the columns")
        }
        if faults.count > 0 { throw faults }
        address = places["address"] ?? 0
        name = places["name"]
        login = places["login"]
        status = places["status"]
    }

    /// What stands between the columns where that is no comma, as spreadsheets have it in some countries; nil where it is one.
    private static func otherSeparator(_ reader: CSVReader) -> String? {
        guard reader.fieldCount == 1 else { return nil }
        let header = String(decoding: reader.field(0), as: UTF8.self)
        for (separator, name) in [(";", "semicolons"), ("\t", "tabs"), ("|", "\"|\"")] as [(Character, String)] {
            let columns = header.split(separator: separator).map { meant(String($0)) }
            if columns.count > 1, columns.contains(where: { $0 != nil }) { return name }
        }
        return nil
    }

    /// What other programs call the columns.
    private static let others = [
        "email": "address", "mail": "address", "emailaddress": "address", "mailaddress": "address",
        "mailbox": "address",
        "user": "login", "username": "login", "uid": "login", "account": "login",
        "displayname": "name",
    ]

    /// The column that was probably meant.
    private static func meant(_ column: String) -> String? {
        let word = column.lowercased().filter { $0.isLetter || $0.isNumber }
        return names.first { $0 == word } ?? others[word] ?? NearestWord.of(column, among: names)
    }

    private static func unknown(_ column: String) -> String {
        let hint = meant(column).map { "did you mean \($0)?" }
        return "there is no column \(column.quoted); \(hint ?? "the columns are \(names.joined(separator: ", "))")"
    }

    /// The fields that have a column.
    var fields: Set<UserField> {
        var fields: Set<UserField> = []
        if name != nil { fields.insert(.fullName) }
        if login != nil { fields.insert(.login) }
        if status != nil { fields.insert(.status) }
        return fields
    }

    /// The user of the reader's current record.
    /// - Throws: `RowFault`.
    func user(_ reader: CSVReader) throws(RowFault) -> User {
        guard reader.fieldCount == count else {
            throw RowFault(text: "the line has \(reader.fieldCount.fields), but the first line has \(count)")
        }
        var user = User(address: try mailbox(reader))
        if let name { user.fullName = try Self.text(reader, name, "the name") }
        if let login {
            let text = try Self.text(reader, login, "the login")
            if let fault = NameFault(login: text) { throw RowFault(text: "the login \(fault)") }
            user.login = text.isEmpty ? nil : text
        }
        if let status { user.status = try Self.status(reader.field(status)) }
        return user
    }

    private func mailbox(_ reader: CSVReader) throws(RowFault) -> Mailbox {
        let mailbox: Mailbox
        do throws(AddressSyntaxError) {
            mailbox = try reader.withField(address) { octets throws(AddressSyntaxError) in try Mailbox(octets: octets) }
        } catch {
            let field = reader.field(address)
            let given = String(decoding: field, as: UTF8.self).quoted
            if field.first == UInt8(ascii: "@"), let domain = try? Domain(octets: Array(field.dropFirst())) {
                throw RowFault(text: "\(given) is not an address; \(AddressFault.star(domain.description))")
            }
            if let meant = String(decoding: field, as: UTF8.self).pastedAddress {
                throw RowFault(text: "\(given) is more than an address; did you mean \(meant)?")
            }
            throw RowFault(text: "the address \(given) is wrong: \(error)")
        }
        if let fault = AddressFault(ofRecord: mailbox) { throw RowFault(text: fault.description) }
        guard mailbox.localPart.needsQuotes, reader.field(address).first != UInt8(ascii: "\"") else { return mailbox }
        throw RowFault(
            text:
                "the address \(String(decoding: reader.field(address), as: UTF8.self).quoted) has a dot without a name on"
                + " both of its sides; correct it, or write \(mailbox) with quotes")
    }

    private static func status(_ octets: ArraySlice<UInt8>) throws(RowFault) -> AccountStatus {
        if octets.isEmpty { return .active }
        let word = String(decoding: octets, as: UTF8.self)
        if let status = AccountStatus(rawValue: word) { return status }
        let words = AccountStatus.allCases.map(\.rawValue)
        let hint = NearestWord.of(word, among: words).map { "did you mean \($0)?" }
        throw RowFault(
            text: "there is no status \(word.quoted); \(hint ?? "it is active, disabled, suspended or full")")
    }

    private static func text(_ reader: CSVReader, _ index: Int, _ what: String) throws(RowFault) -> String {
        let octets = reader.field(index)
        if let fault = NameFault(octets.span) { throw RowFault(text: "\(what) \(fault)") }
        return String(decoding: octets, as: UTF8.self)
    }
}

extension Int {
    fileprivate var fields: String { self == 1 ? "1 field" : "\(self) fields" }
}
