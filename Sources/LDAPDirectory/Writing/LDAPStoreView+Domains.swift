// Domains in a transaction: those with an entry can be written, those of the configuration only read.

import MailAddress
import MailboxDirectory

extension LDAPStoreView {
    func insert(_ record: DomainRecord) throws(StoreError) {
        try writer.check(.domain(record), isOnUser: false)
        var slot = try slot(of: record.domain)
        if slot.after != nil { throw .domainTaken(record.domain) }
        slot.after = record
        overlay.domains[record.domain] = slot
    }

    func replace(_ record: DomainRecord) throws(StoreError) {
        var slot = try changeable(record.domain)
        try writer.check(.domain(record), isOnUser: false)
        slot.after = record
        overlay.domains[record.domain] = slot
    }

    func removeDomain(_ domain: Domain) throws {
        var slot = try changeable(domain)
        let standing = try standing(in: domain, limit: 1, withUsers: true)
        if try !standing.isEmpty || !aliases(of: domain).isEmpty { throw StoreError.notEmpty(domain) }
        slot.after = nil
        _ = try writer.changes(for: slot)
        overlay.domains[domain] = slot
    }

    /// - Throws: `.notFound` when there is none, and a refusal when it is in the configuration.
    private func changeable(_ domain: Domain) throws(StoreError) -> DomainSlot {
        if plan.configured[domain] != nil {
            throw .refused("the domain \(domain) is in the configuration; change it there")
        }
        let slot = try slot(of: domain)
        if slot.after == nil { throw .notFound(.domain, domain.description) }
        try writer.check(.domain)
        return slot
    }

    private func slot(of domain: Domain) throws(StoreError) -> DomainSlot {
        if let slot = overlay.domains[domain] { return slot }
        if let known = plan.configured[domain] {
            return DomainSlot(domain: domain, entry: nil, before: known, after: known)
        }
        if plan.domainRules.isEmpty { return DomainSlot(domain: domain, entry: nil, before: nil, after: nil) }
        var search = plan.search(plan.domainFilter([domain]), plan.domainRules, limit: LDAPLimits.entriesAtAnAddress)
        search.attributes = StoreSession.everything
        do throws(ReadFault) {
            var found: [DomainSlot] = []
            for entry in try session.outcomes([search]).entries() {
                guard let record = try plan.reader.domain(entry, asked: domain) else { continue }
                found.append(DomainSlot(domain: domain, entry: entry, before: record, after: record))
            }
            if found.count > 1 { throw ReadFault("two entries are both the domain \(domain); remove one") }
            return found.first ?? DomainSlot(domain: domain, entry: nil, before: nil, after: nil)
        } catch {
            throw trouble(error.reason)
        }
    }
}
