// The schemas that sites have, by name. Each is in a file of its own, with what its own server makes of it.

/// A schema that is known.
public enum LDAPPreset: String, Hashable, Sendable, CaseIterable {
    /// Addressee's own, in schema/ldap.
    case addressee
    /// draft-lachman-laser-ldap-mail-routing: OpenLDAP's misc.schema, sendmail.
    case laser
    /// RFC 2307 accounts and nisMailAlias.
    case nis
    case inetorgperson
    /// qmail-ldap.
    case qmail
    /// postfix-book.
    case postfixbook
    /// Courier's authldap.
    case courier
    /// 389 Directory Server, Netscape and Sun messaging.
    case netscape = "389"
    /// Active Directory with Exchange.
    case ad

    public var schema: LDAPSchema {
        switch self {
        case .addressee: .addressee
        case .laser: .laser
        case .nis: .nis
        case .inetorgperson: .inetorgperson
        case .qmail: .qmail
        case .postfixbook: .postfixbook
        case .courier: .courier
        case .netscape: .netscape
        case .ad: .activeDirectory
        }
    }
}
