// Reads a row of the table "domain".

import MailAddress
import MailboxDirectory

enum DomainRow {
    /// The columns are those of `QuestionSQL.domain`.
    static func read(_ row: PreparedStatement, key: [UInt8]) throws(SQLiteFailure) -> Questions.KnownDomain {
        let domain = Domain(stored: try row.addressPart(1) ?? key, key: key)
        var record = DomainRecord(domain: domain, kind: try kind(row, of: domain))
        if let key = try row.addressPart(5) {
            guard let domainKey = try row.addressPart(7) else {
                throw .wrong("the catch-all of \(domain) has no domain")
            }
            record.catchAll = Mailbox(
                localPart: LocalPart(stored: try row.addressPart(6) ?? key, key: key),
                domain: Domain(stored: try row.addressPart(8) ?? domainKey, key: domainKey))
        }
        record.detailSeparators = row.octets(9) ?? []
        if let octets = row.octets(10) {
            let transport = String(decoding: octets, as: UTF8.self)
            guard DomainRecord.isTransport(transport) else {
                throw .wrong("the domain \(domain) has a transport that is not TRANSPORT:NEXTHOP")
            }
            record.transport = transport
        }
        return Questions.KnownDomain(id: row.int(0), record: record)
    }

    private static func kind(_ row: PreparedStatement, of domain: Domain) throws(SQLiteFailure) -> DomainKind {
        switch row.text(2)?.first {
        case UInt8(ascii: "l"): return .local
        case UInt8(ascii: "r"): return .relay
        case UInt8(ascii: "a"):
            guard let target = try row.addressPart(3) else {
                throw .wrong("the domain \(domain) is an alias of nothing")
            }
            return .alias(of: Domain(stored: try row.addressPart(4) ?? target, key: target))
        default: throw .wrong("the domain \(domain) is of no known kind")
        }
    }
}
