// Courier's authldap.

import MailboxDirectory

extension LDAPSchema {
    /// `mail` of a CourierMailAccount is its address. A CourierMailAlias sends mail for its `mail` on to `maildrop`,
    /// where a word without a domain is a local-part of the same domain. A CourierDomainAlias is a domain all of whose
    /// mail goes to `virtualdomainuser`: a domain with a catch-all. An alias of an account's address is the account's
    /// forward, for Courier asks for aliases first, and one that leads to itself ends there.
    static let courier: LDAPSchema = {
        var schema = LDAPSchema(
            rules: [
                LDAPRule(.user, ["CourierMailAccount"]),
                LDAPRule(.alias, ["CourierMailAlias"], [.aliasTarget: ["maildrop"]]),
                LDAPRule(
                    .domain, ["CourierDomainAlias"],
                    [.domainName: ["virtualdomain"], .catchAll: ["virtualdomainuser"]]),
            ],
            attributes: [.address: ["mail"], .login: ["uid"], .fullName: ["displayName", "cn"]])
        schema.takesBareTargets = true
        schema.aliasesRedirectUsers = true
        schema.places = [
            LDAPPlace(
                .user, ["inetOrgPerson", "CourierMailAccount"], naming: "mail",
                required: ["cn": .name, "sn": .lastName, "homeDirectory": .configured],
                features: [.fullName, .login]),
            LDAPPlace(
                .alias, ["organizationalRole", "CourierMailAlias"], naming: "mail", required: ["cn": .localPart],
                features: []),
            LDAPPlace(
                .domain, ["organizationalRole", "CourierDomainAlias"], naming: "virtualdomain",
                required: ["cn": .name], features: [.catchAll]),
        ]
        return schema
    }()
}
