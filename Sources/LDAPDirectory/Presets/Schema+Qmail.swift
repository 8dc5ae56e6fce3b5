// qmail-ldap.

import MailboxDirectory

extension LDAPSchema {
    /// `mail` is the canonical address, `mailAlternateAddress` are others of the same mailbox. `mailForwardingAddress`
    /// redirects and keeps a copy, unless `deliveryMode` has `forwardonly`, `nombox` or `nolocal`; `noforward`
    /// switches it off. `accountStatus` `disabled` and `deleted` take no mail, and redirect none; `nopop` and
    /// `noaccess` do. A qmailGroup is a list.
    static let qmail: LDAPSchema = {
        var schema = LDAPSchema(
            rules: [LDAPRule(.user, ["qmailUser"]), LDAPRule(.list, ["qmailGroup"])],
            attributes: [
                .address: ["mail"], .aliasAddress: ["mailAlternateAddress"], .login: ["uid"],
                .fullName: ["displayName", "cn"], .forwardTarget: ["mailForwardingAddress"],
                .keepCopy: ["deliveryMode"], .status: ["accountStatus"], .memberAddress: ["rfc822member"],
                .memberDN: ["dnmember"], .title: ["cn"],
            ])
        schema.delivery.keepsCopyByDefault = true
        schema.delivery.copy = []
        schema.delivery.noCopy = ["forwardonly", "nombox", "nolocal"]
        schema.delivery.noForward = ["noforward"]
        schema.status = .words([
            "active": .active, "nopop": .active, "noaccess": .active, "disabled": .disabled, "deleted": .disabled,
        ])
        schema.statusStopsForwards = true
        schema.statusWords = [.active: "active", .disabled: "disabled"]
        schema.delivery.writes = LDAPDeliveryWords(copy: [], noCopy: ["nolocal"])
        schema.places = [
            LDAPPlace(
                .user, ["inetOrgPerson", "qmailUser"], naming: "mail", required: ["cn": .name, "sn": .lastName],
                features: [.fullName, .login, .status(.disabled)]),
            LDAPPlace(.forward, [], naming: "mail", features: [.onUser, .severalTargets, .copy]),
            LDAPPlace(
                .list, ["organizationalRole", "qmailGroup"], naming: "mail",
                required: ["cn": .name, "mailAlternateAddress": .address, "mailMessageStore": .configured],
                features: [.title]),
        ]
        return schema
    }()
}
