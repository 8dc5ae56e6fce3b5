// Netscape's and Sun's messaging servers, whose schema 389 Directory Server has.

import MailboxDirectory

extension LDAPSchema {
    /// `mail` is the canonical address, `mailAlternateAddress` are others of the same. `mailForwardingAddress` counts
    /// when `mailDeliveryOption` has `forward`, and a copy stays when it has `mailbox` (or `native`, `unix`); with no
    /// option at all, forwarding addresses redirect and keep nothing. An alternate address of the form `@example.org` makes
    /// it the domain's catch-all. `inactive` is for now, `deleted`, `removed` and
    /// `disabled` are for good, and then nothing is redirected; `overquota` is full, and `hold` queues mail, so takes
    /// it. A mailGroup is a list; so is a group by names that has a `mail`, and one without is opened where it is a member.
    ///
    /// `inetUserStatus` is for every service and `mailUserStatus` for mail alone; 389 Directory Server has the former only,
    /// so that is what an entry gets that has neither.
    static let netscape: LDAPSchema = {
        var schema = LDAPSchema(
            rules: [
                LDAPRule(.user, ["mailRecipient", "inetMailUser"]),
                LDAPRule(
                    .list, ["mailGroup", "inetMailGroup", "groupOfNames", "groupOfUniqueNames", "groupOfURLs"],
                    [
                        .memberAddress: ["mgrpRFC822MailMember"], .memberDN: ["uniqueMember", "member"],
                        .memberURL: ["memberURL", "mgrpDeliverTo"], .title: ["description", "cn"], .status: [],
                        .owner: ["mgrpErrorsTo"],
                    ]),
            ],
            attributes: [
                .address: ["mail"], .aliasAddress: ["mailAlternateAddress"], .login: ["uid"],
                .fullName: ["displayName", "cn"], .forwardTarget: ["mailForwardingAddress"],
                .keepCopy: ["mailDeliveryOption"], .status: ["mailUserStatus", "inetUserStatus"],
            ])
        schema.delivery.copy = ["mailbox", "native", "unix"]
        schema.delivery.needed = ["forward"]
        schema.status = .words([
            "active": .active, "hold": .active, "inactive": .suspended, "deleted": .disabled, "removed": .disabled,
            "disabled": .disabled, "unused": .active, "overquota": .full,
        ])
        schema.statusStopsForwards = true
        schema.hasCatchAlls = true
        schema.statusWords = [
            .active: "active", .disabled: "disabled", .suspended: "inactive", .full: "overquota",
        ]
        schema.statusClasses = ["inetUserStatus": "inetUser", "mailUserStatus": "inetMailUser"]
        schema.delivery.writes = LDAPDeliveryWords(
            copy: ["forward", "mailbox"], noCopy: ["forward"], none: ["mailbox"])
        schema.places = [
            LDAPPlace(
                .user, ["inetOrgPerson", "mailRecipient", "inetUser"], naming: "mail",
                required: ["cn": .name, "sn": .lastName],
                features: [.fullName, .login, .status(.disabled), .status(.suspended), .status(.full)]),
            LDAPPlace(.forward, [], naming: "mail", features: [.onUser, .severalTargets, .copy]),
            LDAPPlace(
                .list, ["organizationalRole", "mailGroup"], naming: "mail", required: ["cn": .localPart],
                features: [.title, .owner]),
        ]
        return schema
    }()
}
