// Our own schema: schema/ldap/addressee.schema says what each attribute is.

import MailboxDirectory

extension LDAPSchema {
    /// One attribute a role, folded keys to search by, and numbers that keep the order of values.
    static let addressee: LDAPSchema = {
        var schema = LDAPSchema(
            rules: [
                LDAPRule(.user, ["addresseeUser"]), LDAPRule(.forward, ["addresseeForward"]),
                LDAPRule(.alias, ["addresseeAlias"]), LDAPRule(.moved, ["addresseeMoved"]),
                LDAPRule(.list, ["addresseeList"]), LDAPRule(.domain, ["addresseeDomain"]),
            ],
            attributes: [
                .address: ["addresseeAddress"], .login: ["addresseeLogin"], .fullName: ["addresseeFullName"],
                .forwardTarget: ["addresseeForwardTarget"], .keepCopy: ["addresseeKeepCopy"],
                .reply: ["addresseeReply"], .status: ["addresseeStatus"], .newAddress: ["addresseeNewAddress"],
                .aliasTarget: ["addresseeAliasTarget"], .memberAddress: ["addresseeMember"],
                .owner: ["addresseeOwner"], .expansion: ["addresseeExpansion"], .title: ["addresseeTitle"],
                .domainName: ["addresseeDomainName"], .domainKind: ["addresseeDomainKind"],
                .domainTarget: ["addresseeDomainTarget"], .catchAll: ["addresseeCatchAll"],
                .detailSeparators: ["addresseeDetailSeparators"], .transport: ["addresseeTransport"],
            ])
        schema.status = .words(["active": .active, "disabled": .disabled, "suspended": .suspended, "full": .full])
        schema.delivery.copy = ["true"]
        schema.isOrdered = true
        schema.keys = LDAPKeyAttributes(
            address: "addresseeKey", localPart: "addresseeLocalPartKey", domain: "addresseeDomainKey",
            login: "addresseeLoginKey", name: "addresseeNameKey")
        let all: [(RecordKind, AttributeName)] = [
            (.user, "addresseeUser"), (.forward, "addresseeForward"), (.alias, "addresseeAlias"),
            (.moved, "addresseeMoved"), (.list, "addresseeList"),
        ]
        schema.places = all.map { kind, mark in
            LDAPPlace(kind, ["top", "addresseeEntry", mark], mark: mark, naming: "addresseeKey")
        }
        schema.places.append(LDAPPlace(.domain, ["top", "addresseeDomain"], naming: "addresseeDomainKey"))
        return schema
    }()
}
