// The attributes that a server sets itself in every entry: nobody has written them, and nobody can.

import MailboxDirectory

extension StoreSession {
    /// What Active Directory puts into an entry and gives out with the attributes that people have written. Its schema
    /// says so of most of them, and not of all (MS-ADTS 3.1.1.5.2.2).
    private static let activeDirectory: Set<String> = [
        "distinguishedname", "dscorepropagationdata", "instancetype", "name", "ntsecuritydescriptor", "objectcategory",
        "objectguid", "objectsid", "samaccounttype", "usnchanged", "usncreated", "whenchanged", "whencreated",
    ]

    /// The names, in lower case. What the schema shows as an attribute that users can't modify, or that is no attribute of
    /// users, is among them (RFC 4512 4.1.2). Where the schema can't be read, only those of Active Directory are.
    func serverAttributes() -> Set<String> {
        if let known = ownAttributes { return known }
        let root = LDAPSearch(
            base: "", scope: .base, filter: LDAPFilter.present("objectClass").text, attributes: ["subschemaSubentry"])
        let place = outcomes([root]).first?.anyEntries.first?.texts("subschemaSubentry").first ?? "cn=subschema"
        let search = LDAPSearch(
            base: place, scope: .base, filter: "(objectClass=subschema)", attributes: ["attributeTypes"], sizeLimit: 1)
        let definitions = outcomes([search]).first?.anyEntries.first?.values("attributeTypes") ?? []
        let schema = ServerSchema(attributeTypes: definitions, objectClasses: [])
        // The change check of this store goes by the mark, and every record has classes.
        let own = Self.activeDirectory.union(schema.serverAttributes).subtracting(["entrycsn", "objectclass"])
        ownAttributes = own
        return own
    }
}
