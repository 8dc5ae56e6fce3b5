// The schema of the Book of Postfix, which many Postfix and Dovecot sites have.

import MailboxDirectory

extension LDAPSchema {
    /// `mail` is the canonical address, `mailAlias` are others of the same. `mailGroupMember` of an account names the
    /// lists that it is in, and there is no entry for a list. `mailForwardingAddress` redirects and keeps no copy but
    /// where the account's own address is among them. A PostfixBookMailForward without it is as in the book: its
    /// address is `mailAlias`, and it leads to its `mail`. `@example.org` among the addresses is the domain's catch-all, which
    /// Postfix asks for last (virtual(5)). `mailEnabled` FALSE takes no mail, and redirects none.
    static let postfixbook: LDAPSchema = {
        var forward = LDAPRule(.forward, ["PostfixBookMailForward"], [.memberOf: []])
        forward.needs = "mailForwardingAddress"
        var asInTheBook = LDAPRule(
            .forward, ["PostfixBookMailForward"],
            [.address: ["mailAlias"], .aliasAddress: [], .forwardTarget: ["mail"], .memberOf: []])
        asInTheBook.lacks = "mailForwardingAddress"
        var schema = LDAPSchema(
            rules: [LDAPRule(.user, ["PostfixBookMailAccount"]), forward, asInTheBook],
            attributes: [
                .address: ["mail"], .aliasAddress: ["mailAlias"], .login: ["uid"], .fullName: ["displayName", "cn"],
                .forwardTarget: ["mailForwardingAddress"], .status: ["mailEnabled"],
                .memberOf: ["mailGroupMember"],
            ])
        schema.status = .words(["true": .active, "false": .disabled])
        schema.statusStopsForwards = true
        schema.hasCatchAlls = true
        schema.statusWords = [.active: "TRUE", .disabled: "FALSE"]
        schema.places = [
            LDAPPlace(
                .user, ["inetOrgPerson", "PostfixBookMailAccount"], naming: "mail",
                required: ["cn": .name, "sn": .lastName], features: [.fullName, .login, .status(.disabled)]),
            LDAPPlace(
                .forward, ["organizationalRole", "PostfixBookMailForward"], mark: "PostfixBookMailForward",
                naming: "mail", required: ["cn": .localPart, "mailAlias": .address],
                features: [.onUser, .alone, .severalTargets]),
        ]
        return schema
    }()
}
