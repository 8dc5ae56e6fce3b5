// Why a bind was refused. Active Directory says "invalid credentials" to everything, and the true reason, as a Windows
// error number in hexadecimal, in its diagnostic message: `80090308: LdapErr: DSID-0C090439, comment:
// AcceptSecurityContext error, data 52e, v4563`.

import CLDAP

extension LDAPFailure {
    /// Whether the server has refused the credentials (RFC 4511 appendix A, 49).
    var isRefusedBind: Bool { kind == .result(LDAP_INVALID_CREDENTIALS) }

    /// What to do about refused credentials.
    /// - Parameter said: the diagnostic message.
    static func bindAdvice(_ said: String) -> String {
        let general = "check the bind DN and its password"
        guard let code = activeDirectoryCode(said) else { return general }
        return switch code {
        case "525": "there is no such account; correct the bind DN"
        case "52e": "the password is wrong; correct it"
        case "52f": "the account is restricted, as by an empty password; look at its settings"
        case "530": "the account may not log on at this time; change its logon hours"
        case "531": "the account may not log on from here; change the workstations that it may log on to"
        case "532": "the password has expired; set another, and let this account's never expire"
        case "533": "the account is disabled; enable it"
        case "534": "the account has not the right to log on so; grant it"
        case "701": "the account has expired; set another end, or none"
        case "773": "the account must set another password first; take that from it (\"user must change password\")"
        case "775": "the account is locked after too many wrong passwords; unlock it"
        default: general
        }
    }

    /// The word behind `data`, in lower case and without zeroes before it; nil where there is none.
    private static func activeDirectoryCode(_ said: String) -> String? {
        let words = said.lowercased().split { $0 == " " || $0 == "," }
        guard let index = words.firstIndex(of: "data"), index + 1 < words.count else { return nil }
        let code = words[index + 1].drop { $0 == "0" }
        return code.isEmpty || !code.allSatisfy(\.isHexDigit) ? nil : String(code)
    }
}
