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
