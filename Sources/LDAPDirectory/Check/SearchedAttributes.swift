// Which attributes questions search by, and how: what a server must have indexed.

import MailboxDirectory

struct SearchedAttributes {
    /// By equality.
    let addresses: [AttributeName]
    let logins: [AttributeName]
    /// By substrings; by equality where there are folded words.
    let names: [AttributeName]
    let equality: [AttributeName]
    let substring: [AttributeName]

    init(_ plan: SearchPlan) {
        let schema = plan.schema
        let places = [LDAPRole.address, .aliasAddress, .localPart].flatMap { schema.names($0, plan.recordRules) }
        addresses = SearchPlan.once(places)
        logins = schema.names(.login, plan.userRules)
        names = schema.names(.fullName, plan.userRules)
        if let keys = schema.keys {
            equality = ["objectClass"] + keys.all
            substring = []
            return
        }
        let others = schema.names(.memberOf, plan.recordRules) + schema.names(.domainName, plan.domainRules)
        equality = SearchPlan.once(["objectClass"] + addresses + logins + others)
        substring = names
    }
}

extension SearchPlan {
    static func once(_ names: [AttributeName]) -> [AttributeName] {
        var seen: Set<AttributeName> = []
        return names.filter { seen.insert($0).inserted }
    }
}
