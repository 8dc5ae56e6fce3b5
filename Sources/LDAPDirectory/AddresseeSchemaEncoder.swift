// Records as entries of our own schema (schema/ldap/addressee.schema), and back. Pure: nothing is written here.

public import MailAddress
public import MailboxDirectory

/// Makes entries of Addressee's own schema.
public enum AddresseeSchemaEncoder {
    /// An attribute and its values, in the order in which they are to be written.
    public typealias Attributes = [(name: AttributeName, values: [[UInt8]])]

    /// The name of the entry that holds a record. A forward and the user it sits on share one entry.
    public static func dn(of record: Record, base: String) -> String {
        if let address = record.address { return dn(of: address, base: base) }
        return "\(DistinguishedName.component("addresseeDomainKey", record.domain.key)),\(base)"
    }

    public static func dn(of address: Mailbox, base: String) -> String {
        "\(DistinguishedName.component("addresseeKey", SearchPlan.key(of: address))),\(base)"
    }

    /// All attributes of the entry that holds these records, `objectClass` first: one record, or a user and a forward
    /// at one address.
    public static func attributes(of records: [Record]) -> Attributes {
        var all: Attributes = [("objectClass", [Array("top".utf8)])]
        for record in records {
            for (name, values) in attributes(of: record) {
                let isReference = name == "addresseeRefersTo" || name == "addresseeRefersToDomain"
                guard let index = all.firstIndex(where: { $0.name == name }) else {
                    all.append((name, values))
                    continue
                }
                // Of the rest, the address is the same in both.
                if isReference || name == "objectClass" {
                    all[index].values += values.filter { !all[index].values.contains($0) }
                }
            }
        }
        return all
    }

    /// Every attribute that records are kept in, in the order in which they are changed.
    static let all: [AttributeName] = [
        "addresseeKey", "addresseeAddress", "addresseeLocalPartKey", "addresseeDomainKey", "addresseeFullName",
        "addresseeNameKey", "addresseeLogin", "addresseeLoginKey", "addresseeStatus", "addresseeForwardTarget",
        "addresseeKeepCopy", "addresseeReply", "addresseeAliasTarget", "addresseeNewAddress", "addresseeTitle",
        "addresseeOwner", "addresseeExpansion", "addresseeMember", "addresseeDomainName", "addresseeDomainKind",
        "addresseeDomainTarget", "addresseeCatchAll", "addresseeDetailSeparators", "addresseeTransport",
        "addresseeRefersTo", "addresseeRefersToDomain",
    ]

    /// The attributes of one record; none has no values.
    public static func attributes(of record: Record) -> Attributes {
        var own: Attributes = []
        switch record {
        case .domain(let domain): own = attributes(of: domain)
        case .user(let user):
            own = entry(.user, user.address)
            own += [
                ("addresseeFullName", text(user.fullName)),
                ("addresseeNameKey", NameFolding.keys(ofFullName: user.fullName)),
                ("addresseeLogin", text(user.login ?? "")),
                ("addresseeLoginKey", user.login.map { [NameFolding.fold(Array($0.utf8))] } ?? []),
                ("addresseeStatus", user.status == .active ? [] : text(user.status.rawValue)),
            ]
        case .alias(let alias):
            own = entry(.alias, alias.address) + [("addresseeAliasTarget", ordered(alias.targets.map { ($0, "") }))]
        case .forward(let forward):
            own = entry(.forward, forward.address)
            own += [
                ("addresseeForwardTarget", ordered(forward.targets.map { ($0, "") })),
                ("addresseeKeepCopy", forward.keepsCopy ? text("TRUE") : []),
                ("addresseeReply", forward.reply == .auto ? [] : text(forward.reply.rawValue)),
            ]
        case .moved(let moved):
            own = entry(.moved, moved.address)
            own.append(("addresseeNewAddress", moved.newAddress.map { [spelling($0)] } ?? []))
        case .list(let list, let members):
            own = entry(.list, list.address)
            own += [
                ("addresseeTitle", text(list.name)), ("addresseeOwner", list.owner.map { [spelling($0)] } ?? []),
                ("addresseeExpansion", text(list.expansion.rawValue)),
                ("addresseeMember", ordered(members.map { ($0.mailbox, $0.name) })),
            ]
        }
        return (own + references(of: record)).filter { !$0.values.isEmpty }
    }

    private static func attributes(of domain: DomainRecord) -> Attributes {
        var kind = "local"
        var target: [[UInt8]] = []
        switch domain.kind {
        case .local: break
        case .relay: kind = "relay"
        case .alias(let other):
            kind = "alias"
            target = [other.octets]
        }
        return [
            ("objectClass", text("addresseeDomain")), ("addresseeDomainKey", [domain.domain.key]),
            ("addresseeDomainName", [domain.domain.octets]), ("addresseeDomainKind", text(kind)),
            ("addresseeDomainTarget", target), ("addresseeCatchAll", domain.catchAll.map { [spelling($0)] } ?? []),
            (
                "addresseeDetailSeparators",
                domain.detailSeparators.isEmpty ? text("none") : [domain.detailSeparators]
            ),
            ("addresseeTransport", text(domain.transport ?? "")),
        ]
    }

    private static func entry(_ kind: RecordKind, _ address: Mailbox) -> Attributes {
        let aClass =
            switch kind {
            case .user: "addresseeUser"
            case .alias: "addresseeAlias"
            case .forward: "addresseeForward"
            case .moved: "addresseeMoved"
            case .list: "addresseeList"
            case .domain: "addresseeDomain"
            }
        return [
            ("objectClass", text("addresseeEntry") + text(aClass)), ("addresseeKey", [SearchPlan.key(of: address)]),
            ("addresseeAddress", [spelling(address)]), ("addresseeLocalPartKey", [address.localPart.key]),
            ("addresseeDomainKey", [address.domain.key]),
        ]
    }

    /// Who is pointed to, so that what points to an address is found by one search.
    private static func references(of record: Record) -> Attributes {
        var keys: [[UInt8]] = []
        var domains: [[UInt8]] = []
        for (_, mailbox) in record.references {
            keys.append(SearchPlan.key(of: mailbox))
            domains.append(mailbox.domain.key)
        }
        if case .domain(let domain) = record, case .alias(let other) = domain.kind { domains.append(other.key) }
        return [("addresseeRefersTo", once(keys)), ("addresseeRefersToDomain", once(domains))]
    }

    private static func once(_ values: [[UInt8]]) -> [[UInt8]] {
        var seen: Set<[UInt8]> = []
        return values.filter { seen.insert($0).inserted }
    }

    private static func text(_ text: String) -> [[UInt8]] { text.isEmpty ? [] : [Array(text.utf8)] }

    private static func spelling(_ mailbox: Mailbox) -> [UInt8] {
        var octets: [UInt8] = []
        mailbox.append(to: &octets)
        return octets
    }

    private static func ordered(_ mailboxes: [(Mailbox, String)]) -> [[UInt8]] {
        mailboxes.enumerated().map { index, one in
            OrderedValue(position: index, mailbox: one.0, name: Array(one.1.utf8)).octets
        }
    }
}
