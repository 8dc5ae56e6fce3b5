// Reads a row of the table "domain".

import MailAddress
import MailboxDirectory

enum DomainRow {
    /// The columns are those of `QuestionSQL.domain`.
    static func read(_ row: PreparedStatement, key: [UInt8]) throws(SQLiteFailure) -> Questions.KnownDomain {
        let domain = Domain(stored: row.octets(1) ?? key, key: key)
        var record = DomainRecord(domain: domain, kind: try kind(row, of: domain))
        if let key = row.octets(5) {
            guard let domainKey = row.octets(7) else { throw .wrong("the catch-all of \(domain) has no domain") }
            record.catchAll = Mailbox(
                localPart: LocalPart(stored: row.octets(6) ?? key, key: key),
                domain: Domain(stored: row.octets(8) ?? domainKey, key: domainKey))
        }
        record.detailSeparators = row.octets(9) ?? []
        return Questions.KnownDomain(id: row.int(0), record: record)
    }

    private static func kind(_ row: PreparedStatement, of domain: Domain) throws(SQLiteFailure) -> DomainKind {
        switch row.text(2)?.first {
        case UInt8(ascii: "l"): return .local
        case UInt8(ascii: "r"): return .relay
        case UInt8(ascii: "a"):
            guard let target = row.octets(3) else { throw .wrong("the domain \(domain) is an alias of nothing") }
            return .alias(of: Domain(stored: row.octets(4) ?? target, key: target))
        default: throw .wrong("the domain \(domain) is of no known kind")
        }
    }
}
