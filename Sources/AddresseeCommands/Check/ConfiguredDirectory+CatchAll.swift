// Catch-alls that nothing comes of, since the domain is on record in a source that is asked before.

import AddresseeConfiguration
import MailAddress
import MailboxDirectory

extension ConfiguredDirectory {
    /// Of a domain that several sources have, the record of the first rules. What can't be read is told of its source.
    var catchAllFindings: [Finding] {
        if configuration.sources.count < 2 { return [] }
        var list = FindingList()
        var ruling: [Domain: (record: DomainRecord, source: String)] = [:]
        for source in configuration.sources {
            guard let store = try? Self.wiring().openStore(source) else { return list.all }
            do {
                try store.read { reading in
                    try reading.forEach(.domain, in: nil) { record in
                        guard case .domain(let domain) = record else { return }
                        guard let first = ruling[domain.domain] else {
                            ruling[domain.domain] = (domain, source.name)
                            return
                        }
                        guard let lost = domain.catchAll, lost != first.record.catchAll else { return }
                        list.add(
                            Finding(
                                .warning, .directory,
                                "the catch-all of \(domain.domain) in the source \(source.name), \(lost), gets no mail: the"
                                    + " record in \(first.source), which is asked before, rules",
                                advice:
                                    "addressee domain set \(domain.domain) --source \(first.source) --catch-all \(lost),"
                                    + " or take it out of \(source.name)"),
                            topic: "catch-alls that get no mail")
                    }
                }
            } catch {
                return list.all
            }
        }
        return list.all
    }
}
