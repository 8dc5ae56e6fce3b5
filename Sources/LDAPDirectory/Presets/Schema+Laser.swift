// Mail routing as sendmail has it (draft-lachman-laser-ldap-mail-routing-02).

import MailboxDirectory

extension LDAPSchema {
    /// `mailLocalAddress` are the addresses of a recipient. `mailRoutingAddress` is where mail for them goes: when it
    /// is one of the addresses itself it is the canonical mailbox, else a forward. Without one the mailbox is here,
    /// whichever host `mailHost` names: hosts are not what this directory is asked about. `@example.org` as a local address
    /// is the domain's catch-all, which sendmail asks for last.
    static let laser: LDAPSchema = {
        var schema = LDAPSchema(
            rules: [LDAPRule(.user, ["inetLocalMailRecipient"])],
            attributes: [
                .address: ["mailLocalAddress"], .forwardTarget: ["mailRoutingAddress"], .login: ["uid"],
                .fullName: ["displayName", "cn"],
            ])
        schema.routesToItself = true
        schema.hasCatchAlls = true
        schema.places = [
            LDAPPlace(
                .user, ["inetOrgPerson", "inetLocalMailRecipient"], naming: "mailLocalAddress",
                required: ["cn": .name, "sn": .lastName], features: [.fullName, .login]),
            // mailRoutingAddress has one value.
            LDAPPlace(.forward, [], naming: "mailLocalAddress", features: [.onUser]),
        ]
        return schema
    }()
}
