// The schema files beside this one, as they are embedded: what an administrator reads is what the program applies.

/// The schemas of the SQLite and the LDAP directory.
public enum Schema {
    /// `PRAGMA application_id` of every file that is ours: "Addr" in ASCII.
    public static let applicationID: Int32 = 0x4164_6472

    /// In their order; `version` is what `PRAGMA user_version` is once the migration has been applied. Each is applied in
    /// a transaction of its own, and only once.
    public static let migrations: [(version: Int, name: String, sql: String)] = [
        (1, "0001-directory", String(decoding: PackageResources._001_directory_sql, as: UTF8.self)),
        (2, "0002-transport", String(decoding: PackageResources._002_transport_sql, as: UTF8.self)),
    ]

    /// The version that this program reads and writes.
    public static var version: Int { migrations.last?.version ?? 0 }

    /// The schema of the LDAP directory, as slapd.conf includes it.
    public static var ldapSchema: String { String(decoding: PackageResources.addressee_schema, as: UTF8.self) }

    /// The same as an entry of cn=config.
    public static var ldapConfiguration: String { String(decoding: PackageResources.addressee_ldif, as: UTF8.self) }
}
