// Which server it is, by what its root entry says: advice names what that server has.

enum ServerKind {
    case openLDAP
    /// 389 Directory Server, and those that it comes from: Netscape's, Sun's, Red Hat's.
    case netscape
    case other

    /// What the root entry is asked for.
    static let attributes = ["objectClass", "vendorName", "vendorVersion"]

    init(root: LDAPEntry) {
        if root.isOf(["OpenLDAProotDSE"]) {
            self = .openLDAP
        } else if (root.texts("vendorName") + root.texts("vendorVersion")).contains(where: Self.isNetscape) {
            self = .netscape
        } else {
            self = .other
        }
    }

    /// `389 Project`, `389-Directory/2.3.1 B2025.016.1616`, `Sun-Directory-Server/11.1.1.5.0`
    private static func isNetscape(_ text: String) -> Bool {
        text.contains("389 Project") || text.contains("-Directory/") || text.contains("-Directory-Server/")
    }
}

extension LDAPServerCheck {
    var kind: ServerKind { ServerKind(root: root) }
}
