// Whether a server knows the schema that it is to be read by. To a server, a filter on an attribute or a class that it
// does not know is no error: it fits nothing (RFC 4511 4.5.1.7), and every mailbox would seem absent.

import CLDAP
import MailboxDirectory

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension LDAPHandle {
    /// - Throws: that the server knows no class of users, or no attribute that holds addresses. A server that does not
    ///   show its schema in time is taken at its word.
    func check(_ schema: LDAPSchema, until end: Nanoseconds) throws(LDAPFailure) {
        guard let root = read("", ["subschemaSubentry"], "(objectClass=*)", end),
            let place = root.texts("subschemaSubentry").first,
            let known = read(place, ["attributeTypes", "objectClasses"], "(objectClass=subschema)", end)
        else { return }
        let users = schema.rules.filter { $0.kind == .user }
        let classes = users.flatMap(\.classes)
        var attributes = schema.names(.address, users) + schema.names(.aliasAddress, users)
        attributes += schema.names(.localPart, users)
        if let keys = schema.keys { attributes = [keys.address] }
        try check(classes, among: known.values("objectClasses"), "class")
        try check(attributes, among: known.values("attributeTypes"), "attribute")
    }

    private func check(_ wanted: [AttributeName], among definitions: [[UInt8]], _ what: String) throws(LDAPFailure) {
        if definitions.isEmpty || wanted.isEmpty { return }
        var names: Set<String> = []
        for definition in definitions { names.formUnion(Self.names(definition)) }
        if wanted.contains(where: { names.contains($0.key) }) { return }
        let list = wanted.map(\.description).joined(separator: ", ")
        throw LDAPFailure(
            .unreachable,
            "\(uri): the server's schema has no \(what) \(list); choose the preset that fits it, or load that schema")
    }

    /// The names and the OID of a definition: `( 2.5.4.3 NAME ( 'cn' 'commonName' ) …`, in lower case.
    static func names(_ definition: [UInt8]) -> [String] {
        let words = String(decoding: definition, as: UTF8.self).lowercased().split { " ()".contains($0) }
        guard let oid = words.first else { return [] }
        var names = [String(oid)]
        guard let start = words.firstIndex(of: "name") else { return names }
        for word in words[(start + 1)...] {
            guard word.first == "'", word.last == "'", word.count > 2 else { break }
            names.append(String(word.dropFirst().dropLast()))
        }
        return names
    }

    /// One entry, while nobody else uses the connection; nil when it can't be read.
    private func read(
        _ base: String, _ attributes: [String], _ filter: String, _ end: Nanoseconds
    ) -> LDAPEntry? {
        // No time at all would be taken for a wrong parameter.
        let left = Int(max(end - MonotonicTime.now(), 1000) / 1000)
        var names: [UnsafeMutablePointer<CChar>?] = attributes.map { strdup($0) } + [nil]
        defer { for name in names { free(name) } }
        var time = timeval(tv_sec: left / 1_000_000, tv_usec: left % 1_000_000)
        var result: OpaquePointer?
        let code = ldap_search_ext_s(ld, base, Int32(CLDAP_SCOPE_BASE), filter, &names, 0, nil, nil, &time, 1, &result)
        defer { if let result { ldap_msgfree(result) } }
        guard code == LDAP_SUCCESS, let result, let message = ldap_first_entry(ld, result) else { return nil }
        return entry(message)
    }
}
