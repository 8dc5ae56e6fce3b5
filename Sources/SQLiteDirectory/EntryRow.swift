// Reads a row of the table "entry". A row that does not say what it must is an error, never "not found".

import MailAddress
import MailboxDirectory

enum EntryRow {
    // The columns of `QuestionSQL.entryColumns`, then those of `addressColumns`.
    private static let kind: Int32 = 0
    private static let localPart: Int32 = 1
    private static let status: Int32 = 2
    private static let forward: Int32 = 3
    private static let fullName: Int32 = 4
    private static let loginKey: Int32 = 5
    private static let login: Int32 = 6
    private static let keepCopy: Int32 = 7
    private static let expn: Int32 = 8
    private static let key: Int32 = 9
    private static let domainID: Int32 = 10
    private static let domainKey: Int32 = 11
    private static let domainName: Int32 = 12
    private static let isCounted: Int32 = 13

    /// Reads an entry whose key and domain are known; they are shared, not copied.
    static func read(
        _ row: PreparedStatement, key: [UInt8], domain: Domain, domainID: Int64, of questions: Questions
    ) throws(SQLiteFailure) -> Entry {
        let spelled = try row.addressPart(localPart) ?? key
        let address = Mailbox(localPart: LocalPart(stored: spelled, key: key), domain: domain)
        // The kinds differ in their first letter, and the table takes no other.
        switch row.text(kind)?.first {
        case UInt8(ascii: "u"):
            let user = try user(row, at: address)
            let reply = try reply(row, at: address)
            guard let reply else { return .user(user, forward: nil) }
            return .user(user, forward: try forward(row, at: address, domainID, reply, of: questions))
        case UInt8(ascii: "a"):
            return .alias(try alias(at: address, domainID, of: questions))
        case UInt8(ascii: "f"):
            guard let reply = try reply(row, at: address) else { throw wrong(address, "has no forward") }
            return .forward(try forward(row, at: address, domainID, reply, of: questions))
        case UInt8(ascii: "m"):
            let new = try questions.mailboxes(.newAddress, of: key, domain: domainID)
            return .moved(Moved(address: address, newAddress: new.first))
        case UInt8(ascii: "l"):
            return .list(try list(row, at: address, domainID, of: questions))
        default:
            throw wrong(address, "is of no known kind")
        }
    }

    /// Whether an entry that was found by a bare name is one that such a name may mean.
    static func counts(_ row: PreparedStatement) -> Bool { row.int(isCounted) != 0 }

    /// Reads an entry together with its address.
    static func readAddressed(_ row: PreparedStatement, of questions: Questions) throws(SQLiteFailure) -> Entry {
        guard let key = try row.addressPart(key), let domainKey = try row.addressPart(domainKey) else {
            throw .wrong("a row of the table \"entry\" has no address")
        }
        let domain = Domain(stored: try row.addressPart(domainName) ?? domainKey, key: domainKey)
        return try read(row, key: key, domain: domain, domainID: row.int(domainID), of: questions)
    }

    private static func user(_ row: PreparedStatement, at address: Mailbox) throws(SQLiteFailure) -> User {
        var active = AccountStatus.active
        if let word = row.text(status) {
            guard let status = AccountStatus(rawValue: String(decoding: word, as: UTF8.self)) else {
                throw wrong(address, "has an unknown status")
            }
            active = status
        }
        var name: String?
        if !row.isNull(loginKey) { name = try row.string(row.isNull(login) ? loginKey : login) }
        return User(address: address, fullName: try row.string(fullName), login: name, status: active)
    }

    private static func reply(_ row: PreparedStatement, at address: Mailbox) throws(SQLiteFailure) -> ForwardReply? {
        guard let word = row.text(forward) else { return nil }
        guard let reply = ForwardReply(rawValue: String(decoding: word, as: UTF8.self)) else {
            throw wrong(address, "has a forward with an unknown reply")
        }
        return reply
    }

    private static func forward(
        _ row: PreparedStatement, at address: Mailbox, _ domainID: Int64, _ reply: ForwardReply, of questions: Questions
    ) throws(SQLiteFailure) -> Forward {
        let (targets, next) = try targets(at: address, domainID, of: questions)
        var forward = Forward(address: address, targets: targets, keepsCopy: row.int(keepCopy) != 0, reply: reply)
        forward.next = next
        if next != nil, try questions.forward(address, domain: domainID, pointsTo: address) { forward.keepsCopy = true }
        return forward
    }

    private static func list(
        _ row: PreparedStatement, at address: Mailbox, _ domainID: Int64, of questions: Questions
    ) throws(SQLiteFailure) -> MailingList {
        let word = row.text(expn).map { String(decoding: $0, as: UTF8.self) } ?? ""
        guard let access = ExpansionAccess(rawValue: word) else {
            throw wrong(address, "does not say who may expand it")
        }
        let owner = try questions.mailboxes(.owner, of: address.localPart.key, domain: domainID)
        return MailingList(
            address: address, name: try row.string(fullName), owner: owner.first, expansion: access)
    }

    private static func alias(
        at address: Mailbox, _ domainID: Int64, of questions: Questions
    ) throws(SQLiteFailure) -> Alias {
        var alias = Alias(address: address, targets: [])
        (alias.targets, alias.next) = try targets(at: address, domainID, of: questions)
        return alias
    }

    /// - Returns: the position after which there are more; nil where these are all.
    private static func targets(
        at address: Mailbox, _ domainID: Int64, of questions: Questions
    ) throws(SQLiteFailure) -> (targets: [Mailbox], next: Int?) {
        let key = address.localPart.key
        let (targets, next) =
            questions.tellsParts
            ? try questions.targets(of: key, domain: domainID)
            : (try questions.mailboxes(.target, of: key, domain: domainID), nil)
        if targets.isEmpty { throw wrong(address, "leads nowhere") }
        return (targets, next)
    }

    private static func wrong(_ address: Mailbox, _ what: String) -> SQLiteFailure {
        .wrong("the row of \(address) \(what); put it right with the commands of addressee, or with \"sqlite3\"")
    }
}
