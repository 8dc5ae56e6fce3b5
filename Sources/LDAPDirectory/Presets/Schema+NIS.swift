// The aliases map of NIS in LDAP (nisMailAlias of OpenLDAP's misc.schema) beside the accounts of RFC 2307.

import MailboxDirectory

extension LDAPSchema {
    /// `cn` of a nisMailAlias is a local-part in each of the configured domains, or a whole address;
    /// `rfc822MailMember` is where it leads, and one without a domain is a local-part of the same domain. An account
    /// (posixAccount) is a mailbox named by its `uid`. An alias of the same name is its forward, for sendmail looks
    /// into aliases before it delivers, and `\uid` among the members keeps a copy. A member that is a file, a program
    /// or `:include:` can't be told. What follows a comma in `gecos` is a room or a telephone.
    static let nis: LDAPSchema = {
        var schema = LDAPSchema(
            rules: [
                LDAPRule(
                    .alias, ["nisMailAlias"],
                    [.address: ["cn"], .localPart: ["cn"], .aliasTarget: ["rfc822MailMember"]]),
                LDAPRule(
                    .user, ["posixAccount"],
                    [.localPart: ["uid"], .login: ["uid"], .fullName: ["gecos", "cn"]]),
            ],
            attributes: [:])
        schema.takesBareTargets = true
        schema.aliasesRedirectUsers = true
        schema.cuts = ["gecos": UInt8(ascii: ",")]
        // An account needs numbers and a home, which are not this directory's to give.
        schema.places = [LDAPPlace(.alias, ["nisMailAlias"], naming: "cn", features: [])]
        return schema
    }()
}
