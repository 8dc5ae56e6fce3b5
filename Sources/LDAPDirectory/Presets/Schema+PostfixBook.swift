// The schema of the Book of Postfix, which many Postfix and Dovecot sites have.

import MailboxDirectory

extension LDAPSchema {
    /// `mail` is the canonical address, `mailAlias` are others of the same. `mailGroupMember` of an account names the lists
    /// that it is in, and there is no entry for a list. A PostfixBookMailForward sends mail to `mailForwardingAddress`, and
    /// keeps none. `mailEnabled` FALSE takes no mail.
    static let postfixbook: LDAPSchema = {
        var schema = LDAPSchema(
            rules: [
                LDAPRule(.user, ["PostfixBookMailAccount"]),
                LDAPRule(.forward, ["PostfixBookMailForward"], [.memberOf: []]),
            ],
            attributes: [
                .address: ["mail"], .aliasAddress: ["mailAlias"], .login: ["uid"], .fullName: ["displayName", "cn"],
                .forwardTarget: ["mailForwardingAddress"], .status: ["mailEnabled"],
                .memberOf: ["mailGroupMember"],
            ])
        schema.status = .words(["true": .active, "false": .disabled])
        return schema
    }()
}
