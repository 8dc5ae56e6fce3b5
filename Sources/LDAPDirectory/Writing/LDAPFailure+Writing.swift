// Why a server did not make a change, and what an administrator can do about it.

import CLDAP

extension LDAPFailure {
    /// The result of a change, other than success.
    static func refusal(_ page: SearchPage, of operation: LDAPOperation, uri: String) -> LDAPFailure {
        let text = ldap_err2string(page.code).map { String(cString: $0) } ?? "error \(page.code)"
        let said = page.said.isEmpty ? "" : " (\(page.said))"
        let advice = advice(page, operation)
        return LDAPFailure(.result(page.code), "\(uri), \"\(operation.dn)\": \(text)\(said); \(advice)")
    }

    /// Whether a change would be refused again: the schema, the rights or the place of the entry would have to change first.
    var isForGood: Bool {
        guard case .result(let code) = kind else { return false }
        return [
            LDAP_OBJECT_CLASS_VIOLATION, LDAP_UNDEFINED_TYPE, LDAP_INVALID_SYNTAX, LDAP_INVALID_DN_SYNTAX,
            LDAP_CONSTRAINT_VIOLATION, LDAP_NAMING_VIOLATION, LDAP_NOT_ALLOWED_ON_RDN, LDAP_NOT_ALLOWED_ON_NONLEAF,
            LDAP_NO_OBJECT_CLASS_MODS, LDAP_NO_SUCH_OBJECT, LDAP_INSUFFICIENT_ACCESS, LDAP_STRONG_AUTH_REQUIRED,
            LDAP_CONFIDENTIALITY_REQUIRED, LDAP_INAPPROPRIATE_AUTH, LDAP_REFERRAL, LDAP_UNWILLING_TO_PERFORM,
        ].contains(code)
    }

    private static func advice(_ page: SearchPage, _ operation: LDAPOperation) -> String {
        switch page.code {
        case LDAP_INSUFFICIENT_ACCESS, LDAP_STRONG_AUTH_REQUIRED, LDAP_CONFIDENTIALITY_REQUIRED,
            LDAP_INAPPROPRIATE_AUTH:
            return "give the account the right to write there, or bind as another, or over TLS"
        case LDAP_REFERRAL:
            return "the server is a read-only copy; name the one that takes changes"
                + (page.referral.isEmpty ? "" : ": \(page.referral)")
        case LDAP_UNWILLING_TO_PERFORM:
            return "the server takes no such change; it may be read-only, or need another bind"
        case LDAP_OBJECT_CLASS_VIOLATION, LDAP_UNDEFINED_TYPE:
            return "the server's schema does not allow it; compare it with the preset, or choose another"
        case LDAP_INVALID_SYNTAX, LDAP_INVALID_DN_SYNTAX, LDAP_CONSTRAINT_VIOLATION:
            return "the server's schema does not allow this value; many attributes take ASCII only"
        case LDAP_NAMING_VIOLATION, LDAP_NOT_ALLOWED_ON_RDN:
            return "a value names the entry; rename the entry first"
        case LDAP_NOT_ALLOWED_ON_NONLEAF: return "there are entries below it; move or remove these first"
        case LDAP_NO_SUCH_OBJECT where operation.isAdd:
            return "there is no entry to put it below; make that, or correct the base for new entries"
        case LDAP_ASSERTION_FAILED, LDAP_NO_SUCH_ATTRIBUTE, LDAP_TYPE_OR_VALUE_EXISTS:
            return "somebody else has changed the entry meanwhile; look at it and try again"
        case LDAP_BUSY, LDAP_UNAVAILABLE: return "the server is overloaded or stopping; try again"
        default: return "look at the server's log"
        }
    }
}
