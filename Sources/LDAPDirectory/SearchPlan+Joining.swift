// Several searches for addresses as one. To look up one more address costs a server little beside what a search costs
// it, and whose an entry is has to be told here in any case.

import MailAddress

extension SearchPlan {
    /// A search for all that these look for. Its limit is that of one of them: where that is too few, each is to go alone.
    func joined(_ searches: [LDAPSearch]) -> LDAPSearch {
        if searches.count == 1 { return searches[0] }
        var seen: Set<Mailbox> = []
        let addresses = searches.flatMap(\.addresses).filter { seen.insert($0).inserted }
        return addressSearch(addresses) ?? searches[0]
    }

    /// The entries that each of these searches would have found.
    func shares(of entries: [LDAPEntry], among searches: [LDAPSearch]) -> [[LDAPEntry]] {
        var seekers: [Mailbox: [Int]] = [:]
        for (index, search) in searches.enumerated() {
            for address in search.addresses { seekers[address, default: []].append(index) }
        }
        var shares = [[LDAPEntry]](repeating: [], count: searches.count)
        for entry in entries {
            var takers: Set<Int> = []
            for address in reader.addresses(of: entry, reader.rules(of: entry)).all {
                takers.formUnion(seekers[address] ?? [])
            }
            for index in takers { shares[index].append(entry) }
        }
        return shares
    }
}
