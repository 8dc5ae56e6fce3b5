// Active Directory, with Exchange's attributes.

import MailboxDirectory

extension LDAPSchema {
    /// `proxyAddresses` holds the addresses: `SMTP:` in upper case is the canonical one, `smtp:` others, and any other
    /// prefix (`X500:`, `sip:`) is no mail address; `mail` counts where they do not say. `targetAddress` sends all
    /// mail elsewhere; `altRecipient`, the name of another entry, redirects, and keeps a copy where
    /// `deliverAndRedirect` is TRUE. Bit 2 of `userAccountControl` is a disabled account: a site whose disabled
    /// accounts take mail (shared mailboxes) gives the role `status` no attribute. A group with an address is a list;
    /// its `member` may come in ranges.
    ///
    /// References to other servers are passed over: a search from the root of a domain always has them, to partitions
    /// in which nobody has a mailbox.
    static let activeDirectory: LDAPSchema = {
        var schema = LDAPSchema(
            rules: [
                LDAPRule(.user, ["user"]),
                LDAPRule(.forward, ["contact"], [.status: [], .login: []]),
                LDAPRule(.list, ["group"], [.status: [], .login: [], .memberDN: ["member"]]),
            ],
            attributes: [
                .address: ["mail", "proxyAddresses"], .login: ["sAMAccountName"], .fullName: ["displayName", "cn"],
                .forwardTarget: ["targetAddress"], .forwardTargetDN: ["altRecipient"],
                .keepCopy: ["deliverAndRedirect"], .status: ["userAccountControl"],
                .title: ["displayName", "cn"],
            ])
        schema.delivery.copy = ["true"]
        schema.status = .bit(2, .disabled)
        schema.prefixes = [
            "proxyAddresses": LDAPPrefix(text: "smtp:", isRequired: true, marksPrimary: true),
            "targetAddress": LDAPPrefix(text: "smtp:", isRequired: false, marksPrimary: false),
        ]
        schema.ignoresReferences = true
        // An account needs a password and a number from the server, and a group's members are entries, not addresses.
        schema.places = [
            LDAPPlace(
                .forward, ["contact"], naming: "cn",
                required: ["cn": .address, "sn": .address, "proxyAddresses": .address], features: [.alone])
        ]
        return schema
    }()
}
