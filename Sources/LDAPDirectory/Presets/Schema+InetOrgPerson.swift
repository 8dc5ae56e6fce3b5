// People as RFC 2798 has them, and groups that have an address.

import MailboxDirectory

extension LDAPSchema {
    /// Every `mail` of a person is an address, the first the canonical one. A group is a list where it has a `mail` of
    /// its own (its classes allow none; an auxiliary class does).
    static let inetorgperson: LDAPSchema = {
        var schema = LDAPSchema(
            rules: [
                LDAPRule(.user, ["inetOrgPerson"]),
                LDAPRule(.list, ["groupOfNames", "groupOfUniqueNames", "groupOfURLs", "posixGroup"], [.login: []]),
            ],
            attributes: [
                .address: ["mail"], .login: ["uid"], .fullName: ["displayName", "cn"],
                .memberDN: ["member", "uniqueMember"], .memberUID: ["memberUid"], .memberURL: ["memberURL"],
                .title: ["description", "cn"],
            ])
        schema.places = [
            LDAPPlace(
                .user, ["inetOrgPerson"], naming: "mail", required: ["cn": .name, "sn": .lastName],
                features: [.fullName, .login])
        ]
        return schema
    }()
}
