// A search as a URL (RFC 4516), as `memberURL` has it. Only searches on the server that was asked are taken.

import CLDAP

/// Where to look for members, how far, and for which.
struct LDAPURL: Hashable, Sendable {
    var base: String
    var scope: LDAPScope
    /// RFC 4515 text, as the directory has it.
    var filter: String

    /// - Returns: nil for what is no LDAP URL, or names a host.
    init?(_ value: [UInt8]) {
        if value.contains(0) { return nil }
        var parsed: UnsafeMutablePointer<LDAPURLDesc>?
        guard ldap_url_parse(String(decoding: value, as: UTF8.self), &parsed) == LDAP_URL_SUCCESS, let parsed else {
            return nil
        }
        defer { ldap_free_urldesc(parsed) }
        let url = parsed.pointee
        if let host = url.lud_host, host.pointee != 0 { return nil }
        // What a URL asks for beyond the standard and must have can't be given.
        if url.lud_crit_exts != 0 { return nil }
        base = url.lud_dn.map { String(cString: $0) } ?? ""
        filter = url.lud_filter.map { String(cString: $0) } ?? "(objectClass=*)"
        switch Int(url.lud_scope) {
        case CLDAP_SCOPE_ONE: scope = .one
        case CLDAP_SCOPE_SUBTREE: scope = .subtree
        // Without a scope it is the entry alone (RFC 4516).
        default: scope = .base
        }
    }
}

extension LDAPURL {
    /// Whether a server's URL names this machine, so that nothing goes over a network: `localhost` (RFC 6761 6.3), ::1, or an
    /// address in 127.0.0.0/8.
    static func isLoopback(_ uri: String) -> Bool {
        var parsed: UnsafeMutablePointer<LDAPURLDesc>?
        guard ldap_url_parse(uri, &parsed) == LDAP_URL_SUCCESS, let parsed else { return false }
        defer { ldap_free_urldesc(parsed) }
        guard let name = parsed.pointee.lud_host.map({ String(cString: $0).lowercased() }) else { return false }
        let host = name.hasPrefix("[") && name.hasSuffix("]") ? String(name.dropFirst().dropLast()) : name
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        let isIPv4 = parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
        return host == "localhost" || host == "::1" || host == "0:0:0:0:0:0:0:1" || (isIPv4 && parts[0] == "127")
    }
}
