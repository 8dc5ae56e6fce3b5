// Active Directory, with Exchange's attributes.

import MailboxDirectory

extension LDAPSchema {
    /// `proxyAddresses` holds the addresses: `SMTP:` in upper case is the canonical one, `smtp:` others, and any other
    /// prefix (`X500:`, `sip:`) is no mail address; `mail` counts where they do not say, and not where somebody else has
    /// it among them. `targetAddress` sends all mail elsewhere; `altRecipient`, the name of another entry, redirects, and
    /// keeps a copy where `deliverAndRedirect` is TRUE. A contact that leads nowhere is an entry of somebody's address
    /// book. Bit 2 of `userAccountControl` is a disabled account, which takes no mail unless nobody is to log in to its
    /// mailbox. A group with an address is a list; its `member` may come in ranges. Whom a dynamic list reaches, Exchange
    /// alone knows.
    ///
    /// References to other servers are passed over: a search from the root of a domain always has them, to partitions
    /// in which nobody has a mailbox.
    static let activeDirectory: LDAPSchema = {
        var contact = LDAPRule(.forward, ["contact"], [.status: [], .login: []])
        contact.needs = "targetAddress"
        var dynamicList = LDAPRule(.list, ["msExchDynamicDistributionList"], [.status: [], .login: []])
        dynamicList.hasMembersElsewhere = true
        var schema = LDAPSchema(
            rules: [
                LDAPRule(.user, ["user"]),
                LDAPRule(.user, ["publicFolder"], [.status: [], .login: []]),
                contact,
                LDAPRule(.list, ["group"], [.status: [], .login: [], .memberDN: ["member"]]),
                dynamicList,
            ],
            attributes: [
                .address: ["mail", "proxyAddresses"], .login: ["sAMAccountName"], .fullName: ["displayName", "cn"],
                .forwardTarget: ["targetAddress"], .forwardTargetDN: ["altRecipient"],
                .keepCopy: ["deliverAndRedirect"], .status: ["userAccountControl"],
                .title: ["displayName", "cn"],
            ])
        schema.delivery.copy = ["true"]
        // A contact is somebody elsewhere: nobody's mail goes there because of an entry in an address book.
        schema.forwardsRedirectUsers = false
        schema.status = .bit(2, .disabled)
        schema.loginless = ["msExchRecipientTypeDetails": mailboxesWithoutLogin]
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

    /// Values of `msExchRecipientTypeDetails` (Microsoft's RecipientTypeDetails): mailboxes whose account is disabled
    /// because nobody logs in to it, and which take mail.
    private static let mailboxesWithoutLogin: Set<String> = [
        "2",  // linked: the account is in another forest
        "4",  // shared
        "16",  // of a room
        "32",  // of equipment
        "8388608",  // for the approval of messages
        "536870912",  // for what has been searched out
        "8589934592",  // of a room, in the cloud
        "17179869184",  // of equipment, in the cloud
        "34359738368",  // shared, in the cloud
        "68719476736",  // of public folders
        "137438953472",  // of a site
        "274877906944",  // of a site, in the cloud
        "1099511627776",  // of a group
        "2199023255552",  // of a room, its account in another forest
        "8796093022208",  // of a group, in the cloud
    ]
}
