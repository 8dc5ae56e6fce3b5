// The questions of a walk, put to one connection with statements that are prepared once. It knows nothing of opening,
// transactions or retries: the reader and the administrator's view each bring their own. Confined to its owner.

import GRDBSQLite
import MailAddress
import MailboxDirectory

final class Questions {
    /// A domain as it is remembered. A class, for a record is a dozen references to copy.
    final class KnownDomain {
        let id: Int64
        let record: DomainRecord

        init(id: Int64, record: DomainRecord) {
            self.id = id
            self.record = record
        }
    }

    /// Domains that are remembered, those that are not on record included; then all are forgotten.
    static let knownDomainLimit = 4096

    /// Those who bear a name but are in no local domain, and are passed over; with more the question is given up, for it
    /// holds up an event loop.
    static let candidateLimit = 2000

    /// Members of a list, and targets of an alias or a forward, that are told at once: as many as are read in the time of a few questions.
    static let page = 256

    private let domainStatement: PreparedStatement
    private let entryStatement: PreparedStatement
    let referencesStatement: PreparedStatement
    let pageStatement: PreparedStatement
    let pointsToStatement: PreparedStatement
    private let byLocalPart: PreparedStatement
    private let byLogin: PreparedStatement
    private let byFullName: PreparedStatement
    private var knownDomains: [Domain: KnownDomain?] = [:]
    /// Whether an alias or a forward is told in parts where it has many targets: not where whole records are wanted.
    let tellsParts: Bool

    init(_ connection: OpaquePointer, tellsParts: Bool = false) throws(SQLiteFailure) {
        self.tellsParts = tellsParts
        domainStatement = try PreparedStatement(connection, QuestionSQL.domain)
        entryStatement = try PreparedStatement(connection, QuestionSQL.entry)
        referencesStatement = try PreparedStatement(connection, QuestionSQL.references)
        pageStatement = try PreparedStatement(connection, QuestionSQL.page)
        pointsToStatement = try PreparedStatement(connection, QuestionSQL.pointsTo)
        byLocalPart = try PreparedStatement(connection, QuestionSQL.byLocalPart)
        byLogin = try PreparedStatement(connection, QuestionSQL.byLogin)
        byFullName = try PreparedStatement(connection, QuestionSQL.byFullName)
    }

    /// To be called when the file has changed.
    func forgetDomains() {
        knownDomains.removeAll(keepingCapacity: true)
    }

    /// - Throws: whatever keeps it from being known. Nothing found is `.absent`.
    func answer(_ lookup: Lookup) throws(SQLiteFailure) -> Answer {
        switch lookup {
        case .domain(let domain):
            guard let known = try self.domain(domain) else { return .absent }
            return .domain(known.record)
        case .entries(let mailboxes):
            for index in mailboxes.indices {
                guard let known = try domain(mailboxes[index].domain) else { continue }
                if let entry = try entry(at: mailboxes[index].localPart, in: known) {
                    return .entry(entry, key: index)
                }
            }
            return .absent
        case .name(let query):
            return try matches(query)
        case .members(let list):
            guard let known = try domain(list.domain) else { return .absent }
            let answer = try page(of: list.localPart.key, domain: known.id, after: .min)
            // An empty list is one; a list that has gone since, or is something else now, is not.
            if answer == .members([]) {
                guard case .list? = try entry(at: list.localPart, in: known) else { return .absent }
            }
            return answer
        case .moreMembers(let list, let position):
            guard let known = try domain(list.domain) else { return .absent }
            return try page(of: list.localPart.key, domain: known.id, after: position)
        case .moreTargets(let alias, let position):
            guard let known = try domain(alias.domain) else { return .absent }
            let (targets, next) = try targets(of: alias.localPart.key, domain: known.id, after: position)
            let members = targets.map { ListMember(mailbox: $0) }
            return next.map { .page(members, next: $0) } ?? .members(members)
        }
    }

    func domain(_ domain: Domain) throws(SQLiteFailure) -> KnownDomain? {
        if let known = knownDomains[domain] { return known }
        domainStatement.bind(1, domain.key)
        defer { domainStatement.reset() }
        let known = try domainStatement.step() ? DomainRow.read(domainStatement, key: domain.key) : nil
        if knownDomains.count >= Self.knownDomainLimit { forgetDomains() }
        knownDomains[domain] = .some(known)
        return known
    }

    func entry(at localPart: LocalPart, in domain: KnownDomain) throws(SQLiteFailure) -> Entry? {
        defer { entryStatement.reset() }
        return try localPart.key.withUnsafeBufferPointer { key throws(SQLiteFailure) -> Entry? in
            entryStatement.bind(1, unmoved: key)
            entryStatement.bind(2, domain.id)
            guard try entryStatement.step() else { return nil }
            return try EntryRow.read(
                entryStatement, key: localPart.key, domain: domain.record.domain, domainID: domain.id, of: self)
        }
    }

    private func matches(_ query: NameQuery) throws(SQLiteFailure) -> Answer {
        if let localPart = query.localPart {
            let entries = try matches(byLocalPart, localPart.key, limit: query.limit)
            if !entries.isEmpty { return .matches(entries, .localPart) }
        }
        guard !query.folded.isEmpty else { return .absent }
        let logins = try matches(byLogin, query.folded, limit: query.limit)
        if !logins.isEmpty { return .matches(logins, .login) }
        let names = try matches(byFullName, query.folded, limit: query.limit)
        return names.isEmpty ? .absent : .matches(names, .fullName)
    }

    private func matches(
        _ statement: PreparedStatement, _ key: [UInt8], limit: Int
    ) throws(SQLiteFailure) -> [Entry] {
        statement.bind(1, key)
        defer { statement.reset() }
        var entries: [Entry] = []
        var passedOver = 0
        while entries.count < limit, try statement.step() {
            if EntryRow.counts(statement) {
                entries.append(try EntryRow.readAddressed(statement, of: self))
                continue
            }
            passedOver += 1
            if passedOver > Self.candidateLimit {
                throw .wrong(
                    "more than \(Self.candidateLimit) bear the name \"\(String(decoding: key, as: UTF8.self))\" in relay"
                        + " and alias domains, too many to look for others; ask for the whole address")
            }
        }
        if entries.count < 2 { return entries }
        return entries.sorted { $0.address.description < $1.address.description }
    }
}
